"""Works with a component between receiver and queue: what one costs, side by side with the Go collector.

    ./dev bench with-transform --vs otelcol

100 spans a request, of traces of one span each where traces count unless the work says so, on disk with fsync, as the works without components. Components that keep only
a part of what they get are measured until nothing has arrived for a while; what they drop is not compared.
"""

import contextlib
import copy
import json
import os
import sys
import time
from pathlib import Path

from rig import CORES, Collector, Failed, Peak, Sink, busy_seconds, check, send, until, workplace

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.kubernetes import KubernetesApi, pod  # noqa: E402

PODS = 10_000
WAIT_SECONDS = 60  # longer than it takes to send all the spans that wait
QUIET_SECONDS = 4  # longer than a decision of tail_sampling takes

STATEMENTS = [
    'set(span.attributes["seen"], true)',
    'delete_key(span.attributes, "user_agent.original")',
    'replace_pattern(span.attributes["url.full"], "/[0-9]+$", "/{id}")',
    'set(span.attributes["error"], true) where span.attributes["http.response.status_code"] >= 500',
    'set(span.name, "checkout") where span.attributes["server.address"] == "shop.example.com"',
]

TAIL_SAMPLING = {
    "tail_sampling": {
        "decision_wait": "2s",
        "num_traces": 5_000_000,
        "policies": [
            {"name": "errors", "type": "status_code", "status_code": {"status_codes": ["ERROR"]}},
            {"name": "slow", "type": "latency", "latency": {"threshold_ms": 60_000}},
            {"name": "some", "type": "probabilistic", "probabilistic": {"sampling_percentage": 10}},
        ],
    }
}

# Processors in their order, connectors beside the exporter; `drops`: a part of the spans goes; `load`: what is sent otherwise, as
# new traces instead of the same 1,600 all the time; `cluster`: so many pods; `quiet_s`: longer than a decision takes.
WORKS = {
    "with-attributes": {
        "processors": {
            "attributes": {
                "actions": [
                    {"key": "team", "value": "shop", "action": "insert"},
                    {"key": "url.scheme", "value": "tls", "action": "update"},
                    {"key": "thread.id", "action": "delete"},
                ]
            }
        }
    },
    "with-filter": {
        "processors": {
            "filter": {
                "error_mode": "ignore",
                "traces": {"span": ['attributes["http.request.method"] == "NONE"', 'IsMatch(name, "^nothing")']},
            }
        }
    },
    "with-transform": {
        "processors": {"transform": {"error_mode": "ignore", "trace_statements": STATEMENTS}},
    },
    "with-sampler": {
        "processors": {"probabilistic_sampler": {"sampling_percentage": 50}},
        "drops": True,
    },
    "with-spanmetrics": {
        "connectors": {
            "spanmetrics": {"dimensions": [{"name": "http.request.method"}, {"name": "http.response.status_code"}]}
        }
    },
    "with-tail_sampling": {"processors": TAIL_SAMPLING, "drops": True, "load": {"trace_spans": 1}},
    # As of four services: two spans of a trace in each of four requests.
    "with-tail_sampling-8": {
        "processors": TAIL_SAMPLING,
        "drops": True,
        "load": {"trace_spans": 8, "trace_requests": 4},
    },
    "with-k8sattributes": {
        "processors": {
            "k8sattributes": {
                "auth_type": "kubeConfig",
                "wait_for_metadata": True,
                "wait_for_metadata_timeout": "60s",
                "pod_association": [{"sources": [{"from": "connection"}]}],
            }
        },
        "cluster": PODS,
    },
}


def configuration(base, work):
    """`base` with the work's components in its pipeline."""

    def build(collector):
        made = base(collector)
        traces = made["service"]["pipelines"]["traces"]
        added = dict(work.get("processors", {}))
        if collector.kind == "otelcol" and not work.get("batches"):
            added.pop("batch", None)  # it answers before it stores
        made["processors"].update(added)
        traces["processors"] = [*traces["processors"], *added]
        if work.get("debug"):
            made["exporters"]["debug"] = {"verbosity": "basic"}
            traces["exporters"] = [*traces["exporters"], "debug"]
        for name, settings in work.get("connectors", {}).items():
            made.setdefault("connectors", {})[name] = settings
            made["exporters"]["nop"] = {}
            traces["exporters"] = [*traces["exporters"], name]
            made["service"]["pipelines"]["metrics"] = {"receivers": [name], "exporters": ["nop"]}
        return made

    return build


def pod_of(number, is_here):
    digits = "".join("0123456789abcdefghijklmnopqrstuvwxyz"[number // 36**i % 36] for i in (3, 2, 1, 0))
    name = f"checkout-6b7f9c9d8-x{digits}"
    address = "127.0.0.1" if is_here else f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return name, pod(name, address, f"uid-{number}")


@contextlib.contextmanager
def cluster(directory, count):
    """A Kubernetes API with `count` pods of the names that holdfast-storm sends, one of them with the address of this host; both
    collectors ask as KUBECONFIG says."""
    path = Path(directory) / "kubeconfig"
    # Lists as they are read in pages: the API here has no other.
    wanted = {"KUBECONFIG": str(path), "KUBE_FEATURE_WatchListClient": "false"}
    before = {name: os.environ.get(name) for name in wanted}
    with KubernetesApi() as api:
        api.fill("pods", (pod_of(number, number == count - 1) for number in range(count)))
        path.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "bench",
                    "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
                    "clusters": [{"name": "bench", "cluster": {"server": api.url}}],
                    "users": [{"name": "bench", "user": {}}],
                }
            )
        )
        os.environ.update(wanted)
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name)
                if value is not None:
                    os.environ[name] = value


