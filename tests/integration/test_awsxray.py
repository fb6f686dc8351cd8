"""The exporter awsxray: segment documents as the Go collector makes them, answers for each document, and what an outage or
a kill may cost: nothing."""

import json
import time

import pytest

from support import otlp
from support.cloudwatch import REGION, CloudWatch
from support.holdfast import FAST_RETRY, pipelines
from support.waiting import until

PUT = "/TraceSegments"
SERVER, CLIENT, INTERNAL, PRODUCER, CONSUMER = 2, 3, 1, 4, 5
TRACE = bytes.fromhex("5759e988bd862e3fe1be46a994272793")
SPAN, PARENT = bytes.fromhex("53995c3f42cd8ad8"), bytes.fromhex("70de5b6f19ff9a0a")
BEGIN = 1_700_000_000_250_000_000


@pytest.fixture
def xray(ending):
    server = ending.enter_context(CloudWatch())
    server.answers[PUT] = {"UnprocessedTraceSegments": []}
    return server


def configuration(xray, **more):
    exporter = {"endpoint": xray.url, "region": REGION, "retry_on_failure": dict(FAST_RETRY), **more}
    return {"exporters": {"awsxray": exporter}, "service": {"pipelines": pipelines(["awsxray"], signals=["traces"])}}


@pytest.fixture
def begin(start, xray):
    return lambda **more: start(configuration(xray, **more), environment=xray.environment)


def span(attributes=None, kind=SERVER, parent=b"", name="GET /x", **more):
    def fill(made):
        made.trace_id, made.span_id, made.parent_span_id = TRACE, more.get("id", SPAN), parent
        made.name, made.kind = name, kind
        made.start_time_unix_nano, made.end_time_unix_nano = BEGIN, BEGIN + 500_000_000
        made.attributes.extend(otlp.attribute(*pair) for pair in (attributes or {}).items())
        made.status.code, made.status.message = more.get("status", 0), more.get("message", "")
        for event, pairs in more.get("events", ()):
            made.events.add(name=event, time_unix_nano=BEGIN + 1_234_567_000, attributes=[otlp.attribute(*pair) for pair in pairs.items()])
        for pairs in more.get("links", ()):
            made.links.add(trace_id=TRACE, span_id=PARENT, attributes=[otlp.attribute(*pair) for pair in pairs.items()])

    return fill


def traces(*spans, resource=None):
    message = otlp.TRACES.request()
    group = message.resource_spans.add()
    group.resource.attributes.extend(otlp.attribute(*pair) for pair in (resource or {}).items())
    scope = group.scope_spans.add()
    for fill in spans:
        fill(scope.spans.add())
    return message


def documents(xray):
    return [json.loads(text) for one in xray.seen if one[0] == PUT for text in one[1]["TraceSegmentDocuments"]]


def sent(xray, count):
    until(lambda: len(documents(xray)) >= count, lambda: f"{len(documents(xray))} of {count} documents")
    return documents(xray)


def books(holdfast):
    return holdfast.books("traces", "awsxray")


PLAIN = {"fault": False, "error": False, "throttle": False}
AWS = {"xray": {"auto_instrumentation": False}}


def test_a_server_span_is_a_segment(begin, xray, grpc_sender):
    holdfast = begin(aws_log_groups=["lg"])
    attributes = {
        "http.request.method": "GET", "url.scheme": "https", "server.address": "shop.test", "server.port": 8443, "url.path": "/x",
        "url.query": "a=1", "http.response.status_code": 429, "client.address": "10.0.0.1", "user_agent.original": "curl",
        "enduser.id": "u1", "a.key": "v", "n": 7, "list": ["x"],
    }
    resource = {
        "service.name": "shop", "service.version": "1.2", "cloud.provider": "aws", "cloud.platform": "aws_ec2", "host.id": "i-1",
        "telemetry.sdk.name": "opentelemetry", "telemetry.sdk.language": "java", "telemetry.sdk.version": "1.0",
    }
    grpc_sender(holdfast).export(otlp.TRACES, traces(span(attributes, parent=PARENT), resource=resource))
    (document,) = sent(xray, 1)
    assert document == {
        "name": "shop",
        "id": SPAN.hex(),
        "parent_id": PARENT.hex(),
        "trace_id": "1-5759e988-bd862e3fe1be46a994272793",
        "start_time": BEGIN / 1e9,
        "end_time": (BEGIN + 500_000_000) / 1e9,
        "fault": False, "error": True, "throttle": True,
        "service": {"version": "1.2"},
        "origin": "AWS::EC2::Instance",
        "user": "u1",
        "http": {
            "request": {
                "method": "GET", "url": "https://shop.test:8443/x?a=1", "user_agent": "curl", "client_ip": "10.0.0.1", "x_forwarded_for": True,
            },
            "response": {"status": 429, "content_length": 0},
        },
        "aws": {
            "ec2": {"instance_id": "i-1", "availability_zone": None, "instance_size": None, "ami_id": None},
            "cloudwatch_logs": [{"log_group": "lg"}],
            "xray": {"sdk": "opentelemetry for java", "sdk_version": "1.0", "auto_instrumentation": False},
        },
        "metadata": {"default": {"a.key": "v", "n": 7, "list": ["x"], **{f"otel.resource.{key}": value for key, value in resource.items()}}},
    }
    assert f"/{REGION}/xray/aws4_request" in xray.seen[0][2]["authorization"]


