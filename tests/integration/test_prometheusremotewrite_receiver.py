"""Remote write as Prometheus sends it, in both versions; answered once it is on disk. A peer that is not the test's
own is Holdfast's exporter `prometheusremotewrite`, whose requests a real Prometheus takes; a real one that sends is in
tests/real/prometheus.py."""

import cramjam
import pytest
import requests
from opentelemetry.proto.metrics.v1 import metrics_pb2 as m

from support import otlp
from support.holdfast import FAST_RETRY, otlp_exporter
from support.ports import free_port
from support.pushes import PROMETHEUS, PROMETHEUS_2
from support.waiting import until

TYPE_1 = "application/x-protobuf"
TYPE_2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request"
WRITTEN = ("Samples", "Histograms", "Exemplars")


def request_1(series, metadata=()):
    """A request of version 1 of {name: [(value, time in ms)]}, with metadata of [(type, name, help)]."""
    message = PROMETHEUS["WriteRequest"]()
    for name, samples in series.items():
        one = message.timeseries.add()
        one.labels.add(name="__name__", value=name)
        one.labels.add(name="instance", value="i")
        one.labels.add(name="job", value="shop")
        for value, time_ms in samples:
            one.samples.add(value=value, timestamp=time_ms)
    for kind, name, text in metadata:
        message.metadata.add(type=kind, metric_family_name=name, help=text)
    return message


class Writer:
    """Puts a request of version 2 together."""

    def __init__(self):
        self.message = PROMETHEUS_2["Request"](symbols=[""])

    def symbol(self, text):
        if text not in self.message.symbols:
            self.message.symbols.append(text)
        return list(self.message.symbols).index(text)

    def series(self, name, kind=0, text="", unit="", **labels):
        one = self.message.timeseries.add()
        for pair in ({"__name__": name, "instance": "i", "job": "shop"} | labels).items():
            one.labels_refs.extend(map(self.symbol, pair))
        one.metadata.type = kind
        one.metadata.help_ref, one.metadata.unit_ref = self.symbol(text), self.symbol(unit)
        return one


class Receiver:
    def __init__(self, start, backend, **exporter):
        self.backend = backend
        self.port = free_port()
        self.exporter = otlp_exporter(backend, **exporter)
        self.url = f"http://127.0.0.1:{self.port}/api/v1/write"
        self.holdfast = start(self.configuration())

    def configuration(self, **more):
        receiver = {"endpoint": f"127.0.0.1:{self.port}", **more}
        return {
            "receivers": {"prometheusremotewrite": receiver},
            "exporters": {"otlp": self.exporter},
            "service": {"pipelines": {"metrics": {"receivers": ["prometheusremotewrite"], "exporters": ["otlp"]}}},
        }

    def post(self, body, kind=TYPE_1, **headers):
        headers = {"Content-Encoding": "snappy", **headers}
        headers = {key: value for key, value in headers.items() if value}
        return requests.post(self.url, data=body, headers={"Content-Type": kind, **headers}, timeout=10)

    def write(self, message, kind=TYPE_1, **headers):
        return self.post(bytes(cramjam.snappy.compress_raw(message.SerializeToString())), kind, **headers)

    def metrics(self):
        return self.backend.metrics()

    def points(self, name):
        """{time in ms: value}"""
        return {
            point.time_unix_nano // 10**6: point.as_double
            for metric in self.metrics()
            if metric.name == name
            for point in [*metric.gauge.data_points, *metric.sum.data_points]
        }

    def wait_for(self, name, points):
        until(lambda: self.points(name) == points, lambda: f"{name}: {self.points(name)}, not {points}")


def written(answer):
    return [int(answer.headers[f"X-Prometheus-Remote-Write-{what}-Written"]) for what in WRITTEN]


@pytest.fixture
def receiver(start, grpc_backend):
    return lambda **exporter: Receiver(start, grpc_backend, **exporter)


def test_version_1(receiver):
    one = receiver()
    first = one.write(request_1({"a": [(1, 1000), (2, 2000)], "n_total": [(5, 1000)]}, [(1, "n_total", "how many")]))
    assert first.status_code == 204 and written(first) == [3, 0, 0]
    one.wait_for("a", {1000: 1, 2000: 2})
    one.wait_for("n_total", {1000: 5})
    # What metadata tell holds for later requests.
    assert one.write(request_1({"n_total": [(6, 2000)]})).status_code == 204
    one.wait_for("n_total", {1000: 5, 2000: 6})
    for metric in one.metrics():
        if metric.name == "n_total":
            assert metric.sum.is_monotonic and metric.description == "how many"


