"""Documents to Elasticsearch: forms, indices, outcomes of each document, and repeats that store nothing twice."""

import base64
import time

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from support import otlp
from support.backends import accept_but_hide, status
from support.bulk import BulkBackend, Refusal
from support.holdfast import FAST_RETRY
from support.waiting import until

TIME_NS = 1_700_000_000_123_456_789
TRACE, SPAN = bytes(range(1, 17)), bytes(range(1, 9))


@pytest.fixture
def bulk(ending):
    return ending.enter_context(BulkBackend())


def configuration(bulk, **more):
    exporter = {"endpoint": bulk.endpoint, "retry_on_failure": dict(FAST_RETRY), **more}
    return {
        "exporters": {"elasticsearch": exporter},
        "service": {
            "pipelines": {
                name: {"receivers": ["otlp"], "exporters": ["elasticsearch"]} for name in ("logs", "traces", "metrics")
            }
        },
    }


def attributes(pairs):
    return [otlp.attribute(*pair) for pair in dict(pairs or {}).items()]


def record(body="x", pairs=(), time_ns=TIME_NS, **more):
    return LogRecord(time_unix_nano=time_ns, body=otlp.any_value(body), attributes=attributes(pairs), **more)


def logs(*records, resource=None, scope=("", ""), scope_attributes=None):
    group = ResourceLogs(scope_logs=[ScopeLogs(log_records=records)])
    group.resource.attributes.extend(attributes(resource))
    group.scope_logs[0].scope.name, group.scope_logs[0].scope.version = scope
    group.scope_logs[0].scope.attributes.extend(attributes(scope_attributes))
    return otlp.LOGS.request(resource_logs=[group])


def spans(*items, resource=None):
    group = ResourceSpans(scope_spans=[ScopeSpans(spans=items)])
    group.resource.attributes.extend(attributes(resource))
    return otlp.TRACES.request(resource_spans=[group])


def span(**more):
    return Span(
        trace_id=TRACE,
        span_id=SPAN,
        name="get",
        kind=2,
        start_time_unix_nano=TIME_NS,
        end_time_unix_nano=TIME_NS + 2500,
        status=Status(code=2, message="bad"),
        attributes=attributes({"http.method": "GET"}),
        events=[Span.Event(time_unix_nano=TIME_NS + 1, name="exception", attributes=attributes({"k": "v"}))],
        links=[Span.Link(trace_id=TRACE, span_id=SPAN, attributes=attributes({"l": 1}))],
        **more,
    )


@pytest.fixture
def send(start, bulk, grpc_sender):
    """send(signal, request, count, key=value of the exporter...) -> the documents."""

    def make(signal, request, count=1, **more):
        grpc_sender(start(configuration(bulk, **more))).export(signal, request)
        return bulk.wait(count)

    return make


