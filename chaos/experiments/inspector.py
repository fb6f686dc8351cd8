"""Somebody who looks at a queue and does not look away."""

import signal
import subprocess
import time

from harness.victim import BINARY, configuration, grpc_exporter
from harness.waiting import until

PROMISE = "I2, G2: an inspector that is attached for long does not grow the files, and stands in nobody's way"
FAULT = "`queue ls`, `cat` and `verify` begun on a backlog and stopped (SIGSTOP) or never read, through drains and refills; many looks"
HOLDS = "lost 0; intake, deliveries, metrics and health go on; the disk back to 1 MiB within 60 s of a drain"

REQUESTS, ALL = 4_000, ("-n", "1000000")


def run(lab):
    lab.new_truth(items=20, requests=REQUESTS + 1, loads=lab.count(4, 40))
    sink = lab.sink()
    holdfast = lab.holdfast(configuration({"otlp": grpc_exporter(sink)}))
    holdfast.start()
    worst = 0
    for turn in range(lab.count(2, 20)):
        sink.order("code 14")
        lab.load(holdfast.grpc, signal_name="logs", requests=REQUESTS, in_flight=8).wait()
        watchers = [watch(lab, holdfast, words) for words in (("ls", "logs", "--json", *ALL), ("cat", "logs", *ALL))[turn % 2 :]]
        lab.pause(0.5)
        for one in watchers[:1]:
            one.send_signal(signal.SIGSTOP)
        lab.fault(len(watchers))
        begun = time.monotonic()
        lab.load(holdfast.grpc, signal_name="logs", requests=REQUESTS, in_flight=8).wait()
        lab.require(holdfast.health() == 200, "not ready while somebody looks")
        holdfast.metric("holdfast_queue_bytes")
        worst = max(worst, time.monotonic() - begun)
        sink.order("ok")
        until(lambda: holdfast.metric("holdfast_exporter_queued_items") == 0, "not drained while somebody looks", 30)
        begun = time.monotonic()
        until(lambda: holdfast.disk_bytes() <= 1 << 20, lambda: f"{holdfast.disk_bytes() >> 20} MiB while somebody looks", 60, 0.1)
        lab.recovered(time.monotonic() - begun)
        for one in watchers:
            one.kill()
            one.communicate()
    many_looks(lab, holdfast, sink)
    lab.settle()
    lab.note(f"intake and a look at the metrics beside a stopped inspector took {worst:.1f} s")
    lab.require(holdfast.terminate()[0] == 0, "a bad end")


def watch(lab, holdfast, words):
    """Its output is never read: it blocks when the pipe is full."""
    command = [BINARY, "queue", *words, "--data-dir", holdfast.data]
    one = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    lab.stack.callback(one.kill)
    return one


def many_looks(lab, holdfast, sink):
    """One look after the other while data passes: nothing is left behind."""
    descriptors, memory = holdfast.descriptors(), holdfast.memory()
    for words in (("stat",), ("ls", "logs"), ("verify", "logs"), ("stat", "--json")) * lab.count(10, 500):
        done = holdfast.command("queue", *words, "--data-dir", holdfast.data)
        lab.require(done.returncode == 0, f"queue {' '.join(words)}: {done.stdout[-200:]}{done.stderr[-200:]}")
        lab.fault()
    lab.require(holdfast.descriptors() <= descriptors + 2, "looks leave descriptors behind")
    lab.require(holdfast.memory() <= memory + (8 << 20), "looks leave memory behind")