def test_version_2(receiver):
    one = receiver()
    writer = Writer()
    counter = writer.series("n_total", 1, "how many", "bytes", a="b")
    counter.samples.add(value=5, timestamp=2000, start_timestamp=1000)
    counter.exemplars.add(labels_refs=[writer.symbol("trace_id"), writer.symbol("01" * 16)], value=3, timestamp=1500)
    histogram = writer.series("h", 3).histograms.add(count_int=6, sum=30, schema=2, timestamp=2000, start_timestamp=1000)
    histogram.positive_spans.add(offset=1, length=3)
    histogram.positive_deltas.extend([1, 1, 1])
    writer.series("target_info", 6, host_name="n1").samples.add(value=1, timestamp=2000)
    answer = one.write(writer.message, TYPE_2)
    assert answer.status_code == 204 and written(answer) == [2, 1, 1]
    until(lambda: len(one.metrics()) == 2, one.metrics)
    (request,) = one.backend.accepted()
    (resource,) = request.message.resource_metrics
    assert {one.key: one.value.string_value for one in resource.resource.attributes} == {
        "service.name": "shop",
        "service.instance.id": "i",
        "host_name": "n1",
    }
    found = {metric.name: metric for metric in one.metrics()}
    (point,) = found["n_total"].sum.data_points
    assert (point.as_double, point.time_unix_nano, point.start_time_unix_nano) == (5, 2 * 10**9, 10**9)
    assert [(entry.key, entry.value.string_value) for entry in point.attributes] == [("a", "b")]
    assert (found["n_total"].unit, found["n_total"].description) == ("bytes", "how many")
    (exemplar,) = point.exemplars
    assert (exemplar.as_double, exemplar.trace_id) == (3, b"\x01" * 16)
    (point,) = found["h"].exponential_histogram.data_points
    assert (point.count, point.sum, point.scale, list(point.positive.bucket_counts)) == (6, 30, 2, [1, 2, 3])
    assert point.positive.offset == 0 and point.start_time_unix_nano == 10**9


def test_a_bad_series_costs_no_other(receiver):
    one = receiver()
    writer = Writer()
    writer.series("good").samples.add(value=1, timestamp=1000)
    writer.series("bad").labels_refs.append(1)
    answer = one.write(writer.message, TYPE_2)
    assert answer.status_code == 400 and written(answer) == [1, 0, 0]
    assert answer.text == "1 refused, the first: bad: the references of the labels are no pairs\n"
    one.wait_for("good", {1000: 1})
    until(lambda: "the references of the labels are no pairs" in one.holdfast.log(), one.holdfast.log)


def test_what_it_refuses(receiver):
    one = receiver()
    body = request_1({"a": [(1, 1000)]})
    assert one.write(body, "text/plain").status_code == 415
    assert one.write(body, "application/x-protobuf;proto=other").status_code == 415
    assert requests.get(one.url, headers={"Content-Type": TYPE_1}, timeout=10).status_code == 405
    assert requests.post(one.url + "x", headers={"Content-Type": TYPE_1}, timeout=10).status_code == 404
    assert one.post(b"no snappy").status_code == 400
    malformed = one.post(bytes(cramjam.snappy.compress_raw(b"\x0a\x05")))
    assert malformed.status_code == 400 and malformed.text == "the protobuf is malformed\n"
    assert written(malformed) == [0, 0, 0]
    # A parameter may name version 1; a body may be plain.
    assert one.write(body, "application/x-protobuf; proto=prometheus.WriteRequest").status_code == 204
    assert one.post(body.SerializeToString(), **{"Content-Encoding": None}).status_code == 204
    one.wait_for("a", {1000: 1})


def test_an_answer_is_kept_over_a_kill(receiver, grpc_backend):
    grpc_backend.stop()
    one = receiver()
    for number in range(50):
        assert one.write(request_1({"a": [(number, number * 1000)]})).status_code == 204
    one.holdfast.kill9()
    one.holdfast.start()
    grpc_backend.start()
    one.wait_for("a", {number * 1000: number for number in range(50)})


def test_a_full_queue_is_a_refusal_to_be_tried_again(receiver, grpc_backend):
    grpc_backend.stop()
    one = receiver(sending_queue={"queue_size": 1})
    assert one.write(request_1({"a": [(1, 1000)]})).status_code == 204
    refused = one.write(request_1({"a": [(2, 2000)]}))
    assert refused.status_code == 503 and "Retry-After" in refused.headers
    assert written(refused) == [0, 0, 0]
    grpc_backend.start()
    until(lambda: one.write(request_1({"a": [(2, 2000)]})).status_code == 204, "the queue stays full")
    one.wait_for("a", {1000: 1, 2000: 2})