class TestOtel:
    def test_a_log_record(self, send, bulk):
        (document,) = send(
            otlp.LOGS,
            logs(
                record(
                    'a "b"\n',
                    {"k": 1, "f": 2.0, "m": {"n": [True, None]}, "b": b"\x01\xff", "event.name": "login"},
                    observed_time_unix_nano=TIME_NS + 1,
                    severity_number=9,
                    severity_text="Info",
                    trace_id=TRACE,
                    span_id=SPAN,
                    dropped_attributes_count=3,
                ),
                resource={"service.name": "shop", "host.geo.location.lat": 1.5, "host.geo.location.lon": 2.5},
                scope=("lib", "1.2"),
            ),
        )
        assert document == {
            "@timestamp": "1700000000123.456789",
            "observed_timestamp": "1700000000123.456790",
            "data_stream": {"type": "logs", "dataset": "generic.otel", "namespace": "default"},
            "severity_text": "Info",
            "severity_number": 9,
            "trace_id": TRACE.hex(),
            "span_id": SPAN.hex(),
            "attributes": {"k": 1, "f": 2.0, "m": {"n": [True, None]}, "b": "01ff", "event.name": "login"},
            "dropped_attributes_count": 3,
            "event_name": "login",
            "resource": {"attributes": {"service.name": "shop", "host.geo.location": [2.5, 1.5]}},
            "scope": {"name": "lib", "version": "1.2"},
            "body": {"text": 'a "b"\n'},
        }
        ((verb, action, _, _),) = bulk.actions
        assert (verb, action["_index"]) == ("create", "logs-generic.otel-default")
        path, query = bulk.queries[0]
        assert path == "/_bulk"
        assert query["require_data_stream"] == "true"
        assert bulk.requests[0].metadata["content-encoding"] == "gzip"
        assert bulk.requests[0].metadata["content-type"] == "application/x-ndjson"

    @pytest.mark.parametrize(
        ("body", "form"),
        [
            ({"a": 1}, {"structured": {"a": 1}}),
            ([{"a": 1}], {"structured": [{"a": 1}]}),
            ([1, "b"], {"structured": {"value": [1, "b"]}}),
            (7, {"text": 7}),
            (None, None),
        ],
    )
    def test_bodies(self, send, body, form):
        (document,) = send(otlp.LOGS, logs(record(body)))
        assert document.get("body") == form

    def test_a_span_and_its_events(self, send, bulk):
        send(otlp.TRACES, spans(span(parent_span_id=SPAN), resource={"service.name": "shop"}), 2)
        (document,) = bulk.all("traces-generic.otel-default")
        assert document == {
            "@timestamp": "1700000000123.456789",
            "data_stream": {"type": "traces", "dataset": "generic.otel", "namespace": "default"},
            "trace_id": TRACE.hex(),
            "span_id": SPAN.hex(),
            "parent_span_id": SPAN.hex(),
            "name": "get",
            "kind": "Server",
            "duration": 2500,
            "attributes": {"http.method": "GET"},
            "links": [{"trace_id": TRACE.hex(), "span_id": SPAN.hex(), "attributes": {"l": 1}}],
            "status": {"message": "bad", "code": "Error"},
            "resource": {"attributes": {"service.name": "shop"}},
            "scope": {},
        }
        (event,) = bulk.all("logs-generic.otel-default")
        assert event == {
            "@timestamp": "1700000000123.456790",
            "data_stream": {"type": "logs", "dataset": "generic.otel", "namespace": "default"},
            "trace_id": TRACE.hex(),
            "span_id": SPAN.hex(),
            "event_name": "exception",
            "attributes": {"event.name": "exception", "k": "v"},
            "resource": {"attributes": {"service.name": "shop"}},
            "scope": {},
        }


def metric_request():
    request = otlp.METRICS.request()
    metrics = request.resource_metrics.add().scope_metrics.add().metrics
    request.resource_metrics[0].resource.attributes.append(otlp.attribute("service.name", "shop"))
    for name, value, zone in (("a", 1, "x"), ("b", 2, "x"), ("a", 3, "y")):
        points = metrics.add(name=name, unit="1").gauge.data_points
        points.add(time_unix_nano=TIME_NS, as_int=value, attributes=attributes({"zone": zone}))
    histogram = metrics.add(name="h", unit="1").histogram
    histogram.aggregation_temporality = metrics_pb2.AGGREGATION_TEMPORALITY_DELTA
    histogram.data_points.add(
        time_unix_nano=TIME_NS,
        count=6,
        sum=9,
        bucket_counts=[1, 0, 2, 3],
        explicit_bounds=[1, 2, 4],
        attributes=attributes({"zone": "x"}),
    )
    total = metrics.add(name="total", unit="1").sum
    total.is_monotonic, total.aggregation_temporality = True, metrics_pb2.AGGREGATION_TEMPORALITY_CUMULATIVE
    total.data_points.add(time_unix_nano=TIME_NS, as_double=1.5, attributes=attributes({"zone": "x"}))
    exponential = metrics.add(name="e", unit="1").exponential_histogram
    exponential.aggregation_temporality = metrics_pb2.AGGREGATION_TEMPORALITY_DELTA
    point = exponential.data_points.add(time_unix_nano=TIME_NS, count=7, zero_count=1, attributes=attributes({"zone": "x"}))
    point.positive.bucket_counts.extend([1, 0, 2])
    point.negative.bucket_counts.extend([3])
    summary = metrics.add(name="s", unit="1").summary
    summary.data_points.add(time_unix_nano=TIME_NS, count=2, sum=5, attributes=attributes({"zone": "x"}))
    return request


