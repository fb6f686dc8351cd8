#!/usr/bin/env python3
"""Runs the fault experiments of chaos/experiments against the real program.

  chaos/run.py [NAME ...] [--seed N] [--long | --subset] [--minutes N] [--list] [--keep] [--json FILE]

Without a name: every experiment, in its short form. Exit 1: something acknowledged was lost, or what must hold
did not. The truth is kept outside the victim: the sender writes what was acknowledged, the sink what arrived.
"""

import argparse
import importlib
import json
import os
import random
import subprocess
import sys
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from harness.errors import Broken, Skipped  # noqa: E402
from harness.lab import Lab  # noqa: E402
from harness.storm import STORM  # noqa: E402
from harness.victim import BINARY, ROOT  # noqa: E402

# Most important first. `soak` runs only when it is named.
ORDER = (
    "sigkill rollback outage long_outage clock full_disk takeover stop reload oom working_set big_backlog chain hybrid once damage cycles "
    "until_full inspector disk_errors slow_disk read_only gone_directory crash_points power_states slow_exporter lines network dns "
    "credentials certificates descriptors hostile power_cut soak"
).split()
ONLY_BY_NAME = {"soak"}
# Of `--subset`: a failure of ./dev test must be the change's, not the draw's. An experiment may name its own SEEDS.
SUBSET_SEEDS = (20_260_101,)


def experiments():
    """{name: module}, in order."""
    have = {path.stem for path in (HERE / "experiments").glob("*.py") if path.stem != "__init__"}
    names = [name for name in ORDER if name in have] + sorted(have - set(ORDER))
    return {name: importlib.import_module(f"experiments.{name}") for name in names}


def build():
    """The load generator and the clock; the program itself is built by ./dev."""
    if "HOLDFAST_STORM" not in os.environ and (ROOT / "build" / "build.ninja").exists():
        done = subprocess.run(
            ["cmake", "--build", ROOT / "build", "--target", "holdfast-storm", "clock_shim"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            sys.exit(f"holdfast-storm does not build:\n{done.stdout[-3000:]}")
    for program in (BINARY, STORM):
        if not os.access(program, os.X_OK):
            sys.exit(f"{program} is missing: ./dev build")


def run_one(name, module, seed, options):
    """The row of one experiment."""
    lab = Lab(name, seed, options.long, options.minutes)
    begun = time.monotonic()
    result, reason = "held", ""
    try:
        module.run(lab)
    except Skipped as error:
        result, reason = "skipped", str(error)
    except Broken as error:
        result, reason = "BROKEN", str(error)
    except Exception:
        result, reason = "BROKEN", traceback.format_exc(limit=4)
    if lab.lost:
        result = "LOST"
    errors = lab.close(keep=options.keep or result in ("BROKEN", "LOST"))
    if errors and result in ("held", "skipped"):
        result, reason = "BROKEN", "; ".join(errors)
    return {
        "experiment": name,
        "seed": seed,
        "promise": module.PROMISE,
        "faults": lab.faults,
        "acknowledged": lab.acknowledged,
        "lost": lab.lost,
        "repeated": lab.repeated,
        "recovery_s": lab.worst_recovery,
        "seconds": time.monotonic() - begun,
        "result": result,
        "reason": reason,
        "notes": lab.notes,
        "directory": str(lab.directory) if result in ("BROKEN", "LOST") or options.keep else None,
    }


HEAD = ("experiment", "faults", "acknowledged", "lost", "repeated", "recovery", "time", "result")
LINE = "{:<15}{:>8}{:>14}{:>6}{:>10}{:>10}{:>8}  {}"


def line_of(row):
    recovery = "-" if row["recovery_s"] is None else f"{row['recovery_s']:.2f} s"
    shown = (row["experiment"], row["faults"], row["acknowledged"], row["lost"], row["repeated"], recovery)
    return LINE.format(*shown, f"{row['seconds']:.0f} s", row["result"])


def tell(row):
    print(line_of(row))
    print(f"    seed {row['seed']}")
    for note in row["notes"]:
        print(f"    {note}")
    if row["reason"]:
        print("    " + row["reason"].strip().replace("\n", "\n    "))
    if row["directory"]:
        print(f"    repeat with: ./dev chaos {row['experiment']} --seed {row['seed']}; kept: {row['directory']}")
    sys.stdout.flush()


def chosen(all_of_them, options):
    if options.names:
        unknown = [name for name in options.names if name not in all_of_them]
        if unknown:
            sys.exit(f"no such experiment: {' '.join(unknown)}; there are: {' '.join(all_of_them)}")
        return options.names
    if options.subset:
        return [name for name, module in all_of_them.items() if getattr(module, "SUBSET", False)]
    return [name for name in all_of_them if name not in ONLY_BY_NAME]


def seeds_of(module, options):
    """The fixed ones for the subset; a new one for each experiment of a long run; otherwise the run's."""
    if options.seed is not None:
        return (options.seed,)
    if options.subset:
        return getattr(module, "SEEDS", SUBSET_SEEDS)
    return (random.randrange(1 << 31),)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--long", action="store_true", help="the full sweeps: hours")
    parser.add_argument("--subset", action="store_true", help="what ./dev test runs, with fixed seeds: some two minutes")
    parser.add_argument("--minutes", type=float, help="of soak")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--keep", action="store_true", help="keep the directories")
    parser.add_argument("--json", metavar="FILE", help="write the rows there too")
    return parser.parse_args()


def main():
    options = arguments()
    all_of_them = experiments()
    if options.list:
        for name, module in all_of_them.items():
            print(f"{name}\n  promise: {module.PROMISE}\n  fault:   {module.FAULT}\n  holds:   {module.HOLDS}")
        return 0
    build()
    print(LINE.format(*HEAD))
    rows = []
    for name in chosen(all_of_them, options):
        for seed in seeds_of(all_of_them[name], options):
            rows.append(run_one(name, all_of_them[name], seed, options))
            tell(rows[-1])
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1) + "\n")
    bad = [row["experiment"] for row in rows if row["result"] in ("BROKEN", "LOST")]
    faults, lost = sum(row["faults"] for row in rows), sum(row["lost"] for row in rows)
    acknowledged = sum(row["acknowledged"] for row in rows)
    print(f"{faults} faults, {acknowledged} items acknowledged, {lost} lost" + (f"; failed: {' '.join(bad)}" if bad else ""))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
