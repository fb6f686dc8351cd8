"""Filling and draining, again and again."""

import time

from harness.victim import configuration, grpc_exporter
from harness.waiting import until

PROMISE = "D4, I1: a drained queue gives its space back; nothing grows with the number of cycles"
FAULT = "an outage that fills the queue, and its end, over and over"
HOLDS = "lost 0; disk at most 1.2 times the content and two segments a queue, back to 1 MiB within 60 s; memory, descriptors and p99 of commits flat"

REQUESTS = 600
SPARE_BYTES = 128 << 20  # a queue's segment being written, and the next one, both allocated in advance
COMMITS = "holdfast_queue_commit_duration_seconds_bucket"


def run(lab):
    many_small(lab)
    one_large(lab)


def one_large(lab):
    """Where two segments are little beside the content."""
    lab.new_truth(items=200, requests=lab.count(8_000, 80_000) + 1, loads=1)
    sink = lab.sink()
    holdfast = lab.holdfast(configuration({"otlp": grpc_exporter(sink)}))
    holdfast.start()
    sink.order("code 14")
    lab.load(holdfast.grpc, signal_name="logs", requests=lab.truth.requests - 1, pool=0).wait(600)
    content, on_disk = holdfast.metric("holdfast_exporter_queued_bytes"), holdfast.disk_bytes()
    sink.order("ok")
    lab.fault()
    until(lambda: holdfast.metric("holdfast_exporter_queued_items") == 0, "the queue is not drained", 600)
    measure(lab, holdfast)
    lab.settle()
    lab.note(f"{on_disk >> 20} MiB on disk for {content / (1 << 20):.0f} MiB of content")
    lab.require((on_disk - SPARE_BYTES) / content <= 1.2, "more than 1.2 times the content, besides two segments")
    holdfast.terminate()


def many_small(lab):
    cycles = lab.count(40, 1000)
    lab.new_truth(items=20, requests=REQUESTS + 1, loads=3 * cycles)
    sink = lab.sink()
    holdfast = lab.holdfast(configuration({"otlp": grpc_exporter(sink)}))
    holdfast.start()
    early = None
    peak, ratio, memory = 0, 0, []
    for cycle in range(cycles):
        sink.order("code 14")
        loads = [
            lab.load(holdfast.grpc, signal_name=name, requests=REQUESTS, connections=1, in_flight=8)
            for name in ("traces", "metrics", "logs")
        ]
        for load in loads:
            load.wait()
        on_disk, content = holdfast.disk_bytes(), holdfast.metric("holdfast_exporter_queued_bytes")
        peak, ratio = max(peak, on_disk), max(ratio, (on_disk - 3 * SPARE_BYTES) / content)
        sink.order("ok")
        lab.fault()
        until(lambda: holdfast.metric("holdfast_exporter_queued_items") == 0, "the queue is not drained", 30)
        if cycle == cycles // 10:
            first = commits(holdfast)
        if cycle == cycles * 2 // 10:
            early_p99 = p99(first, commits(holdfast))
        if cycle == cycles * 9 // 10:
            last = commits(holdfast)
        if cycle % (cycles // 10) == 0:
            memory.append(f"{holdfast.memory() >> 20}")
        if cycle == cycles * 3 // 10:
            early = measure(lab, holdfast)
    late_p99 = p99(last, commits(holdfast))
    late = measure(lab, holdfast)
    lab.settle()
    lab.note(
        f"{cycles} cycles; on disk at most {peak >> 20} MiB; "
        f"99 % of commits within {early_p99 * 1e3:g} ms early and {late_p99 * 1e3:g} ms late; "
        f"{late['disk'] >> 10} KiB at the end (after {late['seconds']:.1f} s); "
        f"anonymous memory over time {' '.join(memory)}, then {late['memory'] >> 20} MiB; "
        f"descriptors {early['descriptors']} then {late['descriptors']}"
    )
    lab.require(ratio <= 1.2, f"{ratio:.2f} times the content on disk, besides two segments a queue")
    lab.require(late_p99 <= early_p99 * 4, f"commits slow down: p99 of {early_p99 * 1e3:g} ms became {late_p99 * 1e3:g} ms")
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


def commits(holdfast):
    """{upper bound: commits so far} of all queues."""
    counted = {}
    for name, labels, number in holdfast.series():
        if name == COMMITS:
            bound = float(labels["le"])
            counted[bound] = counted.get(bound, 0) + number
    return counted


def p99(before, after):
    """The upper bound of the bucket (each twice the one before) below which 99 % of the commits between two looks are."""
    total = after[float("inf")] - before[float("inf")]
    return next(bound for bound in sorted(after) if after[bound] - before[bound] >= total * 0.99)
