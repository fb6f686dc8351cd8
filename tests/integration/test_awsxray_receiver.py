"""awsxray as a receiver: datagrams as SDKs of X-Ray send them to its daemon; one of them is the SDK for Python."""

import json
import socket

import pytest
from aws_xray_sdk.core.recorder import AWSXRayRecorder

from support.holdfast import otlp_exporter
from support.ports import free_port
from support.waiting import until

HEAD = '{"format": "json", "version": 1}\n'
TRACE = "1-58406520-a006649127e371903a2de979"
SEGMENT = {
    "name": "front",
    "id": "70de5b6f19ff9a0a",
    "trace_id": TRACE,
    "start_time": 1478293361.25,
    "end_time": 1478293361.5,
    "user": "ada",
    "http": {
        "request": {"method": "POST", "client_ip": "78.255.233.48", "url": "http://www.example.com/api/user"},
        "response": {"status": 500, "content_length": "12"},
    },
    "aws": {
        "account_id": "123456789012",
        "ec2": {"instance_id": "i-0b5a4678fc325bg98", "availability_zone": "us-west-2c"},
        "xray": {"sdk": "X-Ray for Go", "sdk_version": "1.0.0"},
        "cloudwatch_logs": [{"log_group": "app", "arn": "arn:app"}],
    },
    "annotations": {"customer": 124},
    "metadata": {"default": {"note": [1, "two", None]}},
    "cause": {
        "exceptions": [
            {
                "id": "0123456789abcdef",
                "type": "Refused",
                "message": "no",
                "stack": [{"path": "main.go", "line": 7, "label": "main"}, {"path": "x.go", "label": "f"}],
            }
        ]
    },
    "subsegments": [
        {
            "name": "DynamoDB",
            "id": "53995c3f42cd8ad8",
            "namespace": "aws",
            "start_time": 1478293361.3125,
            "end_time": 1478293361.375,
            "aws": {"operation": "UpdateItem", "table_name": "users", "retries": 2},
        },
        {
            "name": "orders",
            "id": "53995c3f42cd8ad9",
            "namespace": "remote",
            "start_time": 1478293361.3125,
            "in_progress": True,
            "sql": {"url": "jdbc:postgresql://db:5432/orders?ssl=true", "sanitized_query": "SELECT ?"},
        },
    ],
}


def configuration(grpc_backend, port):
    return {
        "receivers": {"awsxray": {"endpoint": f"127.0.0.1:{port}"}},
        "exporters": {"otlp": otlp_exporter(grpc_backend)},
        "service": {"pipelines": {"traces": {"receivers": ["awsxray"], "exporters": ["otlp"]}}},
    }


class Receiver:
    """A running Holdfast with the receiver, and the spans that came out."""

    def __init__(self, start, grpc_backend):
        self.backend = grpc_backend
        self.port = free_port()
        self.holdfast = start(configuration(grpc_backend, self.port))

    def send(self, segment, head=HEAD):
        text = segment if isinstance(segment, str) else json.dumps(segment)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto((head + text).encode(), ("127.0.0.1", self.port))

    def resources(self):
        return [resource for request in self.backend.accepted() for resource in request.message.resource_spans]

    def spans(self):
        return {span.name: span for one in self.resources() for scope in one.scope_spans for span in scope.spans}


@pytest.fixture
def receiver(start, grpc_backend):
    return Receiver(start, grpc_backend)


def value_of(value):
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [value_of(one) for one in value.array_value.values]
    return getattr(value, kind)


def attributes(owner):
    return {one.key: value_of(one.value) for one in owner.attributes}


def test_a_segment_and_those_within_become_spans(receiver):
    receiver.send(SEGMENT)
    until(lambda: len(receiver.spans()) == 3, "not three spans came")
    spans = receiver.spans()
    front, table, orders = spans["front"], spans["DynamoDB"], spans["orders"]
    assert front.trace_id.hex() == "58406520a006649127e371903a2de979"
    assert front.span_id.hex() == "70de5b6f19ff9a0a" and front.parent_span_id == b""
    assert front.start_time_unix_nano == int(SEGMENT["start_time"] * 1e9)
    assert front.end_time_unix_nano == int(SEGMENT["end_time"] * 1e9)
    assert (front.kind, table.kind, orders.kind) == (2, 3, 3)
    assert (front.status.code, table.status.code) == (2, 0)
    assert table.parent_span_id == orders.parent_span_id == front.span_id
    assert attributes(front) == {
        "enduser.id": "ada",
        "http.method": "POST",
        "http.client_ip": "78.255.233.48",
        "http.url": "http://www.example.com/api/user",
        "http.status_code": 500,
        "http.response_content_length": "12",
        "aws.account_id": "123456789012",
        "customer": 124,
        "aws.xray.annotations": ["customer"],
        "aws.xray.metadata.default": '{"note":[1,"two",null]}',
    }
    assert attributes(table) == {
        "aws.service": "DynamoDB",
        "aws.operation": "UpdateItem",
        "aws.table_name": "users",
        "aws.xray.retries": 2,
    }
    assert attributes(orders) == {
        "aws.xray.inprogress": True,
        "db.connection_string": "jdbc:postgresql://db:5432",
        "db.name": "orders",
        "db.statement": "SELECT ?",
    }


