#!/usr/bin/env python3
"""Holds the style rules that a machine can hold. Prints path:line: rule, and fails when one is broken.

Functions that fill more than a screen are listed as warnings: a flat table or switch may stay.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
C_FOLDERS = ("include", "src", "wal", "tests", "docs")
TEXT_FOLDERS = C_FOLDERS + ("conf", "chaos", "charts", "proto", ".ci")
TEXT_ENDINGS = {
    ".c",
    ".h",
    ".def",
    ".py",
    ".md",
    ".txt",
    ".yaml",
    ".yml",
    ".json",
    ".sh",
    ".cmake",
    ".ini",
    "",
}
FILE_LINES_MAX, HEADER_LINES_MAX, FUNCTION_LINES_MAX = 600, 150, 60
TEST_LINES_MAX = 900  # tables of cases are long, and a test's helpers live in headers

IGNORED = ("corpus", "__pycache__")

# Files over the limit, each with its reason.
LONGER = {
    "wal/wal.h": "the whole contract of the queue library on one page",
    "include/holdfast/node.h": "all that the graph lends to a component, on one page",
    "src/grpc/client_connection.c": "the states of one connection, from connecting to its end",
    "wal/internal.h": "what the files of the queue share: one structure, owned by them all",
    "src/grpc/client_internal.h": "likewise, of the client",
    "src/grpc/server_internal.h": "likewise, of the server",
    "src/http/server_internal.h": "likewise, of the HTTP server",
}

# Each outside library is included in one folder (yajl in two). Tests may use what they compare with.
LIBRARIES = {
    r"lmdb\.h": "wal",
    r"yaml\.h": "src/config",
    r"curl/.*|microhttpd\.h": "src/http",
    r"nghttp2/.*": "src/grpc",
    r"openssl/.*|zstd.*\.h|isa-l.*|libdeflate\.h|snappy-c\.h|pcre2\.h|xxhash\.h": "src/util",
    r"yajl/.*": ("src/json", "src/pdata"),
    r"msgpack.*": "src/encodings",
    r"ncurses\.h": "src/top",
    r"librdkafka/.*": "src/kafka",
    r"libxml/.*": "src/ottl",
    r"systemd/.*": "src/journal",
    r"libpq-fe\.h": "src/postgres",
    r"mysql\.h": "src/mysql",
}

# The floors, from the ground up: what a folder may include of ours, besides itself and include/holdfast. The entry
# with the longest path that holds a file is the file's floor; a component is a floor of its own.
ENGINES = (
    "src/logs",
    "src/expr",
    "src/ottl",
    "src/kubernetes",
    "src/prometheus",
    "src/encodings",
    "src/bulk",
    "src/aws",
)
GROUND = ("src/util",)
DATA = ("src/json", "src/pdata", *GROUND)
TRANSPORTS = ("src/grpc", "src/http", "src/kafka", "src/journal", "src/postgres", "src/mysql")
SHARED = ("src/support", *ENGINES, *TRANSPORTS, *DATA)
FLOORS = {
    "include/holdfast": (),
    "src/util": (),
    "wal": GROUND,
    "src/json": GROUND,
    "src/proto": GROUND,
    "src/pdata": DATA,
    "src/grpc": GROUND,
    "src/http": GROUND,
    "src/kafka": GROUND,
    "src/journal": GROUND,
    "src/postgres": GROUND,
    "src/mysql": GROUND,
    "src/config": GROUND,
    "src/storage": ("wal", *GROUND),
    "src/node": ("wal", *GROUND),
    "src/delivery": ("src/node", "src/storage", "src/config", "wal", *DATA),
    "src/pipeline": ("src/node", "src/delivery", "src/storage", "src/config", "wal", *DATA),
    "src/service": (
        "src/pipeline",
        "src/node",
        "src/delivery",
        "src/storage",
        "src/config",
        "src/grpc",
        "src/http",
        "src/ottl",
        "wal",
        *DATA,
    ),
    "src/top": DATA,
    "src/ottl": DATA,
    "src/expr": GROUND,
    "src/logs": ("src/expr", *DATA),
    "src/kubernetes": ("src/config", "src/http", "src/json", *GROUND),
    "src/prometheus": ("src/config", *DATA),
    "src/encodings": DATA,
    "src/bulk": DATA,
    "src/aws": ("src/http", "src/json", *GROUND),
    "src/support": SHARED,
    "src/testing": (
        "src/service",
        "src/pipeline",
        "src/node",
        "src/storage",
        "src/config",
        "src/ottl",
        "wal",
        *DATA,
    ),
    "src/convert": ("src/config", *GROUND),
    "src/webhook": ("src/kubernetes", "src/pipeline", "src/http", *DATA),
    "src/cli": (
        "src/testing",
        "src/convert",
        "src/service",
        "src/top",
        "src/webhook",
        "src/kubernetes",
        "src/pipeline",
        "src/storage",
        "src/config",
        "wal",
        *DATA,
    ),
    "src/check": ("src/service", "src/pipeline", "src/storage", "src/config", "src/support", "wal", *DATA),
    "src": ("src/cli", "src/convert", "src/service", "src/check", "src/config"),
    "docs/examples": SHARED,
}
COMPONENTS = "src/components"


# Words that do not belong in prose: old idiom and private words that stand for terms of the field.
WORDS = re.compile(
    r"\b(anew|whoever|whomever|for want of|reckon(ed|s|ing)?|at leisure|mend(s|ed|ing)?|lets? itself|is dear|save what|"
    r"nobody|somebody|bury|buried|burial|doomed|despair|henceforth|thereof|wherein|hitherto)\b",
    re.IGNORECASE,
)

BANNED = re.compile(
    r"\b(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|rand|srand|gets|gmtime|localtime|alloca)\s*\("
)
# Others start threads with hf_thread_start(), which keeps signals away from them.
STARTS_THREADS = ("src/util/thread.c", "src/http/server.c", "wal/", "tests/")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
GENERATED = re.compile(r"default_config\.h|console_assets\.h|.*\.pb-c\.h")
VERBOSE = "--verbose" in sys.argv
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')

problems = []
warnings = []


def problem(path, line, text):
    problems.append(f"{path.relative_to(ROOT)}:{line}: {text}")


def files(folders, endings):
    """Every file below the folders, and beside the folders in the root, that has one of the endings."""
    found = [path for path in ROOT.iterdir() if path.is_file()]
    for folder in folders:
        for top, names_of_folders, names in os.walk(ROOT / folder):
            names_of_folders[:] = [name for name in names_of_folders if name not in IGNORED and name[0] != "."]
            found += [Path(top) / name for name in names]
    return sorted(path for path in found if path.suffix in endings and path.name != "LICENSE")


def code_only(text):
    """The text with the content of comments and literals blanked; lines stay where they are."""
    pattern = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)

    def blank(match):
        token = match.group(0)
        if token.startswith("/*"):
            return re.sub(r"[^\n]", " ", token)
        return token[0] + " " * (len(token) - 2) + token[-1]

    return pattern.sub(blank, text)


def floor_of(folder):
    """The floor that a folder belongs to, and what that may include; None: any."""
    parts = folder.split("/")
    if folder.startswith(COMPONENTS + "/"):
        return "/".join(parts[:4]), SHARED
    while parts:
        name = "/".join(parts)
        if name in FLOORS:
            return name, FLOORS[name]
        parts.pop()
    return None, None


def check_library(path, floor, line, header):
    for pattern, home in LIBRARIES.items():
        homes = home if isinstance(home, tuple) else (home,)
        if re.fullmatch(pattern, header) and floor not in homes:
            problem(path, line, f"<{header}> may be included in {' and '.join(homes)} only")


def included_file(path, header):
    """The file that an #include "..." names: beside the file, from src/, or from the root."""
    for base in (path.parent, ROOT / "src", ROOT):
        target = (base / header).resolve()
        if target.is_file():
            return target
    return None


