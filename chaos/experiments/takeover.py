"""Two processes on one directory, the first one killed."""

import shutil
import time

from harness.victim import configuration, grpc_exporter
from harness.waiting import until

PROMISE = "H1: a second process waits, live and not ready, and takes over when the first is gone; never two writers"
FAULT = "SIGKILL or SIGTERM of the process that has the directory, under load, again and again"
HOLDS = "ready within 1 s of the end of the first; while both live exactly one is ready; lost 0"
SUBSET = True


def run(lab):
    lab.new_truth(items=20, loads=12 if not lab.long else 120)
    sink = lab.sink()
    config = configuration({"otlp": grpc_exporter(sink)})
    first = lab.holdfast(config)
    second = lab.holdfast(config, data=first.data)
    # One address, as behind a service: whoever is ready answers there.
    second.environment.update({name: str(first.ports[name]) for name in ("GRPC", "HTTP")})
    second.ports.update({name: first.ports[name] for name in ("GRPC", "HTTP")})
    first.start()
    lab.load_all(first, rate=6_000)
    waited_live = True
    for turn in range(lab.count(4, 100)):
        second.spawn()
        wait_until_it_waits(second)
        lab.pause(0.1, 0.6)
        health = second.health()
        waited_live &= health == 503
        lab.require(health != 200 and first.health() == 200, "not exactly one of two is ready")
        begun = time.monotonic()
        if turn % 3 == 2:
            status, _ = first.terminate()
            lab.require(status == 0, f"SIGTERM ended with {status}")
            begun = time.monotonic()
        else:
            first.kill9()
        lab.fault()
        second.wait_ready(5)
        taken = time.monotonic() - begun
        lab.recovered(taken)
        lab.require(taken < 1, f"the takeover took {taken:.2f} s")
        lab.wait_acknowledged(1)
        first, second = second, first
    lab.settle()
    many_wait(lab, config, first)
    lab.require(waited_live, "a process that waits does not answer its health page with 503")


def wait_until_it_waits(holdfast):
    """It says so in its log."""
    words = "waiting to take over"
    before = holdfast.waits = getattr(holdfast, "waits", 0) + 1
    until(lambda: holdfast.log().count(words) >= before, "the second process does not wait", 5)


def many_wait(lab, config, holder):
    """Of several that wait, one takes over, and the others wait on."""
    others = [lab.holdfast(config, data=holder.data) for _ in range(3)]
    for one in others:
        one.spawn()
    for one in others:
        wait_until_it_waits(one)
    holder.kill9()
    lab.fault()
    until(lambda: any(one.health() == 200 for one in others), "nobody took over", 5)
    lab.pause(0.3)
    lab.require(sum(one.health() == 200 for one in others) == 1, "not exactly one took over")
    for one in others:
        one.kill9()
    shutil.rmtree(holder.data)