class TestMetrics:
    def test_points_of_one_time_and_set_of_attributes_are_one_document(self, send, bulk):
        send(otlp.METRICS, metric_request(), 2)
        x, y = sorted(bulk.all("metrics-generic.otel-default"), key=lambda one: one["attributes"]["zone"])
        assert x["metrics"] == {
            "a": 1,
            "b": 2,
            "h": {"counts": [1, 2, 3], "values": [0.5, 3.0, 4.0]},
            "total": 1.5,
            "e": {"counts": [3, 1, 1, 2], "values": [-1.5, 0.0, 1.5, 6.0]},
            "s": {"sum": 5.0, "value_count": 2},
        }
        assert x["unit"] == "1"
        assert x["@timestamp"] == "1700000000123.456789"
        assert x["resource"] == {"attributes": {"service.name": "shop"}}
        assert y["metrics"] == {"a": 3}
        actions = {action["dynamic_templates"]["metrics.a"]: action for _, action, _, _ in bulk.actions}
        assert "_id" not in actions["gauge_long"]
        templates = next(one["dynamic_templates"] for _, one, _, _ in bulk.actions if len(one["dynamic_templates"]) > 1)
        assert templates == {
            "metrics.a": "gauge_long",
            "metrics.b": "gauge_long",
            "metrics.h": "histogram",
            "metrics.total": "counter_double",
            "metrics.e": "histogram",
            "metrics.s": "summary",
        }

    def test_ecs(self, send, bulk):
        send(otlp.METRICS, metric_request(), 2, mapping={"mode": "ecs"})
        x = next(one for one in bulk.all("metrics-generic-default") if one["zone"] == "x")
        assert x["@timestamp"] == "2023-11-14T22:13:20.123456789Z"
        assert x["service"] == {"name": "shop"}
        assert (x["a"], x["h"]) == (1, {"counts": [1, 2, 3], "values": [0.5, 3.0, 4.0]})

    def test_every_point_of_a_refused_document_is_a_dead_letter(self, start, bulk, grpc_sender):
        def rule(_index, document):
            if document["attributes"]["zone"] == "x":
                raise Refusal(400)

        bulk.rule = rule
        holdfast = start(configuration(bulk))
        grpc_sender(holdfast).export(otlp.METRICS, metric_request())
        until(
            lambda: holdfast.books("metrics", "elasticsearch")["queued"]["items"] == 0,
            lambda: holdfast.books("metrics", "elasticsearch"),
        )
        books = holdfast.books("metrics", "elasticsearch")
        assert (books["dead_lettered"]["items"], books["delivered"]["items"]) == (6, 1)

    def test_what_has_no_form_is_rejected_and_counted(self, start, bulk, grpc_sender):
        request = metric_request()
        request.resource_metrics[0].scope_metrics[0].metrics[3].histogram.aggregation_temporality = 2
        holdfast = start(configuration(bulk))
        grpc_sender(holdfast).export(otlp.METRICS, request)
        until(
            lambda: holdfast.books("metrics", "elasticsearch")["delivered"]["items"] == 6,
            lambda: holdfast.books("metrics", "elasticsearch"),
        )
        holdfast.wait_for_log("cumulative histograms have no form")


