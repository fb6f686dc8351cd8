"""Logs to Loki's push API: labels, lines, tenants, and what a dead backend or a killed process may cost: nothing."""

import json

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs

from support import otlp
from support.backends import ok, status
from support.holdfast import FAST_RETRY
from support.pushes import LokiBackend, PrometheusBackend
from support.waiting import until

TIME_NS = 1_700_000_000_123_456_789
RESOURCE = {"service.name": "shop", "service.namespace": "eu", "service.instance.id": "i-1", "zone": "b"}


@pytest.fixture
def loki(ending):
    return ending.enter_context(LokiBackend())


def configuration(loki, **more):
    exporter = {"endpoint": loki.url, "retry_on_failure": dict(FAST_RETRY), **more}
    return {
        "exporters": {"loki": exporter},
        "service": {"pipelines": {"logs": {"receivers": ["otlp"], "exporters": ["loki"]}}},
    }


def record(body, attributes=(), time_ns=TIME_NS, **more):
    return LogRecord(
        time_unix_nano=time_ns,
        body=otlp.any_value(body),
        attributes=[otlp.attribute(*pair) for pair in dict(attributes).items()],
        **more,
    )


def logs(*records, resource=None, scope=("", "")):
    group = ResourceLogs(scope_logs=[ScopeLogs(log_records=records)])
    group.resource.attributes.extend(otlp.attribute(*pair) for pair in (resource or {}).items())
    group.scope_logs[0].scope.name, group.scope_logs[0].scope.version = scope
    return otlp.LOGS.request(resource_logs=[group])


def pushed(loki, count):
    until(lambda: len(loki.entries()) >= count, lambda: f"{len(loki.entries())} of {count} entries")
    return loki.entries()


@pytest.fixture
def send(start, loki, grpc_sender):
    """send(request, key=value of the exporter...) -> the entries at the backend, when there are `count`."""

    def make(request, count=1, **more):
        grpc_sender(start(configuration(loki, **more))).export(otlp.LOGS, request)
        return pushed(loki, count)

    return make


def test_a_record_is_a_json_line_with_the_default_labels(send, loki):
    request = logs(
        record(
            'a <b> "c"',
            {"k": 1, "z": {"y": [True, 1.5]}},
            severity_number=9,
            severity_text="Info",
            flags=1,
            trace_id=bytes(range(16)),
            span_id=bytes(range(8)),
        ),
        resource=RESOURCE,
        scope=("lib", "1.2"),
    )
    (entry,) = send(request)
    assert entry.labels == {"exporter": "OTLP", "job": "eu/shop", "instance": "i-1", "level": "INFO"}
    assert entry.time_ns == TIME_NS
    assert "\\u003cb\\u003e" in entry.line
    line = json.loads(entry.line)
    assert line == {
        "body": 'a <b> "c"',
        "traceid": bytes(range(16)).hex(),
        "spanid": bytes(range(8)).hex(),
        "severity": "Info",
        "flags": 1,
        "attributes": {"k": 1, "z": {"y": [True, 1.5]}},
        "resources": RESOURCE,
        "instrumentation_scope": {"name": "lib", "version": "1.2"},
    }
    assert list(line)[:5] == ["body", "traceid", "spanid", "severity", "flags"]
    headers = loki.requests[0].metadata
    assert headers["content-type"] == "application/x-protobuf"
    assert "x-scope-orgid" not in headers


def test_hints_name_the_labels_and_leave_the_line(send):
    resource = {**RESOURCE, "loki.resource.labels": "zone, absent", "host": {"name": "n1"}}
    attributes = {
        "loki.attribute.labels": ["http.method", "1st"],
        "loki.resource.labels": "host.name",
        "http.method": 'G"ET',
        "1st": 7,
        "rest": "stays",
    }
    (entry,) = send(logs(record("x", attributes), resource=resource))
    assert entry.labels["zone"] == "b"
    assert entry.labels["host_name"] == "n1"
    assert entry.labels["http_method"] == 'G"ET'
    assert entry.labels["key_1st"] == "7"
    line = json.loads(entry.line)
    assert line["attributes"] == {"rest": "stays"}
    assert line["resources"] == {
        key: value for key, value in resource.items() if key not in ("zone", "loki.resource.labels")
    }


def test_configured_maps_name_labels_too_and_defaults_can_be_off(send):
    (entry,) = send(
        logs(
            record("x", {"k8s.namespace.name": "prod"}, severity_text="warn", trace_id=b"\x01" * 16),
            resource=RESOURCE,
        ),
        labels={
            "attributes": {"service.name": "service_name", "k8s.namespace.name": "namespace"},
            "resource": {"zone": ""},
            "record": {"severity": "sev", "traceID": ""},
        },
        default_labels_enabled={"exporter": False, "job": False, "instance": False},
    )
    assert entry.labels == {
        "service_name": "shop",
        "namespace": "prod",
        "zone": "b",
        "sev": "warn",
        "traceID": "01" * 16,
    }


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ('a=1 b="x y" traceID=old', 'a=1 b="x y" traceID=' + "02" * 16 + " attribute_k_0=v attribute_k_1=2"),
        ("a plain sentence", 'msg="a plain sentence" traceID=' + "02" * 16 + " attribute_k_0=v attribute_k_1=2"),
        ({"a": {"b": "c"}}, "a_b=c traceID=" + "02" * 16 + " attribute_k_0=v attribute_k_1=2"),
        ("", "msg= traceID=" + "02" * 16 + " attribute_k_0=v attribute_k_1=2"),
    ],
)
def test_logfmt_lines(send, body, line):
    request = logs(record(body, {"k": ["v", 2], "loki.format": "logfmt"}, trace_id=b"\x02" * 16))
    (entry,) = send(request)
    assert entry.line == line


