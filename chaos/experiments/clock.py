"""The clock of the machine set years ahead and years back."""

import math
import signal
import time

from harness.clock import YEAR, Clock
from harness.victim import configuration, grpc_exporter, http_exporter
from harness.waiting import until

PROMISE = "C1, A3: Unix time is only for people to read; no wait, limit or order depends on it"
FAULT = "Unix time moved by up to 30 years in both directions under load, in an outage, over a restart, in the middle of a stop"
HOLDS = "service goes on at once; lost 0; nothing given up; metrics and ages in range; SIGTERM in under 2 s"
SUBSET = True


def run(lab):
    clock = Clock(lab)
    under_load(lab, clock)
    while_it_stops(lab, clock)


def under_load(lab, clock):
    lab.new_truth(items=20)
    over_grpc, over_http = lab.sink(), lab.sink(http=True)
    limited = {"retry_on_failure": {"initial_interval": "50ms", "max_interval": "250ms", "max_elapsed_time": "1h"}}
    exporters = {"otlp": grpc_exporter(over_grpc, **limited), "otlphttp": http_exporter(over_http, **limited)}
    batch = {"memory_limiter": {"check_interval": "100ms", "limit_mib": 500}, "batch": {"timeout": "200ms"}}
    holdfast = lab.holdfast(configuration(exporters, batch), environment=clock.environment)
    holdfast.start()
    lab.load_all(holdfast, rate=3_000)
    lab.wait_acknowledged(400)
    for turn in range(lab.count(6, 100)):
        if turn % 3 == 1:
            over_grpc.order("code 14")
        years = lab.random.uniform(1, 30) * (1 if turn % 2 == 0 else -1)
        clock.move(unix=years * YEAR)
        lab.fault()
        lab.recovered(lab.wait_acknowledged(100, seconds=5))
        sane(lab, holdfast, abs(clock.unix) + 60 * YEAR)
        over_grpc.order("ok")
        lab.wait_acknowledged(100, seconds=5)
        if turn % 3 == 2:
            holdfast.kill9()
            holdfast.start()
            lab.fault()
    lab.settle()
    until(lambda: holdfast.metric("holdfast_exporter_queued_items") == 0, "the queue is not drained")
    sane(lab, holdfast, 0)
    for name in ("holdfast_exporter_dead_lettered_items", "holdfast_exporter_dropped_items"):
        lab.require(not holdfast.metric(name), f"{name} is not 0")
    holdfast.terminate()


def sane(lab, holdfast, oldest):
    """What was stored while the clock was wrong is as wrong in age; nothing else is."""
    lab.require(holdfast.health() == 200, "not ready after the clock was set")
    for name, _, value in holdfast.series():
        lab.require(math.isfinite(value) and value >= 0, f"{name} is {value}")
    lab.require(holdfast.metric("otelcol_process_uptime") < 3600, "the uptime follows the clock that people set")
    age = holdfast.metric("holdfast_exporter_oldest_age_seconds")
    lab.require(age <= oldest * 6, f"the oldest item is said to be {age:.0f} s old")
    lab.require(holdfast.command("queue", "stat", "--data-dir", holdfast.data).returncode == 0, "the books do not balance")


def while_it_stops(lab, clock):
    """A stop that waits for a backend that hangs, and a clock that is set back meanwhile."""
    lab.new_truth(items=20)
    sink = lab.sink()
    holdfast = lab.holdfast(configuration({"otlp": grpc_exporter(sink)}), environment=clock.environment)
    holdfast.start()
    sink.order("hang")
    lab.load_all(holdfast, rate=1_000)
    lab.wait_acknowledged(400)
    begun = time.monotonic()
    holdfast.process.send_signal(signal.SIGTERM)
    while holdfast.is_running() and time.monotonic() < begun + 10:
        lab.pause(0.05)
        clock.move(unix=-YEAR / 10)
        lab.fault()
    seconds = time.monotonic() - begun
    lab.require(not holdfast.is_running() and seconds < 2.5, f"took {seconds:.1f} s to stop when the clock was set back")
    sink.stop()
    sink.start()
    sink.order("ok")
    holdfast.start()
    lab.settle()
