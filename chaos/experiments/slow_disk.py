"""A disk whose syncs take as long as they like."""

import mmap
import struct

from harness.crash import shim
from harness.victim import configuration, grpc_exporter
from harness.waiting import until

PROMISE = "A1, B3, E1: a slow disk makes answers late, not untrue; it is no reason to be unready, to grow or to die"
FAULT = "every sync delayed by 20 ms to a second (long: three), changing under load; SIGKILL and SIGTERM while it is slow"
HOLDS = "lost 0; anonymous memory below 192 MiB; at the old pace within 5 s of the disk's recovery; SIGTERM ends in 2 s and a dozen syncs"

MEMORY_MAX = 192 << 20


def run(lab):
    path = lab.directory / "slow"
    path.write_bytes(bytes(8))
    with open(path, "r+b") as file:
        delay = mmap.mmap(file.fileno(), 8)

    def slow(ms):
        struct.pack_into("=q", delay, 0, ms)

    lab.new_truth(items=20)
    sink = lab.sink()
    environment = {"LD_PRELOAD": str(shim()), "HF_SHIM_SLOW": str(path)}
    holdfast = lab.holdfast(configuration({"otlp": grpc_exporter(sink)}), environment=environment)
    holdfast.environment["HF_SHIM_DIR"] = str(holdfast.data)
    holdfast.start()
    lab.load_all(holdfast, in_flight=16)
    lab.wait_acknowledged(2_000)
    peak, stops = 0, []
    for turn in range(lab.count(5, 100)):
        ms = lab.random.choice((20, 100, 400, lab.count(1_000, 3_000)))
        slow(ms)
        lab.fault()
        lab.pause(0.5)
        lab.wait_acknowledged(20, seconds=10 + ms / 100)
        peak = max(peak, holdfast.memory())
        lab.require(holdfast.health() == 200, f"not ready with syncs of {ms} ms")
        if turn % 3 == 1:
            holdfast.kill9()
            lab.fault()
        if turn % 3 == 2:
            status, seconds = holdfast.terminate(60)
            lab.require(status == 0, f"exit status {status} with syncs of {ms} ms")
            stops.append((ms, seconds))
            lab.require(seconds < 2 + 12 * ms / 1_000, f"SIGTERM took {seconds:.1f} s with syncs of {ms} ms")
            lab.fault()
        slow(0)
        if not holdfast.is_running():
            holdfast.start()
        lab.recovered(lab.wait_acknowledged(2_000, seconds=5))
    lab.settle()
    until(lambda: holdfast.health() == 200, "not ready at the end", 5)
    shown = ", ".join(f"{seconds:.1f} s with syncs of {ms} ms" for ms, seconds in stops)
    lab.note(f"at most {peak >> 20} MiB of anonymous memory; SIGTERM took {shown}")
    lab.require(peak < MEMORY_MAX, f"{peak >> 20} MiB of anonymous memory")
    holdfast.terminate()
