"""Events to Splunk's HTTP Event Collector: their forms, acknowledgements, refusals, and what a kill may cost: nothing."""

import json

import pytest
from opentelemetry.proto.metrics.v1 import metrics_pb2 as m

from support import otlp
from support.backends import ok, status
from support.holdfast import FAST_RETRY, pipelines
from support.splunk import TOKEN, SplunkBackend
from support.waiting import until

TIME_NS = 1_700_000_000_123_456_789
TIME = 1_700_000_000.123


@pytest.fixture
def splunk(ending):
    return ending.enter_context(SplunkBackend())


def configuration(splunk, signals=("traces", "metrics", "logs"), **more):
    exporter = {"endpoint": splunk.url, "token": TOKEN, "retry_on_failure": dict(FAST_RETRY), **more}
    return {"exporters": {"splunk_hec": exporter}, "service": {"pipelines": pipelines(["splunk_hec"], signals=signals)}}


@pytest.fixture
def begin(start, splunk):
    return lambda **more: start(configuration(splunk, **more))


def arrived(splunk, count):
    until(lambda: len(splunk.events()) >= count, lambda: f"{len(splunk.events())} of {count} events")
    return splunk.events()


def refusal(code, number, text):
    return status(code, {"Content-Type": "application/json"}, json.dumps({"text": text, "code": number}).encode())


def test_a_log_record_is_an_event(begin, splunk, grpc_sender):
    holdfast = begin(source="src", sourcetype="st", index="main")
    resource = {"host.name": "n1", "service.name": "shop", "com.splunk.index": "own", "com.splunk.hec.access_token": "x"}
    request = otlp.request(otlp.LOGS, [7], padding="hello", resource=resource)
    (record,) = otlp.items(otlp.LOGS, request)
    record.time_unix_nano = TIME_NS
    record.trace_id, record.span_id = bytes(range(16)), bytes(range(8))
    record.attributes.extend(
        otlp.attribute(*pair)
        for pair in {"m": {"a": 1, "b": {"c": [1, 2]}}, "deep": [{"x": 1}], "service.name": "wins", "f": 1.5}.items()
    )
    grpc_sender(holdfast).export(otlp.LOGS, request)
    (event,) = arrived(splunk, 1)
    assert event == {
        "time": TIME,
        "host": "n1",
        "source": "src",
        "sourcetype": "st",
        "index": "own",
        "event": "hello",
        "fields": {
            "trace_id": bytes(range(16)).hex(),
            "span_id": bytes(range(8)).hex(),
            "otel.log.severity.text": "INFO",
            "otel.log.severity.number": 9,
            "service.name": "wins",
            "test.id": 7,
            "m.a": 1,
            "m.b.c": [1, 2],
            "deep": '[{"x":1}]',
            "f": 1.5,
        },
    }
    headers = splunk.requests[0].metadata
    assert headers["content-encoding"] == "gzip"
    assert headers["content-type"] == "application/json"
    assert headers["__splunk_app_name"] == "Holdfast"


def test_bodies_may_be_of_any_kind_and_none_is_counted(begin, splunk, grpc_sender):
    holdfast = begin(disable_compression=True)
    request = otlp.request(otlp.LOGS, otlp.new_ids(4))
    for record, body in zip(otlp.items(otlp.LOGS, request), ({"k": [1, None]}, 5, "", None)):
        record.body.CopyFrom(otlp.any_value(body))
    grpc_sender(holdfast).export(otlp.LOGS, request)
    assert [one["event"] for one in arrived(splunk, 2)] == [{"k": [1, None]}, 5]
    assert "content-encoding" not in splunk.requests[0].metadata
    until(
        lambda: holdfast.books("logs", "splunk_hec")["dropped"]["rejected_by_backend"]["items"] == 2,
        lambda: f"{holdfast.books('logs', 'splunk_hec')}",
    )
    assert "no event without a body" in holdfast.log()


def test_a_span_is_an_event(begin, splunk, grpc_sender):
    holdfast = begin()
    request = otlp.request(otlp.TRACES, [3], resource={"host.name": "n1", "n": 5})
    (span,) = otlp.items(otlp.TRACES, request)
    span.start_time_unix_nano, span.end_time_unix_nano = TIME_NS, TIME_NS + 5
    span.status.code, span.status.message = 2, "bad"
    span.events.add(name="e", time_unix_nano=TIME_NS, attributes=[otlp.attribute("a", True)])
    span.links.add(trace_id=b"\x01" * 16, span_id=b"\x02" * 8, trace_state="k=v")
    grpc_sender(holdfast).export(otlp.TRACES, request)
    (event,) = arrived(splunk, 1)
    assert event == {
        "time": TIME,
        "host": "n1",
        "fields": {"n": "5"},
        "event": {
            "trace_id": span.trace_id.hex(),
            "span_id": span.span_id.hex(),
            "parent_span_id": "",
            "name": "test span",
            "attributes": {"test.id": 3},
            "start_time": TIME_NS,
            "end_time": TIME_NS + 5,
            "kind": "Server",
            "status": {"message": "bad", "code": "Error"},
            "events": [{"name": "e", "timestamp": TIME_NS, "attributes": {"a": True}}],
            "links": [{"trace_id": "01" * 16, "span_id": "02" * 8, "trace_state": "k=v"}],
        },
    }