class TestOtherForms:
    def test_ecs_log(self, send, bulk):
        (document,) = send(
            otlp.LOGS,
            logs(
                record(
                    "hello",
                    {"exception.type": "E", "a.b": 1, "a": 2, "event.name": "login"},
                    severity_number=17,
                    severity_text="ERROR",
                    trace_id=TRACE,
                    span_id=SPAN,
                ),
                resource={
                    "service.name": "shop",
                    "service.instance.id": "i-1",
                    "host.name": "h1",
                    "os.type": "darwin",
                    "telemetry.sdk.name": "opentelemetry",
                    "telemetry.sdk.language": "go",
                    "telemetry.sdk.version": "1.2",
                    "k8s.pod.name": "p",
                },
            ),
            mapping={"mode": "ecs"},
        )
        assert document == {
            "@timestamp": "2023-11-14T22:13:20.123456789Z",
            "a": {"b": 1, "value": 2},
            "agent": {"name": "opentelemetry/go", "version": "1.2"},
            "data_stream": {"type": "logs", "dataset": "generic", "namespace": "default"},
            "error": {"type": "E"},
            "event": {"action": "login", "severity": 17},
            "host": {"hostname": "h1", "name": "h1", "os": {"platform": "darwin", "type": "macos"}},
            "kubernetes": {"pod": {"name": "p"}},
            "log": {"level": "ERROR"},
            "message": "hello",
            "service": {"name": "shop", "node": {"name": "i-1"}},
            "span": {"id": SPAN.hex()},
            "trace": {"id": TRACE.hex()},
        }
        assert "require_data_stream" not in bulk.queries[0][1]

    def test_ecs_span(self, send):
        (document,) = send(
            otlp.TRACES, spans(span(), resource={"service.name": "shop"}), mapping={"mode": "ecs"}
        )
        assert document["span"] == {
            "id": SPAN.hex(),
            "name": "get",
            "kind": "SERVER",
            "links": [{"trace": {"id": TRACE.hex()}, "span": {"id": SPAN.hex()}}],
        }
        assert document["event"] == {"outcome": "failure"}

    @pytest.mark.parametrize(("mode", "prefix"), [("none", "Attributes."), ("raw", "")])
    def test_none_and_raw_logs(self, send, mode, prefix):
        (document,) = send(
            otlp.LOGS,
            logs(record({"x": {"y": 1}}, {"k": {"l": "v"}}, trace_id=TRACE), resource={"r": 1}, scope=("lib", "")),
            mapping={"mode": mode},
        )
        assert document == {
            "@timestamp": "2023-11-14T22:13:20.123456789Z",
            "Body.x.y": 1,
            "Resource.r": 1,
            "Scope.name": "lib",
            "Scope.version": "",
            "SeverityNumber": 0,
            "TraceFlags": 0,
            "TraceId": TRACE.hex(),
            f"{prefix}k.l": "v",
            f"{prefix}data_stream.type": "logs",
            f"{prefix}data_stream.dataset": "generic",
            f"{prefix}data_stream.namespace": "default",
        }

    def test_none_span(self, send):
        (document,) = send(otlp.TRACES, spans(span()), mapping={"mode": "none"})
        assert document["Events.exception.time"] == "2023-11-14T22:13:20.123456790Z"
        assert document["Events.exception.k"] == "v"
        assert (document["Kind"], document["Duration"], document["TraceStatus"]) == ("SPAN_KIND_SERVER", 2, 2)
        link = f'[{{"attribute":{{"l":1}},"spanID":"{SPAN.hex()}","traceID":"{TRACE.hex()}"}}]'
        assert document["Link"] == link

    def test_bodymap_is_the_body_and_other_bodies_are_rejected(self, start, bulk, grpc_sender):
        holdfast = start(configuration(bulk, mapping={"mode": "bodymap"}))
        grpc_sender(holdfast).export(otlp.LOGS, logs(record({"a": {"b": [1.0]}}), record("text")))
        assert bulk.wait(1) == [{"a": {"b": [1.0]}}]
        until(lambda: holdfast.books("logs", "elasticsearch")["queued"]["items"] == 0, "both are settled")
        assert holdfast.books("logs", "elasticsearch")["delivered"]["items"] == 1

    def test_the_mode_of_a_scope_wins(self, send, bulk):
        send(otlp.LOGS, logs(record("x"), scope_attributes={"elastic.mapping.mode": "none"}))
        ((_, action, document, _),) = bulk.actions
        assert document["Body"] == "x"
        assert action["require_data_stream"] is False