def test_annotations(begin, xray, grpc_sender):
    holdfast = begin(indexed_attributes=["a-key", "http.method", "otel.resource.zone"])
    attributes = {
        "a-key": "v", "http.method": "GET", "b": True, "aws.xray.annotations": ["b"],
        "aws.xray.metadata.ns": '{"k": 1}', "aws.xray.metadata.default": '{"d": [2]}', "aws.xray.metadata.bad": "{",
    }
    grpc_sender(holdfast).export(otlp.TRACES, traces(span(attributes), resource={"zone": "z", "service.name": "s"}))
    (document,) = sent(xray, 1)
    assert document["annotations"] == {"a_key": "v", "http.method": "GET", "b": True, "otel.resource.zone": "z"}
    assert document["metadata"] == {"ns": {"k": 1}, "default": {"d": [2], "aws.xray.metadata.bad": "{", "otel.resource.service.name": "s"}}


def test_all_attributes_can_be_annotations(begin, xray, grpc_sender):
    holdfast = begin(index_all_attributes=True)
    grpc_sender(holdfast).export(otlp.TRACES, traces(span({"a b": 1.5, "l": ["x"]}, kind=INTERNAL, parent=PARENT, name="work<1>")))
    (document,) = sent(xray, 1)
    assert document == {
        "name": "work1", "id": SPAN.hex(), "parent_id": PARENT.hex(), "trace_id": "1-5759e988-bd862e3fe1be46a994272793",
        "start_time": BEGIN / 1e9, "end_time": (BEGIN + 500_000_000) / 1e9, "type": "subsegment", "annotations": {"a_b": 1.5}, "aws": AWS, **PLAIN,
    }


@pytest.mark.parametrize(
    ("kind", "attributes", "name", "namespace"),
    [
        (CLIENT, {"peer.service": "stock"}, "stock", "remote"),
        (CLIENT, {"rpc.system": "aws-api", "aws.remote.service": "AWS::S3", "rpc.service": "S3"}, "S3", "aws"),
        (CLIENT, {"aws.service": "DynamoDB"}, "DynamoDB", "aws"),
        (CLIENT, {"db.name": "orders", "db.connection_string": "jdbc:mysql://db.test:3306/x"}, "orders@db.test", "remote"),
        (CLIENT, {"rpc.service": "Stock"}, "Stock", "remote"),
        (CLIENT, {"http.host": "h.test"}, "h.test", "remote"),
        (CLIENT, {"net.peer.name": "p.test"}, "p.test", "remote"),
        (PRODUCER, {"aws.remote.service": "queue"}, "queue", "remote"),
        (PRODUCER, {"messaging.system": "kafka"}, "GET /x", "remote"),
        (INTERNAL, {}, "GET /x", None),
    ],
)
def test_names_of_calls(begin, xray, grpc_sender, kind, attributes, name, namespace):
    holdfast = begin()
    grpc_sender(holdfast).export(otlp.TRACES, traces(span(attributes, kind=kind, parent=PARENT)))
    (document,) = sent(xray, 1)
    assert (document["name"], document.get("namespace"), document["type"]) == (name, namespace, "subsegment")


def test_a_consumer_is_a_segment_and_has_the_resource(begin, xray, grpc_sender):
    holdfast = begin()
    made = traces(span(kind=CONSUMER, parent=PARENT), span(kind=PRODUCER, parent=PARENT, id=PARENT), resource={"a": "b"})
    grpc_sender(holdfast).export(otlp.TRACES, made)
    consumer, producer = sent(xray, 2)
    assert not {"type", "namespace"} & consumer.keys() and consumer["parent_id"] == PARENT.hex()
    assert consumer["metadata"] == {"default": {"otel.resource.a": "b"}}
    assert producer["type"] == "subsegment" and "metadata" not in producer


def test_a_span_that_goes_on_has_no_end(begin, xray, grpc_sender):
    holdfast = begin()
    made = traces(span({"aws.xray.inprogress": True}, parent=PARENT), span({"aws.xray.inprogress": False}, parent=PARENT, id=PARENT))
    grpc_sender(holdfast).export(otlp.TRACES, made)
    first, second = sent(xray, 2)
    assert first["in_progress"] is True and "end_time" not in first and "metadata" not in first
    assert "in_progress" not in second and "end_time" in second


