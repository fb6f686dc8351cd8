"""Metrics to a remote-write endpoint: names, labels, values, order, refusals, and what a kill may cost: nothing."""

import math
import struct
import subprocess

import pytest
from opentelemetry.proto.metrics.v1 import metrics_pb2 as m

from support import otlp
from support.backends import ok, status
from support.holdfast import BINARY, FAST_RETRY
from support.pushes import Prometheus2Backend, PrometheusBackend
from support.waiting import until

TIME_NS = 1_700_000_000_123_000_000
TIME_MS = TIME_NS // 10**6
RESOURCE = {"service.name": "shop", "service.namespace": "eu", "service.instance.id": "i-1", "host.name": "n1"}
IDENTITY = {"job": "eu/shop", "instance": "i-1"}
CUMULATIVE = m.AGGREGATION_TEMPORALITY_CUMULATIVE


@pytest.fixture
def prometheus(ending):
    return ending.enter_context(PrometheusBackend())


def configuration(prometheus, **more):
    exporter = {"endpoint": prometheus.url, "retry_on_failure": dict(FAST_RETRY), **more}
    return {
        "exporters": {"prometheusremotewrite": exporter},
        "service": {"pipelines": {"metrics": {"receivers": ["otlp"], "exporters": ["prometheusremotewrite"]}}},
    }


def attributes(of):
    return [otlp.attribute(*pair) for pair in of.items()]


def number(value, labels=(), time_ns=TIME_NS, **more):
    kind = {"as_int" if isinstance(value, int) else "as_double": value}
    return m.NumberDataPoint(time_unix_nano=time_ns, attributes=attributes(dict(labels)), **kind, **more)


def gauge(name, *points, unit=""):
    return m.Metric(name=name, unit=unit, gauge=m.Gauge(data_points=points))


def counter(name, *points, unit="", monotonic=True, temporality=CUMULATIVE):
    data = m.Sum(data_points=points, is_monotonic=monotonic, aggregation_temporality=temporality)
    return m.Metric(name=name, unit=unit, description="how many", sum=data)


def metrics(*all_metrics, resource=RESOURCE):
    group = m.ResourceMetrics(scope_metrics=[m.ScopeMetrics(metrics=all_metrics)])
    group.resource.attributes.extend(attributes(resource))
    return otlp.METRICS.request(resource_metrics=[group])


@pytest.fixture
def send(start, prometheus, grpc_sender):
    """send(request, key=value of the exporter...) -> {name: [(labels but the name, value, time)]} of one request."""

    def make(request, **more):
        before = len(prometheus.requests)
        grpc_sender(start(configuration(prometheus, **more))).export(otlp.METRICS, request)
        prometheus.wait_for_requests(before + 1)
        found = {}
        for one in prometheus.requests[-1].ids:
            labels = {key: value for key, value in one.labels.items() if key != "__name__"}
            found.setdefault(one.labels["__name__"], []).append((labels, one.value, one.time_ms))
        return found

    return make


def test_numbers_have_their_names_labels_and_times(send, prometheus):
    found = send(
        metrics(
            gauge("system.memory.utilization", number(0.5, {"http.method": "GET", "n": 7}), unit="1"),
            counter("system.network.io", number(12), unit="By"),
            counter("queue.size", number(3), monotonic=False),
        ),
        external_labels={"cluster": "prod", "n": "never"},
    )
    more = {**IDENTITY, "cluster": "prod"}
    assert found == {
        "system_memory_utilization_ratio": [({**more, "http_method": "GET", "n": "7"}, 0.5, TIME_MS)],
        "system_network_io_bytes_total": [({**more, "n": "never"}, 12, TIME_MS)],
        "queue_size": [({**more, "n": "never"}, 3, TIME_MS)],
        "target_info": [({**more, "n": "never", "host_name": "n1"}, 1, TIME_MS)],
    }
    headers = prometheus.requests[0].metadata
    assert headers["content-encoding"] == "snappy"
    assert headers["content-type"] == "application/x-protobuf"
    assert headers["x-prometheus-remote-write-version"] == "0.1.0"