class TestIndices:
    @pytest.mark.parametrize(
        ("pairs", "resource", "scope", "index"),
        [
            ({}, {}, "", "logs-generic.otel-default"),
            ({"data_stream.dataset": "Shop-1"}, {"data_stream.namespace": "eu:1"}, "", "logs-shop_1.otel-eu_1"),
            ({"elasticsearch.index": "own"}, {"elasticsearch.index": "other"}, "", "own"),
            ({}, {}, "github.com/o/receiver/hostmetricsreceiver/internal", "logs-hostmetricsreceiver.otel-default"),
        ],
    )
    def test_dynamic(self, send, bulk, pairs, resource, scope, index):
        send(otlp.LOGS, logs(record("x", pairs), resource=resource, scope=(scope, "")))
        assert list(bulk.documents) == [index]
        assert "data_stream.dataset" not in bulk.all()[0].get("attributes", {})

    def test_fixed_with_a_date(self, send, bulk):
        send(
            otlp.LOGS,
            logs(record("x")),
            logs_index="app",
            logstash_format={"enabled": True, "date_format": "%Y.%m"},
        )
        assert list(bulk.documents) == [f"app-{time.strftime('%Y.%m')}"]

    def test_ids_of_attributes_of_spans(self, send, bulk):
        one = span()
        one.attributes.append(otlp.attribute("elasticsearch.document_id", "s-1"))
        send(otlp.TRACES, spans(one), 2, traces_dynamic_id={"enabled": True}, document_ids=False)
        assert [action.get("_id") for _, action, _, _ in bulk.actions] == ["s-1", None]  # the span, its event

    def test_ids_and_pipelines_of_attributes(self, send, bulk):
        send(
            otlp.LOGS,
            logs(record("x", {"elasticsearch.document_id": "d-1", "elasticsearch.document_pipeline": "p"})),
            logs_dynamic_id={"enabled": True},
            logs_dynamic_pipeline={"enabled": True},
            pipeline="all",
        )
        ((_, action, _, _),) = bulk.actions
        assert (action["_id"], action["pipeline"]) == ("d-1", "p")
        assert bulk.queries[0][1]["pipeline"] == "all"


class TestOutcomes:
    def test_some_again_some_never_the_others_once(self, start, bulk, grpc_sender):
        seen = set()

        def rule(_index, document):
            body = document["body"]["text"]
            if body == "bad":
                raise Refusal(400, reason="field [x] of type [long]")
            if body == "busy" and body not in seen:
                seen.add(body)
                raise Refusal(429, "es_rejected_execution_exception", "queue is full")

        bulk.rule = rule
        holdfast = start(configuration(bulk))
        grpc_sender(holdfast).export(otlp.LOGS, logs(*(record(one) for one in ("a", "busy", "bad", "b"))))
        until(
            lambda: holdfast.books("logs", "elasticsearch")["dead_lettered"]["items"] == 1
            and holdfast.books("logs", "elasticsearch")["delivered"]["items"] == 3,
            lambda: holdfast.books("logs", "elasticsearch"),
        )
        assert sorted(one["body"]["text"] for one in bulk.all()) == ["a", "b", "busy"]
        assert [one for _, _, one, _ in bulk.actions if one["body"]["text"] == "a"] != []
        assert len(bulk.actions) == 5  # four, then one again
        letters = holdfast.queue("ls", "deadletter:elasticsearch")
        assert "mapper_parsing_exception: field [x] of type [long]" in str(letters)

    def test_a_lost_answer_stores_nothing_twice(self, start, bulk, grpc_sender):
        bulk.next(accept_but_hide())
        holdfast = start(configuration(bulk))
        grpc_sender(holdfast).export(otlp.TRACES, spans(span(), span()))
        until(lambda: holdfast.books("traces", "elasticsearch")["delivered"]["items"] == 2, "both are delivered")
        assert len(bulk.actions) == 8
        assert len(bulk.all()) == 4
        assert [status for *_, status in bulk.actions][4:] == [409] * 4

    def test_whole_requests_are_tried_again_and_too_large_ones_cut(self, start, bulk, grpc_sender):
        bulk.next(status(503), status(429), status(413))
        ids = otlp.new_ids(4)
        holdfast = start(configuration(bulk))
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        documents = bulk.wait(4)
        assert sorted(one["attributes"]["test.id"] for one in documents) == sorted(ids)
        until(lambda: [one.accepted for one in bulk.requests] == [False] * 3 + [True] * 2, lambda: bulk.requests)

    def test_a_request_has_a_limit_and_the_rest_follows(self, start, bulk, grpc_sender):
        ids = otlp.new_ids(200)
        holdfast = start(configuration(bulk, flush={"bytes": 4096}, compression="none"))
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        assert sorted(one["attributes"]["test.id"] for one in bulk.wait(200)) == sorted(ids)
        assert len(bulk.actions) == 200
        assert max(len(one.body) for one in bulk.requests) < 4096 + 1024
        assert "content-encoding" not in bulk.requests[0].metadata

    @pytest.mark.parametrize("body", [b"", b"{}", b'{"errors":true,"items":[]}', b"hello"])
    def test_a_strange_answer_costs_nothing(self, start, bulk, grpc_sender, body):
        bulk.next(status(200, {"Content-Type": "application/json"}, body))
        holdfast = start(configuration(bulk))
        grpc_sender(holdfast).export(otlp.LOGS, logs(record("x")))
        assert len(bulk.wait(1)) == 1

    def test_killed_in_the_middle_nothing_is_lost_and_nothing_is_there_twice(self, start, bulk, grpc_sender):
        holdfast = start(configuration(bulk, flush={"bytes": 2048}, sending_queue={"num_consumers": 2}))
        sender, ids = grpc_sender(holdfast), []
        for _ in range(20):
            ids += (some := otlp.new_ids(20))
            sender.export(otlp.LOGS, otlp.request(otlp.LOGS, some))
            if len(bulk.requests) > 3 and len(ids) % 100 == 0:
                holdfast.kill9()
                holdfast.start()
        bulk.stop()
        ids += (some := otlp.new_ids(20))
        sender.export(otlp.LOGS, otlp.request(otlp.LOGS, some))
        holdfast.kill9()
        bulk.start()
        holdfast.start()
        documents = bulk.wait(len(ids))
        assert sorted(one["attributes"]["test.id"] for one in documents) == sorted(ids)


