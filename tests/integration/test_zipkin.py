"""Zipkin in: every format of its clients, what a kill and a full queue cost (nothing), and every way to be wrong."""

import gzip
import json
import threading
from pathlib import Path

import pytest
import requests
from py_zipkin import Encoding, Kind
from py_zipkin.transport import SimpleHTTPTransport
from py_zipkin.zipkin import zipkin_span

from support import otlp
from support.backends import status
from support.holdfast import FAST_RETRY, otlp_exporter
from support.ports import free_port
from support.pushes import ZipkinBackend
from support.waiting import until

CASES = Path(__file__).resolve().parents[1] / "differential" / "receivers" / "zipkin"
FORMATS = {
    "v2_json": ("/api/v2/spans", "application/json"),
    "v2_proto": ("/api/v2/spans", "application/x-protobuf"),
    "v1_json": ("/api/v1/spans", "application/json"),
    "v1_thrift": ("/api/v1/spans", "application/x-thrift"),
}


class Zipkin:
    """A running Holdfast with a zipkin receiver, and what is posted to it."""

    def __init__(self, start, backend, receiver=(), exporter=(), **more):
        self.port = free_port()
        self.receiver = {"endpoint": f"127.0.0.1:{self.port}", "parse_string_tags": True, **dict(receiver)}
        self.exporter = otlp_exporter(backend, **dict(exporter))
        self.more = more
        self.holdfast = start(self.configuration())

    def configuration(self, **receiver):
        configuration = {
            "receivers": {"zipkin": {**self.receiver, **receiver}},
            "exporters": {"otlp": self.exporter},
            "service": {"pipelines": {"traces": {"receivers": ["zipkin"], "exporters": ["otlp"]}}},
        }
        configuration.update(self.more)
        return configuration

    def post(self, body, kind="v2_json", **headers):
        path, content_type = FORMATS[kind]
        return requests.post(
            f"http://127.0.0.1:{self.port}{path}",
            data=body if isinstance(body, bytes) else json.dumps(body).encode(),
            headers={"Content-Type": content_type, **headers},
            timeout=10,
        )


def spans(ids, **more):
    """A span in Zipkin's v2 for each id; parse_string_tags makes the id a number again."""
    return [
        {"traceId": f"{item:032x}", "id": f"{item:016x}", "name": "made", "tags": {otlp.ID_KEY: str(item)}, **more}
        for item in ids
    ]