def test_the_options_of_names_and_labels(send):
    found = send(
        metrics(counter("a.b", number(1, {"x.y": "1", "x_y": "2"}, start_time_unix_nano=5 * 10**9), unit="s")),
        namespace="ns",
        add_metric_suffixes=False,
        resource_to_telemetry_conversion={"enabled": True, "exclude_service_attributes": True},
        target_info={"enabled": False},
        export_created_metric={"enabled": True},
    )
    labels = {**IDENTITY, "host_name": "n1", "x_y": "1;2"}
    assert found == {"ns_a_b": [(labels, 1, TIME_MS)], "ns_a_b_created": [(labels, 5000, TIME_MS)]}


def test_resource_attributes_are_chosen_by_patterns_and_the_client_stands_under_http(start, prometheus, grpc_sender):
    configured = configuration(prometheus, resource_constant_labels={"included": ["host.*"]}, target_info={"enabled": False})
    exporter = configured["exporters"]["prometheusremotewrite"]
    exporter["http"] = {"endpoint": exporter.pop("endpoint"), "headers": {"X-Tenant": "a"}}
    grpc_sender(start(configured)).export(otlp.METRICS, metrics(gauge("a", number(1, {"n": 7}))))
    prometheus.wait_for_requests(1)
    (one,) = prometheus.requests[0].ids
    assert one.labels == {"__name__": "a", **IDENTITY, "host_name": "n1", "n": "7"}
    assert prometheus.requests[0].metadata["x-tenant"] == "a"


@pytest.mark.parametrize(
    "strategy, name, label, info",
    [
        ("UnderscoreEscapingWithSuffixes", "n_s_a_b_bytes_total", "x_y", "n_s_target_info"),
        ("UnderscoreEscapingWithoutSuffixes", "n_s_a_b", "x_y", "n_s_target_info"),
        ("NoUTF8EscapingWithSuffixes", "n.s_a.b_bytes_total", "x.y", "n.s_target_info"),
        ("NoTranslation", "n.s_a.b", "x.y", "n.s_target_info"),
    ],
)
def test_names_are_those_of_the_strategy(send, strategy, name, label, info):
    data = m.Sum(data_points=[number(1, {"x.y": "1"})], aggregation_temporality=CUMULATIVE, is_monotonic=True)
    message = metrics(m.Metric(name="a.b", unit="By", sum=data))
    found = send(message, translation_strategy=strategy, namespace="n.s", external_labels={"z.z": "e"})
    assert set(found) == {name, info}
    external = "z.z" if "." in label else "z_z"
    assert found[name] == [({**IDENTITY, label: "1", external: "e"}, 1, TIME_MS)]


def test_a_histogram_is_its_buckets_sum_and_count_with_exemplars(send, prometheus):
    point = m.HistogramDataPoint(
        time_unix_nano=TIME_NS,
        count=10,
        sum=12.5,
        bucket_counts=[1, 2, 7],
        explicit_bounds=[0.005, 10],
        exemplars=[
            m.Exemplar(as_double=3, time_unix_nano=TIME_NS, trace_id=b"\x01" * 16, span_id=b"\x02" * 8)
        ],
    )
    data = m.Histogram(data_points=[point], aggregation_temporality=CUMULATIVE)
    found = send(metrics(m.Metric(name="d", unit="s", histogram=data), resource={"service.name": "a"}))
    assert sorted((labels["le"], value) for labels, value, _ in found["d_seconds_bucket"]) == [
        ("+Inf", 10),
        ("0.005", 1),
        ("10", 3),
    ]
    assert found["d_seconds_sum"][0][1] == 12.5
    assert found["d_seconds_count"][0][1] == 10
    assert "target_info" not in found
    exemplars = [
        ({label.name: label.value for label in series.labels}["le"], one)
        for series in prometheus.requests[0].message.timeseries
        for one in series.exemplars
    ]
    assert [(le, one.value, one.timestamp) for le, one in exemplars] == [("10", 3, TIME_MS)]
    assert {one.name: one.value for one in exemplars[0][1].labels} == {"trace_id": "01" * 16, "span_id": "02" * 8}