def metrics(*all_metrics):
    group = m.ResourceMetrics(scope_metrics=[m.ScopeMetrics(metrics=all_metrics)])
    group.resource.attributes.append(otlp.attribute("zone", 3))
    return otlp.METRICS.request(resource_metrics=[group])


def test_metrics_are_events_of_one_value(begin, splunk, grpc_sender):
    holdfast = begin()
    when = {"time_unix_nano": TIME_NS}
    histogram = m.HistogramDataPoint(count=10, sum=12.5, bucket_counts=[1, 9], explicit_bounds=[0.005], **when)
    quantile = m.SummaryDataPoint.ValueAtQuantile(quantile=0.5, value=float("inf"))
    request = metrics(
        m.Metric(name="g", gauge=m.Gauge(data_points=[m.NumberDataPoint(as_double=1.5, attributes=[otlp.attribute("k", True)], **when)])),
        m.Metric(name="c", sum=m.Sum(data_points=[m.NumberDataPoint(as_int=7, **when)])),
        m.Metric(name="h", histogram=m.Histogram(data_points=[histogram])),
        m.Metric(name="s", summary=m.Summary(data_points=[m.SummaryDataPoint(count=4, sum=6, quantile_values=[quantile], **when)])),
        m.Metric(name="e", exponential_histogram=m.ExponentialHistogram(data_points=[m.ExponentialHistogramDataPoint(count=1, **when)])),
    )
    grpc_sender(holdfast).export(otlp.METRICS, request)
    found = arrived(splunk, 9)
    assert all((one["time"], one["host"], one["event"]) == (TIME, "unknown", "metric") for one in found)
    assert [one["fields"] for one in found] == [
        {"zone": "3", **fields}
        for fields in (
            {"metric_name:g": 1.5, "k": "true", "metric_type": "Gauge"},
            {"metric_name:c": 7, "metric_type": "Sum"},
            {"metric_name:h_sum": 12.5, "metric_type": "Histogram"},
            {"metric_name:h_count": 10, "metric_type": "Histogram"},
            {"metric_name:h_bucket": 1, "le": "0.005", "metric_type": "Histogram"},
            {"metric_name:h_bucket": 10, "le": "+Inf", "metric_type": "Histogram"},
            {"metric_name:s_sum": 6, "metric_type": "Summary"},
            {"metric_name:s_count": 4, "metric_type": "Summary"},
            {"metric_name:s_0.5": "+Inf", "qt": "0.5", "metric_type": "Summary"},
        )
    ]
    until(
        lambda: holdfast.books("metrics", "splunk_hec")["dropped"]["rejected_by_backend"]["items"] == 1,
        lambda: f"{holdfast.books('metrics', 'splunk_hec')}",
    )


def test_raw_bodies_are_lines(start, splunk, grpc_sender):
    holdfast = start(configuration(splunk, endpoint=f"{splunk.url}/services/collector/raw", export_raw=True))
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(2), padding="a line"))
    assert arrived(splunk, 2) == ["a line", "a line"]


def test_acknowledged_events_are_delivered(begin, splunk, grpc_sender):
    splunk.wants_channel = True
    splunk.acknowledges = False
    holdfast = begin(ack={"enabled": True, "interval": "50ms"}, signals=["logs"])
    ids = otlp.new_ids(3)
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
    arrived(splunk, 3)
    until(lambda: len(splunk.asked) >= 2, "it is not asked again")
    assert holdfast.books("logs", "splunk_hec")["queued"]["items"] == 3
    splunk.acknowledges = True
    until(
        lambda: holdfast.books("logs", "splunk_hec")["delivered"]["items"] == 3,
        lambda: f"{holdfast.books('logs', 'splunk_hec')}",
    )
    assert len(splunk.events()) == 3


def test_without_an_acknowledgement_in_time_they_are_sent_again(begin, splunk, grpc_sender):
    splunk.acknowledges = False
    holdfast = begin(ack={"enabled": True, "interval": "50ms", "timeout": "1s"}, signals=["logs"])
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(3)))
    arrived(splunk, 6)
    splunk.acknowledges = True
    until(
        lambda: holdfast.books("logs", "splunk_hec")["delivered"]["items"] == 3,
        lambda: f"{holdfast.books('logs', 'splunk_hec')}",
    )


