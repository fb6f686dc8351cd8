"""How long the queue still lasts, as it says and as it is."""

import time

from harness.victim import configuration, grpc_exporter
from harness.waiting import until

PROMISE = "D2: one number in bytes, kept; a gauge says how long it lasts at the present rate"
FAULT = "an outage that fills a bounded queue at a steady rate"
HOLDS = "the first refusal comes when the gauge had said, give or take 40 %; the limit is kept within a segment; drained, it is far again"

MAX_BYTES = 256 << 20
SEGMENT_BYTES = MAX_BYTES // 8
GAUGE = "holdfast_queue_seconds_until_full"


def run(lab):
    for _ in range(lab.count(1, 5)):
        fill_once(lab, lab.count(36_000, 4_000))


def fill_once(lab, rate):
    lab.new_truth(items=100, loads=1)
    sink = lab.sink()
    exporter = grpc_exporter(sink, sending_queue={"max_bytes": MAX_BYTES})
    holdfast = lab.holdfast(configuration({"otlp": exporter}))
    holdfast.start()
    lab.require(gauge(holdfast) > 10**6, "an idle queue is said to be full soon")
    sink.order("code 14")
    lab.load(holdfast.grpc, signal_name="logs", rate=rate, in_flight=16, pool=0)
    begun = time.monotonic()
    until(lambda: holdfast.metric("holdfast_queue_bytes", queue="logs") >= MAX_BYTES * 0.4, "the queue does not fill", 600, 0.05)
    said, at = gauge(holdfast), time.monotonic()
    refused = "holdfast_queue_refused_full"
    most = 0

    def full():
        nonlocal most
        most = max(most, holdfast.metric("holdfast_queue_bytes", queue="logs"))
        return holdfast.metric(refused)

    until(full, "the queue is never full", 600, 0.05)
    lab.fault()
    real = time.monotonic() - at
    lab.note(f"after {at - begun:.1f} s it said {said:.0f} s; it was full after {real:.1f} s more; at most {most / (1 << 20):.0f} MiB of {MAX_BYTES >> 20}")
    lab.require(0.6 * real - 2 <= said <= 1.4 * real + 2, f"said {said:.0f} s until full, and it took {real:.1f} s")
    lab.require(most <= MAX_BYTES + SEGMENT_BYTES, f"{most:.0f} bytes on disk")
    lab.require(gauge(holdfast) <= 2, "a full queue is said to have time left")
    sink.order("ok")
    lab.settle(seconds=30)
    until(lambda: gauge(holdfast) > said, "drained, it is still said to be full soon", 30)
    holdfast.terminate()


def gauge(holdfast):
    return holdfast.metric(GAUGE, queue="logs", kind="queue")
