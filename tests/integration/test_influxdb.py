"""Lines to InfluxDB: how it is asked, refusals of points and of settings, and what a kill may cost: nothing. A real
InfluxDB is in tests/real/influxdb.py; what Holdfast's receiver makes of the lines is at the end."""

import json
import subprocess

import pytest
from opentelemetry.proto.metrics.v1 import metrics_pb2 as m

from support import otlp
from support.backends import GrpcBackend, ok, status
from support.holdfast import BINARY, FAST_RETRY, otlp_exporter, pipelines
from support.ports import free_port
from support.pushes import InfluxBackend
from support.waiting import until

TIME_NS = 1_700_000_000_123_456_789
CUMULATIVE = m.AGGREGATION_TEMPORALITY_CUMULATIVE


def configuration(endpoint, **more):
    exporter = {"endpoint": endpoint, "bucket": "b", "org": "o", "retry_on_failure": dict(FAST_RETRY), **more}
    return {
        "exporters": {"influxdb": exporter},
        "service": {"pipelines": pipelines(["influxdb"], signals=("traces", "metrics", "logs"))},
    }


def metrics(*all_metrics, resource=None):
    group = m.ResourceMetrics(scope_metrics=[m.ScopeMetrics(metrics=all_metrics)])
    group.resource.attributes.extend(otlp.attribute(*pair) for pair in (resource or {}).items())
    return otlp.METRICS.request(resource_metrics=[group])


def gauge(name, *values, **attributes):
    pairs = [otlp.attribute(*pair) for pair in attributes.items()]
    points = [m.NumberDataPoint(as_double=value, time_unix_nano=TIME_NS, attributes=pairs) for value in values]
    return m.Metric(name=name, gauge=m.Gauge(data_points=points))


@pytest.fixture
def backend(ending):
    return lambda **options: ending.enter_context(InfluxBackend(**options))


def refusal(code, text, member="message"):
    return status(code, {"Content-Type": "application/json"}, json.dumps({member: text}).encode())


def test_version_2(start, grpc_sender, backend):
    influx = backend()
    holdfast = start(configuration(influx.endpoint, token="secret", compression="gzip"))
    sender = grpc_sender(holdfast)
    sender.export(otlp.METRICS, metrics(gauge("t", 1.5, a="b"), resource={"host": "n1"}))
    until(influx.lines, "no line")
    assert influx.lines() == [("t", {"a": "b", "host": "n1"}, {"gauge": 1.5}, TIME_NS)]
    headers = influx.requests[0].metadata
    assert (headers["authorization"], headers["content-encoding"]) == ("Token secret", "gzip")
    request = otlp.request(otlp.LOGS, [7], padding="hello", resource={"service.name": "shop"})
    (record,) = otlp.items(otlp.LOGS, request)
    record.time_unix_nano = TIME_NS
    sender.export(otlp.LOGS, request)
    until(lambda: len(influx.lines()) == 2, influx.lines)
    line = influx.lines()[1]
    assert (line.measurement, line.tags, line.time) == ("logs", {"service.name": "shop"}, TIME_NS)
    assert "hello" in line.fields["body"] + line.fields.get("attributes", "")
    sender.export(otlp.TRACES, otlp.request(otlp.TRACES, [8], resource={"service.name": "shop"}))
    until(lambda: any(line.measurement == "spans" for line in influx.lines()), influx.lines)