def test_a_summary_is_its_quantiles_sum_and_count(send):
    values = [m.SummaryDataPoint.ValueAtQuantile(quantile=q, value=v) for q, v in ((0.5, 1), (0.99, 2))]
    point = m.SummaryDataPoint(time_unix_nano=TIME_NS, count=4, sum=6, quantile_values=values)
    found = send(metrics(m.Metric(name="s", summary=m.Summary(data_points=[point]))))
    assert [(labels["quantile"], value) for labels, value, _ in found["s"]] == [("0.5", 1), ("0.99", 2)]
    assert (found["s_sum"][0][1], found["s_count"][0][1]) == (6, 4)


def test_an_exponential_histogram_is_a_native_one(send, prometheus):
    point = m.ExponentialHistogramDataPoint(
        time_unix_nano=TIME_NS, count=21, sum=30, scale=9, zero_count=1
    )
    point.positive.offset = -3
    point.positive.bucket_counts.extend([1, 2, 3, 0, 0, 4] + [0] * 12 + [10])
    data = m.ExponentialHistogram(data_points=[point], aggregation_temporality=CUMULATIVE)
    send(metrics(m.Metric(name="e", exponential_histogram=data)))
    (series,) = (one for one in prometheus.requests[0].message.timeseries if one.histograms)
    (native,) = series.histograms
    # At scale 8 the indexes -3.. are halved: -2:1, -1:2+3, 0:0, 1:4, 7:10; Prometheus counts from the upper bound.
    merged = {}
    for at, count in enumerate(point.positive.bucket_counts):
        if count:
            index = ((at - 3) >> 1) + 1
            merged[index] = merged.get(index, 0) + count
    found, index, count, deltas = {}, 0, 0, iter(native.positive_deltas)
    for span in native.positive_spans:
        index += span.offset
        for _ in range(span.length):
            count += next(deltas)
            if count:
                found[index] = count
            index += 1
    assert found == merged
    assert len(native.positive_spans) == 2
    assert (native.schema, native.count_int, native.sum, native.zero_count_int) == (8, 21, 30, 1)
    assert native.timestamp == TIME_MS


def test_a_point_without_a_value_is_stale_and_a_delta_is_counted_as_rejected(start, prometheus, grpc_sender):
    holdfast = start(configuration(prometheus))
    request = metrics(
        gauge("g", number(0, flags=1)),
        counter("c", number(1), temporality=m.AGGREGATION_TEMPORALITY_DELTA),
    )
    grpc_sender(holdfast).export(otlp.METRICS, request)
    prometheus.wait_for_requests(1)
    (sample,) = prometheus.samples("g")
    assert math.isnan(sample.value)
    assert struct.pack(">d", sample.value).hex() == "7ff0000000000002"
    assert prometheus.samples("c_total") == []
    until(lambda: "temporality is not cumulative" in holdfast.log(), holdfast.log)


def test_metadata_goes_along(send, prometheus):
    send(metrics(counter("c", number(1), unit="By")), send_metadata=True)
    (one,) = prometheus.requests[0].message.metadata
    assert (one.type, one.metric_family_name, one.help, one.unit) == (1, "c_bytes_total", "how many", "By")


def test_samples_of_a_series_keep_their_order_through_failures(start, prometheus, grpc_sender):
    sender = grpc_sender(start(configuration(prometheus)))
    prometheus.next(status(429), status(500), status(503), status(401))
    for i in range(200):
        sender.export(otlp.METRICS, metrics(gauge("g", number(i, time_ns=TIME_NS + i * 10**6))))
        if i == 100:
            prometheus.next(status(503), status(429))

    def arrived():
        return list(dict.fromkeys(one.value for one in prometheus.samples("g")))

    until(lambda: len(arrived()) == 200, lambda: str(len(arrived())))
    assert arrived() == list(range(200))


def test_a_request_larger_than_the_limit_is_halved(start, prometheus, grpc_sender):
    sender = grpc_sender(start(configuration(prometheus, max_batch_size_bytes=2000)))
    sender.export(otlp.METRICS, metrics(gauge("g", *(number(i, {"i": i}) for i in range(100)))))
    until(lambda: len(prometheus.samples("g")) == 100, lambda: str(len(prometheus.samples("g"))))
    assert all(one.message.ByteSize() <= 2000 for one in prometheus.requests)


