"""Works with another receiver or exporter than OTLP's: what an item costs on its way in, or on its way out.

    ./dev bench in-zipkin out-loki
    HOLDFAST_PEER=/path/to/otelcol ./dev bench in-zipkin --vs otelcol

The other end is wire.py: it takes or gives bytes and answers as the backend would; h2load sends what is sent. On disk
with fsync, but for the Go collector's `prometheus` and `prometheusremotewrite`, which have no queue on disk. `in-` works
send on as OTLP/HTTP; `in-prometheus` ends in `nop` for Holdfast, whose queue is in between, since the Go collector's `nop`
has none, and `in-prometheus-sent` is the same with both sending on. Nothing is measured before the first items have gone
all the way.
"""

import concurrent.futures
import contextlib
import http.client
import json
import os
import re
import struct
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from rig import CORES, Collector, Failed, Sink, busy_seconds, end, send, until, workplace

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import jaeger_model, otlp  # noqa: E402
from support.ports import free_port  # noqa: E402

WIRE = Path(__file__).with_name("wire.py")
QUIET_SECONDS = 2
IN_FLIGHT = 16  # requests, as in the other works: their commits are shared
TARGETS_SCRAPED, SAMPLES = 1_000, 1_000
SCRAPERS = ("cpu", "disk", "filesystem", "load", "memory", "network", "paging")
NOW_NS = 1_700_000_000_000_000_000
# How h2load sends: over HTTP/1.1, a body of protobuf or of JSON; over gRPC.
HTTP = ["--h1", f"--clients={IN_FLIGHT}", "--header=content-type: application/x-protobuf"]
JSON = [*HTTP[:2], "--header=content-type: application/json"]
GRPC = ["--clients=4", f"--max-concurrent-streams={IN_FLIGHT // 4}"]
GRPC += ["--header=content-type: application/grpc", "--header=te: trailers"]


class Wire:
    """One wire.py that runs; `counts()` is what it has done."""

    def __init__(self, directory, name, *words):
        self.path = directory / f"{name}.json"
        self.process = subprocess.Popen([sys.executable, WIRE, "--status", self.path, *map(str, words)])

    def counts(self):
        try:
            return json.loads(self.path.read_text())
        except (OSError, ValueError):
            return {"requests": 0, "bytes": 0, "items": 0, "port": 0}

    @property
    def port(self):
        return until(lambda: self.counts()["port"], 10, "the port of wire.py")

    def stop(self):
        end(self.process)


# ---- what is sent ----


def spans_of(count):
    request = otlp.TRACES.request()
    scope = request.resource_spans.add().scope_spans.add()
    for i in range(count):
        span = scope.spans.add(name="GET /checkout", kind=2, trace_id=os.urandom(16), span_id=os.urandom(8))
        span.start_time_unix_nano, span.end_time_unix_nano = NOW_NS, NOW_NS + 1_000_000
        for key in ("http.request.method", "url.path", "server.address"):
            span.attributes.add(key=key).value.string_value = f"value {i}"
    return request


def logs_of(count):
    request = otlp.LOGS.request()
    group = request.resource_logs.add()
    group.resource.attributes.add(key="service.name").value.string_value = "shop"
    scope = group.scope_logs.add()
    for i in range(count):
        record = scope.log_records.add(time_unix_nano=NOW_NS + i, severity_number=9, severity_text="INFO")
        record.body.string_value = f"order {i} was paid by card and is on its way to the customer " + "x" * 100
        record.attributes.add(key="order").value.int_value = i
        record.attributes.add(key="thread").value.string_value = "worker-7"
    return request


