"""A disk that is full: filled by others, and by the queue itself."""

import os
import shutil
import time

from harness.places import tmpfs
from harness.plain import logs_request, post
from harness.victim import configuration, grpc_exporter
from harness.waiting import until

PROMISE = "D3: no crash; intake refuses what can be sent again; draining goes on; service returns by itself"
FAULT = "a small file system as data directory, filled from outside at random moments and by the queue itself, kills while full"
HOLDS = "lost 0; refused with a retryable code; everything is delivered while full; service within 5 s of space returning"


def run(lab):
    place = tmpfs(lab, "48m")
    for turn in range(lab.count(3, 60)):
        filled_by_others(lab, place, turn)
    for turn in range(lab.count(1, 20)):
        filled_by_itself(lab, place, turn)


def fresh(lab, place, turn, kind, items=20):
    """A Holdfast in a new directory on the small disk."""
    lab.new_truth(items=items)
    sink = lab.sink()
    exporter = grpc_exporter(sink, sending_queue={"max_bytes": 1 << 30})
    holdfast = lab.holdfast(configuration({"otlp": exporter}), data=place / f"{kind}{turn}")
    holdfast.start()
    return sink, holdfast


def fill(path, leave=0):
    """Takes all space but `leave` bytes."""
    free = os.statvfs(path.parent).f_bavail * os.statvfs(path.parent).f_frsize - leave
    with open(path, "wb") as file:
        block = b"\xff" * (1 << 16)
        try:
            for _ in range(0, max(free, 0), len(block)):
                file.write(block)
                file.flush()
        except OSError:
            pass


def filled_by_others(lab, place, turn):
    sink, holdfast = fresh(lab, place, turn, "others")
    lab.load_all(holdfast, rate=4_000)
    lab.wait_acknowledged(500)
    outage = turn % 2 == 1
    if outage:
        sink.order("code 14")
        lab.pause(0.3, 0.8)
    balloon = place / "balloon"
    fill(balloon, leave=lab.random.choice([0, 0, 4096, 100_000]))
    lab.fault()
    until(lambda: post(holdfast, logs_request(1)) == 503, "intake is not refused with 503 on a full disk", 10)
    lab.require(holdfast.health() == 503, "ready although nothing can be stored")
    sink.order("ok")
    # What is stored leaves although the disk is full.
    until(lambda: lab.truth.check(sink)["lost"] == 0, "draining does not go on while the disk is full", 15, 0.1)
    if turn % 3 == 2:
        holdfast.kill9()
        holdfast.spawn()
        lab.fault()
        lab.pause(0.3)
        lab.require(holdfast.is_running(), f"does not start on a full disk: {holdfast.last_words()}")
    balloon.unlink()
    begun = time.monotonic()
    lab.wait_acknowledged(1, seconds=10)
    lab.recovered(time.monotonic() - begun)
    lab.require(time.monotonic() - begun < 5, "service took more than 5 s after space returned")
    holdfast.wait_ready(5)
    lab.settle()
    lab.require(holdfast.terminate()[0] == 0, "a bad end")
    remove(holdfast)


def filled_by_itself(lab, place, turn):
    sink, holdfast = fresh(lab, place, turn, "itself")
    sink.order("code 14")
    lab.load_all(holdfast)
    until(lambda: holdfast.health() == 503, "the queue never fills its disk", 60, 0.1)
    lab.fault()
    lab.pause(1)
    if turn % 2:
        holdfast.kill9()
        holdfast.spawn()
        lab.fault()
        lab.pause(0.5)
    lab.require(holdfast.is_running(), f"ended on a disk that it filled: {holdfast.last_words()}")
    sink.order("ok")
    lab.recovered(lab.wait_acknowledged(1, seconds=15))
    lab.settle(seconds=30)
    lab.require(holdfast.terminate()[0] == 0, "a bad end")
    remove(holdfast)


def remove(holdfast):
    shutil.rmtree(holdfast.data)
