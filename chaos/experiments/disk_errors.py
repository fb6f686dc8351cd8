"""A disk that fails: EIO, ENOSPC, short writes, failing syncs, at the n-th operation under the real program."""

import errno
import time

from harness.crash import shim
from harness.victim import configuration, grpc_exporter
from harness.waiting import until

PROMISE = "A2, B3: what was acknowledged stays whatever the disk answers; while writing fails senders are told to try again"
FAULT = "EIO, ENOSPC, EROFS or a short write at the n-th write, sync or rename of the queue's files, for a while; then a kill"
HOLDS = "lost 0; the process lives; service returns by itself when the disk works again"

SUBSET = True
# The first: 60 syncs that fail one after another while the process starts.
SEEDS = (1179344744,)

KINDS = [("w", "EIO"), ("w", "ENOSPC"), ("w", "0"), ("s", "EIO"), ("n", "ENOSPC"), ("n", "EIO"), ("w", "EROFS"), ("s", "ENOSPC")]


def run(lab):
    library = shim()
    for turn in range(lab.count(12, 400)):
        fail_once(lab, library, turn)


def error_number(name):
    return int(name) if name.isdigit() else getattr(errno, name)


def fail_once(lab, library, turn):
    kind, error = KINDS[turn % len(KINDS)]
    first = lab.random.randrange(10, 400 if kind == "w" else 150 if kind == "s" else 12)
    length = lab.random.choice([1, 5, 60])
    lab.new_truth(items=20, requests=50_000, loads=6)
    sink = lab.sink()
    environment = {
        "LD_PRELOAD": str(library),
        "HF_SHIM_FAIL": f"{first}-{first + length - 1}:{error_number(error)}:{kind}",
    }
    holdfast = lab.holdfast(configuration({"otlp": grpc_exporter(sink)}), environment=environment)
    environment = holdfast.environment
    environment["HF_SHIM_DIR"] = str(holdfast.data)
    holdfast.spawn()
    try:
        holdfast.wait_ready(10)
    except Exception:
        # The fault met the start: refusing is right, and so is waiting until it is over, with a word.
        lab.require('"level":"error"' in holdfast.log() or "error: " in holdfast.log(), "neither ready nor a word why")
        if holdfast.is_running():
            until(lambda: holdfast.health() == 200, "not ready by itself when the disk works again", 90)
    if holdfast.is_running():
        lab.load_all(holdfast, rate=2_000)
        begun = time.monotonic()
        lab.wait_acknowledged(4_000, seconds=25)
        lab.recovered(time.monotonic() - begun)
        lab.require(holdfast.is_running(), f"ended: {holdfast.process.returncode}")
        until(lambda: holdfast.health() == 200, "not ready again", 10)
        holdfast.kill9()
    lab.fault()
    for name in ("LD_PRELOAD", "HF_SHIM_FAIL"):
        environment.pop(name)
    holdfast.start()
    if not lab.loads:
        lab.load_all(holdfast, rate=2_000)
    lab.wait_acknowledged(20)
    lab.settle()
    holdfast.terminate()
