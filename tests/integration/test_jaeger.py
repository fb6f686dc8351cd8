"""Jaeger in: gRPC, Thrift over HTTP and UDP; what a kill and a full queue cost, and every way to be wrong."""

import socket
import threading

import grpc
import pytest
import requests
from thrift.protocol import TBinaryProtocol, TCompactProtocol

from support import otlp
from support.holdfast import otlp_exporter
from support.jaeger import agent_call, batch, post_spans
from support.ports import free_port
from support.waiting import until

POST_SPANS = "/jaeger.api_v2.CollectorService/PostSpans"


class Jaeger:
    """A running Holdfast with a jaeger receiver of one protocol, and what is sent to it."""

    def __init__(self, start, backend, protocol, exporter=(), **settings):
        self.port = free_port()
        self.protocol = protocol
        self.settings = settings
        self.exporter = otlp_exporter(backend, **dict(exporter))
        self.holdfast = start(self.configuration())

    def configuration(self, **more):
        settings = {"endpoint": f"127.0.0.1:{self.port}", **self.settings, **more}
        return {
            "receivers": {"jaeger": {"protocols": {self.protocol: settings}}},
            "exporters": {"otlp": self.exporter},
            "service": {"pipelines": {"traces": {"receivers": ["jaeger"], "exporters": ["otlp"]}}},
        }

    def post(self, body, **headers):
        return requests.post(
            f"http://127.0.0.1:{self.port}/api/traces",
            data=body,
            headers={"Content-Type": "application/x-thrift", **headers},
            timeout=10,
        )

    def call(self, body):
        with grpc.insecure_channel(f"127.0.0.1:{self.port}") as channel:
            return channel.unary_unary(POST_SPANS)(body, timeout=10)

    def send(self, datagram):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(datagram, ("127.0.0.1", self.port))


@pytest.fixture
def jaeger(start, grpc_backend):
    return lambda protocol, **options: Jaeger(start, grpc_backend, protocol, **options)


class TestProtocols:
    def test_spans_over_grpc_arrive(self, jaeger, grpc_backend):
        one = jaeger("grpc")
        ids = otlp.new_ids(10)
        assert one.call(post_spans(ids)) == b""
        grpc_backend.wait_for(ids)
        assert one.holdfast.metric("otelcol_receiver_accepted_spans", receiver="jaeger") == 10

    def test_spans_over_http_arrive(self, jaeger, grpc_backend):
        one = jaeger("thrift_http")
        ids = otlp.new_ids(10)
        assert one.post(batch(ids)).status_code == 202
        grpc_backend.wait_for(ids)
        assert one.holdfast.metric("otelcol_receiver_accepted_spans", transport="collector_http") == 10

    @pytest.mark.parametrize(
        "protocol, factory",
        [
            ("thrift_compact", TCompactProtocol.TCompactProtocol),
            ("thrift_binary", TBinaryProtocol.TBinaryProtocol),
        ],
    )
    def test_datagrams_arrive(self, jaeger, grpc_backend, protocol, factory):
        one = jaeger(protocol)
        ids = otlp.new_ids(300)
        for at in range(0, 300, 10):
            one.send(agent_call(ids[at : at + 10], factory))
        grpc_backend.wait_for(ids)
        assert one.holdfast.metric("otelcol_receiver_accepted_spans", transport=f"udp_{protocol}") == 300

    def test_a_public_client_is_understood(self, jaeger, grpc_backend):
        """jaeger-client for Python, which reports to an agent over UDP."""
        from jaeger_client import Config

        one = jaeger("thrift_compact")
        config = Config(
            config={
                "sampler": {"type": "const", "param": 1},
                "local_agent": {"reporting_host": "127.0.0.1", "reporting_port": str(one.port)},
                "reporter_batch_size": 1,
            },
            service_name="shop",
            validate=True,
        )
        tracer = config.new_tracer()
        with tracer.start_span("order") as outer:
            outer.set_tag("item", 7)
            outer.log_kv({"event": "paid", "by": "card"})
            with tracer.start_span("ship", child_of=outer):
                pass
        until(lambda: len(grpc_backend.accepted()) >= 1, "nothing arrives")

        def found():
            return {
                span.name: span
                for request in grpc_backend.accepted()
                for resource in request.message.resource_spans
                for scope in resource.scope_spans
                for span in scope.spans
            }

        until(lambda: {"order", "ship"} <= set(found()), "not both spans arrive")
        tracer.close()
        assert found()["ship"].parent_span_id == found()["order"].span_id
        assert [event.name for event in found()["order"].events] == ["paid"]


