#!/usr/bin/env python3
"""A model of large installations: what one machine of many cores takes, and what a fleet needs and costs.

    docs/operations/scale.py machine           # one queue, then 64 cores: simulated commits
    docs/operations/scale.py fleet             # 1, 100 and 10,000 nodes
    docs/operations/scale.py fleet --nodes 500 --spans-node 2000 --outage 8

The figures are those of docs/benchmarks.md (two cores); what it says of more cores is reasoned, not measured. The disk and
CPU of a layer are size.py's."""

import argparse
import math
import random
from dataclasses import dataclass

import size

# ---- one machine ----

GROUP_RECORDS, GROUP_BYTES = 64, 4 << 20  # of a commit
LOOPS = 4  # threads that take requests, at most
# Microseconds of one core a request of 100 spans (65 in all): the loops 24, the delivery 10, the committer 30 and 25 more
# for each record of a commit. At 14,000 requests/s that is 0.4 of a core with 8 records a commit, as measured.
LOOP_US, DELIVERY_US, COMMIT_US, RECORD_US = 24, 10, 30, 25
# What a span is on disk and on the wire, and microseconds more for the delivery: frames of zstd are sent on as they came,
# members of gzip are decoded and encoded.
CODINGS = {"plain": (395, 0), "zstd": (395 * size.ZSTD_AT_REST, 0), "gzip": (395 * 0.25, 53)}


@dataclass
class Disk:
    name: str
    flush_us: float  # one of the two flushes of a commit
    mib_s: float  # written in a row


DISKS = [Disk("as measured", 100, 4000), Disk("NVMe, no capacitor", 400, 1200), Disk("network volume", 1500, 250)]