def check_layer(path, floor, below, line, header):
    if header.startswith("."):
        problem(path, line, f'"{header}": say the path from src/, or the name of a file beside this one')
    target = included_file(path, header)
    if target is None:
        if not GENERATED.fullmatch(header):
            problem(path, line, f'"{header}": no such file from here')
        return
    home = floor_of(str(target.parent.relative_to(ROOT)))[0]
    if home == floor:
        return
    if home.startswith(COMPONENTS):
        problem(path, line, f'"{header}": a component is included by no other')
    elif home not in below:
        problem(path, line, f'"{header}": {floor}/ may not include {home}/')


def check_includes(path, lines):
    folder = str(path.parent.relative_to(ROOT))
    floor, below = floor_of(folder)
    if floor is None or folder.startswith("tests"):
        return
    for number, text in enumerate(lines, 1):
        found = INCLUDE.match(text)
        if not found:
            continue
        quote, header = found.groups()
        if quote == "<":
            check_library(path, floor, number, header)
        else:
            check_layer(path, floor, below, number, header)


def defined_functions(code):
    """Names of the functions that a file defines for others."""
    pattern = re.compile(r"^(?!static\b|typedef\b)[A-Za-z_][\w \t\n\*(),]*?\b(\w+)\([^;{}]*\)\s*\n\{", re.M)
    return {found.group(1) for found in pattern.finditer(code)}


