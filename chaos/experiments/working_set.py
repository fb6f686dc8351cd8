"""What an autoscaler sees: the working set of a container with a long backlog."""

import time

from harness.places import MemoryGroup
from harness.victim import configuration, grpc_exporter

PROMISE = "E6: a backlog looks like no load to an autoscaler that looks at memory"
FAULT = "a memory cgroup of 2 GiB: 3 GB of backlog (long: 20 GB) filled, restarted and drained in it"
HOLDS = "the working set (memory in use without inactive files, as kubelets count it) stays below 80 % of the limit; lost 0"

LIMIT = 2 << 30
SHARE = 0.8  # the target of the deployment document's autoscaler


def run(lab):
    group = MemoryGroup(lab, LIMIT)
    items, request_bytes = 200, 75_000
    wanted = lab.count(3 * 10**9, 20 * 10**9)
    requests = wanted // request_bytes // 3
    lab.new_truth(items=items, requests=requests + 1, loads=3)
    sink = lab.sink()
    holdfast = lab.holdfast(configuration({"otlp": grpc_exporter(sink)}))
    holdfast.before_exec = group.join
    holdfast.start()
    sink.order("code 14")
    for name in ("traces", "metrics", "logs"):
        lab.load(holdfast.grpc, signal_name=name, requests=requests, pool=0, seconds=lab.count(240, 3600))
    filling = watched(group, lambda: any(load.process.poll() is None for load in lab.loads))
    for load in lab.loads:
        load.wait()
    size = holdfast.disk_bytes()
    lab.require(size >= wanted, f"only {size >> 20} MiB on disk")
    holdfast.terminate()
    holdfast.start()
    lab.fault()
    sink.order("ok")
    draining = watched(group, lambda: lab.truth.check(sink)["lost"] and holdfast.is_running())
    lab.settle()
    lab.note(f"{size >> 20} MiB of backlog: working set at most {filling >> 20} MiB filled, {draining >> 20} MiB drained")
    holdfast.terminate()
    lab.require(max(filling, draining) < SHARE * LIMIT, f"{max(filling, draining) >> 20} MiB of {LIMIT >> 20}")


def watched(group, goes_on):
    """The largest working set while that is so."""
    most = 0
    while goes_on():
        most = max(most, group.working_set())
        time.sleep(0.2)
    return most