def points_of(count, label="instance"):
    request = otlp.METRICS.request()
    group = request.resource_metrics.add()
    group.resource.attributes.add(key="service.name").value.string_value = "shop"
    scope = group.scope_metrics.add()
    for i in range(count // 100):
        metric = scope.metrics.add(name=f"http.server.requests.{i}", unit="1")
        metric.sum.aggregation_temporality, metric.sum.is_monotonic = 2, True
        for k in range(100):
            point = metric.sum.data_points.add(time_unix_nano=NOW_NS, as_double=k)
            point.attributes.add(key="method").value.string_value = "GET"
            point.attributes.add(key=label).value.string_value = f"pod-{k}"
    return request


def zipkin_of(count):
    return [
        {
            "traceId": f"{i + 1:032x}",
            "id": f"{i + 1:016x}",
            "name": "get /checkout",
            "kind": "SERVER",
            "timestamp": NOW_NS // 1000,
            "duration": 1000,
            "localEndpoint": {"serviceName": "shop"},
            "tags": {"http.method": "GET", "http.path": f"/checkout/{i}", "server.address": "shop.example.com"},
        }
        for i in range(count)
    ]


def jaeger_of(count):
    """What zipkin_of() says, of Jaeger's."""
    request = jaeger_model.PostSpans()
    request.batch.process.service_name = "shop"
    for i in range(count):
        span = request.batch.spans.add(operation_name="get /checkout")
        span.trace_id, span.span_id = struct.pack(">QQ", 0, i + 1), struct.pack(">Q", i + 1)
        span.start_time.seconds, span.duration.nanos = NOW_NS // 10**9, 10**6
        tags = {"span.kind": "server", "http.method": "GET", "http.path": f"/checkout/{i}"}
        for key, text in {**tags, "server.address": "shop.example.com"}.items():
            span.tags.add(key=key, v_str=text)
    return request


def exposition_of(count):
    lines = []
    for i in range(count // 100):
        lines.append(f"# TYPE http_requests_{i}_total counter")
        lines += [f'http_requests_{i}_total{{method="GET",code="200",path="/path/{k}"}} {k}' for k in range(100)]
    return "\n".join(lines) + "\n"


# ---- works: of each, which signal, how many items are in a request, and what is configured ----


# Name: (the request, items in it, the exporter by the port of the backend, what the backend answers)
OUT = {
    "out-prometheusremotewrite": (
        points_of,
        1000,
        lambda port: {"prometheusremotewrite": {"endpoint": f"http://127.0.0.1:{port}/api/v1/write"}},
        "ok",
    ),
    "out-loki": (
        logs_of,
        100,
        lambda port: {"loki": {"endpoint": f"http://127.0.0.1:{port}/loki/api/v1/push"}},
        "ok",
    ),
    "out-elasticsearch": (
        logs_of,
        100,
        lambda port: {"elasticsearch": {"endpoint": f"http://127.0.0.1:{port}", "compression": "none"}},
        "bulk",
    ),
    "out-awss3": (
        logs_of,
        1000,
        lambda port: {
            "awss3": {
                "s3uploader": {
                    "region": "us-east-1",
                    "s3_bucket": "bench",
                    "endpoint": f"http://127.0.0.1:{port}",
                    "s3_force_path_style": True,
                    "compression": "zstd",
                },
                "marshaler": "otlp_proto",
                "sending_queue": {
                    "batch": {"sizer": "bytes", "min_size": 64 << 20, "max_size": 64 << 20, "flush_timeout": "200ms"}
                },
            }
        },
        "s3",
    ),
}
SIGNALS = {points_of: otlp.METRICS, logs_of: otlp.LOGS, spans_of: otlp.TRACES}
NAMES = [
    "in-jaeger",
    "in-zipkin",
    "in-prometheus",
    "in-prometheus-sent",
    "idle-hostmetrics",
    *OUT,
    "out-prometheus",
    "out-loadbalancing",
    "out-loadbalancing-gzip",
]
# What has no `sending_queue` to be set.
WITHOUT_QUEUE = ("nop", "loadbalancing", "prometheus")


def configuration(signal, receivers, exporters, processors=None):
    def build(collector):
        made = {name: dict(value or {}) for name, value in exporters(collector).items()}
        address = f"127.0.0.1:{collector.ports['metrics']}"
        for name, value in made.items():
            if name == "prometheusremotewrite" and collector.kind == "otelcol":
                value["wal"] = {"directory": str(collector.data)}  # its queue is in memory
            elif name.split("/")[0] not in WITHOUT_QUEUE:
                value["sending_queue"] = {"enabled": True, "storage": "file_storage", "queue_size": 10_000_000}
        return {
            "receivers": receivers(collector),
            "processors": processors or {},
            "exporters": made,
            "extensions": {
                "health_check": {"endpoint": f"127.0.0.1:{collector.ports['health']}"},
                "file_storage": {"directory": str(collector.data), "fsync": True},
            },
            "service": {
                "extensions": ["health_check", "file_storage"],
                "pipelines": {
                    signal: {
                        "receivers": list(receivers(collector)),
                        "processors": list(processors or {}),
                        "exporters": list(made),
                    }
                },
                "telemetry": {
                    "metrics": {"level": "none"} if collector.kind == "otelcol" else {"address": address}
                },
            },
        }

    return build


def otlp_in(collector):
    return {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{collector.ports['http']}"}}}}


def otlp_out(backend):
    """Where what was received goes."""
    return lambda _: {"otlphttp": {"endpoint": f"http://127.0.0.1:{backend.port}", "compression": "none"}}


def quiet_end(backend):
    """The same, but nowhere for Holdfast. An exporter of the Go collector's without a request has no queue on disk."""
    return lambda collector: {"nop": {}} if collector.kind == "holdfast" else otlp_out(backend)(collector)


def metric_sum(collector, name):
    """Of all series of a counter."""
    url = f"http://127.0.0.1:{collector.ports['metrics']}/metrics"
    with contextlib.suppress(OSError):
        lines = urllib.request.urlopen(url, timeout=5).read().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name + "{"))
    return 0


def wait_quiet(progress):
    """Until `progress()` has said the same for a while; returns it, and when it last moved."""
    seen, since = progress(), time.monotonic()
    while time.monotonic() - since < QUIET_SECONDS:
        now = progress()
        if now != seen:
            seen, since = now, time.monotonic()
        time.sleep(0.05)
    return seen, since


def result(collector, items, used, wall, others, lost=0, passed=None):
    """`passed`: the time in which others used so much, where it is longer than what the work took."""
    return {
        "items_per_cpu_s": items / used if used else 0,
        "wall_per_s": items / wall,
        "items": items,
        "lost": lost,
        "peak_rss_mib": collector.memory()["VmHWM"] / 1024,
        "collector_cores": used / wall,
        "others_share": max(0.0, others / ((passed or wall) * CORES)),
        "verdict": f"LOST {lost} items" if lost else "",
    }


@contextlib.contextmanager
def running(collector, *wires):
    try:
        collector.start()
        yield
    finally:
        collector.stop()
        for wire in wires:
            wire.stop()


def seen_of(collector, backend, counter):
    """Moves while something arrives, or is sent on."""
    counted = metric_sum(collector, counter) if collector.kind == "holdfast" else 0
    return counted + backend.counts()["bytes"]


def measure_posts(peer, seconds, *, signal, receivers, exporters, port, path, body, items, kind, counter, words=HTTP):
    """Requests sent as fast as they are answered, until all that was accepted has gone on. `words`: how h2load sends."""
    with workplace() as (disk, memory):
        backend = Wire(memory, "backend", "answer", kind)
        (memory / "body").write_bytes(body)
        collector = Collector(*peer, disk / "collector", configuration(signal, receivers, exporters(backend)))
        with running(collector, backend):
            target = f"http://127.0.0.1:{collector.ports[port]}{path}"
            total = 0
            for length in (1, seconds):  # the first to warm up
                before, begun = (collector.cpu(), busy_seconds()), time.monotonic()
                sent = post(memory / "body", target, words, length) * items
                total += sent
                _, last = wait_quiet(lambda: seen_of(collector, backend, counter))
                used = collector.cpu() - before[0]
            if sent == 0:
                raise Failed(f"nothing was accepted:\n{collector.log.read_text()[-1500:]}")
            lost = 0
            if peer[0] == "holdfast":
                lost = max(0, int(total - metric_sum(collector, counter)))
            others, passed = busy_seconds() - before[1] - used, time.monotonic() - begun
            return result(collector, sent, used, last - begun, others, lost, passed)


def post(file, target, words, seconds):
    """Sends the file's bytes over and over; how many requests were taken, up to those in flight at the end."""
    command = ["h2load", *words, "--threads=1", f"--duration={round(seconds)}s", f"--data={file}", target]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 120, check=True)
    return int(re.search(r"^status codes: (\d+) 2xx", done.stdout, re.M).group(1))