def test_an_exception_becomes_an_event_with_its_stack(receiver):
    receiver.send(SEGMENT)
    until(lambda: len(receiver.spans()) == 3, "not three spans came")
    (event,) = receiver.spans()["front"].events
    assert event.name == "exception"
    assert attributes(event) == {
        "aws.xray.exception.id": "0123456789abcdef",
        "exception.type": "Refused",
        "exception.message": "no",
        "exception.stacktrace": "Refused: no\n\tat main(main.go: 7)\n\tat f(x.go: <unknown>)\n",
    }


def test_the_resource_says_where_the_segment_was_made(receiver):
    receiver.send(SEGMENT)
    until(receiver.resources, "nothing came")
    assert attributes(receiver.resources()[0].resource) == {
        "service.name": "front",
        "cloud.provider": "aws",
        "cloud.account.id": "123456789012",
        "cloud.availability_zone": "us-west-2c",
        "host.id": "i-0b5a4678fc325bg98",
        "aws.log.group.arns": ["arn:app"],
        "aws.log.group.names": ["app"],
        "telemetry.sdk.name": "X-Ray for Go",
        "telemetry.sdk.version": "1.0.0",
        "telemetry.sdk.language": "java",
    }


def test_a_subsegment_by_itself_has_its_parent(receiver):
    receiver.send({**SEGMENT["subsegments"][0], "trace_id": TRACE, "parent_id": SEGMENT["id"], "type": "subsegment"})
    until(receiver.spans, "no span came")
    span = receiver.spans()["DynamoDB"]
    assert (span.parent_span_id.hex(), span.kind) == (SEGMENT["id"], 3)


def test_what_is_no_segment_is_counted_and_others_go_on(receiver):
    receiver.send(SEGMENT, head="")
    receiver.send("{", head=HEAD)
    receiver.send({**SEGMENT, "trace_id": "1-2-3"})
    receiver.send({**SEGMENT, "subsegments": [{"name": "no id"}]})
    receiver.send(SEGMENT)
    until(lambda: len(receiver.spans()) == 3, "not three spans came")
    receiver.holdfast.wait_metric("holdfast_receiver_errors", 4, receiver="awsxray", reason="malformed")
    assert len(receiver.resources()) == 1


def test_what_was_committed_survives_kills(receiver):
    """No sender is answered: the counter tells how many of the datagrams, in their order, are on disk."""
    receiver.backend.stop()
    promised = set()
    for turn in range(3):
        names = [f"turn{turn}.{i}" for i in range(50)]  # so few that the socket's buffer holds them all
        for name in names:
            receiver.send({**SEGMENT, "name": name, "subsegments": []})
        receiver.holdfast.wait_metric("otelcol_receiver_accepted_spans", 1 + 20 * turn, receiver="awsxray")
        accepted = receiver.holdfast.metric("otelcol_receiver_accepted_spans", receiver="awsxray")
        receiver.holdfast.kill9()
        promised.update(names[: int(accepted)])
        receiver.holdfast.start()
    receiver.backend.start()
    until(lambda: promised <= receiver.spans().keys(), lambda: f"lost: {sorted(promised - receiver.spans().keys())}")


def test_the_proxy_is_refused_by_a_sentence(start, grpc_backend):
    text = configuration(grpc_backend, free_port())
    text["receivers"]["awsxray"]["proxy_server"] = {"endpoint": "127.0.0.1:0"}
    holdfast = start(text, ready=False)
    done = holdfast.command("validate", "--config", holdfast.base_path, "--config", holdfast.config_path)
    assert done.returncode != 0
    assert "proxy_server" in done.stderr + done.stdout


def test_the_sdk_of_xray(start, grpc_backend):
    one = Receiver(start, grpc_backend)
    recorder = AWSXRayRecorder()
    recorder.configure(service="shop", sampling=False, daemon_address=f"127.0.0.1:{one.port}", context_missing="RUNTIME_ERROR")
    segment = recorder.begin_segment("pay")
    segment.put_annotation("customer", "ada")
    with recorder.in_subsegment("ask the bank", namespace="remote") as subsegment:
        subsegment.put_http_meta("status", 404)
    recorder.end_segment()
    until(lambda: {"pay", "ask the bank"} <= one.spans().keys(), lambda: f"{one.spans()}\n{one.holdfast.log()}")
    pay, ask = one.spans()["pay"], one.spans()["ask the bank"]
    assert ask.parent_span_id == pay.span_id == bytes.fromhex(segment.id)
    _, seconds, rest = segment.trace_id.split("-")
    assert pay.trace_id == ask.trace_id == bytes.fromhex(seconds + rest)
    assert {one.key: one.value.string_value for one in pay.attributes}["customer"] == "ada"
    assert {one.key: one.value.int_value for one in ask.attributes}["http.status_code"] == 404
