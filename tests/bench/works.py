"""The works: what is sent, through which configuration, and what is measured of it."""

import contextlib
import json
import os
import re
import subprocess
import time

import brokers
import components
import curves
import flows
import looks
import pods
import tailing
from rig import (
    CORES,
    Cgroup,
    Collector,
    Failed,
    Peak,
    Sink,
    busy_seconds,
    check,
    disk_bytes,
    finish,
    send,
    start_send,
    until,
    workplace,
)

# A sender or sink that uses that much of its one thread could not have gone faster: no result.
SATURATED = 0.9
# That much of the machine used by others makes a result doubtful.
NOISY = 0.15

# What the project wants to reach: result, and whether more or less is better.
TARGETS = {
    "grpc-100": {"spans_per_cpu_s": (">=", 1_200_000)},
    "grpc-10": {"spans_per_cpu_s": (">=", 400_000)},
    "grpc-1000": {"spans_per_cpu_s": (">=", 1_500_000)},
    "http-100": {"spans_per_cpu_s": (">=", 700_000)},
    "gzip": {"spans_per_cpu_s": (">=", 500_000)},
    "zstd": {"spans_per_cpu_s": (">=", 1_000_000)},
    "drain": {
        "drain_per_s": (">=", 500_000),
        "peak_anon_mib": ("<=", 32),
        "peak_rss_mib": ("<=", 48),
        "disk_before_mib": ("<=", 620),
        "disk_after_mib": ("<=", 1),
    },
    "drain-zstd": {"disk_before_mib": ("<=", 150), "disk_after_mib": ("<=", 1)},
    "drain-live": {"drain_per_s": (">=", 500_000)},
    "latency": {"p50_ms": ("<=", 0.6), "p99_ms": ("<=", 2.0), "kept_percent": (">=", 99.5)},
    "cgroup-100": {"kept_percent": (">=", 99.5), "p99_ms": ("<=", 1)},
    "cgroup-200": {"kept_percent": (">=", 99.5), "p99_ms": ("<=", 5)},
    "cgroup-1000": {"kept_percent": (">=", 99.5), "p99_ms": ("<=", 20)},
    "idle": {"cpu_percent": ("<=", 0.1), "rss_mib": ("<=", 14)},
    "ready": {"ready_ms": ("<=", 50)},
    "ready-50": {"ready_ms": ("<=", 1000)},
    "binary": {"file_mib": ("<=", 5)},
    "idle-connections": {"kib_each": ("<=", 16)},
    "with-attributes": {"spans_per_cpu_s": (">=", 800_000)},
    "with-filter": {"spans_per_cpu_s": (">=", 800_000)},
    "with-transform": {"spans_per_cpu_s": (">=", 450_000)},
    "with-sampler": {"spans_per_cpu_s": (">=", 900_000)},
    "with-spanmetrics": {"spans_per_cpu_s": (">=", 500_000)},
    "with-tail_sampling": {"spans_per_cpu_s": (">=", 500_000)},
    "with-tail_sampling-8": {"spans_per_cpu_s": (">=", 500_000)},
    "tail-1700": {"spans_per_cpu_s": (">=", 500_000), "peak_anon_mib": ("<=", 340)},
    "pod-sidecar": {"kept_percent": (">=", 99.5), "p99_ms": ("<=", 1)},
    "pod-daemonset": {"kept_percent": (">=", 99.5), "p99_ms": ("<=", 5)},
    "pod-gateway": {"kept_percent": (">=", 99.5), "p99_ms": ("<=", 20)},
    "with-k8sattributes": {"spans_per_cpu_s": (">=", 900_000)},
    "in-filelog": {"items_per_cpu_s": (">=", 600_000)},
    "in-filelog-json": {"items_per_cpu_s": (">=", 300_000)},
    "idle-files": {"cpu_percent": ("<=", 1), "peak_rss_mib": ("<=", 60)},
    "idle-hostmetrics": {"cpu_percent": ("<=", 0.1), "more_mib": ("<=", 2)},
    "in-prometheus": {"items_per_cpu_s": (">=", 1_000_000), "peak_rss_mib": ("<=", 250)},
    "out-prometheus": {"peak_rss_mib": ("<=", 500)},
    "out-prometheusremotewrite": {"items_per_cpu_s": (">=", 1_000_000)},
    "out-loki": {"items_per_cpu_s": (">=", 600_000)},
    "out-elasticsearch": {"items_per_cpu_s": (">=", 300_000)},
    "out-awss3": {"peak_rss_mib": ("<=", 100)},
    "out-loadbalancing": {"items_per_cpu_s": (">=", 600_000)},
    "out-kafka": {"items_per_cpu_s": (">=", 1_000_000)},
    "in-kafka": {"items_per_cpu_s": (">=", 1_000_000)},
}
STANDARD = [
    "grpc-100",
    "grpc-10",
    "grpc-1000",
    "http-100",
    "gzip",
    "zstd",
    "drain",
    "drain-zstd",
    "drain-live",
    "latency",
    "cgroup-100",
    "cgroup-200",
    "cgroup-1000",
    "idle",
    "ready",
    "binary",
    "idle-connections",
]
# The deployment document's table: spans a second, spans a request, MiB; by millicores.
PODS = {100: (5_000, 20, 128), 200: (50_000, 100, 400), 1000: (500_000, 500, 2048)}
CURVES = {
    "size": ["grpc-1", "grpc-10", "grpc-100", "grpc-1000", "grpc-10000"],
    "connections": ["conns-1", "conns-10", "conns-100", "conns-1000", "conns-5000"],
    "exporters": ["exporters-1", "exporters-2", "exporters-4", "exporters-8"],
    "pipelines": ["pipelines-1", "pipelines-2", "pipelines-4", "pipelines-8"],
    "backlog": ["drain-25", "drain-126", "drain-480"],
    "cores": ["cores-1", "cores-2"],
    "components": list(components.WORKS),
    "flows": flows.NAMES,
    "tailing": tailing.NAMES,
    "brokers": brokers.NAMES,
    "pods": pods.NAMES,
    "flow": pods.FLOW_NAMES,
    **curves.CURVES,
}


