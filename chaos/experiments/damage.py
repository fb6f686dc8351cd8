"""Bytes flipped and files cut while it was stopped."""

import re
import shutil

from harness.crash import run_checker
from harness.plain import Backend, post_all
from harness.victim import configuration, http_exporter
from harness.waiting import until

PROMISE = "B1, B2: damage never stops a start and costs only what stood in the damaged bytes"
FAULT = "bytes flipped, blocks zeroed and files cut at random places of a closed segment, of the tail and of the cursors; every byte and every cut of a small queue below the server"
HOLDS = "ready in 2 s; every record outside the damaged pages is delivered; what is lost is counted"

PAGE = 4096
NUMBER = re.compile(rb"number=(\d+);(\.*)")


def run(lab):
    run_checker(lab, "every_byte", ["--step", str(lab.count(61, 1))], needs=())
    # Large records fill a segment and its successor; small ones share pages.
    silent = []
    for count, padding, turns in ((400, 200_000, lab.count(6, 200)), (3_000, 100, lab.count(6, 200))):
        original = stored(lab, count, padding)
        for turn in range(turns):
            silent += damage_once(lab, original, count, turn)
        shutil.rmtree(original)
    lab.require(not silent, f"{len(silent)} times records were lost and nothing was counted: {'; '.join(silent[:3])}")


def backend_config(backend):
    return configuration({"otlphttp": http_exporter(backend)})


def stored(lab, count, padding):
    """The data directory of a stopped Holdfast with a backlog of that many records."""
    backend = Backend(lambda _: (503, {}))
    holdfast = lab.holdfast(backend_config(backend))
    holdfast.start()
    post_all(holdfast, range(count), padding)
    lab.acknowledged += count
    holdfast.kill9()
    backend.close()
    return holdfast.data


def places_of(path):
    """[(number, begin, end)] of the bytes of each record in a file; pages written anew leave old copies."""
    data = path.read_bytes()
    return [(int(found.group(1)), found.start() - 512, found.end()) for found in NUMBER.finditer(data)]


def spoil(lab, path, kind):
    """Damages a file; returns the ranges of bytes that were touched."""
    size = path.stat().st_size
    touched = []
    with open(path, "r+b") as file:
        if kind == "cut":
            at = lab.random.randrange(size)
            file.truncate(at)
            return [(at, 1 << 62)]
        for _ in range(lab.random.choice([1, 3, 10])):
            at, length = lab.random.randrange(size), 1 if kind == "flip" else lab.random.choice([512, 4096, 65536])
            length = min(length, size - at)
            file.seek(at)
            old = file.read(length)
            file.seek(at)
            file.write(bytes([old[0] ^ 1 << lab.random.randrange(8)]) if kind == "flip" else bytes(length))
            touched.append((at, at + length))
    return touched


def may_be_lost(places, touched):
    """Records with a byte in a page that was touched."""
    return {
        number
        for number, begin, end in places
        for low, high in touched
        if begin // PAGE * PAGE < high and low < (end + PAGE) // PAGE * PAGE
    }


def damage_once(lab, original, count, turn):
    data = lab.directory / "damaged"
    shutil.copytree(original, data, ignore=shutil.ignore_patterns("control", "lock"))
    segments = sorted((data / "queue" / "logs").glob("*.seg"))
    kind = ("flip", "cut", "zero")[turn % 3]
    target = segments[turn // 3 % len(segments)]
    if turn % 6 == 5:
        target = data / "queue" / "logs" / "cursors.lmdb"
    places = places_of(target) if target.suffix == ".seg" else []
    touched = spoil(lab, target, kind)
    allowed = may_be_lost(places, touched)
    lab.fault()
    backend = Backend()
    holdfast = lab.holdfast(backend_config(backend), data=data)
    try:
        lab.recovered(holdfast.start(seconds=5))
        wanted = set(range(count)) - allowed
        what = f"{kind} of {target.name} at {touched[:3]}"
        until(lambda: wanted <= set(backend.order), lambda: missing(wanted, backend, what), 20)
        until(lambda: holdfast.metric("holdfast_exporter_queued_items") == 0, f"{what}: the queue is not drained", 20)
        lab.pause(0.1)
        lost = set(range(count)) - set(backend.order)
        counted = holdfast.metric("holdfast_queue_damaged_records", queue="logs") or 0
        as_bytes = holdfast.metric("holdfast_queue_damaged_bytes", queue="logs") or 0
        lab.repeated += len(backend.order) - len(set(backend.order))
    finally:
        holdfast.kill9()
        backend.close()
    holdfast.close()
    shutil.rmtree(data)
    return [f"{what}: {len(lost)} records"] if lost and not counted and not as_bytes else []


def missing(wanted, backend, what):
    gone = sorted(wanted - set(backend.order))
    return f"{what}: {len(gone)} records outside the damage did not arrive: {gone[:8]}"
