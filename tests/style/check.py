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
C_FOLDERS = ("include", "src", "wal", "tests")
TEXT_FOLDERS = C_FOLDERS + ("docs", "conf", "chaos", "charts", "proto", ".ci")
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
    "wal/internal.h": "what the files of the queue share: one structure, owned by them all",
    "src/grpc/client_internal.h": "likewise, of the client",
    "src/grpc/server_internal.h": "likewise, of the server",
    "src/http/server_internal.h": "likewise, of the HTTP server",
}

# Each outside library is included in one folder. Tests may use what they compare with.
LIBRARIES = {
    r"lmdb\.h": "wal",
    r"yaml\.h": "src/config",
    r"curl/.*|microhttpd\.h": "src/http",
    r"nghttp2/.*": "src/grpc",
    r"openssl/.*|zstd.*\.h|isa-l.*|libdeflate\.h|snappy-c\.h|pcre2\.h": "src/util",
    r"yajl/.*": "src/otlp",
    r"protobuf-c/.*": "src/proto",
}

# What a folder may include of ours, besides itself and include/holdfast.
COMPONENTS = ("src/receiver", "src/processor", "src/exporter", "src/extension")
BELOW = {
    "include/holdfast": (),
    "src/util": (),
    "wal": ("src/util",),
    "src/otlp": ("src/util",),
    "src/ottl": ("src/otlp", "src/util"),
    "src/proto": ("src/util",),
    "src/grpc": ("src/util",),
    "src/http": ("src/util",),
    "src/config": ("src/util",),
    "src/service": ("src/config", "src/otlp", "src/http", "wal", "src/util"),
    **{folder: ("src/grpc", "src/http", "src/ottl", "src/otlp", "src/util") for folder in COMPONENTS},
}

BANNED = re.compile(
    r"\b(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|rand|srand|gets|gmtime|localtime|alloca)\s*\("
)
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
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


def component_stems():
    """{folder: names of the components that live there}, from the registry."""
    stems = {folder: set() for folder in COMPONENTS}
    for kind, name in re.findall(
        r"HF_COMPONENT\(([a-z]+)_(\w+)\)", (ROOT / "src/components.def").read_text()
    ):
        stems[f"src/{kind}"].add(name)
    return stems


def check_library(path, folder, line, header):
    for pattern, home in LIBRARIES.items():
        if re.fullmatch(pattern, header) and folder != home:
            problem(path, line, f"<{header}> may be included in {home}/ only")


def check_layer(path, folder, line, header, stems):
    target = (path.parent / header).resolve()
    if not target.is_file():
        target = ROOT / "src" / header
    if not target.is_file() or ROOT not in target.parents:
        problem(path, line, f'"{header}": no such file from here')
        return
    home = str(target.parent.relative_to(ROOT))
    if home == folder and folder in COMPONENTS:
        for other in stems[folder]:
            if target.stem == other and path.stem.split("_")[0] != other.split("_")[0]:
                problem(path, line, f'"{header}": a component never includes another')
    elif home != folder and home not in BELOW[folder]:
        problem(path, line, f'"{header}": {folder}/ may not include {home}/')


def check_includes(path, lines, stems):
    folder = str(path.parent.relative_to(ROOT))
    if folder not in BELOW:
        return
    for number, text in enumerate(lines, 1):
        found = INCLUDE.match(text)
        if not found:
            continue
        quote, header = found.groups()
        if quote == "<":
            check_library(path, folder, number, header)
        else:
            check_layer(path, folder, number, header, stems)


def check_code(path, text):
    for number, line in enumerate(code_only(text).split("\n"), 1):
        banned = BANNED.search(line)
        if banned:
            problem(path, number, f"{banned.group(1)}() is banned")
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
    stems = component_stems()
    c_files = [path for path in files(C_FOLDERS, {".c", ".h"}) if path.parent != ROOT]
    for path in c_files:
        text = path.read_text()
        lines = text.removesuffix("\n").split("\n")
        check_includes(path, lines, stems)
        check_code(path, text)
        check_length(path, lines)
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