def measure_out(name, peer, seconds):
    os.environ |= {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench"}  # those of awss3
    make, items, exporter, kind = OUT[name]
    signal = SIGNALS[make]
    return measure_posts(
        peer,
        seconds,
        signal=signal.name,
        receivers=otlp_in,
        exporters=lambda backend: lambda _: exporter(backend.port),
        port="http",
        path=signal.http_path,
        body=make(items).SerializeToString(),
        items=items,
        kind=kind,
        counter=f"otelcol_exporter_sent_{signal.items}",
    )


def measure_zipkin(peer, seconds):
    return measure_posts(
        peer,
        seconds,
        signal="traces",
        receivers=lambda collector: {"zipkin": {"endpoint": f"127.0.0.1:{collector.ports['http']}"}},
        exporters=otlp_out,
        port="http",
        path="/api/v2/spans",
        body=json.dumps(zipkin_of(100)).encode(),
        items=100,
        kind="ok",
        counter="otelcol_receiver_accepted_spans",
        words=JSON,
    )


def measure_jaeger(peer, seconds):
    message = jaeger_of(100).SerializeToString()
    return measure_posts(
        peer,
        seconds,
        signal="traces",
        receivers=lambda collector: {
            "jaeger": {"protocols": {"grpc": {"endpoint": f"127.0.0.1:{collector.ports['grpc']}"}}}
        },
        exporters=otlp_out,
        port="grpc",
        path="/jaeger.api_v2.CollectorService/PostSpans",
        body=struct.pack(">BI", 0, len(message)) + message,
        items=100,
        kind="ok",
        counter="otelcol_receiver_accepted_spans",
        words=GRPC,
    )


def at_rest(collector, seconds):
    """What a collector takes while nothing, or little, is to be done."""
    begun, before = time.monotonic(), collector.cpu()
    time.sleep(seconds)
    used, memory = collector.cpu() - before, collector.memory()
    return {
        "cpu_percent": 100 * used / (time.monotonic() - begun),
        "rss_mib": memory["VmRSS"] / 1024,
        "anon_mib": memory["RssAnon"] / 1024,
        "peak_rss_mib": memory["VmHWM"] / 1024,
        "verdict": "",
    }


def measure_host(peer, seconds):
    """The machine's metrics, each 10 s; `more_mib`: than the same with `otlp` in their place."""
    host = {"hostmetrics": {"collection_interval": "10s", "scrapers": {name: {} for name in SCRAPERS}}}
    found = []
    for receivers, length in ((otlp_in, 2), (lambda _: host, seconds)):
        with workplace() as (disk, memory):
            backend = Wire(memory, "backend", "answer", "ok")
            settings = configuration("metrics", receivers, otlp_out(backend))
            collector = Collector(*peer, disk / "collector", settings)
            with running(collector, backend):
                if receivers is not otlp_in:
                    counter = "otelcol_receiver_accepted_metric_points"
                    until(lambda: seen_of(collector, backend, counter), 30, "the first scrape")  # noqa: B023
                found.append(at_rest(collector, length))
    return {**found[1], "more_mib": found[1]["rss_mib"] - found[0]["rss_mib"]}


def measure_scrapes(peer, seconds, end=quiet_end):
    """Every target once in an interval; whole rounds are counted, but for the first two: what can be kept from one
    scrape to the next is there then. `otlp_out`: the samples are sent on, by both peers."""
    interval = max(10, seconds)
    with workplace() as (disk, memory):
        (memory / "body").write_text(exposition_of(SAMPLES))
        backend, scraped = Wire(memory, "backend", "answer", "ok"), Wire(memory, "scraped", "serve", memory / "body")
        targets = [f"127.0.0.1:{scraped.port}"]
        jobs = [
            {"job_name": f"job-{i}", "scrape_interval": f"{interval:g}s", "static_configs": [{"targets": targets}]}
            for i in range(TARGETS_SCRAPED)
        ]
        settings = configuration(
            "metrics", lambda _: {"prometheus": {"config": {"scrape_configs": jobs}}}, end(backend)
        )
        collector = Collector(*peer, disk / "collector", settings)
        with running(collector, backend, scraped):
            until(lambda: scraped.counts()["requests"] >= 2 * TARGETS_SCRAPED, 4 * interval, "the first rounds")
            before, begun = (collector.cpu(), busy_seconds(), scraped.counts()["requests"]), time.monotonic()
            time.sleep(2 * interval)
            used = collector.cpu() - before[0]
            samples = (scraped.counts()["requests"] - before[2]) * SAMPLES
            wall = time.monotonic() - begun
            return result(collector, samples, used, wall, busy_seconds() - before[1] - used)


def instance_points(number, count):
    """Those of one instance of a service, all of one time, and that time as its bytes."""
    request = points_of(count, label="peer")
    request.resource_metrics[0].resource.attributes.add(key="service.instance.id").value.string_value = f"pod-{number}"
    return request.SerializeToString(), struct.pack("<Q", NOW_NS)


def post_all(port, bodies, time_ns):
    """Every body once, its points at that time; four connections."""
    path, kind = otlp.METRICS.http_path, {"Content-Type": "application/x-protobuf"}

    def post_some(part):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        for body, marker in part:
            client.request("POST", path, body.replace(marker, struct.pack("<Q", time_ns)), kind)
            answer = client.getresponse()
            answer.read()
            if answer.status != 200:
                raise Failed(f"an update was answered {answer.status}")
        client.close()

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(post_some, [bodies[i::4] for i in range(4)]))