def wait_quiet(sink, seconds=QUIET_SECONDS):
    """Until nothing has arrived for so long."""
    seen, since = -1, time.monotonic()
    while time.monotonic() - since < seconds:
        now = sink.counters.items
        if now != seen:
            seen, since = now, time.monotonic()
        time.sleep(0.05)


def run(work, peer, seconds, base, judge, tool=None):
    """One round. `base(ports, compression)`: the configuration without components; `judge(lost, sent, shares)`: the verdict."""
    drops = work.get("drops", False)
    quiet_s = work.get("quiet_s", QUIET_SECONDS)
    seconds += work.get("more_seconds", 0)
    load = {"items": 100, "connections": 4, "in_flight": 4, "retry": True, **work.get("load", {})}
    items = load["items"]
    with contextlib.ExitStack() as stack:
        disk, memory = stack.enter_context(workplace())
        if work.get("cluster"):
            stack.enter_context(cluster(memory, work["cluster"]))
        sink = Sink(memory, truth=not drops)
        settings = configuration(base([sink.port], work.get("compression", "none")), work)
        collector = Collector(*peer, disk / "collector", settings)
        try:
            collector.start()
            acked = {} if drops else {"acked": memory / "acked", "capacity": 1 << 28}
            port = collector.ports["grpc"]
            warm_up = {"requests": work["warm_requests"], "seconds": 120} if "warm_requests" in work else {"seconds": 1}
            warm = send(port, **warm_up, **load, **acked)
            wait_quiet(sink, quiet_s) if drops else sink.wait(warm["items"])
            arrived = sink.counters.items
            before = (collector.cpu(), sink.cpu(), busy_seconds(), time.monotonic())
            stop_tool = tool(collector) if tool else None
            peak = Peak(collector)
            sent = send(port, seconds=seconds, first=warm["next"], **load, **acked)
            wait_quiet(sink, quiet_s) if drops else sink.wait(warm["items"] + sent["items"], 120)
            used = collector.cpu() - before[0]
            passed = time.monotonic() - before[3]
            wall = passed - (quiet_s if drops else 0)
            peak.stop()
            if stop_tool:
                stop_tool()
            shares = {
                "collector_cores": used / wall,
                "sender_cores": sent["cpu_seconds"] / sent["seconds"],
                "sink_cores": (sink.cpu() - before[1]) / wall,
            }
            others = busy_seconds() - before[2] - used - sent["cpu_seconds"] - (sink.cpu() - before[1])
            resident = collector.memory()["VmHWM"]
            kept = sink.counters.items - arrived
            anon = collector.memory()["RssAnon"]
        finally:
            collector.stop()
            sink.stop()
        lost = 0 if drops else check(memory / "acked", sink.arrived, items)["lost"]
        return {
            "spans_per_cpu_s": sent["items"] / used,
            "wall_per_s": sent["items"] / wall,
            "us_a_request": used * 1e6 / sent["acknowledged"],
            "spans": sent["items"],
            "kept_percent": 100 * kept / sent["items"],
            "lost": lost,
            "p50_ms": sent["p50_ms"],
            "p99_ms": sent["p99_ms"],
            "peak_anon_mib": peak.anon / 1024,
            "peak_rss_mib": resident / 1024,
            "anon_mib": anon / 1024,
            "others_share": max(0.0, others / (passed * CORES)),
            **shares,
            "verdict": judge(lost, sent, shares),
        }


def waiting(peer, thousands, base):
    """So many thousand spans, each a trace of its own, wait for a decision of tail_sampling: what one takes in memory,
    and what it costs until all are decided and those that are kept have been sent on."""
    name, items, spans = "tail_sampling", 100, thousands * 1000
    work = copy.deepcopy(WORKS[f"with-{name}"])
    work["processors"][name]["decision_wait"] = f"{WAIT_SECONDS}s"
    with workplace() as (disk, memory):
        sink = Sink(memory, truth=False)
        collector = Collector(*peer, disk / "collector", configuration(base([sink.port]), work))
        try:
            collector.start()
            idle = collector.memory()["RssAnon"]
            before = (collector.cpu(), busy_seconds(), sink.cpu(), time.monotonic())
            load = {"items": items, "connections": 4, "in_flight": 4, "retry": True, "trace_spans": 1}
            sent = send(collector.ports["grpc"], requests=spans // items, seconds=WAIT_SECONDS - 5, **load)
            left = before[3] + WAIT_SECONDS - time.monotonic()
            if sent["items"] < spans or left < 1:
                raise Failed(f"{sent['items']} spans sent: not all before the first decision, {WAIT_SECONDS} s")
            metric = "otelcol_processor_tail_sampling_sampling_traces_on_memory"
            if collector.kind == "holdfast":
                until(lambda: collector.metric(metric) >= spans, left, f"{spans} traces that wait")
            held = collector.memory()
            until(lambda: sink.counters.items > 0, 2 * WAIT_SECONDS, "a decision")
            wait_quiet(sink)
            used = collector.cpu() - before[0]
            others = busy_seconds() - before[1] - used - sent["cpu_seconds"] - (sink.cpu() - before[2])
            kept = 100 * sink.counters.items / spans
            peak = collector.memory()["VmHWM"]
        finally:
            collector.stop()
            sink.stop()
        return {
            "spans_per_cpu_s": spans / used,
            "peak_anon_mib": held["RssAnon"] / 1024,
            "bytes_waiting": (held["RssAnon"] - idle) * 1024 / spans,
            "peak_rss_mib": peak / 1024,
            "kept_percent": kept,
            "spans": spans,
            "others_share": max(0.0, others / ((time.monotonic() - before[3]) * CORES)),
            "lost": 0,
            "verdict": "" if 9 < kept < 11 else f"kept {kept:.1f} % of the spans, not 10",
        }
