"""The exporter and the receiver prometheusremotewrite against a real Prometheus: 3 in both versions of the protocol, and 2, as
Debian has it, in the first.

Samples are written while Holdfast is killed and Prometheus is killed; then every value is there at its time. What comes
too late is dropped alone. Then Prometheus scrapes itself and sends it: no sample fails, and the types are there.
"""

import os
import shutil
import time
from pathlib import Path

from opentelemetry.proto.metrics.v1 import metrics_pb2 as m

from support import otlp
from support.backends import GrpcBackend
from support.holdfast import FAST_RETRY, Holdfast, otlp_exporter
from support.ports import free_port
from support.senders import GrpcSender
from support.waiting import until

from .modules import built
from .service import Service

MODULE, VERSION = "github.com/prometheus/prometheus", "v0.315.1"
CUMULATIVE = m.AGGREGATION_TEMPORALITY_CUMULATIVE


class Prometheus(Service):
    name, ready = "prometheus", "/-/ready"
    versions = {"one": "prometheus.WriteRequest", "two": "io.prometheus.write.v2.Request"}
    features = "exemplar-storage,metadata-wal-records"
    names_messages = True  # in its configuration

    @staticmethod
    def program():
        return built("prometheus3", MODULE, VERSION, f"{MODULE}/cmd/prometheus")

    def __init__(self, directory, name=None, configuration="global: {}\n", **address):
        super().__init__(directory, name, **address)
        (self.home / "p.yml").write_text(configuration.replace("PORT", str(self.port)))

    def command(self):
        return [
            self.program(),
            "--config.file=p.yml",
            "--storage.tsdb.path=data",
            f"--web.listen-address={self.host}:{self.port}",
            "--web.enable-remote-write-receiver",
            f"--enable-feature={self.features}",
        ]

    def find(self, query):
        """The series that the query finds."""
        return self.ask("/api/v1/query", query=query, time=time.time() + 1)["data"]["result"]

    def values(self, name):
        """{time in ms: value} of the one series of that name, of the last hours."""
        found = self.find(f"{name}[3h]")
        assert len(found) <= 1, found
        return {round(at * 1000): float(value) for at, value in (found[0]["values"] if found else ())}


class Prometheus2(Prometheus):
    name = "prometheus2"
    versions = {"one": Prometheus.versions["one"]}
    features = "exemplar-storage,native-histograms"
    names_messages = False

    @staticmethod
    def program():
        elsewhere = Path(os.environ.get("HOLDFAST_REAL_BIN", "/nonexistent")) / "prometheus"
        found = elsewhere if elsewhere.exists() else shutil.which("prometheus")
        if found is None:
            raise SystemExit("Prometheus 2 is not there (apt-get install prometheus)")
        return found


def configuration(prometheus):
    exporters = {
        f"prometheusremotewrite/{name}": {
            "endpoint": f"{prometheus.url}/api/v1/write",
            "protobuf_message": message,
            "namespace": name,
            "send_metadata": True,
            "retry_on_failure": dict(FAST_RETRY),
        }
        for name, message in prometheus.versions.items()
    }
    pipeline = {"receivers": ["otlp"], "exporters": list(exporters)}
    return {"exporters": exporters, "service": {"pipelines": {"metrics": pipeline}}}


def request(*all_metrics):
    group = m.ResourceMetrics(scope_metrics=[m.ScopeMetrics(metrics=all_metrics)])
    group.resource.attributes.append(otlp.attribute("service.name", "shop"))
    return otlp.METRICS.request(resource_metrics=[group])


def counter(value, time_ns):
    point = m.NumberDataPoint(as_int=value, time_unix_nano=time_ns, start_time_unix_nano=time_ns - 10**9)
    data = m.Sum(data_points=[point], is_monotonic=True, aggregation_temporality=CUMULATIVE)
    return m.Metric(name="items", description="how many", sum=data)


def native(time_ns):
    point = m.ExponentialHistogramDataPoint(
        count=6, sum=30, scale=2, time_unix_nano=time_ns, start_time_unix_nano=time_ns - 10**9
    )
    point.positive.bucket_counts.extend([1, 2, 3])
    data = m.ExponentialHistogram(data_points=[point], aggregation_temporality=CUMULATIVE)
    return m.Metric(name="size", exponential_histogram=data)


def write_all(prometheus, holdfast, sender):
    """Sends with kills of both sides; returns {time in ms: value}."""
    sent = {}
    begun_ms = int(time.time() * 1000) - 600_000
    for number in range(300):
        time_ms = begun_ms + number * 1000
        sender.export(otlp.METRICS, request(counter(number, time_ms * 10**6)))
        sent[time_ms] = number
        if number in (80, 220):
            holdfast.kill9()
            holdfast.start()
        if number == 120:
            prometheus.kill()
        if number == 250:
            prometheus.start()
    return sent


