#!/usr/bin/env python3
"""`./dev bench`: measures Holdfast with its own load generator and sink; see docs/benchmarks.md."""

import argparse
import datetime
import json
import os
import platform
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import flame  # noqa: E402
import instructions  # noqa: E402
import works  # noqa: E402
from rig import CORES, HOLDFAST, OUTPUT, Failed, compile_targets, raise_file_limit  # noqa: E402

from tests.support import otelcol  # noqa: E402

# What stands in the table of a work, in this order.
COLUMNS = (
    "spans_per_cpu_s",
    "items_per_cpu_s",
    "wall_per_s",
    "drain_per_s",
    "fill_per_s",
    "fill_per_cpu_s",
    "p50_ms",
    "p99_ms",
    "kept_percent",
    "peak_anon_mib",
    "peak_rss_mib",
    "bytes_waiting",
    "disk_before_mib",
    "disk_after_mib",
    "cpu_percent",
    "rss_mib",
    "anon_mib",
    "more_mib",
    "ready_ms",
    "file_mib",
    "stripped_mib",
    "kib_each",
    "us_a_request",
    "group",
    "collector_cores",
    "sender_cores",
    "sink_cores",
    "others_share",
    "lost",
)


def number(value):
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value == int(value) else f"{value:.3g}"


def median(rounds):
    """Field by field, of the rounds that count; all of them when none does."""
    counted = [result for result in rounds if not result["verdict"]] or rounds
    fields = [key for key, value in counted[0].items() if isinstance(value, int | float)]
    merged = {key: statistics.median(result[key] for result in counted) for key in fields}
    merged["lost"] = max(result.get("lost", 0) for result in rounds)
    bad = [result["verdict"] for result in rounds if result["verdict"]]
    invalid = not any(not result["verdict"] for result in rounds) or merged["lost"]
    merged["verdict"] = bad[0] if bad and invalid else ""
    return merged


def held(name, field, value):
    """" ok", " MISSED" or "", and the target as text."""
    target = works.TARGETS.get(name, {}).get(field)
    if target is None:
        return "", ""
    sign, limit = target
    fine = value >= limit if sign == ">=" else value <= limit
    return ("reached" if fine else "missed"), f"{sign} {number(limit)}"


def print_result(name, who, result, ratio=None):
    noisy = result.get("others_share", 0) > works.NOISY
    note = f"INVALID: {result['verdict']}" if result["verdict"] else ""
    if noisy:
        note += f"{'; ' if note else ''}noisy: others used {100 * result['others_share']:.0f} % of the machine"
    print(f"{name} {who}{'  ' + note if note else ''}")
    looks = [field for field in result if field not in COLUMNS and field.endswith(("_ms", "_kib", "_percent", "_ratio"))]
    for field in (*COLUMNS, *looks):
        if field not in result or (result["verdict"] and field in ("spans_per_cpu_s", "items_per_cpu_s")):
            continue
        word, target = held(name, field, result[field]) if who == "holdfast" else ("", "")
        print(f"    {field:26} {number(result[field]):>12}   {target:14} {word}")
    if ratio is not None:
        print(f"    {'ratio':26} {ratio:>12.1f}   holdfast to {who}")
    sys.stdout.flush()


def measure(name, peers, seconds, count):
    """Rounds of a work, the peers in turn; returns who: {"median", "rounds"}."""
    rounds = {who: [] for who, _ in peers}
    for turn in range(count):
        for who, program in peers if turn % 2 == 0 else reversed(peers):
            try:
                rounds[who].append(works.run_work(name, (who, program), seconds))
            except Failed as failure:
                print(f"{name} {who} round {turn + 1}: {failure}", flush=True)
    return {who: {"median": median(found), "rounds": found} for who, found in rounds.items() if found}


def ratio_of(results, peers):
    values = [results.get(who, {}).get("median", {}) for who, _ in peers]
    for field in ("spans_per_cpu_s", "items_per_cpu_s", "drain_per_s"):
        if all(value.get(field) and not value["verdict"] for value in values):
            return values[0][field] / values[1][field]
    return None


def machine():
    model = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "cpu": model[0].split(":", 1)[1].strip() if model else platform.machine(),
        "cores": CORES,
        "kernel": platform.release(),
        "load_before": os.getloadavg()[0],
        "when": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def expand(names):
    found = []
    for name in names or works.STANDARD:
        found += works.CURVES.get(name, [name])
    return found


def arguments():
    parser = argparse.ArgumentParser(
        prog="./dev bench",
        description=f"Works: {', '.join(works.STANDARD)}; curves: {', '.join(works.CURVES)}; also grpc-N, http-N, "
        "conns-N, exporters-N, pipelines-N, cores-N, cgroup-N, drain-N, ready-N, tail-N, statements-N, known-N, waiting-N, "
        "series-N, pod-MODE, flow-MODE, with-COMPONENT, "
        "in-RECEIVER, out-EXPORTER, idle-files, idle-files-written, idle-hostmetrics; instructions. "
        "HOLDFAST_PEER: a Go collector with the components of with-*, in-* and out-*, instead of the one that is built.",
    )
    parser.add_argument("works", nargs="*", metavar="WORK")
    parser.add_argument("--seconds", type=float, default=10, help="of sending, a round (10)")
    parser.add_argument("--rounds", type=int, default=3, help="of each work; the median counts (3)")
    parser.add_argument(
        "--vs",
        choices=["otelcol", "fluent-bit"],
        help="measure the Go collector in turn with Holdfast, or, where files are tailed, the Fluent Bit in HOLDFAST_PEER",
    )
    parser.add_argument("--profile", metavar="WORK", help="one round under perf: build/bench/WORK.txt and .svg")
    parser.add_argument("--json", type=Path, help="where all results go (build/bench/results.json)")
    return parser.parse_args()


def find_peers(vs):
    peers = [("holdfast", HOLDFAST)]
    if vs == "fluent-bit":
        peers.append((vs, os.environ["HOLDFAST_PEER"]))
    elif vs:
        try:
            peers.append(("otelcol", os.environ.get("HOLDFAST_PEER") or otelcol.build()))
        except otelcol.NotBuilt as reason:
            print(f"skipped --vs otelcol: {reason}", flush=True)
    return peers


def main():
    options = arguments()
    OUTPUT.mkdir(parents=True, exist_ok=True)
    raise_file_limit()
    compile_targets("holdfast-storm")
    if options.profile:
        tool = flame.recorder(options.profile)
        result = works.run_work(options.profile, ("holdfast", HOLDFAST), options.seconds, tool=tool)
        print_result(options.profile, "holdfast", result)
        return 0
    everything = {"machine": machine(), "seconds": options.seconds, "works": {}}
    print(f"{CORES} cores, {everything['machine']['cpu']}, load {everything['machine']['load_before']:.1f} before")
    names = expand(options.works)
    if "instructions" in names:
        names.remove("instructions")
        everything["instructions"] = instructions.run()
    if not names:
        return 0
    peers = find_peers(options.vs)
    lost = 0
    for name in names:
        results = measure(name, peers, options.seconds, options.rounds)
        ratio = ratio_of(results, peers) if len(peers) == 2 else None
        for who, result in results.items():
            print_result(name, who, result["median"], None if who == "holdfast" else ratio)
            lost += result["median"]["lost"] if who == "holdfast" else 0
        everything["works"][name] = {**results, "ratio": ratio}
    path = options.json or OUTPUT / "results.json"
    path.write_text(json.dumps(everything, indent=1) + "\n")
    print(f"results: {path}")
    return 1 if lost else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failure:
        sys.exit(f"bench: {failure}")