def test_samples_that_come_too_late_are_dropped_alone_with_the_backends_words(start, prometheus, grpc_sender):
    holdfast = start(configuration(prometheus))

    def judge(message):
        late = any(one.value == 7 for series in message.timeseries for one in series.samples)
        return status(400, {"Content-Type": "text/plain"}, b"out of order sample\n") if late else ok()

    prometheus.judge = judge
    request = metrics(gauge("g", *(number(i, {"i": i}) for i in range(20))), resource={})
    grpc_sender(holdfast).export(otlp.METRICS, request)
    name = "prometheusremotewrite"
    until(lambda: holdfast.books("metrics", name)["dead_lettered"]["items"] == 1, holdfast.log)
    until(lambda: len(prometheus.samples("g")) == 19, holdfast.log)
    holdfast.wait_for_log("out of order sample")


def test_nothing_is_missing_after_a_kill_and_an_absent_backend(start, prometheus, grpc_sender):
    prometheus.stop()
    holdfast = start(configuration(prometheus))
    for first in (0, 50):
        sender = grpc_sender(holdfast)
        for i in range(first, first + 50):
            sender.export(otlp.METRICS, metrics(gauge("g", number(i, time_ns=TIME_NS + i * 10**6))))
        if first == 0:
            holdfast.kill9()
            holdfast.start()
    prometheus.start()
    until(
        lambda: {one.value for one in prometheus.samples("g")} == set(range(100)),
        lambda: str(len(prometheus.samples("g"))),
        30,
    )