def check_late(prometheus, holdfast, sender, newest_ms):
    """A sample from before the newest one is a dead letter alone, with Prometheus's words."""
    late_ms = newest_ms - 3_600_000 * 2
    late = counter(1, late_ms * 10**6)
    sender.export(otlp.METRICS, request(late, counter(1000, (newest_ms + 1000) * 10**6)))
    for name in prometheus.versions:
        exporter = f"prometheusremotewrite/{name}"
        until(lambda name=name: 1000 in prometheus.values(f"{name}_items_total").values(), f"{name}: the good one")
        until(
            lambda exporter=exporter: holdfast.books("metrics", exporter)["queued"]["items"] == 0,
            lambda exporter=exporter: holdfast.books("metrics", exporter),
        )
        assert late_ms not in prometheus.values(f"{name}_items_total")
        assert holdfast.books("metrics", exporter)["dead_lettered"]["items"] >= 1
        words = [line for line in holdfast.log().splitlines() if exporter in line and "dead letters" in line]
        assert any(one in words[-1] for one in ("out of bounds", "out of order", "too old")), words


SENDING = """
global: {{scrape_interval: 1s}}
scrape_configs:
- job_name: eu/shop
  static_configs: [{{targets: ["127.0.0.1:PORT"]}}]
remote_write:
- {{url: "http://127.0.0.1:{port}/api/v1/write", {message}send_exemplars: true,
   send_native_histograms: true, metadata_config: {{send_interval: 2s}}}}
"""


def points_of(backend):
    """{(name, kind, type): points} of what came out of Holdfast."""
    found = {}
    for request in backend.accepted():
        for resource in request.message.resource_metrics:
            for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
                kind = metric.WhichOneof("data")
                points = found.setdefault((metric.name, kind, metric.metadata[0].value.string_value), [])
                points.extend(getattr(metric, kind).data_points)
    return found


def failed(prometheus):
    """Samples, histograms, exemplars and metadata that Prometheus could not send, by its own counters."""
    lines = prometheus.read("/metrics").splitlines()
    return [line for line in lines if "remote_storage" in line and "_failed_total{" in line and not line.endswith(" 0")]


def check_receiver(directory, release, name):
    port = free_port()
    message = f"protobuf_message: {release.versions[name]}, " if release.names_messages else ""
    with GrpcBackend() as backend:
        pipeline = {"receivers": ["prometheusremotewrite"], "exporters": ["otlp"]}
        configuration = {
            "receivers": {"prometheusremotewrite": {"endpoint": f"127.0.0.1:{port}"}},
            "exporters": {"otlp": otlp_exporter(backend)},
            "service": {"pipelines": {"metrics": pipeline}},
        }
        holdfast = Holdfast(directory / f"receiving-{name}", configuration)
        prometheus = release(directory, f"sending-{name}", SENDING.format(port=port, message=message))
        try:
            holdfast.start()
            prometheus.start()
            # Version two has no other metadata than the series' own, and this release sends them without a type.
            kind = ("gauge", "unknown") if name == "two" else ("sum", "counter")
            until(
                lambda: any(key[1:] == kind for key in points_of(backend)),
                lambda: (sorted(points_of(backend)), holdfast.log()[-2000:]),
                60,
            )
            holdfast.kill9()
            before = len(backend.accepted())
            holdfast.start()
            until(lambda: len(backend.accepted()) > before, lambda: holdfast.log()[-2000:], 60)
            assert failed(prometheus) == []
        finally:
            prometheus.close()
            if holdfast.process and holdfast.process.poll() is None:
                holdfast.close()
        print(f"version {name}: {sum(map(len, points_of(backend).values()))} points of Prometheus's own", flush=True)


def main_of_two(directory):
    return main(directory, Prometheus2)


def main(directory, release=Prometheus):
    for name in release.versions:
        check_receiver(directory, release, name)
    prometheus = release(directory)
    holdfast = Holdfast(directory / "holdfast", configuration(prometheus))
    try:
        prometheus.start()
        holdfast.start()
        with GrpcSender(holdfast.grpc_target) as sender:
            sent = write_all(prometheus, holdfast, sender)
            for name in prometheus.versions:
                until(
                    lambda name=name: prometheus.values(f"{name}_items_total") == sent,
                    lambda name=name: f"{name}: {len(prometheus.values(f'{name}_items_total'))} of {len(sent)} samples",
                    60,
                )
                print(f"version {name}: {len(sent)} samples, each with its value and time", flush=True)
            check_late(prometheus, holdfast, sender, max(sent))
            sender.export(otlp.METRICS, request(native(int(time.time() * 10**9))))
            for name in prometheus.versions:
                until(lambda name=name: prometheus.find(f"histogram_count({name}_size)"), f"{name}: native histogram")
                (found,) = prometheus.find(f"histogram_sum({name}_size)")
                assert float(found["value"][1]) == 30, found
            print("native histograms are there", flush=True)
        holdfast.close()
        return True
    finally:
        if holdfast.process and holdfast.process.poll() is None:
            holdfast.kill9()
        prometheus.close()
