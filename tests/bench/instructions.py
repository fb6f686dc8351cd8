"""Instructions an item, counted by valgrind: a figure that does not depend on the machine or its load."""

import re
import shutil
import subprocess

from rig import BUILD, Failed, compile_targets

# program, arguments, what an item is, how many of them in the small and the large run.
PIECES = [
    ("scan", (), "span", 100, 20_000, 120_000),
    ("document", ("edit",), "span, an attribute set by the editor", 100, 2_000, 12_000),
    ("document", ("document",), "span, likewise in a document", 100, 2_000, 12_000),
    ("document", ("read",), "span, a field read, nothing changed", 100, 2_000, 12_000),
    ("ottl", ("filter",), "span, two conditions", 100, 2_000, 12_000),
    ("ottl", ("transform",), "span, five statements", 100, 2_000, 12_000),
    ("loki", (), "log record, a push request of 100", 100, 2_000, 12_000),
    ("scrape", ("read",), "sample of a scrape, read", 1000, 20_000, 120_000),
    ("scrape", ("replay",), "sample of a scrape of the same series", 1000, 20_000, 120_000),
    ("exposed", ("fold",), "point of a known series, a metric each", 100, 2_000, 12_000),
    ("exposed", ("print",), "series in a scrape", 100, 2_000, 12_000),
    ("append", (), "record of 100 spans, not synced", 1, 500, 1500),
    ("payload", ("identity",), "record of 100 spans, joined by eights", 1, 800, 4800),
    ("payload", ("gzip",), "record of 100 spans, to gzip by eights", 1, 80, 480),
    ("payload", ("zstd",), "record of 100 spans, to zstd by eights", 1, 80, 480),
]


def count(program, arguments):
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    found = re.search(r"Collected\s*:\s*(\d+)", done.stderr)
    if done.returncode != 0 or found is None:
        raise Failed(f"{program.name}: {(done.stderr or done.stdout)[-500:]}")
    return int(found.group(1))


def run():
    if shutil.which("valgrind") is None:
        print("skipped instructions: valgrind is not installed")
        return {}
    compile_targets(*sorted({f"bench-{piece[0]}" for piece in PIECES}))
    results = {}
    for name, words, item, _, few, many in PIECES:
        program = BUILD / "chaos" / f"bench-{name}"
        # What both runs do once falls away.
        each = (count(program, (*words, many)) - count(program, (*words, few))) / (many - few)
        title = " ".join((name, *words))
        results[title] = each
        print(f"instructions  {title:18} {each:>12,.0f}  a {item}", flush=True)
    return results
