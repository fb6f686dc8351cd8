"""A disk that is full: filled by others, and by the queue itself."""

import os
import shutil
import time

from harness.places import tmpfs
from harness.plain import logs_request, post
from harness.victim import configuration, grpc_exporter
from harness.waiting import until

PROMISE = "D3: no crash; intake refuses what can be sent again; draining goes on; service returns by itself"
FAULT = "a small file system as data directory, filled from outside at random moments and by the queue itself; kills, first starts, reloads, dead letters while full"
HOLDS = "lost 0; refused with a retryable code; everything is delivered while full; service within 5 s of space returning"


def run(lab):
    place = tmpfs(lab, "48m")
    for turn in range(lab.count(3, 60)):
        filled_by_others(lab, place, turn)
    for turn in range(lab.count(1, 20)):
        filled_by_itself(lab, place, turn)
        full_from_the_start(lab, place, turn)
        full_in_a_reload(lab, place, turn)
        full_for_dead_letters(lab, place, turn)


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
    block = b"\xff" * (1 << 16)
    try:
        with open(path, "wb") as file:
            for _ in range(0, max(free, 0), len(block)):
                file.write(block)
                file.flush()
    except OSError:
        path.touch()  # full already, or now


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


def full_from_the_start(lab, place, turn):
    """No queue yet and no room to make one: refuses to serve or to start, with a word; nothing more is needed than room."""
    balloon = place / "balloon"
    fill(balloon)
    lab.fault()
    lab.new_truth(items=20)
    sink = lab.sink()
    holdfast = lab.holdfast(configuration({"otlp": grpc_exporter(sink)}), data=place / f"first{turn}")
    holdfast.spawn()
    until(lambda: not holdfast.is_running() or holdfast.health() == 503, "neither ended nor unready on a full disk", 10)
    until(lambda: "disk is full" in holdfast.log(), lambda: f"no word why: {holdfast.last_words()}", 5)
    balloon.unlink()
    if holdfast.is_running():
        holdfast.wait_ready(10)
    else:
        holdfast.start()
    lab.load_all(holdfast, rate=2_000)
    lab.recovered(lab.wait_acknowledged(200))
    lab.settle()
    holdfast.terminate()
    remove(holdfast)


def full_in_a_reload(lab, place, turn):
    """An exporter is added while nothing can be written: it begins late, or the old configuration goes on."""
    sink, holdfast = fresh(lab, place, turn, "reload")
    lab.load_all(holdfast, rate=2_000)
    lab.wait_acknowledged(500)
    balloon = place / "balloon"
    fill(balloon)
    until(lambda: post(holdfast, logs_request(1)) == 503, "intake is not refused with 503 on a full disk", 10)
    more = {name: grpc_exporter(sink, sending_queue={"max_bytes": 1 << 30}) for name in ("otlp", "otlp/more")}
    holdfast.write_config(configuration(more))
    holdfast.reload()
    lab.fault()
    lab.pause(1)
    lab.require(holdfast.is_running(), f"ended by a reload on a full disk: {holdfast.last_words()}")
    balloon.unlink()
    lab.recovered(lab.wait_acknowledged(200, seconds=10))
    holdfast.wait_ready(5)
    lab.settle()
    holdfast.terminate()
    remove(holdfast)


def full_for_dead_letters(lab, place, turn):
    """What is refused for good while its letter cannot be written is not gone."""
    sink, holdfast = fresh(lab, place, turn, "letters")
    sink.order("hang")
    for name in ("traces", "metrics", "logs"):
        lab.load(holdfast.grpc, signal_name=name, requests=40, connections=1).wait()
    balloon = place / "balloon"
    fill(balloon)
    until(lambda: post(holdfast, logs_request(1)) == 503, "intake is not refused with 503 on a full disk", 10)
    sink.stop()
    sink.start()
    sink.order("code 3")
    lab.fault()
    lab.pause(1)
    lab.require(holdfast.is_running(), f"ended: {holdfast.last_words()}")
    balloon.unlink()
    total = 3 * 40 * 20  # and what was posted until the disk was full
    until(
        lambda: holdfast.metric("holdfast_exporter_dead_lettered_items") >= total,
        lambda: f"{holdfast.metric('holdfast_exporter_dead_lettered_items'):.0f} of {total} items became dead letters",
        15,
    )
    lab.require(not holdfast.metric("holdfast_exporter_dropped_items"), "items were dropped")
    sink.order("ok")
    done = holdfast.command("queue", "requeue", "otlp", "--data-dir", holdfast.data)
    lab.require(done.returncode == 0, f"requeue: {done.stdout}{done.stderr}")
    lab.settle()
    holdfast.terminate()
    remove(holdfast)


def remove(holdfast):
    shutil.rmtree(holdfast.data)
