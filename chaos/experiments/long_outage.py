"""A week without a backend, in simulated time."""

import time

from harness.clock import HOUR, Clock
from harness.plain import Backend, post_all
from harness.victim import configuration, http_exporter
from harness.waiting import until

PROMISE = "C1, C3: seven days without a backend deliver 100 %, oldest first; neither age nor attempts drop anything"
FAULT = "a backend that is dead, refuses or asks for patience for 168 hours of a moved clock, with the default retries; kills"
HOLDS = "nothing given up, dead-lettered or dropped; every record once its time has come, in the order of acceptance"
SUBSET = True

HOURS, PER_HOUR = 168, 4


def run(lab):
    clock = Clock(lab)
    lab.phase = "refuse"
    backend = Backend(lambda _: answer(lab))
    lab.stack.callback(backend.close)
    exporter = http_exporter(backend, sending_queue={"num_consumers": 1})
    del exporter["retry_on_failure"]  # the defaults: what is written in the configuration of most
    holdfast = lab.holdfast(configuration({"otlphttp": exporter}), environment=clock.environment)
    holdfast.start()
    for hour in range(HOURS):
        lab.phase = lab.random.choice(("refuse", "cut", "wait", "unauthorized"))
        post_all(holdfast, range(hour * PER_HOUR, (hour + 1) * PER_HOUR), 500)
        pass_an_hour(clock, backend)
        lab.fault()
        if lab.random.random() < 0.1:
            holdfast.kill9()
            holdfast.start()
            lab.fault()
    total = HOURS * PER_HOUR
    age = holdfast.metric("holdfast_exporter_oldest_age_seconds")
    passed = clock.unix
    lab.require(passed - HOUR <= age <= passed + HOUR, f"after {passed / HOUR:.0f} hours the oldest is said to be {age / HOUR:.1f} hours old")
    lab.phase = "take"
    clock.pass_by(HOUR)
    until(lambda: len(set(backend.order)) == total, lambda: f"{len(set(backend.order))} of {total} arrived", 60)
    lab.acknowledged += total
    lab.repeated += len(backend.order) - total
    lab.require(list(dict.fromkeys(backend.order)) == list(range(total)), "the order was not kept")
    for name in ("holdfast_exporter_dead_lettered_items", "holdfast_exporter_dropped_items"):
        lab.require(not holdfast.metric(name), f"{name} is not 0")
    lab.note(f"{passed / HOUR:.0f} hours, {backend.asked} attempts, {total} records in order")
    holdfast.terminate()


def pass_an_hour(clock, backend):
    """And more, should the last refusal have been heard only after the clock had moved: then its wait has just begun."""
    asked, moved = backend.asked, 0

    def attempted():
        nonlocal moved
        if time.monotonic() > moved + 0.5:
            moved = time.monotonic()
            clock.pass_by(HOUR)
        return backend.asked > asked

    until(attempted, "no attempt in hours", 10, 0.005)


def answer(lab):
    return {
        "refuse": (503, {}),
        "cut": None,
        "wait": (429, {"Retry-After": "1800"}),
        "unauthorized": (401, {}),
        "take": (200, {}),
    }[lab.phase]