def test_version_1(start, grpc_sender, backend):
    influx = backend(path="/write", query="db=my%20db&precision=ms")
    v1 = {"enabled": True, "db": "my db", "username": "me", "password": "secret"}
    holdfast = start(configuration(influx.endpoint + "/", v1_compatibility=v1, precision="ms"))
    grpc_sender(holdfast).export(otlp.METRICS, metrics(gauge("t", 1.5)))
    until(influx.lines, "no line")
    assert influx.lines() == [("t", {}, {"gauge": 1.5}, TIME_NS // 10**6)]
    assert influx.requests[0].metadata["authorization"] == "Basic bWU6c2VjcmV0"


def test_a_path_and_a_query_of_its_own_stay(start, grpc_sender, backend):
    influx = backend(path="/base/write", query="x=y&bucket=b&org=&precision=ns")
    holdfast = start(configuration(f"{influx.endpoint}/base/write?x=y", org=""))
    grpc_sender(holdfast).export(otlp.METRICS, metrics(gauge("t", 1)))
    until(influx.lines, "no line")


@pytest.mark.parametrize(("code", "member"), [(400, "error"), (422, "message")])
def test_a_partial_write_costs_the_refused_points_alone(start, grpc_sender, backend, code, member):
    influx = backend()

    def judge(lines):
        bad = any(line.measurement == "bad" for line in lines)
        return refusal(code, "partial write: field type conflict dropped=1", member) if bad else ok()

    influx.judge = judge
    holdfast = start(configuration(influx.endpoint))
    names = ["a", "bad", "b", "c", "d"]
    grpc_sender(holdfast).export(otlp.METRICS, metrics(*(gauge(name, 1) for name in names)))
    until(
        lambda: holdfast.books("metrics", "influxdb")["dead_lettered"]["items"] == 1,
        lambda: holdfast.books("metrics", "influxdb"),
    )
    assert {line.measurement for line in influx.lines()} == {"a", "b", "c", "d"}
    assert holdfast.books("metrics", "influxdb")["delivered"]["items"] == 4
    until(lambda: "field type conflict" in holdfast.log(), holdfast.log)


@pytest.mark.parametrize(
    "answer",
    [
        refusal(401, "unauthorized access"),
        refusal(404, 'database not found: "b"', "error"),
        refusal(400, "database is required", "error"),
        refusal(429, "too many requests"),
        refusal(503, "later"),
        refusal(500, "timeout", "error"),
    ],
    ids=lambda answer: str(answer),
)
def test_what_is_not_about_points_costs_nothing(start, grpc_sender, backend, answer):
    influx = backend()
    influx.next(answer, answer)
    holdfast = start(configuration(influx.endpoint))
    grpc_sender(holdfast).export(otlp.METRICS, metrics(gauge("t", 1)))
    until(influx.lines, lambda: holdfast.log())
    assert holdfast.books("metrics", "influxdb")["dead_lettered"]["items"] == 0


def test_requests_are_halved_to_their_limits(start, grpc_sender, backend):
    influx = backend()
    holdfast = start(configuration(influx.endpoint, payload_max_lines=3))
    grpc_sender(holdfast).export(otlp.METRICS, metrics(*(gauge(f"m{number}", number) for number in range(10))))
    until(lambda: len(influx.lines()) == 10, influx.lines)
    assert all(len(request.message) <= 3 for request in influx.requests)


def test_what_has_no_line_is_told(start, grpc_sender, backend):
    influx = backend()
    holdfast = start(configuration(influx.endpoint))
    native = m.ExponentialHistogramDataPoint(count=1, time_unix_nano=TIME_NS)
    data = m.ExponentialHistogram(data_points=[native], aggregation_temporality=CUMULATIVE)
    grpc_sender(holdfast).export(otlp.METRICS, metrics(m.Metric(name="h", exponential_histogram=data), gauge("t", 1)))
    until(
        lambda: holdfast.books("metrics", "influxdb")["delivered"]["items"] == 1,
        lambda: holdfast.books("metrics", "influxdb"),
    )
    until(lambda: "an exponential histogram has no form in InfluxDB" in holdfast.log(), holdfast.log)


def test_nothing_is_lost_by_a_kill(start, grpc_sender, backend):
    influx = backend()
    influx.always = status(503)
    holdfast = start(configuration(influx.endpoint))
    sender = grpc_sender(holdfast)
    for number in range(50):
        sender.export(otlp.METRICS, metrics(gauge(f"m{number}", number)))
    holdfast.kill9()
    influx.always = ok()
    holdfast.start()
    until(
        lambda: {line.measurement for line in influx.lines()} == {f"m{number}" for number in range(50)},
        influx.lines,
    )


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"bucket": ""}, "bucket is required, unless v1_compatibility::enabled is true"),
        ({"v1_compatibility": {"enabled": True}}, "v1_compatibility: db is required"),
        ({"span_dimensions": ["a", "a"]}, "span_dimensions: one is there twice"),
        ({"log_record_dimensions": ["a", "a"]}, "log_record_dimensions: one is there twice"),
        ({"precision": "m"}, "precision"),
        ({"metrics_schema": "x"}, "metrics_schema"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_at_the_start(tmp_path, keys, sentence):
    path = tmp_path / "config.yaml"
    whole = configuration("http://localhost:8086", **keys)
    whole["receivers"] = {"otlp": {"protocols": {"grpc": {}}}}
    path.write_text(json.dumps(whole))
    done = subprocess.run([BINARY, "validate", "--config", path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and sentence in done.stderr, done.stderr


@pytest.mark.parametrize("schema", ["telegraf-prometheus-v1", "telegraf-prometheus-v2"])
def test_our_receiver_reads_the_same(start, grpc_sender, ending, schema):
    other = ending.enter_context(GrpcBackend())
    port = free_port()
    start(
        {
            "receivers": {"influxdb": {"endpoint": f"127.0.0.1:{port}"}},
            "exporters": {"otlp": otlp_exporter(other)},
            "service": {"pipelines": {"metrics": {"receivers": ["influxdb"], "exporters": ["otlp"]}}},
        }
    )
    holdfast = start(configuration(f"http://127.0.0.1:{port}", metrics_schema=schema))
    point = m.HistogramDataPoint(
        time_unix_nano=TIME_NS, count=10, sum=12.5, bucket_counts=[1, 2, 7], explicit_bounds=[0.005, 10], max=11
    )
    histogram = m.Metric(name="d", histogram=m.Histogram(data_points=[point], aggregation_temporality=CUMULATIVE))
    quantile = m.SummaryDataPoint.ValueAtQuantile(quantile=0.5, value=1.25)
    summary = m.Metric(
        name="s",
        summary=m.Summary(
            data_points=[m.SummaryDataPoint(time_unix_nano=TIME_NS, count=2, sum=3, quantile_values=[quantile])]
        ),
    )
    resource = {"service.name": "my shop, inc=x"}
    grpc_sender(holdfast).export(otlp.METRICS, metrics(gauge("t", 1.5, a="b c"), histogram, summary, resource=resource))

    def found():
        return {
            metric.name: metric
            for request in other.accepted()
            for group in request.message.resource_metrics
            for scope in group.scope_metrics
            for metric in scope.metrics
            if group.resource.attributes[0].value.string_value == resource["service.name"]
        }

    until(lambda: set(found()) == {"t", "d", "s"}, found)
    (same,) = found()["d"].histogram.data_points
    assert (same.count, same.sum, list(same.bucket_counts), list(same.explicit_bounds)) == (10, 12.5, [1, 2, 7], [0.005, 10])
    assert (same.max, same.time_unix_nano) == (11, TIME_NS)
    (same,) = found()["s"].summary.data_points
    assert (same.count, same.sum, same.quantile_values[0].value) == (2, 3, 1.25)
    (same,) = found()["t"].gauge.data_points
    assert same.as_double == 1.5 and same.attributes[0].value.string_value == "b c"
