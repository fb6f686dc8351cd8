#!/usr/bin/env python3
"""Sizing calculator: how much disk, CPU, memory and how many replicas a layer of Holdfast needs.

    docs/operations/size.py --spans 20000 --outage 8 --agents 30
    docs/operations/size.py --spans 200000 --outage 24 --gzip --price-core 25 --price-gib-memory 3.5 --price-gib-disk 0.1

The figures are those of docs/benchmarks.md (one virtual machine of two cores). --cores-spans takes your own measurement."""

import argparse
import json
import math

# Spans per CPU-second at 100 spans a request, each commit synced.
SPANS_PER_CORE = {"plain": 1_200_000, "http": 1_040_000, "gzip": 619_000, "zstd": 1_574_000}
# On disk a record is its bytes and at most this much more.
DISK_OVERHEAD = 1.2
ZSTD_AT_REST = 114 / 567  # the bench's spans: 567 MiB are 114 MiB
QUEUE_SHARE = 0.8  # of the volume: the rest is for segments made in advance, and for the floor of free space
UTILISATION = 0.5  # of the CPU that is asked for, so that a backlog is drained beside the intake
IDLE_MEMORY_MIB, DRAIN_MEMORY_MIB, INTAKE_MEMORY_MIB = 13, 40, 64


def size(spans, outage_hours, span_bytes=395, coding="plain", at_rest=False, agents=1, replicas=None):
    """What one layer needs: `spans` a second in all, over `agents` nodes or as many gateways as it takes."""
    share = ZSTD_AT_REST if at_rest else 1.0
    queued = spans * span_bytes * 3600 * outage_hours * DISK_OVERHEAD * share
    cores = spans / SPANS_PER_CORE[coding] / UTILISATION
    # One committer a queue: a pipeline is limited to two to three million spans a second.
    pods = agents if agents > 1 else max(replicas or 2, math.ceil(spans / 1_000_000))
    each = {
        "cpu_millicores": max(20, math.ceil(1000 * cores / pods)),
        "memory_mib": 64 * math.ceil((IDLE_MEMORY_MIB + DRAIN_MEMORY_MIB + INTAKE_MEMORY_MIB) / 64),
        "volume_gib": max(1, math.ceil(queued / QUEUE_SHARE / pods / 2**30)),
        "queue_max_bytes_gib": max(1, math.floor(max(1, math.ceil(queued / QUEUE_SHARE / pods / 2**30)) * QUEUE_SHARE)),
    }
    # Drained while the intake goes on, with the CPU that is asked for.
    spare = pods * each["cpu_millicores"] / 1000 * SPANS_PER_CORE[coding] - spans
    drain_hours = outage_hours * spans / spare
    return {"replicas": pods, "each": each, "queued_gib": round(queued / 2**30, 1), "drain_hours": round(drain_hours, 2)}


def cost(result, core, memory_gib, disk_gib):
    each, pods = result["each"], result["replicas"]
    return round(
        pods
        * (each["cpu_millicores"] / 1000 * core + each["memory_mib"] / 1024 * memory_gib + each["volume_gib"] * disk_gib), 2
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=float, required=True, help="spans, data points or log records a second, in all")
    parser.add_argument("--outage", type=float, required=True, help="hours that a backend may be away without refusals")
    parser.add_argument("--span-bytes", type=float, default=395, help="of one, as protobuf (395: the benchmark's)")
    parser.add_argument("--gzip", action="store_const", const="gzip", dest="coding", help="senders and backend use gzip")
    parser.add_argument("--zstd", action="store_const", const="zstd", dest="coding", help="they use zstd")
    parser.add_argument("--http", action="store_const", const="http", dest="coding", help="OTLP/HTTP, not compressed")
    parser.add_argument("--at-rest", action="store_true", help="sending_queue::compression: zstd, or senders that use zstd")
    parser.add_argument("--agents", type=int, default=1, help="nodes that share the load; without: a gateway")
    parser.add_argument("--replicas", type=int, help="of a gateway; without: two, or more where one pipeline is not enough")
    parser.add_argument("--cores-spans", type=float, help="your own measurement: spans per CPU-second")
    for name in ("core", "gib-memory", "gib-disk"):
        parser.add_argument(f"--price-{name}", type=float, default=0, help="a month")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    coding = given.coding or "plain"
    if given.cores_spans:
        SPANS_PER_CORE[coding] = given.cores_spans
    if min(given.spans, given.span_bytes) <= 0 or given.outage < 0 or given.agents < 1:
        parser.error("rates and sizes are more than zero")
    result = size(given.spans, given.outage, given.span_bytes, coding, given.at_rest, given.agents, given.replicas)
    prices = (given.price_core, given.price_gib_memory, given.price_gib_disk)
    if any(prices):
        result["cost_a_month"] = cost(result, *prices)
    if given.json:
        print(json.dumps(result))
        return
    each = result["each"]
    print(f"replicas             {result['replicas']}")
    print(f"each: CPU request    {each['cpu_millicores']}m")
    print(f"each: memory limit   {each['memory_mib']}Mi")
    print(f"each: volume         {each['volume_gib']}Gi, with sending_queue::max_bytes: {each['queue_max_bytes_gib']}GiB")
    print(f"queued in all        {result['queued_gib']} GiB after {given.outage:g} h without the backend")
    print(f"drained again within {result['drain_hours']} h, while the intake goes on, if the backend takes that much")
    if "cost_a_month" in result:
        print(f"cost a month         {result['cost_a_month']}")


if __name__ == "__main__":
    main()
