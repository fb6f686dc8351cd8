"""Credentials that expire and are renewed."""

import time

from harness.plain import Backend, post_all
from harness.victim import configuration, http_exporter
from harness.waiting import until

PROMISE = "C1: refused credentials hold data back, never drop it; a renewed file is read without a restart"
FAULT = "the backend's token changed under load; the file with the exporter's renewed late in place or replaced; kills between"
HOLDS = "lost 0, in order; nothing dead-lettered; delivered within 5 s of the renewal; told by the log"

def run(lab):
    backend = Backend()
    lab.stack.callback(backend.close)
    backend.token = "token-0"
    path = lab.directory / "token"
    path.write_text(backend.token + "\n")
    exporter = http_exporter(backend, sending_queue={"num_consumers": 1}, auth={"authenticator": "bearertokenauth"})
    config = configuration({"otlphttp": exporter})
    config["extensions"]["bearertokenauth"] = {"filename": str(path)}
    config["service"]["extensions"].append("bearertokenauth")
    holdfast = lab.holdfast(config)
    holdfast.start()
    total = 0
    for turn in range(1, lab.count(4, 60) + 1):
        backend.token = f"token-{turn}"
        refused = backend.refused
        post_all(holdfast, range(total, total + 50))
        total += 50
        lab.fault()
        until(lambda refused=refused: backend.refused > refused + 2, "the old token is not refused", 5)
        lab.require(len(set(backend.order)) == total - 50, "something was taken with the old token")
        lab.pause(0.1, 0.6)
        if turn % 3 == 0:
            holdfast.kill9()
            holdfast.start()
            lab.fault()
        renew(path, backend.token, rename=turn % 2 == 0)
        begun = time.monotonic()
        until(lambda: len(set(backend.order)) == total, lambda: f"{total - len(set(backend.order))} wait with a good token", 5)
        lab.recovered(time.monotonic() - begun)
    lab.acknowledged += total
    lab.repeated += len(backend.order) - total
    lab.require(list(dict.fromkeys(backend.order)) == list(range(total)), "the order was not kept")
    dead = holdfast.metric("holdfast_exporter_dead_lettered_items")
    lab.require(not dead, f"{dead} items went to the dead letters")
    lab.require("unhealthy" in holdfast.log(), "the log does not say that credentials are refused")
    holdfast.terminate()


def renew(path, token, rename):
    """Written in place, or replaced, as Kubernetes does it."""
    if rename:
        fresh = path.with_name("token.new")
        fresh.write_text(token + "\n")
        fresh.replace(path)
    else:
        path.write_text(token + "\n")