def simulate(rate, disk, spans=100, span_bytes=395, seconds=2.0, seed=1):
    """One queue at `rate` requests/s: (requests/s stored, requests a commit, milliseconds to the OK at 50 and at 99 %)."""
    draw = random.Random(seed)
    record_bytes = spans * span_bytes
    most = max(1, min(GROUP_RECORDS, GROUP_BYTES // record_bytes))
    now, next_arrival, waiting, waits, commits = 0.0, 0.0, [], [], 0
    end = seconds * 1e6
    while now < end:
        while next_arrival <= now:
            waiting.append(next_arrival)
            next_arrival += draw.expovariate(rate / 1e6)
        if not waiting:
            now = next_arrival
            continue
        group, waiting = waiting[:most], waiting[most:]
        work = COMMIT_US + RECORD_US * len(group) * spans / 100
        write = 2 * disk.flush_us + len(group) * record_bytes / (disk.mib_s * 1.048576)
        now += work + write * draw.uniform(0.9, 1.2)
        commits += 1
        waits += [now - arrived for arrived in group]
        if len(waiting) > 20_000:  # it does not keep up
            break
    waits.sort()
    stored = len(waits) / now * 1e6
    return stored, len(waits) / max(1, commits), waits[len(waits) // 2] / 1e3, waits[int(0.99 * len(waits))] / 1e3


def capacity(disk, spans=100, span_bytes=395):
    """Requests/s that one queue keeps up with, to a hundredth: the highest rate with a 99th percentile below 50 ms."""
    low, high = 10.0, 400_000.0
    while high / low > 1.01:
        middle = math.sqrt(low * high)
        stored, _, _, p99 = simulate(middle, disk, spans, span_bytes, seconds=0.5)
        low, high = (middle, high) if stored > 0.97 * middle and p99 < 50 else (low, middle)
    return low


def machine_limits(cores, disk, queues, coding="plain"):
    """Spans/s of one process and of a machine full of them, each with that many queues, by what limits it."""
    span_bytes, recode_us = CODINGS[coding]
    limits = {
        "committers": capacity(disk, span_bytes=span_bytes) * 100 * queues,
        "loops": LOOPS / LOOP_US * 1e8,
        "deliveries": queues / (DELIVERY_US + recode_us) * 1e8,
    }
    one = min(limits.values())
    request_us = LOOP_US + DELIVERY_US + COMMIT_US / 8 + RECORD_US + recode_us
    of_machine = {"cores": cores / request_us * 1e8, "disk": disk.mib_s * 2**20 / span_bytes}
    whole = min(of_machine.values())
    return one, min(limits, key=limits.get), whole, min(of_machine, key=of_machine.get), math.ceil(whole / one)


def print_machine(cores):
    print("| disk | one queue, spans/s | at half of that: requests per commit | OK at 50, 99 % |")
    print("| --- | --- | --- | --- |")
    for disk in DISKS:
        most = capacity(disk)
        _, group, p50, p99 = simulate(most / 2, disk)
        print(f"| {disk.name}: {disk.flush_us:g} us per flush | {most * 100 / 1e6:.1f} M | {group:.0f} | {p50:.1f}, {p99:.1f} ms |")
    print()
    print(f"| {cores} cores | a process of 3 queues | limited by | the machine | limited by | processes |")
    print("| --- | --- | --- | --- | --- | --- |")
    for disk in DISKS:
        for coding in CODINGS:
            one, by, whole, whole_by, count = machine_limits(cores, disk, 3, coding)
            print(
                f"| {disk.name}, {coding} | {one / 1e6:.1f} M/s | {by} | {whole / 1e6:.1f} M/s | {whole_by} | {count} |"
            )


# ---- a fleet ----

GATEWAY_SPANS = 1_000_000  # of one replica of 4 cores: a third of what its queue takes
BROKER_MIB_S, BROKER_COPIES, BROKER_CORES, BROKER_MEMORY_GIB = 150, 3, 8, 32
BROKER_FROM = 10_000_000  # spans/s from which on consumers are likely more than one


@dataclass
class Prices:
    core: float = 25.0
    gib_memory: float = 3.5
    gib_disk: float = 0.1


def fleet(nodes, spans_node, outage, prices, broker_hours=4.0, brokers=None):
    """What agents, gateways and, where they pay, brokers need; zstd between the layers and at rest."""
    spans = nodes * spans_node
    agent = size.size(spans, outage, coding="plain", at_rest=True, agents=nodes, replicas=1)
    layers = [("agents", agent["replicas"], agent["each"], size.cost(agent, prices.core, prices.gib_memory, prices.gib_disk))]
    if nodes > 1:
        replicas = max(2, math.ceil(spans / GATEWAY_SPANS))
        # The agents keep the outage: a gateway needs a disk for half an hour, so that it may restart.
        gateway = size.size(spans, 0.5, coding="zstd", at_rest=True, replicas=replicas)
        layers.append(
            ("gateways", replicas, gateway["each"], size.cost(gateway, prices.core, prices.gib_memory, prices.gib_disk))
        )
    if brokers or (brokers is None and spans >= BROKER_FROM):
        mib_s = spans * 395 * size.ZSTD_AT_REST / 2**20
        count = max(3, math.ceil(mib_s * BROKER_COPIES / BROKER_MIB_S))
        disk = math.ceil(mib_s * 3600 * broker_hours * BROKER_COPIES * 1.1 / count / 1024)
        each = {"cpu_millicores": BROKER_CORES * 1000, "memory_mib": BROKER_MEMORY_GIB * 1024, "volume_gib": disk}
        cost = count * (BROKER_CORES * prices.core + BROKER_MEMORY_GIB * prices.gib_memory + disk * prices.gib_disk)
        layers.append(("brokers", count, each, round(cost, 2)))
    return spans, layers


def print_fleet(cases, outage, prices):
    print("| nodes, spans/s | layer | each: CPU, memory, disk | cost per month |")
    print("| --- | --- | --- | --- |")
    for nodes, spans_node in cases:
        spans, layers = fleet(nodes, spans_node, outage, prices)
        total = 0.0
        for name, count, each, cost in layers:
            total += cost
            print(
                f"| {nodes:,}, {spans:,.0f} | {count:,} {name if count > 1 else name[:-1]} | {each['cpu_millicores']}m, {each['memory_mib']}Mi, "
                f"{each['volume_gib']:,}Gi | {cost:,.0f} |"
            )
        print(f"| {nodes:,}, {spans:,.0f} | all | | {total:,.0f}, {total / spans * 1e6:,.0f} for a million spans/s |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["machine", "fleet"])
    parser.add_argument("--cores", type=int, default=64)
    parser.add_argument("--nodes", type=int, help="without: 1, 100 and 10,000")
    parser.add_argument("--spans-node", type=float, default=5000, help="spans, points or log records a second of a node")
    parser.add_argument("--outage", type=float, default=4, help="hours that the agents keep")
    parser.add_argument("--price-core", type=float, default=Prices.core, help="a month")
    parser.add_argument("--price-gib-memory", type=float, default=Prices.gib_memory, help="a month")
    parser.add_argument("--price-gib-disk", type=float, default=Prices.gib_disk, help="a month")
    given = parser.parse_args()
    if given.cores < 1 or (given.nodes or 1) < 1 or given.spans_node <= 0 or given.outage < 0:
        parser.error("cores, nodes and rates are more than zero")
    if given.what == "machine":
        print_machine(given.cores)
        return
    nodes = [given.nodes] if given.nodes else [1, 100, 10_000]
    prices = Prices(given.price_core, given.price_gib_memory, given.price_gib_disk)
    print_fleet([(count, given.spans_node) for count in nodes], given.outage, prices)


if __name__ == "__main__":
    main()
