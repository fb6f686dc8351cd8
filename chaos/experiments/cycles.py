"""Filling and draining, again and again."""

import time

from harness.victim import configuration, grpc_exporter
from harness.waiting import until

PROMISE = "D4, I1: a drained queue gives its space back; nothing grows with the number of cycles"
FAULT = "an outage that fills the queue, and its end, over and over"
HOLDS = "lost 0; disk back to 1 MiB within 60 s; memory and descriptors as after the first cycles; commits as fast"

REQUESTS = 600


def run(lab):
    cycles = lab.count(100, 1000)
    lab.new_truth(items=20, requests=REQUESTS + 1, loads=3 * cycles)
    sink = lab.sink()
    holdfast = lab.holdfast(configuration({"otlp": grpc_exporter(sink)}))
    holdfast.start()
    early = None
    peak, memory = 0, []
    for cycle in range(cycles):
        sink.order("code 14")
        loads = [
            lab.load(holdfast.grpc, signal_name=name, requests=REQUESTS, connections=1, in_flight=8)
            for name in ("traces", "metrics", "logs")
        ]
        for load in loads:
            load.wait()
        peak = max(peak, holdfast.disk_bytes())
        sink.order("ok")
        lab.fault()
        until(lambda: holdfast.metric("holdfast_exporter_queued_items") == 0, "the queue is not drained", 30)
        if cycle % (cycles // 10) == 0:
            memory.append(f"{holdfast.memory() >> 20}")
        if cycle == cycles * 3 // 10:
            early = measure(lab, holdfast)
    late = measure(lab, holdfast)
    lab.settle()
    lab.note(
        f"{cycles} cycles; on disk at most {peak >> 20} MiB of {3 * REQUESTS * 20 * 480 >> 20} MiB of content, "
        f"{late['disk'] >> 10} KiB at the end (after {late['seconds']:.1f} s); "
        f"anonymous memory over time {' '.join(memory)}, then {late['memory'] >> 20} MiB; "
        f"descriptors {early['descriptors']} then {late['descriptors']}"
    )
    lab.require(late["disk"] <= 1 << 20, f"{late['disk']} bytes on disk after the drain")
    lab.require(late["memory"] <= early["memory"] * 1.25 + (4 << 20), "memory grows")
    lab.require(late["descriptors"] <= early["descriptors"] + 2, "descriptors grow")


def measure(lab, holdfast):
    begun = time.monotonic()
    until(lambda: holdfast.disk_bytes() <= 1 << 20, lambda: f"{holdfast.disk_bytes()} bytes on disk after the drain", 60, 0.1)
    lab.recovered(time.monotonic() - begun)
    return {
        "disk": holdfast.disk_bytes(),
        "memory": holdfast.memory(),
        "descriptors": holdfast.descriptors(),
        "seconds": time.monotonic() - begun,
    }