def test_databases_and_calls_of_aws(begin, xray, grpc_sender):
    holdfast = begin()
    database = {"db.system": "mysql", "db.name": "orders", "db.statement": "SELECT 1", "db.user": "u", "db.connection_string": "mysql://d"}
    call = {
        "rpc.system": "aws-api", "rpc.service": "DynamoDB", "rpc.method": "Query", "aws.region": "eu-west-1", "aws.request_id": "r1",
        "aws.dynamodb.table_names": ["t1", "t2"], "messaging.url": "q", "aws.account_id": "12",
    }
    made = traces(span(database, kind=CLIENT, parent=PARENT, name="query"), span(call, kind=CLIENT, parent=PARENT, id=PARENT))
    grpc_sender(holdfast).export(otlp.TRACES, made)
    first, second = sent(xray, 2)
    assert first["sql"] == {
        "connection_string": "mysql://d/orders", "url": "query", "sanitized_query": "SELECT 1", "database_type": "mysql", "user": "u",
    }
    assert "metadata" not in first
    assert second["aws"] == {
        **AWS, "operation": "Query", "region": "eu-west-1", "request_id": "r1", "table_names": ["t1", "t2"], "queue_url": "q", "account_id": "12",
    }


JAVA = """java.lang.IllegalStateException: state is not legal
\tat io.shop.Till.pay(Till.java:27)
\tat java.base/java.lang.Thread.run(Thread.java:834)
\t... 3 more
Caused by: java.lang.RuntimeException: out of
paper
\tat io.shop.Printer.print(Printer.java)
"""
PYTHON = """Traceback (most recent call last):
  File "main.py", line 5, in <module>
    first()
ValueError: bad value

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "app.py", line 14, in call
    second()
TypeError: must be str"""
JAVASCRIPT = """TypeError: x
    at Till.pay (/app/till.js:12:34)
    at native
    at /app/main.js:5:1
"""
DOTNET = """System.Exception: x
   at Till.Pay(String a) in /app/Till.cs:line 12
   at Till.Run()
"""
GO = """error
goroutine 7 [running]:
main.pay(0x1)
\t/app/main.go:21 +0x1d
main.main()
\t/app/main.go:9
"""


@pytest.mark.parametrize(
    ("language", "text", "stack"),
    [
        ("java", JAVA, [("Till.java", 27, "io.shop.Till.pay"), ("Thread.java", 834, "java.lang.Thread.run")]),
        ("python", PYTHON, [("app.py", 14, "call")]),
        ("javascript", JAVASCRIPT, [("/app/till.js", 12, "Till.pay "), ("native", 0, ""), ("/app/main.js", 5, "")]),
        ("dotnet", DOTNET, [("/app/Till.cs", 12, "Till.Pay(String a)"), ("", 0, "Till.Run()")]),
        ("go", GO, [("/app/main.go", 21, "main.pay(0x1)"), ("/app/main.go", 9, "main.main()")]),
        ("ruby", "anything", None),
    ],
)
def test_exceptions(begin, xray, grpc_sender, language, text, stack):
    holdfast = begin()
    event = ("exception", {"exception.type": "T", "exception.message": "m", "exception.stacktrace": text})
    made = traces(span(status=2, events=[event]), resource={"telemetry.sdk.language": language})
    grpc_sender(holdfast).export(otlp.TRACES, made)
    (document,) = sent(xray, 1)
    exceptions = document["cause"]["exceptions"]
    first = exceptions[0]
    assert (first["type"], first["message"], first["remote"], len(first["id"])) == ("T", "m", False, 16)
    assert first.get("stack") == (stack and [{"path": path, "line": line, "label": label} for path, line, label in stack])
    assert document["fault"] is True
    causes = {"java": ("java.lang.RuntimeException", "out ofpaper"), "python": ("ValueError", "bad value")}
    if language in causes:
        assert (exceptions[1]["type"], exceptions[1]["message"]) == causes[language]
        assert first["cause"] == exceptions[1]["id"] != first["id"]
        assert len(exceptions[1]["stack"]) == 1
    else:
        assert len(exceptions) == 1


def test_a_status_without_an_exception(begin, xray, grpc_sender):
    holdfast = begin()
    made = traces(span({"http.status_text": "gone", "http.status_code": 503}, status=2), span(status=2, message="why", id=PARENT))
    grpc_sender(holdfast).export(otlp.TRACES, made)
    first, second = sent(xray, 2)
    assert [one["cause"]["exceptions"][0]["message"] for one in (first, second)] == ["gone", "why"]
    assert [(one["fault"], one["error"]) for one in (first, second)] == [(True, False), (True, False)]