def scrape(port):
    """Lines that are samples, without keeping the page."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    client.request("GET", "/metrics")
    answer, lines, before = client.getresponse(), 0, b"\n"
    while piece := answer.read(1 << 20):
        comments = piece.count(b"\n#") + (before == b"\n" and piece.startswith(b"#"))
        lines, before = lines + piece.count(b"\n") - comments, piece[-1:]
    return lines


def measure_exposed(peer, rounds=3, instances=1_000, points=1_000):
    """A million series, each updated once in a round, which ends with a scrape of them all; the first is not counted.
    Holdfast keeps the updates on disk until they are in its snapshot; the Go collector keeps nothing."""
    bodies, port = [instance_points(i, points) for i in range(instances)], free_port()
    receivers = lambda collector: {  # noqa: E731
        "otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{collector.ports['http']}"}}}
    }
    # The series of target_info come to those that are sent; the Go collector ends a long answer after 30 s.
    limit = {"max_series": 2 * instances * points} if peer[0] == "holdfast" else {"write_timeout": "10m"}
    exporters = lambda _: {"prometheus": {"endpoint": f"127.0.0.1:{port}", **limit}}  # noqa: E731
    with workplace() as (disk, _):
        collector = Collector(*peer, disk / "collector", configuration("metrics", receivers, exporters))
        with running(collector):
            for number in range(rounds + 1):
                if number == 1:
                    before, begun = (collector.cpu(), busy_seconds()), time.monotonic()
                post_all(collector.ports["http"], bodies, time.time_ns())
                if peer[0] == "holdfast":
                    updated = (number + 1) * instances * points
                    counter = "otelcol_exporter_sent_metric_points"
                    while metric_sum(collector, counter) < updated:
                        time.sleep(0.2)  # asking costs it something, too
                seen = scrape(port)
                if seen < instances * points:
                    raise Failed(f"a scrape has {seen} series")
            used, wall = collector.cpu() - before[0], time.monotonic() - begun
            items = rounds * instances * points
            return result(collector, items, used, wall, busy_seconds() - before[1] - used)


def measure_balancing(peer, seconds, compression="none", backends=10):
    """Traces of one span each, spread over backends by their ids."""
    items = 100
    with workplace() as (disk, memory):
        sinks = [Sink(memory, truth=False, prefix=f"sink-{i}") for i in range(backends)]
        arrived = lambda: sum(sink.counters.items for sink in sinks)  # noqa: E731
        exporter = {
            "loadbalancing": {
                "protocol": {"otlp": {"tls": {"insecure": True}, "compression": compression}},
                "resolver": {"static": {"hostnames": [f"127.0.0.1:{sink.port}" for sink in sinks]}},
            }
        }
        receivers = lambda collector: {  # noqa: E731
            "otlp": {"protocols": {"grpc": {"endpoint": f"127.0.0.1:{collector.ports['grpc']}"}}}
        }
        settings = configuration("traces", receivers, lambda _: exporter)
        collector = Collector(*peer, disk / "collector", settings)
        with running(collector, *sinks):
            load = {"items": items, "connections": 4, "in_flight": 4, "retry": True}
            warm = send(collector.ports["grpc"], seconds=1, **load)
            until(lambda: arrived() >= warm["items"], 60, "the first spans")
            before, begun = (collector.cpu(), busy_seconds()), time.monotonic()
            sent = send(collector.ports["grpc"], seconds=seconds, first=warm["next"], **load)
            until(lambda: arrived() >= warm["items"] + sent["items"], 120, "the spans")
            used, wall = collector.cpu() - before[0], time.monotonic() - begun
            return result(collector, sent["items"], used, wall, busy_seconds() - before[1] - used)


def run(name, peer, seconds):
    """One round."""
    if name in OUT:
        return measure_out(name, peer, seconds)
    found = {
        "in-jaeger": measure_jaeger,
        "in-zipkin": measure_zipkin,
        "idle-hostmetrics": measure_host,
        "in-prometheus": measure_scrapes,
        "in-prometheus-sent": lambda peer, seconds: measure_scrapes(peer, seconds, otlp_out),
        "out-prometheus": lambda peer, seconds: measure_exposed(peer),
        "out-loadbalancing": measure_balancing,
        "out-loadbalancing-gzip": lambda peer, seconds: measure_balancing(peer, seconds, compression="gzip"),
    }
    if name not in found:
        raise Failed(f"no such work: {name}; there are {', '.join(NAMES)}")
    return found[name](peer, seconds)