def test_a_kill_before_the_acknowledgement_loses_nothing(begin, splunk, grpc_sender):
    splunk.acknowledges = False
    holdfast = begin(ack={"enabled": True, "interval": "50ms"}, signals=["logs"])
    ids = otlp.new_ids(10)
    sender = grpc_sender(holdfast)
    for item in ids:
        sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [item]))
    arrived(splunk, 1)
    holdfast.kill9()
    splunk.stop()
    holdfast.start()
    splunk.acknowledges = True
    splunk.start()
    until(
        lambda: holdfast.books("logs", "splunk_hec")["delivered"]["items"] == 10,
        lambda: f"{holdfast.books('logs', 'splunk_hec')}",
    )
    assert {one["fields"]["test.id"] for one in splunk.events()} == set(ids)


def test_a_stop_while_acknowledgements_are_awaited_keeps_the_events(begin, splunk, grpc_sender):
    splunk.acknowledges = False
    holdfast = begin(ack={"enabled": True, "interval": "50ms"}, signals=["logs"])
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(3)))
    arrived(splunk, 3)
    holdfast.terminate()
    splunk.acknowledges = True
    holdfast.start()
    until(
        lambda: holdfast.books("logs", "splunk_hec")["delivered"]["items"] == 3,
        lambda: f"{holdfast.books('logs', 'splunk_hec')}",
    )


def test_one_bad_event_costs_itself_alone(begin, splunk, grpc_sender):
    holdfast = begin(signals=["logs"])
    ids = otlp.new_ids(8)
    splunk.judge = lambda events: (
        refusal(400, 6, "Invalid data format")
        if any(one["fields"]["test.id"] == ids[5] for one in events)
        else ok()
    )
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
    until(
        lambda: holdfast.books("logs", "splunk_hec")["dead_lettered"]["items"] == 1,
        lambda: f"{holdfast.books('logs', 'splunk_hec')}",
    )
    until(
        lambda: holdfast.books("logs", "splunk_hec")["delivered"]["items"] == 7,
        lambda: f"{holdfast.books('logs', 'splunk_hec')}",
    )
    assert {one["fields"]["test.id"] for one in splunk.events()} == {*ids} - {ids[5]}
    assert "Invalid data format (code 6)" in holdfast.log()


def test_an_event_that_is_too_large_costs_itself_alone(begin, splunk, grpc_sender):
    holdfast = begin(signals=["logs"], max_event_size=1000)
    request = otlp.request(otlp.LOGS, otlp.new_ids(4))
    otlp.items(otlp.LOGS, request)[2].body.string_value = "x" * 2000
    grpc_sender(holdfast).export(otlp.LOGS, request)
    until(
        lambda: holdfast.books("logs", "splunk_hec")["dead_lettered"]["items"] == 1,
        lambda: f"{holdfast.books('logs', 'splunk_hec')}",
    )
    assert len(arrived(splunk, 3)) == 3


@pytest.mark.parametrize(
    "answer",
    [
        refusal(503, 9, "Server is busy"),
        refusal(403, 4, "Invalid token"),
        refusal(400, 7, "Incorrect index"),
        refusal(400, 14, "ACK is disabled"),
        refusal(500, 8, "Internal server error"),
    ],
    ids=lambda one: str(one.code) + one.body.decode()[10:20],
)
def test_what_is_not_about_the_events_costs_no_data(begin, splunk, grpc_sender, answer):
    splunk.next(answer, answer)
    holdfast = begin(signals=["logs"])
    ids = otlp.new_ids(3)
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
    assert [one["fields"]["test.id"] for one in arrived(splunk, 3)] == ids
    assert json.loads(answer.body)["text"] in holdfast.log()


def test_large_requests_are_halved(begin, splunk, grpc_sender):
    holdfast = begin(signals=["logs"], max_content_length_logs=4000)
    ids = otlp.new_ids(40)
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
    assert {one["fields"]["test.id"] for one in arrived(splunk, 40)} == set(ids)
    assert all(len(one.body) <= 4000 for one in splunk.requests)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"token": ""}, 'requires a non-empty "token"'),
        ({"endpoint": ""}, "endpoint"),
        ({"log_data_enabled": False, "profiling_data_enabled": False}, "has to be true"),
        ({"max_event_size": 900_000_000}, "max_event_size"),
    ],
)
def test_bad_values(start, splunk, change, sentence):
    holdfast = start(configuration(splunk, **change), ready=False)
    done = holdfast.command("validate", "--config", holdfast.base_path, "--config", holdfast.config_path)
    assert done.returncode != 0
    assert sentence in done.stderr + done.stdout


def test_a_reload_with_another_index(begin, splunk, grpc_sender):
    holdfast = begin(signals=["logs"])
    holdfast.write_config(configuration(splunk, signals=["logs"], index="other"))
    holdfast.reload()
    holdfast.wait_for_log("the new configuration runs")
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(1)))
    assert arrived(splunk, 1)[0]["index"] == "other"
