"""Loki's push interface: entries as clients send them, over HTTP and gRPC; answered once they are on disk. A peer that
is not the test's own is Holdfast's `loki` exporter, whose requests a real Loki takes (test_loki.py), another a handler of
Python's logging for Loki."""

import logging
import time

import cramjam
import grpc
import logging_loki
import pytest
import requests

from support import otlp
from support.holdfast import otlp_exporter
from support.ports import free_port
from support.waiting import until


def field(number, content):
    """A length-delimited field of protobuf, of less than 16 KiB."""
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([size & 0x7F | 0x80, size >> 7])
    return bytes([number << 3 | 2]) + length + content


def push_request(labels, lines):
    entries = b"".join(field(2, field(1, b"\x08\x01") + field(2, line.encode())) for line in lines)
    return field(1, field(1, labels.encode()) + entries)


class Receiver:
    def __init__(self, start, backend, **exporter):
        self.backend = backend
        self.http, self.grpc = free_port(), free_port()
        self.exporter = otlp_exporter(backend, **exporter)
        self.url = f"http://127.0.0.1:{self.http}/loki/api/v1/push"
        self.holdfast = start(self.configuration())

    def configuration(self, **more):
        protocols = {
            "http": {"endpoint": f"127.0.0.1:{self.http}"},
            "grpc": {"endpoint": f"127.0.0.1:{self.grpc}"},
        }
        return {
            "receivers": {"loki": {"protocols": protocols, "use_incoming_timestamp": True, **more}},
            "exporters": {"otlp": self.exporter},
            "service": {"pipelines": {"logs": {"receivers": ["loki"], "exporters": ["otlp"]}}},
        }

    def post(self, body, kind="application/x-protobuf", **headers):
        return requests.post(self.url, data=body, headers={"Content-Type": kind, **headers}, timeout=10)

    def push(self, *lines):
        return self.post(bytes(cramjam.snappy.compress_raw(push_request('{job="a"}', lines))))

    def records(self):
        return self.backend.records()

    def wait_for(self, bodies):
        """Waits for those bodies; after a kill one may come twice."""
        until(
            lambda: {record.body.string_value for record in self.records()} >= set(bodies),
            lambda: f"{sorted({record.body.string_value for record in self.records()})}, not {sorted(bodies)}",
        )


@pytest.fixture
def receiver(start, grpc_backend):
    return lambda **exporter: Receiver(start, grpc_backend, **exporter)


def test_json_protobuf_and_grpc(receiver):
    one = receiver()
    body = '{"streams":[{"stream":{"job":"a"},"values":[["1700000000000000001","of json"]]}]}'
    assert one.post(body, "application/json; charset=utf-8").status_code == 204
    assert one.push("of snappy").status_code == 204
    named = bytes(cramjam.snappy.compress_raw(push_request('{job="a"}', ["of named snappy"])))
    assert one.post(named, **{"Content-Encoding": "snappy"}).status_code == 204
    with grpc.insecure_channel(f"127.0.0.1:{one.grpc}") as channel:
        call = channel.unary_unary("/logproto.Pusher/Push")
        assert call(push_request('{job="a"}', ["of grpc"]), timeout=10) == b""
    one.wait_for(["of json", "of snappy", "of named snappy", "of grpc"])
    for record in one.records():
        assert [(entry.key, entry.value.string_value) for entry in record.attributes] == [("job", "a")]
        assert record.time_unix_nano == (
            1700000000000000001 if record.body.string_value == "of json" else 1_000_000_000
        )


def test_what_it_refuses(receiver):
    one = receiver()
    assert one.post("x", "text/plain").status_code == 415
    assert requests.get(one.url, headers={"Content-Type": "application/json"}, timeout=10).status_code == 405
    assert requests.post(one.url + "x", headers={"Content-Type": "application/json"}, timeout=10).status_code == 404
    refused = one.post("{", "application/json")
    assert refused.status_code == 400 and refused.text.strip()
    assert one.post(b"no snappy").status_code == 400
    labels = one.post(bytes(cramjam.snappy.compress_raw(push_request("{job=}", ["x"]))))
    assert labels.status_code == 400 and "a label has no value in quotes" in labels.text
    with grpc.insecure_channel(f"127.0.0.1:{one.grpc}") as channel:
        with pytest.raises(grpc.RpcError) as error:
            channel.unary_unary("/logproto.Pusher/Push")(b"\xff", timeout=10)
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert one.push("fine").status_code == 204
    one.wait_for(["fine"])


def test_an_answer_is_kept_over_a_kill(receiver, grpc_backend):
    grpc_backend.stop()
    one = receiver()
    for number in range(50):
        assert one.push(f"line {number}").status_code == 204
    one.holdfast.kill9()
    one.holdfast.start()
    grpc_backend.start()
    one.wait_for([f"line {number}" for number in range(50)])


def test_a_full_queue_is_a_refusal_to_be_tried_again(receiver, grpc_backend):
    grpc_backend.stop()
    one = receiver(sending_queue={"queue_size": 1})
    assert one.push("first").status_code == 204
    refused = one.push("second")
    assert refused.status_code == 503 and "Retry-After" in refused.headers
    grpc_backend.start()
    until(lambda: one.push("second").status_code == 204, "the queue stays full")
    one.wait_for(["first", "second"])


def test_a_reload_refuses_no_one(receiver):
    one = receiver()
    assert one.push("before").status_code == 204
    one.holdfast.write_config(one.configuration(use_incoming_timestamp=False))
    one.holdfast.reload()
    assert one.push("after").status_code == 204
    one.wait_for(["before", "after"])


def test_what_the_loki_exporter_sends(receiver, start, grpc_sender):
    one = receiver()
    sender = start(
        {
            "exporters": {"loki": {"endpoint": one.url}},
            "service": {"pipelines": {"logs": {"receivers": ["otlp"], "exporters": ["loki"]}}},
        }
    )
    ids = otlp.new_ids(5)
    grpc_sender(sender).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
    until(lambda: len(one.records()) >= 5, lambda: f"{len(one.records())} of 5 records")
    assert {entry.key for record in one.records() for entry in record.attributes} >= {"exporter"}


def test_a_handler_of_pythons_logging(receiver):
    one = receiver()
    handler = logging_loki.LokiHandler(url=one.url, tags={"application": "shop"}, version="1")
    logger = logging.getLogger("till")
    logger.propagate = False
    logger.addHandler(handler)
    logger.warning("of a handler", extra={"tags": {"place": "7"}})
    logger.removeHandler(handler)
    handler.close()
    one.wait_for(["of a handler"])
    (record,) = one.records()
    labels = {"application": "shop", "logger": "till", "place": "7", "severity": "warning"}
    assert {entry.key: entry.value.string_value for entry in record.attributes} == labels
    assert abs(record.time_unix_nano / 1e9 - time.time()) < 3600