def test_raw_lines_are_the_body_alone(send):
    entries = send(logs(record("as it is", {"k": 1}), record({"a": [1]}, {"k": 1})), count=2, format="raw")
    assert [one.line for one in entries] == ["as it is", '{"a":[1]}']


def test_entries_of_one_stream_are_sorted_by_time(send, loki):
    send(
        logs(*(record(str(i), {"loki.format": "raw"}, TIME_NS + i) for i in (3, 1, 2)), resource=RESOURCE),
        count=3,
    )
    assert len(loki.requests[0].message.streams) == 1
    assert [one.line for one in loki.entries()] == ["1", "2", "3"]


def test_a_record_without_a_time_has_that_of_its_observation(send):
    entries = send(logs(record("x", time_ns=0, observed_time_unix_nano=TIME_NS)))
    assert entries[0].time_ns == TIME_NS


def test_records_of_several_tenants_are_requests_of_their_own(send, loki):
    records = [record(str(i), {"loki.tenant": "team", "team": f"t{i % 3}", "loki.format": "raw"}) for i in range(9)]
    send(logs(*records), count=9)
    seen = {}
    for request in loki.requests:
        seen.setdefault(request.metadata["x-scope-orgid"], []).extend(one.line for one in request.ids)
    assert seen == {"t0": ["0", "3", "6"], "t1": ["1", "4", "7"], "t2": ["2", "5", "8"]}


def test_the_tenant_of_the_configuration(start, loki, grpc_sender):
    for tenant, metadata in (
        ({"tenant_id": "a"}, ()),
        ({"tenant": {"source": "static", "value": "a"}}, ()),
        ({"tenant": {"source": "attributes", "value": "zone"}}, ()),
        ({"tenant": {"source": "context", "value": "x-team"}}, (("x-team", "a"),)),
    ):
        before = len(loki.requests)
        configured = configuration(loki, **tenant)
        configured["receivers"] = {"otlp": {"protocols": {"grpc": {"include_metadata": True}}}}
        holdfast = start(configured)
        sender = grpc_sender(holdfast)
        sender.export(otlp.LOGS, logs(record("x"), resource={"zone": "a"}), metadata=metadata)
        loki.wait_for_requests(before + 1)
        assert loki.requests[-1].metadata["x-scope-orgid"] == "a", tenant


def test_passing_answers_are_retried_and_a_refusal_isolates_the_culprit(start, loki, grpc_sender):
    holdfast = start(configuration(loki))
    sender = grpc_sender(holdfast)
    loki.next(status(429), status(500), status(503), status(401))
    sender.export(otlp.LOGS, logs(record("one")))
    pushed(loki, 1)

    def judge(message):
        bad = any(entry.line == '{"body":"bad"}' for stream in message.streams for entry in stream.entries)
        return status(400, body=b"entry too far behind") if bad else ok()

    loki.judge = judge
    before = len(loki.requests)
    for body in ("good", "bad", "fine"):
        sender.export(otlp.LOGS, logs(record(body)))
    until(lambda: holdfast.books("logs", "loki")["dead_lettered"]["items"] == 1, holdfast.log)
    until(lambda: holdfast.books("logs", "loki")["delivered"]["items"] == 3, holdfast.log)
    accepted = [one.line for request in loki.requests[before:] if request.accepted for one in request.ids]
    assert sorted(accepted) == ['{"body":"fine"}', '{"body":"good"}']


def test_nothing_is_missing_after_a_kill_and_an_absent_backend(start, loki, grpc_sender):
    loki.stop()
    holdfast = start(configuration(loki))
    sender = grpc_sender(holdfast)
    for i in range(50):
        sender.export(otlp.LOGS, logs(record(str(i), {"loki.format": "raw"}, TIME_NS + i)))
    holdfast.kill9()
    holdfast.start()
    sender = grpc_sender(holdfast)
    for i in range(50, 100):
        sender.export(otlp.LOGS, logs(record(str(i), {"loki.format": "raw"}, TIME_NS + i)))
    loki.start()
    wanted = {str(i) for i in range(100)}
    until(lambda: {one.line for one in loki.entries()} == wanted, lambda: str(len(loki.entries())), 30)


def test_the_exporters_of_a_gateway_load_and_work(start, loki, ending, grpc_sender):
    prometheus = ending.enter_context(PrometheusBackend())
    holdfast = start(
        {
            "exporters": {
                "prometheusremotewrite": {
                    "endpoint": prometheus.url,
                    "external_labels": {"cluster": "prod", "collector": "gateway"},
                },
                "loki": {
                    "endpoint": loki.url,
                    "labels": {"attributes": {"service.name": "service_name", "k8s.namespace.name": "namespace"}},
                },
                "logging": {"loglevel": "info"},
            },
            "service": {
                "pipelines": {
                    "metrics": {"receivers": ["otlp"], "exporters": ["prometheusremotewrite"]},
                    "logs": {"receivers": ["otlp"], "exporters": ["loki", "logging"]},
                }
            },
        }
    )
    sender = grpc_sender(holdfast)
    resource = {"service.name": "shop", "k8s.namespace.name": "eu"}
    sender.export(otlp.LOGS, logs(record("x"), resource=resource))
    sender.export(otlp.METRICS, otlp.request(otlp.METRICS, otlp.new_ids(3)))
    (entry,) = pushed(loki, 1)
    assert (entry.labels["service_name"], entry.labels["namespace"]) == ("shop", "eu")
    prometheus.wait_for_requests(1)
    for sample in prometheus.ids():
        assert (sample.labels["cluster"], sample.labels["collector"]) == ("prod", "gateway")