def received(backend):
    return [
        (resource, scope, span)
        for request in backend.accepted()
        for resource in request.message.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


@pytest.fixture
def zipkin(start, grpc_backend):
    return lambda **options: Zipkin(start, grpc_backend, **options)


class TestFormats:
    @pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
    @pytest.mark.parametrize("kind", FORMATS)
    def test_each_format_arrives(self, zipkin, grpc_backend, kind, packed):
        one = zipkin()
        body = next((CASES / kind).glob("request.*")).read_bytes()
        headers = {"Content-Encoding": "gzip"} if packed else {}
        answer = one.post(gzip.compress(body) if packed else body, kind, **headers)
        assert (answer.status_code, answer.content) == (202, b"")
        until(lambda: len(received(grpc_backend)) == 4, "not all four spans arrive")
        assert one.holdfast.metric("otelcol_receiver_accepted_spans", receiver="zipkin") == 4

    @pytest.mark.parametrize("encoding", [Encoding.V2_JSON, Encoding.V2_PROTO3])
    def test_a_public_client_is_understood(self, zipkin, grpc_backend, encoding):
        one = zipkin()
        with zipkin_span(
            service_name="shop",
            span_name="order",
            transport_handler=SimpleHTTPTransport("127.0.0.1", one.port),
            encoding=encoding,
            sample_rate=100,
            kind=Kind.SERVER,
            port=8080,
            binary_annotations={"item": "7"},
        ) as outer:
            outer.add_annotation("half way")
            with zipkin_span(service_name="shop", span_name="pay", kind=Kind.CLIENT):
                pass
        until(lambda: len(received(grpc_backend)) == 2, "not both spans arrive")
        found = {span.name: (resource, span) for resource, _, span in received(grpc_backend)}
        order, pay = found["order"][1], found["pay"][1]
        assert (order.kind, pay.kind) == (2, 3)
        assert pay.parent_span_id == order.span_id and pay.trace_id == order.trace_id
        assert [event.name for event in order.events] == ["half way"]
        assert order.end_time_unix_nano > order.start_time_unix_nano > 0
        attributes = {entry.key: entry.value for entry in order.attributes}
        assert attributes["item"].int_value == 7 and attributes["net.host.port"].int_value == 8080
        resource = {entry.key: entry.value.string_value for entry in found["order"][0].resource.attributes}
        assert resource["service.name"] == "shop"

    def test_an_empty_list_is_taken(self, zipkin, grpc_backend):
        assert zipkin().post([]).status_code == 202


class TestFaults:
    @pytest.mark.parametrize(
        "body, kind, words",
        [
            (b"{", "v2_json", "the body is not a JSON list of spans"),
            (b'[{"id":"1"},{"id":"x"}]', "v2_json", "span 1: id is not 1 to 16 hex digits"),
            (b"\x0a\x05xxxxx", "v2_proto", "span 0: "),
            (b'[{"traceId":"1"}]', "v1_json", "span 0: traceId has neither 16 nor 32"),
            (b"\x0c\x00\x00", "v1_thrift", "span 0: it is not a Thrift struct"),
        ],
    )
    def test_a_malformed_body_is_refused_with_a_sentence(self, zipkin, body, kind, words):
        one = zipkin()
        answer = one.post(body, kind)
        assert answer.status_code == 400 and words in answer.text
        one.holdfast.wait_for_log("span 0|span 1|JSON list")
        assert one.holdfast.metric("holdfast_receiver_errors", receiver="zipkin", reason="malformed") == 1
        assert one.post(spans(otlp.new_ids(1))).status_code == 202

    def test_only_a_post_is_taken(self, zipkin):
        one = zipkin()
        answer = requests.get(f"http://127.0.0.1:{one.port}/api/v2/spans", timeout=10)
        assert answer.status_code == 405 and answer.headers["Allow"] == "POST"

    def test_credentials_are_asked_for(self, start, grpc_backend):
        one = Zipkin(
            start,
            grpc_backend,
            receiver={"auth": {"authenticator": "bearertokenauth"}},
            extensions={"bearertokenauth": {"token": "secret"}, "health_check": {"endpoint": "127.0.0.1:${env:HEALTH_PORT}"}},
            service={
                "extensions": ["bearertokenauth", "health_check"],
                "pipelines": {"traces": {"receivers": ["zipkin"], "exporters": ["otlp"]}},
            },
        )
        ids = otlp.new_ids(1)
        assert one.post(spans(ids)).status_code == 401
        assert one.post(spans(ids), Authorization="Bearer secret").status_code == 202
        grpc_backend.wait_for(ids)


class TestDurability:
    def test_what_was_answered_survives_a_kill(self, zipkin, grpc_backend):
        grpc_backend.stop()
        one = zipkin()
        acknowledged = []
        is_over = threading.Event()

        def send():
            while not is_over.is_set():
                ids = otlp.new_ids(20)
                try:
                    if one.post(spans(ids)).status_code == 202:
                        acknowledged.extend(ids)
                except requests.RequestException:
                    pass  # the process is away: nothing was promised

        senders = [threading.Thread(target=send) for _ in range(3)]
        for sender in senders:
            sender.start()
        for round_ in range(3):
            least = len(acknowledged) + 200
            until(lambda least=least: len(acknowledged) >= least, "nothing is acknowledged")
            one.holdfast.kill9()
            one.holdfast.start()
        is_over.set()
        for sender in senders:
            sender.join()
        grpc_backend.start()
        grpc_backend.wait_for(acknowledged)

    def test_a_full_queue_tells_the_sender_to_come_back(self, zipkin, grpc_backend):
        grpc_backend.stop()
        one = zipkin(exporter={"sending_queue": {"queue_size": 5}})
        acknowledged = []
        for _ in range(50):
            ids = otlp.new_ids(3)
            answer = one.post(spans(ids))
            if answer.status_code != 202:
                break
            acknowledged += ids
        assert answer.status_code == 503 and int(answer.headers["Retry-After"]) >= 0
        assert one.holdfast.metric("otelcol_receiver_refused_spans", receiver="zipkin") == 3
        grpc_backend.start()
        grpc_backend.wait_for(acknowledged)
        until(lambda: one.post(spans(ids)).status_code == 202, "room does not come back")
        grpc_backend.wait_for(ids)

    def test_a_reload_changes_the_receiver_without_losing_a_request(self, zipkin, grpc_backend):
        one = zipkin()
        ids = otlp.new_ids(1)
        assert one.post(spans(ids)).status_code == 202
        grpc_backend.wait_for(ids)
        one.holdfast.write_config(one.configuration(parse_string_tags=False))
        one.holdfast.reload()

        def is_text():
            assert one.post(spans(otlp.new_ids(1), name="after")).status_code == 202
            return any(
                span.name == "after" and span.attributes[0].value.WhichOneof("value") == "string_value"
                for _, _, span in received(grpc_backend)
            )

        until(is_text, "the reload does not take effect")


class TestExporter:
    @pytest.fixture
    def server(self, ending):
        return ending.enter_context(ZipkinBackend())

    @staticmethod
    def exporting(server, **more):
        exporter = {"endpoint": server.url, "retry_on_failure": dict(FAST_RETRY), **more}
        return {
            "exporters": {"zipkin": exporter},
            "service": {"pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["zipkin"]}}},
        }

    @staticmethod
    def ids(server):
        return {int(span["tags"][otlp.ID_KEY]) for span in server.ids()}

    @pytest.mark.parametrize("coding", ["none", "gzip"])
    def test_spans_arrive_as_json(self, start, server, grpc_sender, coding):
        holdfast = start(self.exporting(server, compression=coding, default_service_name="Nameless"))
        ids = otlp.new_ids(5)
        grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        until(lambda: self.ids(server) == set(ids), "not all spans arrive")
        assert {len(span["id"]) for span in server.ids()} == {16}
        assert all(span["localEndpoint"]["serviceName"] for span in server.ids())
        assert holdfast.wait_metric("otelcol_exporter_sent_spans", 5, exporter="zipkin")

    def test_nothing_is_lost_over_an_outage_and_a_kill(self, start, server, grpc_sender):
        server.next(*[status(503)] * 3)
        holdfast = start(self.exporting(server))
        ids = otlp.new_ids(40)
        grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, ids[:20]))
        server.stop()
        grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, ids[20:]))
        holdfast.kill9()
        server.start()
        holdfast.start()
        until(lambda: self.ids(server) == set(ids), "not all spans arrive")

    def test_a_refused_request_becomes_dead_letters(self, start, server, grpc_sender):
        server.always = status(400, body=b"bad spans")
        holdfast = start(self.exporting(server))
        grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, otlp.new_ids(2)))
        holdfast.wait_metric("otelcol_exporter_send_failed_spans", 2, exporter="zipkin")

    def test_the_receiver_reads_protobuf_of_the_exporter(self, start, grpc_backend, grpc_sender):
        """In one process: OTLP in, Zipkin between two pipelines, OTLP out."""
        port = free_port()
        holdfast = start(
            {
                "receivers": {"zipkin": {"endpoint": f"127.0.0.1:{port}", "parse_string_tags": True}},
                "exporters": {
                    "zipkin": {
                        "endpoint": f"http://127.0.0.1:{port}/api/v2/spans",
                        "format": "proto",
                        "retry_on_failure": dict(FAST_RETRY),
                    },
                    "otlp": otlp_exporter(grpc_backend),
                },
                "service": {
                    "pipelines": {
                        "traces/in": {"receivers": ["otlp"], "exporters": ["zipkin"]},
                        "traces/out": {"receivers": ["zipkin"], "exporters": ["otlp"]},
                    }
                },
            }
        )
        ids = otlp.new_ids(30)
        grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        grpc_backend.wait_for(ids)
        holdfast.kill9()
        holdfast.start()
        more = otlp.new_ids(30)
        grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, more))
        grpc_backend.wait_for(more)
