"""Documents to OpenSearch: forms, indices, outcomes and repeats. What it shares with Elasticsearch is tested there."""

import time

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from support import otlp
from support.backends import accept_but_hide
from support.bulk import BulkBackend, Refusal
from support.holdfast import FAST_RETRY
from support.waiting import until

TIME_NS = 1_700_000_000_123_450_000
TRACE, SPAN = bytes(range(1, 17)), bytes(range(1, 9))


@pytest.fixture
def bulk(ending):
    return ending.enter_context(BulkBackend())


def configuration(bulk, **more):
    exporter = {"http": {"endpoint": bulk.endpoint}, "retry_on_failure": dict(FAST_RETRY), **more}
    return {
        "exporters": {"opensearch": exporter},
        "service": {
            "pipelines": {name: {"receivers": ["otlp"], "exporters": ["opensearch"]} for name in ("logs", "traces")}
        },
    }


def attributes(pairs):
    return [otlp.attribute(*pair) for pair in dict(pairs or {}).items()]


def record(body="x", pairs=(), **more):
    return LogRecord(time_unix_nano=TIME_NS, body=otlp.any_value(body), attributes=attributes(pairs), **more)


def logs(*records, resource=None):
    group = ResourceLogs(scope_logs=[ScopeLogs(log_records=records, schema_url="http://s")])
    group.resource.attributes.extend(attributes(resource))
    group.scope_logs[0].scope.name = "lib"
    return otlp.LOGS.request(resource_logs=[group])


def spans():
    span = Span(
        trace_id=TRACE,
        span_id=SPAN,
        name="get",
        kind=3,
        start_time_unix_nano=TIME_NS,
        end_time_unix_nano=TIME_NS + 10**9,
        status=Status(code=1),
        attributes=attributes({"k": 1}),
        events=[Span.Event(time_unix_nano=TIME_NS, name="e", attributes=attributes({"x": "y"}))],
        links=[Span.Link(trace_id=TRACE, span_id=SPAN, dropped_attributes_count=2)],
    )
    group = ResourceSpans(scope_spans=[ScopeSpans(spans=[span])])
    group.resource.attributes.extend(attributes({"service.name": "shop", "n": 7}))
    return otlp.TRACES.request(resource_spans=[group])


@pytest.fixture
def send(start, bulk, grpc_sender):
    def make(signal, request, count=1, **more):
        grpc_sender(start(configuration(bulk, **more))).export(signal, request)
        return bulk.wait(count)

    return make


def test_a_log_record_in_the_simple_schema(send, bulk):
    (document,) = send(
        otlp.LOGS,
        logs(
            record(
                {"a": [1, "b"]},
                {"k": {"l": 1.5}, "b": b"\x01"},
                observed_time_unix_nano=TIME_NS + 1,
                severity_number=9,
                severity_text="INFO",
                trace_id=TRACE,
                span_id=SPAN,
            ),
            resource={"service.name": "shop", "n": 7},
        ),
    )
    assert document == {
        "@timestamp": "2023-11-14T22:13:20.12345Z",
        "observedTimestamp": "2023-11-14T22:13:20.123450001Z",
        "attributes": {
            "k": {"l": 1.5},
            "b": "AQ==",
            "data_stream": {"dataset": "default", "namespace": "namespace", "type": "record"},
        },
        "body": '{"a":[1,"b"]}',
        "instrumentationScope": {"name": "lib", "schemaUrl": "http://s"},
        "resource": {"service.name": "shop", "n": "7"},
        "schemaUrl": "http://s",
        "severity": {"text": "INFO", "number": 9},
        "spanId": SPAN.hex(),
        "traceId": TRACE.hex(),
    }
    ((verb, action, _, _),) = bulk.actions
    assert (verb, action["_index"]) == ("create", "ss4o_logs-default-namespace")
    assert action["_id"]