class TestFaults:
    def test_bad_requests_over_http_are_told_apart(self, jaeger):
        one = jaeger("thrift_http")
        assert one.post(b"\x0f\x00").status_code == 400
        assert "it is not a Thrift struct" in one.post(b"\x0f\x00").text
        assert one.post(b"", **{"Content-Type": "application/json"}).status_code == 400
        assert requests.post(f"http://127.0.0.1:{one.port}/other", timeout=10).status_code == 404
        assert requests.get(f"http://127.0.0.1:{one.port}/api/traces", timeout=10).status_code == 405
        assert one.holdfast.metric("holdfast_receiver_errors", receiver="jaeger", reason="malformed") == 2

    def test_a_malformed_message_over_grpc_is_refused(self, jaeger):
        one = jaeger("grpc")
        with pytest.raises(grpc.RpcError) as refused:
            one.call(b"\x0a\x03\x0a\x01\xff")
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert "span 0: it is not a protobuf message" in refused.value.details()

    def test_bad_datagrams_cost_no_other(self, jaeger, grpc_backend):
        one = jaeger("thrift_compact", max_packet_size=2000)
        ids = otlp.new_ids(2)
        good = agent_call(ids[:1], TCompactProtocol.TCompactProtocol)
        for bad in (b"", b"junk", good[:-3], b"x" * 3000):
            one.send(bad)
        one.send(good)
        one.send(agent_call(ids[1:], TCompactProtocol.TCompactProtocol))
        grpc_backend.wait_for(ids)
        assert sorted(grpc_backend.ids()) == ids
        one.holdfast.wait_metric("holdfast_receiver_errors", 4, receiver="jaeger", reason="malformed")
        one.holdfast.wait_for_log("emitBatch")


class TestDurability:
    @pytest.mark.parametrize("protocol", ["grpc", "thrift_http"])
    def test_what_was_answered_survives_a_kill(self, jaeger, grpc_backend, protocol):
        grpc_backend.stop()
        one = jaeger(protocol)
        acknowledged = []
        is_over = threading.Event()

        def send():
            while not is_over.is_set():
                ids = otlp.new_ids(20)
                try:
                    if protocol == "grpc":
                        one.call(post_spans(ids))
                        acknowledged.extend(ids)
                    elif one.post(batch(ids)).status_code == 202:
                        acknowledged.extend(ids)
                except (requests.RequestException, grpc.RpcError):
                    pass  # the process is away: nothing was promised

        sender = threading.Thread(target=send)
        sender.start()
        for _ in range(3):
            least = len(acknowledged) + 200
            until(lambda least=least: len(acknowledged) >= least, "nothing is acknowledged")
            one.holdfast.kill9()
            one.holdfast.start()
        is_over.set()
        sender.join()
        grpc_backend.start()
        grpc_backend.wait_for(acknowledged)

    def test_datagrams_wait_while_the_queue_is_full(self, jaeger, grpc_backend):
        grpc_backend.stop()
        one = jaeger("thrift_compact", exporter={"sending_queue": {"queue_size": 1}})
        ids = otlp.new_ids(60)
        one.send(agent_call(ids[:10], TCompactProtocol.TCompactProtocol))
        one.holdfast.wait_metric("otelcol_receiver_accepted_spans", 10, receiver="jaeger")
        for at in range(10, 60, 10):
            one.send(agent_call(ids[at : at + 10], TCompactProtocol.TCompactProtocol))
        one.holdfast.wait_metric("otelcol_receiver_refused_spans", 1, receiver="jaeger")
        grpc_backend.start()
        grpc_backend.wait_for(ids)
        assert one.holdfast.metric("holdfast_receiver_dropped_datagrams", receiver="jaeger") == 0

    def test_what_the_socket_has_no_room_for_is_counted(self, jaeger, grpc_backend):
        grpc_backend.stop()
        one = jaeger(
            "thrift_compact", exporter={"sending_queue": {"queue_size": 1}}, socket_buffer_size=4096
        )
        ids = otlp.new_ids(2000)
        for at in range(0, 2000, 10):
            one.send(agent_call(ids[at : at + 10], TCompactProtocol.TCompactProtocol))
        grpc_backend.start()

        def dropped():
            # The kernel tells with the next datagram that it has room for.
            one.send(agent_call(otlp.new_ids(1), TCompactProtocol.TCompactProtocol))
            return one.holdfast.metric("holdfast_receiver_dropped_datagrams", receiver="jaeger") > 0

        until(dropped, "no dropped datagram is counted")

    def test_a_reload_loses_no_datagram(self, jaeger, grpc_backend):
        one = jaeger("thrift_compact")
        ids = otlp.new_ids(400)
        for at in range(0, 400, 4):
            grpc_backend.wait_for(ids[: max(0, at - 100)])  # no more on their way than the socket's buffer holds
            one.send(agent_call(ids[at : at + 4], TCompactProtocol.TCompactProtocol))
            if at % 100 == 0:
                one.holdfast.write_config(one.configuration(max_packet_size=60000 + at))
                one.holdfast.reload()
        grpc_backend.wait_for(ids)


def test_no_protocol_is_an_error(start):
    holdfast = start(
        {
            "receivers": {"jaeger": {"protocols": {}}},
            "exporters": {"nop": {}},
            "service": {"pipelines": {"traces": {"receivers": ["jaeger"], "exporters": ["nop"]}}},
        },
        ready=False,
    )
    holdfast.spawn()
    assert holdfast.process.wait(60) != 0
    assert "must specify at least one protocol" in holdfast.log()
