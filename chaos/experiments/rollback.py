"""An upgrade under load, and the way back, again and again on one data directory."""

import os
from pathlib import Path

from harness.victim import configuration, grpc_exporter, http_exporter

PROMISE = "F3, A1: an upgrade and a rollback by one version lose nothing, and repeat what was in flight at most"
FAULT = "SIGTERM or SIGKILL under load, then a start of the other version on the same directory; one backend away for a part"
HOLDS = "lost 0 at both backends; what repeats is within what was in flight"

VARIABLE = "HOLDFAST_BEFORE"  # an earlier program
CONSUMERS, RATE = 4, 3_000


def run(lab):
    if not os.environ.get(VARIABLE):
        lab.skip(f"{VARIABLE} names no earlier program")
    lab.new_truth(items=20)
    good, away = lab.sink(), lab.sink(http=True)
    queue = {"sending_queue": {"num_consumers": CONSUMERS}}
    holdfast = lab.holdfast(configuration({"otlp": grpc_exporter(good, **queue), "otlphttp": http_exporter(away, **queue)}))
    versions = [Path(os.environ[VARIABLE]), holdfast.binary]
    holdfast.start()
    lab.load_all(holdfast, rate=RATE)
    turns, kills = lab.count(8, 80), 0
    for turn in range(turns):
        if turn % 4 == 1:
            away.stop()
        if turn % 4 == 3:
            away.start()
        lab.pause(0.3, 1.2)
        if turn % 4 < 2:
            holdfast.terminate()
        else:
            holdfast.kill9()
            kills += 1
        lab.fault()
        holdfast.binary = versions[turn % 2]
        lab.recovered(holdfast.start() + lab.wait_acknowledged(1))
    lab.pause(0.5)
    repeated = lab.settle()
    # As in `sigkill`: requests of the senders in flight, those of the exporters, and 0.5 s of what the cursors had not said.
    senders = 6 * 4 * lab.truth.items
    of_an_end = 2 * (senders + 3 * CONSUMERS * 8192 + RATE * 4 * 0.5)
    lab.require(repeated <= turns * of_an_end, f"{repeated} repeated")
    lab.note(f"{turns} ends, {kills} of them kills; {repeated} items repeated at 2 backends")