# The deployment document's advice. The Go collector's batch processor answers before it stores: there it stays out.
PROCESSORS = {
    "memory_limiter": {"check_interval": "1s", "limit_percentage": 75, "spike_limit_percentage": 20},
    "batch": {"timeout": "1s", "send_batch_size": 8192},
}


def configuration(
    sink_ports, compression="none", at_rest=None, http_out=False, processors=False, pipelines=False, max_gib=None
):
    """otlp in, otlp out, kept on disk with fsync; as the collector's own port numbers demand. `pipelines`: one for
    each exporter, instead of one for all."""

    def build(collector):
        queue = {"storage": "file_storage", "queue_size": 10_000_000}
        if at_rest:
            queue["compression"] = at_rest
        if max_gib:
            queue["max_bytes"] = f"{max_gib}GiB"
        exporters = {}
        for i, port in enumerate(sink_ports):
            exporters[f"{'otlphttp' if http_out else 'otlp'}/{i}"] = {
                "endpoint": f"{'http://' if http_out else ''}127.0.0.1:{port}",
                "compression": compression,
                "tls": {"insecure": True},
                "sending_queue": dict(queue),
                "retry_on_failure": {"initial_interval": "100ms", "max_interval": "500ms", "max_elapsed_time": "0s"},
            }
        address = f"127.0.0.1:{collector.ports['metrics']}"
        metrics = {"level": "none"} if collector.kind == "otelcol" else {"address": address}
        used = dict(PROCESSORS) if processors else {}
        if collector.kind == "otelcol":
            used.pop("batch", None)
        served = {f"traces/{i}": [name] for i, name in enumerate(exporters)} if pipelines else {"traces": list(exporters)}
        return {
            "receivers": {
                "otlp": {
                    "protocols": {
                        # The Go collector's limit is 4 MiB unless more is asked for.
                        "grpc": {"endpoint": f"127.0.0.1:{collector.ports['grpc']}", "max_recv_msg_size_mib": 64},
                        "http": {"endpoint": f"127.0.0.1:{collector.ports['http']}"},
                    }
                }
            },
            "processors": used,
            "exporters": exporters,
            "extensions": {
                "health_check": {"endpoint": f"127.0.0.1:{collector.ports['health']}"},
                "file_storage": {"directory": str(collector.data), "fsync": True},
            },
            "service": {
                "extensions": ["health_check", "file_storage"],
                "pipelines": {
                    name: {"receivers": ["otlp"], "processors": list(used), "exporters": chosen}
                    for name, chosen in served.items()
                },
                "telemetry": {"logs": {"level": "info"}, "metrics": metrics},
            },
        }

    return build