def test_a_span_in_the_simple_schema(send, bulk):
    (document,) = send(otlp.TRACES, spans())
    assert document == {
        "@timestamp": "2023-11-14T22:13:20.12345Z",
        "startTime": "2023-11-14T22:13:20.12345Z",
        "endTime": "2023-11-14T22:13:21.12345Z",
        "attributes": {"k": 1, "data_stream": {"dataset": "default", "namespace": "namespace", "type": "span"}},
        "droppedAttributesCount": 0,
        "droppedEventsCount": 0,
        "droppedLinksCount": 0,
        "events": [
            {
                "attributes": {"x": "y"},
                "droppedAttributesCount": 0,
                "name": "e",
                "@timestamp": "2023-11-14T22:13:20.12345Z",
            }
        ],
        "instrumentationScope": {"droppedAttributesCount": 0, "name": "", "schemaUrl": "", "version": ""},
        "kind": "Client",
        "links": [{"spanId": SPAN.hex(), "traceId": TRACE.hex(), "droppedAttributesCount": 2}],
        "name": "get",
        "parentSpanId": "",
        "resource": {"service.name": "shop", "n": "7"},
        "spanId": SPAN.hex(),
        "status": {"code": "Ok", "message": ""},
        "traceId": TRACE.hex(),
        "traceState": "",
    }
    assert list(bulk.documents) == ["ss4o_traces-default-namespace"]


@pytest.mark.parametrize(
    ("mapping", "wanted"),
    [
        (
            {"mode": "ecs"},
            {"@timestamp": "2023-11-14T22:13:20.123450000Z", "Attributes.service.name": "shop", "Attributes.k.l": 1},
        ),
        (
            {"mode": "flatten_attributes", "timestamp_field": "time", "unix_timestamp": True, "dedot": True},
            {"time": 1700000000123, "service": {"name": "shop"}, "k": {"l": 1}},
        ),
    ],
)
def test_log_records_as_fields(send, mapping, wanted):
    (document,) = send(
        otlp.LOGS, logs(record("x", {"k": {"l": 1}}), resource={"service.name": "shop"}), mapping=mapping
    )
    assert document == {**wanted, "Body": "x", "SeverityNumber": 0, "TraceFlags": 0}


def test_bodymap(send):
    assert send(otlp.LOGS, logs(record({"a": 1})), mapping={"mode": "bodymap"}) == [{"a": 1}]


def test_the_index_has_attributes_and_a_date(send, bulk):
    send(
        otlp.LOGS,
        logs(record("x", {"team": "a"}), record("y"), resource={"service.name": "shop"}),
        2,
        logs_index="l-%{service.name}-%{team}-%{scope.name}",
        logs_index_fallback="none",
        logs_index_time_format="yyyy.MM",
        bulk_action="index",
        pipeline="p",
    )
    month = time.strftime("%Y.%m")
    assert sorted(bulk.documents) == [f"l-shop-a-lib-{month}", f"l-shop-none-lib-{month}"]
    assert bulk.queries[0][1]["pipeline"] == "p"
    assert {verb for verb, *_ in bulk.actions} == {"index"}


def test_outcomes_of_each_document(start, bulk, grpc_sender):
    def rule(_index, document):
        if document["body"] == "bad":
            raise Refusal(400)

    bulk.rule = rule
    bulk.next(accept_but_hide())
    holdfast = start(configuration(bulk))
    grpc_sender(holdfast).export(otlp.LOGS, logs(record("a"), record("bad"), record("b")))
    until(
        lambda: holdfast.books("logs", "opensearch")["dead_lettered"]["items"] == 1
        and holdfast.books("logs", "opensearch")["delivered"]["items"] == 2,
        lambda: holdfast.books("logs", "opensearch"),
    )
    assert sorted(one["body"] for one in bulk.all()) == ["a", "b"]


def test_killed_in_the_middle(start, bulk, grpc_sender):
    holdfast = start(configuration(bulk, request_bytes=2048, http={"endpoint": bulk.endpoint, "compression": "gzip"}))
    sender, ids = grpc_sender(holdfast), []
    for i in range(10):
        ids += (some := otlp.new_ids(20))
        sender.export(otlp.LOGS, otlp.request(otlp.LOGS, some))
        if i in (3, 7):
            holdfast.kill9()
            holdfast.start()
    documents = bulk.wait(len(ids))
    assert sorted(one["attributes"]["test.id"] for one in documents) == sorted(ids)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"http": {}}, "endpoint"),
        ({"dataset": ""}, "dataset must not be empty"),
        ({"logs_index_time_format": "Y"}, "yyyy, yy, MM"),
        ({"mapping": {"mode": "otel-v1"}}, "ss4o, ecs, flatten_attributes"),
        ({"bulk_action": "delete"}, "create"),
    ],
)
def test_what_is_wrong_is_said_at_the_start(start, bulk, keys, words):
    holdfast = start(configuration(bulk, **keys), ready=False)
    holdfast.spawn()
    holdfast.wait_for_log(words)
    until(lambda: holdfast.process.poll() is not None, "it ends")
    assert holdfast.process.returncode != 0