def test_the_headers_of_the_protocol_cannot_be_configured(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(
        "receivers: {otlp: {protocols: {grpc: {}}}}\n"
        "exporters:\n  prometheus_remote_write: {endpoint: 'http://h/api', headers: {Content-Encoding: gzip}}\n"
        "service: {pipelines: {metrics: {receivers: [otlp], exporters: [prometheus_remote_write]}}}\n"
    )
    ended = subprocess.run([BINARY, "validate", "--config", path], capture_output=True, text=True, timeout=20)
    assert ended.returncode != 0
    assert "protocol's own" in ended.stdout + ended.stderr


# ---- version 2 ----


VERSION_2 = "io.prometheus.write.v2.Request"


@pytest.fixture
def prometheus2(ending):
    return ending.enter_context(Prometheus2Backend())


def everything(start_ns=TIME_NS - 10**9):
    """One metric of each kind, with exemplars."""
    exemplar = m.Exemplar(as_double=3, time_unix_nano=TIME_NS, trace_id=b"\x01" * 16, span_id=b"\x02" * 8)
    common = {"time_unix_nano": TIME_NS, "start_time_unix_nano": start_ns}
    histogram = m.HistogramDataPoint(
        count=10, sum=12.5, bucket_counts=[1, 2, 7], explicit_bounds=[0.005, 10], exemplars=[exemplar], **common
    )
    quantile = m.SummaryDataPoint.ValueAtQuantile(quantile=0.5, value=1)
    summary = m.SummaryDataPoint(count=4, sum=6, quantile_values=[quantile], **common)
    exponential = m.ExponentialHistogramDataPoint(count=3, sum=30, scale=3, exemplars=[exemplar], **common)
    exponential.positive.bucket_counts.extend([1, 2])
    return metrics(
        gauge("g", number(1.5, {"k": "v"}), number(2.5, {"k": "w"}, start_time_unix_nano=start_ns), unit="By"),
        counter("c", number(12, start_time_unix_nano=start_ns, exemplars=[exemplar])),
        m.Metric(name="h", unit="s", histogram=m.Histogram(data_points=[histogram], aggregation_temporality=CUMULATIVE)),
        m.Metric(name="s", summary=m.Summary(data_points=[summary])),
        m.Metric(
            name="e",
            exponential_histogram=m.ExponentialHistogram(
                data_points=[exponential], aggregation_temporality=CUMULATIVE
            ),
        ),
    )


def test_version_2_tells_the_same_as_version_1(start, prometheus, prometheus2, grpc_sender):
    request = everything()
    grpc_sender(start(configuration(prometheus))).export(otlp.METRICS, request)
    grpc_sender(start(configuration(prometheus2, protobuf_message=VERSION_2))).export(otlp.METRICS, request)
    prometheus.wait_for_requests(1)
    prometheus2.wait_for_requests(1)
    one, two = prometheus.requests[0].message, prometheus2.requests[0].message

    def labels(pairs):
        return sorted((pair.name, pair.value) for pair in pairs)

    def told(series, its_labels, exemplar_labels):
        histograms = [(h.count_int, h.sum, h.schema, list(h.positive_deltas), h.timestamp) for h in series.histograms]
        exemplars = [(exemplar_labels(e), e.value, e.timestamp) for e in series.exemplars]
        return its_labels, [(s.value, s.timestamp) for s in series.samples], histograms, exemplars

    def refs(of):
        return sorted(prometheus2.labels(two, of.labels_refs).items())

    assert sorted(told(s, labels(s.labels), lambda e: labels(e.labels)) for s in one.timeseries) == sorted(
        told(s, refs(s), refs) for s in two.timeseries
    )
    headers = prometheus2.requests[0].metadata
    assert headers["content-type"] == f"application/x-protobuf;proto={VERSION_2}"
    assert headers["x-prometheus-remote-write-version"] == "2.0.0"


def test_version_2_has_metadata_and_starts(start, prometheus2, grpc_sender):
    holdfast = start(configuration(prometheus2, protobuf_message=VERSION_2))
    grpc_sender(holdfast).export(otlp.METRICS, everything())
    prometheus2.wait_for_requests(1)
    message = prometheus2.requests[0].message
    start_ms = TIME_MS - 1000
    found = {}
    for series in message.timeseries:
        name = prometheus2.labels(message, series.labels_refs)["__name__"]
        about = (series.metadata.type, message.symbols[series.metadata.help_ref])
        unit = message.symbols[series.metadata.unit_ref]
        starts = {one.start_timestamp for one in [*series.samples, *series.histograms]}
        found.setdefault(name, set()).add((*about, unit, *starts))
    assert found == {
        "g_bytes": {(2, "", "By", 0)},
        "c_total": {(1, "how many", "", start_ms)},
        "h_seconds_bucket": {(3, "", "s", start_ms)},
        "h_seconds_sum": {(3, "", "s", start_ms)},
        "h_seconds_count": {(3, "", "s", start_ms)},
        "s": {(5, "", "", start_ms)},
        "s_sum": {(5, "", "", start_ms)},
        "s_count": {(5, "", "", start_ms)},
        "e": {(3, "", "", start_ms)},
        "target_info": {(2, "Target metadata", "", 0)},
    }
    name = "otelcol_exporter_prometheusremotewrite_written_"
    samples = sum(len(series.samples) for series in message.timeseries)
    holdfast.wait_metric(f"{name}samples", samples)
    holdfast.wait_metric(f"{name}histograms", 1)
    holdfast.wait_metric(f"{name}exemplars", 3)


def test_a_backend_of_version_1_takes_nothing_silently(start, prometheus2, grpc_sender):
    prometheus2.says_nothing = True
    holdfast = start(configuration(prometheus2, protobuf_message=VERSION_2))
    grpc_sender(holdfast).export(otlp.METRICS, metrics(gauge("g", number(1))))
    holdfast.wait_for_log("does not speak remote write 2.0")
    assert holdfast.books("metrics", "prometheusremotewrite")["queued"]["items"] == 1
    prometheus2.says_nothing = False
    until(
        lambda: holdfast.books("metrics", "prometheusremotewrite")["delivered"]["items"] == 1,
        lambda: f"{holdfast.books('metrics', 'prometheusremotewrite')}",
    )


def test_version_2_loses_nothing_at_a_kill_and_an_outage(start, prometheus2, grpc_sender):
    prometheus2.stop()
    holdfast = start(configuration(prometheus2, protobuf_message=VERSION_2))
    sender = grpc_sender(holdfast)
    for turn in range(20):
        sender.export(otlp.METRICS, metrics(gauge("g", number(turn, time_ns=TIME_NS + turn * 10**9))))
    holdfast.kill9()
    prometheus2.start()
    holdfast.start()
    wanted = set(range(20))
    until(lambda: {one.value for one in prometheus2.samples("g")} == wanted, lambda: f"{prometheus2.samples('g')}")
    times = [one.time_ms for one in prometheus2.samples("g")]
    assert times == sorted(times)