# ---- throughput ----


def throughput(
    peer,
    seconds,
    items,
    connections=4,
    in_flight=4,
    http=False,
    coding="identity",
    exporters=1,
    pipelines=False,
    cores=None,
    tool=None,
):
    """As many requests as are answered; spans a CPU-second of the collector until all have arrived."""
    coded = coding != "identity"
    truth = not coded and exporters == 1
    load = {
        "items": items,
        "connections": connections,
        "in_flight": in_flight,
        "http": http,
        "coding": coding,
        "pool": 64 if coded else None,
        "retry": True,
    }
    with workplace() as (disk, memory):
        sink = Sink(memory, truth=truth)
        settings = configuration(
            [sink.port] * exporters, compression=coding if coded else "none", pipelines=pipelines
        )
        collector = Collector(*peer, disk / "collector", settings, cores=cores)
        try:
            collector.start()
            port = collector.ports["http" if http else "grpc"]
            acked = {"acked": memory / "acked", "capacity": 1 << 28} if truth else {}
            warm = send(port, seconds=1, **load, **acked)
            sink.wait(warm["items"] * exporters)
            before = (collector.cpu(), sink.cpu(), busy_seconds(), time.monotonic())
            commits, records = collector.group()
            stop_tool = tool(collector) if tool else None
            sent = send(port, seconds=seconds, first=warm["next"], **load, **acked)
            in_all = (warm["items"] + sent["items"]) * exporters
            sink.wait(in_all, 120)
            used = collector.cpu() - before[0]
            wall = time.monotonic() - before[3]
            if stop_tool:
                stop_tool()
            shares = {
                "collector_cores": used / wall,
                "sender_cores": sent["cpu_seconds"] / sent["seconds"],
                "sink_cores": (sink.cpu() - before[1]) / wall,
            }
            others = busy_seconds() - before[2] - used - sent["cpu_seconds"] - (sink.cpu() - before[1])
            memory_now = collector.memory()
            after = collector.group()
            counted = sink.counters.read()
        finally:
            collector.stop()
            sink.stop()
        lost = in_all - counted["items"] if counted["items"] < in_all else 0
        if truth:
            lost = check(memory / "acked", sink.arrived, items)["lost"]
        return {
            "spans_per_cpu_s": sent["items"] / used,
            "wall_per_s": sent["items"] / wall,
            "us_a_request": used * 1e6 / sent["acknowledged"],
            "spans": sent["items"],
            "lost": lost,
            "repeated": counted["items"] - in_all,
            "refused": sent["refused"],
            "p50_ms": sent["p50_ms"],
            "p99_ms": sent["p99_ms"],
            "group": (after[1] - records) / max(1.0, after[0] - commits),
            "sink_requests": counted["requests"],
            "peak_rss_mib": memory_now["VmHWM"] / 1024,
            "others_share": max(0.0, others / (wall * CORES)),
            **shares,
            "verdict": judge(lost, sent, shares),
        }


def judge(lost, sent, shares):
    """Empty when the result counts."""
    if lost:
        return f"LOST {lost} items"
    if sent["failed"]:
        return f"{sent['failed']} requests failed"
    for name in ("sender", "sink"):
        if shares[f"{name}_cores"] > SATURATED:
            return f"the {name} was the bottleneck ({shares[f'{name}_cores']:.2f} cores)"
    if shares["sender_cores"] + shares["sink_cores"] > 2 * shares["collector_cores"]:
        return "sender and sink used more than twice the collector's time"
    return ""