class TestAccess:
    def test_user_and_password(self, send, bulk):
        send(otlp.LOGS, logs(record()), user="me", password="secret")
        wanted = "Basic " + base64.b64encode(b"me:secret").decode()
        assert bulk.requests[0].metadata["authorization"] == wanted

    def test_api_key(self, send, bulk):
        send(otlp.LOGS, logs(record()), api_key="a2V5")
        assert bulk.requests[0].metadata["authorization"] == "ApiKey a2V5"

    def test_wrong_credentials_cost_no_data(self, start, bulk, grpc_sender):
        bulk.next(status(401, {"Content-Type": "application/json"}, b'{"error":{"type":"security_exception","reason":"no"}}'))
        holdfast = start(configuration(bulk))
        grpc_sender(holdfast).export(otlp.LOGS, logs(record()))
        bulk.wait(1)
        holdfast.wait_for_log("security_exception: no")

    def test_nodes_get_requests_in_turn(self, start, bulk, ending, grpc_sender):
        other = ending.enter_context(BulkBackend())
        settings = configuration(bulk)
        del settings["exporters"]["elasticsearch"]["endpoint"]
        settings["exporters"]["elasticsearch"]["endpoints"] = [bulk.endpoint, f"{other.endpoint}/proxy"]
        sender = grpc_sender(start(settings))
        for i in range(4):
            sender.export(otlp.LOGS, logs(record()))
            until(lambda count=i + 1: len(bulk.all()) + len(other.all()) == count, "one more")
        assert (len(bulk.all()), len(other.all())) == (2, 2)
        assert other.queries[0][0] == "/proxy/_bulk"

    def test_the_address_of_the_environment(self, start, bulk, grpc_sender):
        settings = configuration(bulk)
        del settings["exporters"]["elasticsearch"]["endpoint"]
        holdfast = start(settings, environment={"ELASTICSEARCH_URL": bulk.endpoint})
        grpc_sender(holdfast).export(otlp.LOGS, logs(record()))
        bulk.wait(1)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"endpoint": "", "endpoints": []}, "set one of endpoint, endpoints and cloudid"),
        ({"endpoints": ["http://localhost:1"]}, "exclude each other"),
        ({"mapping": {"mode": "jaeger"}}, "otel, ecs, none, raw or bodymap"),
        ({"mapping": {"mode": "ecs", "allowed_modes": ["otel"]}}, "mapping::mode must be one of"),
        ({"logs_index": "x", "logs_dynamic_index": {"enabled": True}}, "logs_index and logs_dynamic_index"),
        ({"api_key": "k", "user": "u"}, "api_key and user exclude each other"),
        ({"retry": {"retry_on_status": [7]}}, "retry::retry_on_status"),
        ({"compression": "zstd"}, "gzip or none"),
        ({"endpoint": "", "cloudid": "x:bm8="}, "cloudid is no id of a cluster"),
    ],
)
def test_what_is_wrong_is_said_at_the_start(start, bulk, keys, words):
    holdfast = start(configuration(bulk, **keys), ready=False)
    holdfast.spawn()
    holdfast.wait_for_log(words)
    until(lambda: holdfast.process.poll() is not None, "it ends")
    assert holdfast.process.returncode != 0