def own_names(code):
    """Names of all functions that a file defines, those of its own use included,."""
    return {found.group(1) for found in re.finditer(r"^[A-Za-z_][\w \t\n\*(),]*?\b(\w+)\([^;{}]*\)\s*\n\{", code, re.M)}


def used_names(code):
    """Names that a file may call: not the tags of types, and not the members of structures."""
    tags_and_members = r"\b(?:struct|enum|union)\s+\w+|(?:->|\.)\s*\w+"
    return set(re.findall(r"\b[a-z]\w+\b", re.sub(tags_and_members, " ", code)))


def strong_components(edges):
    """Tarjan's algorithm, without recursion: the groups of more than one that reach each other."""
    order, low, stack, on_stack, groups = {}, {}, [], set(), []
    for root in edges:
        if root in order:
            continue
        work = [(root, iter(sorted(edges[root])))]
        order[root] = low[root] = len(order)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, rest = work[-1]
            for other in rest:
                if other not in order:
                    order[other] = low[other] = len(order)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, iter(sorted(edges[other]))))
                    break
                if other in on_stack:
                    low[node] = min(low[node], order[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == order[node]:
                    group = []
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        group.append(member)
                        if member == node:
                            break
                    if len(group) > 1:
                        groups.append(sorted(group))
    return groups


def check_cycles(sources):
    """No files call each other in a circle. `sources`: {path: text} of the product's .c files."""
    code = {path: code_only(text) for path, text in sources.items()}
    home = {}
    for path, text in code.items():
        for name in defined_functions(text):
            if name != "main":
                home.setdefault(name, set()).add(path)
    edges = {path: set() for path in code}
    ties = {}
    for path, text in code.items():
        for name in used_names(text) - own_names(text):
            for other in home.get(name, ()):
                if other != path and len(home[name]) == 1:
                    edges[path].add(other)
                    ties.setdefault((path, other), []).append(name)
    for group in strong_components(edges):
        names = ", ".join(str(path.relative_to(ROOT)) for path in group)
        problem(group[0], 1, f"files that call each other in a circle: {names}")
        if VERBOSE:
            for (one, other), used in sorted(ties.items()):
                if one in group and other in group:
                    print(f"  {one.name} -> {other.name}: {', '.join(sorted(used))}")


def check_heads(path, text):
    """A .c file without a header of its own begins with what it is. Headers in include/holdfast count."""
    public = ROOT / "include/holdfast" / f"{path.stem}.h"
    has_header = path.with_suffix(".h").is_file() or public.is_file()
    if path.suffix == ".c" and not has_header and not text.startswith("/*"):
        problem(path, 1, "without a header of its own, a file begins with a comment: what it is")


def prose_of(path, text):
    """[(line number, text)] of what a person reads: comments and literals of C, all of a document."""
    if path.suffix == ".md":
        return list(enumerate(text.split("\n"), 1))
    found = []
    for match in re.finditer(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"', text, re.S):
        first = text.count("\n", 0, match.start()) + 1
        found += list(enumerate(match.group(0).split("\n"), first))
    return found


def check_words(path, text):
    for number, line in prose_of(path, text):
        word = WORDS.search(line)
        if word:
            problem(path, number, f'"{word.group(0)}": say it in plain words')


def check_code(path, text):
    for number, line in enumerate(code_only(text).split("\n"), 1):
        banned = BANNED.search(line)
        if banned:
            problem(path, number, f"{banned.group(1)}() is banned")
        if "pthread_create(" in line and not str(path.relative_to(ROOT)).startswith(STARTS_THREADS):
            problem(path, number, "start a thread with hf_thread_start()")
        if re.search(r"\bgoto\b", line):
            problem(path, number, "goto: let the scope free (HF_AUTO) or split the function")
        if "//" in line:
            problem(path, number, "comments are /* */")
        if re.search(r"\btypedef\s+(struct|enum|union)\b\s*\w*\s*(\{|\w+\s*;|$)", line):
            problem(path, number, "no typedefs of structs, enums or unions")


def check_length(path, lines):
    relative = str(path.relative_to(ROOT))
    most = HEADER_LINES_MAX if path.suffix == ".h" else FILE_LINES_MAX
    if relative.startswith("tests/"):
        most = TEST_LINES_MAX
    if len(lines) > most and relative not in LONGER:
        problem(path, 1, f"{len(lines)} lines, at most {most}: it is probably two things")
    begun = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            begun = number
        elif line.startswith("}") and begun:
            if number - begun - 1 > FUNCTION_LINES_MAX:
                warnings.append(f"{relative}:{begun}: a function of {number - begun - 1} lines")
            begun = None


def check_text(path, text):
    if path.name != Path(__file__).name:
        for number, line in enumerate(text.split("\n"), 1):
            if UNFINISHED.search(line):
                problem(path, number, "unfinished work does not merge")
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip():
            problem(path, number, "trailing white space")
        if path.suffix in (".c", ".h", ".py") and "\t" in line:
            problem(path, number, "a tab")
        licence = re.search(r"SPDX-License-Identifier: (\S+)", line)
        if licence and licence.group(1) != "Apache-2.0" and path.name != Path(__file__).name:
            problem(path, number, "the licence is Apache-2.0")
    if text and not text.endswith("\n"):
        problem(path, text.count("\n") + 1, "no newline at the end")


def check_layout(c_files):
    """By the release of clang-format that ./dev installs: others lay out otherwise."""
    program = os.environ.get("CLANG_FORMAT_PROGRAM")
    if program is None:
        program = next(map(str, ROOT.glob("build/clang-format-*/bin/clang-format")), None)
    if program is None:
        sys.exit("style: clang-format is missing (./dev fmt installs it)")
    result = subprocess.run(
        [program, "--dry-run", "-Werror", *map(str, c_files)],
        capture_output=True,
        text=True,
        check=False,
    )
    badly = sorted(set(re.findall(r"^(\S+?):\d+:\d+: error: code should be", result.stderr, re.M)))
    for name in badly:
        problem(Path(name), 1, "not laid out by clang-format: ./dev fmt")
    if result.returncode and not badly:
        problems.append(result.stderr.strip())


def main():
    c_files = [path for path in files(C_FOLDERS, {".c", ".h"}) if path.parent != ROOT]
    product = {}
    for path in c_files:
        text = path.read_text()
        lines = text.removesuffix("\n").split("\n")
        check_includes(path, lines)
        check_code(path, text)
        check_length(path, lines)
        relative = str(path.relative_to(ROOT))
        if not relative.startswith("tests/"):
            check_heads(path, text)
            check_words(path, text)
            if path.suffix == ".c" and not relative.startswith("wal/example"):
                product[path] = text
    check_cycles(product)
    for path in files(("docs", "wal"), {".md"}):
        check_words(path, path.read_text())
    for path in files(TEXT_FOLDERS, TEXT_ENDINGS):
        try:
            check_text(path, path.read_text())
        except UnicodeDecodeError:
            problem(path, 1, "not UTF-8")
    check_layout(c_files)

    for line in warnings:
        print(f"warning: {line}")
    for line in problems:
        print(line)
    print(f"style: {len(c_files)} C files, {len(problems)} problems, {len(warnings)} warnings")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