# ---- backlog ----


def cost_of_filling(collector, port, **load):
    """Makes a backlog; returns what the sender says, with the collector's cost of it."""
    cpu = collector.cpu()
    sent = send(port, retry=True, seconds=550, **load)
    sent["fill_per_cpu_s"] = sent["items"] / (collector.cpu() - cpu)
    return sent


def backlog(peer, requests=14_500, items=100, at_rest=None, live_rate=0):
    """A backlog that grows while the sink refuses, then drains."""
    with workplace() as (disk, memory):
        sink = Sink(memory)
        sink.order("code 14")
        collector = Collector(*peer, disk / "collector", configuration([sink.port], at_rest=at_rest))
        peak = None
        try:
            collector.start()
            peak = Peak(collector)
            acked = {"acked": memory / "acked", "capacity": 1 << 24, "items": items}
            port = collector.ports["grpc"]
            sent = cost_of_filling(collector, port, requests=requests, **acked)
            full = disk_bytes(collector.data)
            cpu = collector.cpu()
            live = None
            if live_rate:
                live = start_send(port, first=sent["next"], rate=live_rate, seconds=4, retry=True, **acked)
            sink.order("ok")
            sink.wait(sent["items"], 300)
            counted = sink.counters.read()
            cpu = collector.cpu() - cpu
            if live:
                sink.wait(sent["items"] + json.loads(finish(live))["items"], 60)
            until(lambda: disk_bytes(collector.data) < 2 << 20 or peer[0] != "holdfast", 15, "an empty disk")
            after = disk_bytes(collector.data)
        finally:
            if peak:
                peak.stop()
            collector.stop()
            sink.stop()
        drained_s = (counted["last_ns"] - counted["first_ns"]) / 1e9
        found = check(memory / "acked", sink.arrived, items)
        return {
            "drain_per_s": counted["items"] / drained_s,
            "spans_per_cpu_s": counted["items"] / cpu,
            "fill_per_s": sent["items_per_second"],
            "fill_per_cpu_s": sent["fill_per_cpu_s"],
            "peak_anon_mib": peak.anon / 1024,
            "peak_rss_mib": peak.rss / 1024,
            "disk_before_mib": full / (1 << 20),
            "disk_after_mib": after / (1 << 20),
            "spans": sent["items"],
            "lost": found["lost"],
            "repeated": found["repeated"],
            "verdict": f"LOST {found['lost']} items" if found["lost"] else "",
        }


# ---- what users feel ----


def latency(peer, seconds, rate=20_000, items=20, pod=None, mode=None):
    """A steady load: how long an answer takes, and whether the rate is kept. `pod`: (millicores, MiB); `mode`: one of
    the deployment document, with its processors."""
    cgroup = Cgroup(*pod) if pod else None
    drops = bool(mode and mode.get("drops"))
    with contextlib.ExitStack() as stack:
        disk, memory = stack.enter_context(workplace())
        if mode and mode.get("cluster"):
            stack.enter_context(components.cluster(memory, mode["cluster"]))
        sink = Sink(memory, truth=not drops)
        settings = configuration([sink.port], processors=pod is not None and mode is None)
        settings = components.configuration(settings, mode) if mode else settings
        collector = Collector(*peer, disk / "collector", settings, cgroup)
        try:
            collector.start()
            acked = {} if drops else {"acked": memory / "acked", "capacity": 1 << 24}
            load = {"rate": rate, "items": items, "connections": 4, "in_flight": 16, "retry": True, **acked}
            load["trace_spans"] = mode.get("trace_spans") if mode else None
            warm = send(collector.ports["grpc"], seconds=1, **load)
            before, begun = collector.cpu(), busy_seconds()
            sent = send(collector.ports["grpc"], seconds=seconds, first=warm["next"], **load)
            used = collector.cpu() - before
            others = busy_seconds() - begun - used - sent["cpu_seconds"]
            if not drops:
                sink.wait(warm["items"] + sent["items"])
            resident = collector.memory()["VmHWM"]
        finally:
            collector.stop()
            sink.stop()
            if cgroup:
                cgroup.remove()
        found = {"lost": 0} if drops else check(memory / "acked", sink.arrived, items)
        return {
            "wall_per_s": sent["items_per_second"],
            "p50_ms": sent["p50_ms"],
            "p99_ms": sent["p99_ms"],
            "p999_ms": sent["p999_ms"],
            "kept_percent": 100 * sent["items_per_second"] / rate,
            "behind": sent["behind"],
            "collector_cores": used / sent["seconds"],
            "peak_rss_mib": resident / 1024,
            "lost": found["lost"],
            "others_share": max(0.0, others / (sent["seconds"] * CORES)),
            "verdict": f"LOST {found['lost']} items" if found["lost"] else "",
        }


