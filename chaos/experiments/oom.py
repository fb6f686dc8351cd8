"""A container of 64 MiB with a backlog of ten times that, and the OOM killer."""

import time

from harness.places import MemoryGroup
from harness.victim import configuration, grpc_exporter

PROMISE = "E1, A1: memory does not depend on the backlog; an OOM kill loses nothing acknowledged"
FAULT = "a memory cgroup of 64 MiB: 640 MiB of backlog (long: 20 GB) filled, restarted and drained in it; then OOM kills provoked under load"
HOLDS = "no OOM kill by itself; anonymous memory below 48 MiB, whatever the backlog; lost 0, also when the kernel kills it"

LIMIT = 64 << 20


def run(lab):
    peak = backlog(lab)
    killed_by_the_kernel(lab)
    lab.require(peak < 48 << 20, f"{peak >> 20} MiB of anonymous memory")


def join(group):
    def enter():
        group.join()
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")

    return enter


def backlog(lab):
    group = MemoryGroup(lab, LIMIT)
    items, request_bytes = 200, 75_000
    size_wanted = lab.count(10 * LIMIT, 20 * 10**9)
    requests = size_wanted // request_bytes // 3
    lab.new_truth(items=items, requests=requests + 1, loads=3)
    sink = lab.sink()
    holdfast = lab.holdfast(configuration({"otlp": grpc_exporter(sink)}))
    holdfast.before_exec = join(group)
    holdfast.start()
    sink.order("code 14")
    for name in ("traces", "metrics", "logs"):
        lab.load(holdfast.grpc, signal_name=name, requests=requests, pool=0, seconds=lab.count(240, 3600))
    peak = 0
    while any(load.process.poll() is None for load in lab.loads):
        peak = max(peak, holdfast.memory())
        time.sleep(0.05)
    for load in lab.loads:
        load.wait()
    size = holdfast.disk_bytes()
    lab.require(size >= size_wanted, f"only {size >> 20} MiB on disk")
    holdfast.terminate()
    ready = holdfast.start()
    lab.fault()
    lab.recovered(ready)
    lab.require(ready < 1, f"ready only after {ready:.2f} s")
    begun = time.monotonic()
    sink.order("ok")
    done = lab.truth
    while done.check(sink)["lost"] and holdfast.is_running() and time.monotonic() < begun + lab.count(180, 3600):
        peak = max(peak, holdfast.memory())
        time.sleep(0.2)
    drained = time.monotonic() - begun
    kills = group.kills()
    lab.require(holdfast.is_running() and not kills, f"OOM kills: {kills}")
    lab.settle()
    lab.note(
        f"{size >> 20} MiB of backlog, ready in {ready:.2f} s, drained in {drained:.1f} s; "
        f"anonymous memory at most {peak >> 20} MiB, OOM kills {kills}"
    )
    holdfast.terminate()
    return peak


def killed_by_the_kernel(lab):
    group = MemoryGroup(lab, LIMIT)
    lab.new_truth(items=20, loads=6)
    sink = lab.sink()
    holdfast = lab.holdfast(configuration({"otlp": grpc_exporter(sink)}))
    holdfast.before_exec = join(group)
    holdfast.start()
    lab.load_all(holdfast, rate=6_000)
    for _ in range(lab.count(3, 50)):
        lab.wait_acknowledged(lab.random.randrange(100, 3000))
        group.kill_by_oom(holdfast, LIMIT)
        lab.fault()
        holdfast.start()
        lab.recovered(lab.wait_acknowledged(1))
    lab.settle()
    holdfast.terminate()
