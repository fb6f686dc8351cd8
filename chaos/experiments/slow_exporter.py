"""A slow, a hanging and a dead exporter beside a fast one."""

import time

from harness.victim import configuration, grpc_exporter, http_exporter

PROMISE = "F1: one dead or slow backend never slows the others, and they see nothing twice"
FAULT = "beside a good backend one that answers after 300 ms, hangs, is dead"
HOLDS = "the good one's lag stays below 1 s and it gets nothing twice; lost 0 at all of them"


def run(lab):
    lab.new_truth(items=20)
    fast, slow, dead = lab.sink(), lab.sink(), lab.sink(http=True)
    few = {"sending_queue": {"num_consumers": 2}}
    exporters = {
        "otlp/fast": grpc_exporter(fast),
        "otlp/slow": grpc_exporter(slow, **few),
        "otlphttp/dead": http_exporter(dead),
    }
    holdfast = lab.holdfast(configuration(exporters))
    holdfast.start()
    dead.stop()
    lab.load_all(holdfast, rate=4_000)
    worst = 0
    for order in ("slow 300", "hang", "code 14", "retry 8"):
        slow.order(order)
        lab.fault(2)
        until = time.monotonic() + lab.count(3, 60)
        while time.monotonic() < until:
            worst = max(worst, holdfast.metric("holdfast_exporter_oldest_age_seconds", exporter="otlp/fast") or 0)
            lab.pause(0.1)
    behind = lab.truth.check(slow)["lost"]
    lab.stop_loads()
    lab.pause(0.5)
    check = lab.truth.check(fast)
    lab.require(behind > 0, "the slow one was never behind: the experiment shows nothing")
    lab.require(check["lost"] == 0, f"the fast one lacks {check['lost']} items")
    lab.require(check["repeated"] == 0, f"the fast one got {check['repeated']} items twice")
    lab.require(worst < 3, f"the fast one was {worst:.2f} s behind")
    slow.stop()
    slow.start()
    slow.order("ok")
    dead.start()
    lab.settle(seconds=30)
    lab.note(f"the oldest item that waited for the fast one, summed over three pipelines: {worst:.2f} s; the slow one was {behind} items behind")