def test_a_local_root_that_calls_is_two_segments(begin, xray, grpc_sender):
    holdfast = begin()
    attributes = {"aws.span.kind": "LOCAL_ROOT", "aws.local.service": "shop", "aws.remote.service": "stock", "x": "y", "http.method": "GET"}
    grpc_sender(holdfast).export(otlp.TRACES, traces(span(attributes, kind=CLIENT, parent=PARENT, links=[{"a": 1}])))
    call, service = sent(xray, 2)
    assert (call["name"], call["type"], call["namespace"], call["parent_id"]) == ("stock", "subsegment", "remote", service["id"])
    assert (service["name"], service["parent_id"]) == ("shop", PARENT.hex())
    assert not {"type", "namespace", "http", "links"} & service.keys()
    assert call["links"] == [{"trace_id": "1-5759e988-bd862e3fe1be46a994272793", "id": PARENT.hex(), "attributes": {"a": 1}}]
    until(lambda: books(holdfast)["delivered"]["items"] == 1, lambda: f"{books(holdfast)}")


def test_a_call_has_fifty_documents_at_most(begin, xray, grpc_sender):
    holdfast = begin()
    grpc_sender(holdfast).export(otlp.TRACES, traces(*(span(id=(index + 1).to_bytes(8, "big")) for index in range(120))))
    sent(xray, 120)
    assert [len(one[1]["TraceSegmentDocuments"]) for one in xray.seen] == [50, 50, 20]


def test_x_ray_answers_for_each_segment(begin, xray, grpc_sender):
    holdfast = begin()
    bad, busy, good = ((index + 1).to_bytes(8, "big") for index in range(3))
    xray.answers[PUT] = {
        "UnprocessedTraceSegments": [
            {"Id": bad.hex(), "ErrorCode": "InvalidSegment", "Message": "no good"},
            {"Id": busy.hex(), "ErrorCode": "ThrottlingException", "Message": "later"},
        ]
    }
    grpc_sender(holdfast).export(otlp.TRACES, traces(span(id=bad), span(id=busy), span(id=good)))
    sent(xray, 3)
    holdfast.wait_for_log("InvalidSegment: no good")
    until(lambda: [one["id"] for one in documents(xray)].count(busy.hex()) > 1, "it is not sent again")
    xray.answers[PUT] = {"UnprocessedTraceSegments": []}
    until(lambda: books(holdfast)["queued"]["items"] == 0, lambda: f"{books(holdfast)}")
    assert (books(holdfast)["delivered"]["items"], books(holdfast)["dead_lettered"]["items"]) == (2, 1)
    assert [one["id"] for one in documents(xray)].count(good.hex()) == 1


def test_old_trace_ids_can_be_refused(begin, xray, grpc_sender):
    holdfast = begin(skip_timestamp_validation=False)
    fresh = span()

    def now(made):
        fresh(made)
        made.trace_id = int(time.time()).to_bytes(4, "big") + TRACE[4:]

    grpc_sender(holdfast).export(otlp.TRACES, traces(span(), now))
    (document,) = sent(xray, 1)
    assert document["trace_id"].endswith("bd862e3fe1be46a994272793")
    until(lambda: books(holdfast)["dead_lettered"]["items"] == 1, lambda: f"{books(holdfast)}")
    assert "does not begin with the time of the last 28 days" in holdfast.log()


def test_an_outage_and_a_kill_cost_nothing(begin, xray, grpc_sender):
    holdfast = begin()
    xray.fails += [(PUT, 400, "ThrottlingException", "slow down"), (PUT, 500, "InternalFailure", "oops")]
    sender = grpc_sender(holdfast)
    sender.export(otlp.TRACES, traces(span()))
    until(lambda: books(holdfast)["delivered"]["items"] == 1, lambda: f"{books(holdfast)}")
    xray.stop()
    ids = [(index + 9).to_bytes(8, "big") for index in range(20)]
    sender.export(otlp.TRACES, traces(*(span(id=one) for one in ids)))
    holdfast.kill9()
    xray.start()
    holdfast.restart()
    until(lambda: {one.hex() for one in ids} <= {one["id"] for one in documents(xray)}, "not all spans came")


def test_what_is_refused_at_the_start(start, xray):
    for keys, words in (({"telemetry": {"enabled": True}}, "telemetry"), ({"endpoint": "ftp://x"}, "endpoint")):
        holdfast = start(configuration(xray, **keys), ready=False)
        done = holdfast.command("validate", "--config", holdfast.base_path, "--config", holdfast.config_path)
        assert done.returncode != 0
        assert words in done.stderr + done.stdout