def idle(peer, seconds):
    with workplace() as (disk, memory):
        sink = Sink(memory, truth=False)
        collector = Collector(*peer, disk / "collector", configuration([sink.port]))
        try:
            collector.start()
            time.sleep(2)
            before = collector.cpu()
            time.sleep(seconds)
            used = collector.cpu() - before
            now = collector.memory()
        finally:
            collector.stop()
            sink.stop()
        return {
            "cpu_percent": 100 * used / seconds,
            "rss_mib": now["VmRSS"] / 1024,
            "anon_mib": now["RssAnon"] / 1024,
            "verdict": "",
        }


def ready(peer):
    """From exec to a healthy answer, on an empty directory."""
    times = []
    for _ in range(5):
        with workplace() as (disk, memory):
            sink = Sink(memory, truth=False)
            collector = Collector(*peer, disk / "collector", configuration([sink.port]))
            try:
                times.append(collector.start() * 1000)
            finally:
                collector.stop()
                sink.stop()
    times.sort()
    return {"ready_ms": times[len(times) // 2], "worst_ms": times[-1], "verdict": ""}


def ready_with_backlog(peer, gib):
    """The same on a queue of so many GiB, after a SIGKILL; and the memory of the first ten seconds."""
    with workplace() as (disk, memory):
        sink = Sink(memory, truth=False)
        sink.order("code 14")
        collector = Collector(*peer, disk / "collector", configuration([sink.port], max_gib=gib + gib // 8 + 1))
        try:
            collector.start()
            sent = cost_of_filling(collector, collector.ports["grpc"], items=1000, requests=gib * (1 << 30) // 397_000)
            collector.process.kill()
            collector.process.wait()
            full = disk_bytes(collector.data)
            ready_ms = collector.start() * 1000
            peak = Peak(collector)
            time.sleep(10)
            peak.stop()
        finally:
            collector.stop()
            sink.stop()
        return {
            "ready_ms": ready_ms,
            "fill_per_s": sent["items_per_second"],
            "fill_per_cpu_s": sent["fill_per_cpu_s"],
            "disk_before_mib": full / (1 << 20),
            "peak_anon_mib": peak.anon / 1024,
            "peak_rss_mib": peak.rss / 1024,
            "verdict": "",
        }


def binary(peer):
    with workplace() as (disk, _):
        stripped = disk / "stripped"
        subprocess.run(["strip", "-o", stripped, peer[1]], check=True)
        return {
            "file_mib": os.stat(peer[1]).st_size / (1 << 20),
            "stripped_mib": stripped.stat().st_size / (1 << 20),
            "verdict": "",
        }


def idle_connections(peer, count=1000):
    """Anonymous memory that idle gRPC connections hold, after each has sent a request."""
    with workplace() as (disk, memory):
        sink = Sink(memory, truth=False)
        collector = Collector(*peer, disk / "collector", configuration([sink.port]))
        try:
            collector.start()
            port = collector.ports["grpc"]
            send(port, requests=200, items=1)  # what the first requests allocate once
            time.sleep(1)
            before = collector.memory()["RssAnon"]
            sender = start_send(port, connections=count, in_flight=1, requests=count, items=1, hold=4)
            sink.wait(200 + count)
            time.sleep(2)
            after = collector.memory()["RssAnon"]
            finish(sender)
        finally:
            collector.stop()
            sink.stop()
        return {"kib_each": (after - before) / count, "verdict": ""}


# ---- by name ----


def component_work(name):
    """The components between receiver and queue that a work of that name has; None: it has none."""
    kind, _, number = name.rpartition("-")
    if kind in curves.POINTS and number.isdigit():
        return curves.work(kind, int(number), components.TAIL_SAMPLING["tail_sampling"])
    if name.startswith("flow-"):
        return pods.FLOWS.get(name.removeprefix("flow-"))
    return components.WORKS.get(name)


def run_work(name, peer, seconds, tool=None):
    """One round of a work. Names: STANDARD, and grpc-N, http-N (spans a request), conns-N, exporters-N, pipelines-N,
    cores-N, cgroup-N (millicores), drain-N (thousand requests), ready-N (GiB queued), tail-N (thousand spans that wait),
    look-N (thousand records that are looked at), map-N (components that are looked at), looked-LOOKER,
    pod-MODE, flow-MODE, with-COMPONENT, KIND-N of curves.py, in-RECEIVER, out-EXPORTER."""
    if name in brokers.NAMES:
        return brokers.run(name, peer, seconds, tool=tool)
    if name in tailing.NAMES:
        return tailing.run(name, peer, seconds)
    if name.startswith(("in-", "out-")) or name in flows.NAMES:
        return flows.run(name, peer, seconds)
    if component_work(name) is not None:
        return components.run(component_work(name), peer, seconds, configuration, judge, tool=tool)
    if name.startswith("looked-"):
        return looks.watched(peer, name.removeprefix("looked-"), seconds, configuration)
    if name in pods.NAMES:
        mode = pods.MODES[name.removeprefix("pod-")]
        return latency(peer, seconds, rate=mode["rate"], items=mode["items"], pod=mode["limits"], mode=mode)
    found = re.fullmatch(r"([a-z]+)(?:-(\d+))?(?:-(zstd|live))?", name)
    kind, number, variant = found.groups() if found else (None, None, None)
    number = int(number) if number else None
    if kind == "grpc" and number:
        return throughput(peer, seconds, number, in_flight=16 if number <= 10 else 4, tool=tool)
    if kind == "http" and number:
        return throughput(peer, seconds, number, http=True, tool=tool)
    if kind in ("gzip", "zstd"):
        return throughput(peer, seconds, number or 100, coding=kind, tool=tool)
    if kind == "conns" and number:
        return throughput(peer, seconds, 100, connections=number, in_flight=16 if number == 1 else 2, tool=tool)
    if kind == "exporters" and number:
        return throughput(peer, seconds, 100, exporters=number, tool=tool)
    if kind == "pipelines" and number:
        return throughput(peer, seconds, 100, exporters=number, pipelines=True, tool=tool)
    if kind == "cores" and number:
        return throughput(peer, seconds, 100, cores=number, tool=tool)
    if kind == "look" and number:
        return looks.long_queue(peer, number, configuration)
    if kind == "map" and number:
        return looks.many_components(peer, number, configuration)
    if kind == "tail" and number:
        return components.waiting(peer, number, configuration)
    if kind == "ready" and number:
        return ready_with_backlog(peer, number)
    if kind == "cgroup" and number in PODS:
        rate, items, mib = PODS[number]
        return latency(peer, seconds, rate=rate, items=items, pod=(number, mib))
    if kind == "drain":
        return backlog(
            peer,
            requests=number * 1000 if number else 14_500,
            at_rest="zstd" if variant == "zstd" else None,
            live_rate=50_000 if variant == "live" else 0,
        )
    simple = {"latency": latency, "idle": idle}
    once = {"ready": ready, "binary": binary, "idle-connections": idle_connections}
    if name in simple:
        return simple[name](peer, seconds)
    if name in once:
        return once[name](peer)
    raise Failed(f"no such work: {name}")