def test_a_limited_sender_is_not_told_to_give_up(start, grpc_backend):
    """Prometheus gives up what is answered with 429, unless it is told otherwise."""
    one = Receiver.__new__(Receiver)
    one.backend, one.port, one.exporter = grpc_backend, free_port(), otlp_exporter(grpc_backend)
    one.url = f"http://127.0.0.1:{one.port}/api/v1/write"
    configuration = one.configuration()
    configuration["processors"] = {"rate_limiter": {"rate": 1, "burst": 1}}
    configuration["service"]["pipelines"]["metrics"]["processors"] = ["rate_limiter"]
    one.holdfast = start(configuration)
    codes = {one.write(request_1({"a": [(number, 1000)]})).status_code for number in range(20)}
    assert codes == {204, 503}


@pytest.mark.parametrize("message", ["prometheus.WriteRequest", "io.prometheus.write.v2.Request"])
def test_our_exporter(start, grpc_backend, grpc_sender, message):
    """What one Holdfast sends another has as it was, in the names of Prometheus."""
    one = Receiver(start, grpc_backend)
    exporter = {
        "endpoint": one.url,
        "protobuf_message": message,
        "send_metadata": True,
        "retry_on_failure": dict(FAST_RETRY),
    }
    sender = grpc_sender(
        start(
            {
                "exporters": {"prometheusremotewrite": exporter},
                "service": {"pipelines": {"metrics": {"receivers": ["otlp"], "exporters": ["prometheusremotewrite"]}}},
            }
        )
    )
    time_ns, is_2 = 1_700_000_000_123_000_000, message.startswith("io.")
    cumulative = m.AGGREGATION_TEMPORALITY_CUMULATIVE
    point = m.NumberDataPoint(as_double=5, time_unix_nano=time_ns, start_time_unix_nano=time_ns - 10**9)
    counter = m.Metric(
        name="n",
        description="how many",
        sum=m.Sum(data_points=[point], is_monotonic=True, aggregation_temporality=cumulative),
    )
    native = m.ExponentialHistogramDataPoint(count=8, sum=30, scale=2, zero_count=2, time_unix_nano=time_ns)
    native.positive.offset = 3
    native.positive.bucket_counts.extend([1, 0, 0, 0, 2, 3])
    native.negative.bucket_counts.extend([4])
    histogram = m.Metric(
        name="h",
        exponential_histogram=m.ExponentialHistogram(data_points=[native], aggregation_temporality=cumulative),
    )
    gone = m.NumberDataPoint(time_unix_nano=time_ns, flags=1)
    group = m.ResourceMetrics(
        scope_metrics=[m.ScopeMetrics(metrics=[counter, histogram, m.Metric(name="g", gauge=m.Gauge(data_points=[gone]))])]
    )
    group.resource.attributes.extend(
        otlp.attribute(*pair)
        for pair in {"service.name": "shop", "service.namespace": "eu", "service.instance.id": "i", "host.name": "n1"}.items()
    )
    sender.export(otlp.METRICS, otlp.METRICS.request(resource_metrics=[group]))
    until(lambda: {metric.name for metric in one.metrics()} >= {"n_total", "h", "g"}, one.metrics)
    found = {metric.name: metric for metric in one.metrics()}
    (same,) = found["h"].exponential_histogram.data_points
    assert (same.count, same.sum, same.scale, same.zero_count) == (8, 30, 2, 2)
    assert (same.positive.offset, list(same.positive.bucket_counts)) == (3, [1, 0, 0, 0, 2, 3])
    assert (same.negative.offset, list(same.negative.bucket_counts)) == (0, [4])
    (marker,) = found["g"].gauge.data_points
    assert marker.flags == 1 and marker.WhichOneof("value") is None
    (number,) = found["n_total"].sum.data_points
    assert number.as_double == 5 and found["n_total"].description == "how many"
    assert number.start_time_unix_nano == (time_ns - 10**9 if is_2 else 0)
    resources = {
        entry.key: entry.value.string_value
        for request in one.backend.accepted()
        for resource in request.message.resource_metrics
        for entry in resource.resource.attributes
    }
    assert resources == {"service.namespace": "eu", "service.name": "shop", "service.instance.id": "i", "host_name": "n1"}
