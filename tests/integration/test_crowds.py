"""Many at once who want one thing: passwords that are slow to check, connections, a thread that does not come back."""

import base64
import copy
import socket

import grpc
import pytest

from support import otlp, senders
from support.h2grpc import RawGrpc, frame
from support.holdfast import BASE, HOLD_BINARY, config, otlp_exporter
from support.waiting import until

# bcrypt of "secret" at cost 12: a fifth of a second of a core each time.
SLOW = "$2b$12$abcdefghijklmnopqrstuuT1Iwu6o8Wx7BoOyIMHfgVJq6JO/IJhW".replace("$", "$$")  # as a configuration writes it
ANSWERS = (grpc.StatusCode.UNAUTHENTICATED.value[0], grpc.StatusCode.UNAVAILABLE.value[0])


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def receiving(more, extensions=None):
    """The base configuration with more keys for both protocols, and extensions."""
    base = copy.deepcopy(BASE)
    for protocol in base["receivers"]["otlp"]["protocols"].values():
        protocol.update(more)
    base["extensions"] |= extensions or {}
    base["service"]["extensions"] += list(extensions or {})
    return base


@pytest.fixture
def guarded(start, grpc_backend):
    """Both protocols ask for a password; ann and bob have one."""
    return start(
        config({"otlp": otlp_exporter(grpc_backend)}),
        base=receiving(
            {"auth": {"authenticator": "basicauth"}},
            {"basicauth": {"htpasswd": {"inline": f"ann:{SLOW}\nbob:{SLOW}\n"}}},
        ),
    )


class Flood:
    """Calls with wrong passwords, all different, on one gRPC connection."""

    def __init__(self, holdfast, count, user="ann"):
        self.connection = RawGrpc(holdfast.ports["GRPC_PORT"], timeout=30)
        self.streams = []
        for i in range(count):
            extra = [("authorization", basic(user, f"wrong{i}"))]
            headers = self.connection.headers(otlp.LOGS.method_path, extra=extra)
            stream = self.connection.open(headers)
            self.connection.send(stream, frame(b""))
            self.streams.append(stream)

    def codes(self):
        return [self.connection.wait(stream).code for stream in self.streams]

    def close(self):
        self.connection.close()


@pytest.fixture
def flood(ending):
    def begin(*arguments, **options):
        made = Flood(*arguments, **options)
        ending.callback(made.close)
        return made

    return begin


class TestSlowPasswords:
    def test_wrong_ones_do_not_hold_up_those_who_are_known(self, guarded, flood, grpc_backend, grpc_sender):
        sender = grpc_sender(guarded)
        known = [("authorization", basic("ann", "secret"))]
        ids = otlp.new_ids(40)
        sender.export(otlp.LOGS, otlp.request(otlp.LOGS, ids[:1]), metadata=known)
        floods = [flood(guarded, 200), flood(guarded, 200, user="nobody")]
        # Each of these would wait for some eighty seconds of hashing on the loops.
        for one in ids[1:20]:
            sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [one]), metadata=known)
        for one in ids[20:]:
            answer = senders.post(
                guarded.http_base, otlp.LOGS, otlp.request(otlp.LOGS, [one]), auth=("ann", "secret"), timeout=10
            )
            assert answer.status_code == 200
        codes = [code for one in floods for code in one.codes()]
        assert set(codes) == set(ANSWERS), "some were looked at, and the rest is to come again"
        grpc_backend.wait_for(ids)

    def test_one_who_is_not_known_yet_comes_before_a_peer_that_has_cost_much(self, guarded, flood):
        """From an address of its own, while the other's wrong passwords wait."""
        wrong = flood(guarded, 100)
        with RawGrpc(guarded.ports["GRPC_PORT"], timeout=30) as connection:
            local = connection.socket.getsockname()[0]
        assert local == "127.0.0.1"
        one = socket.create_connection(
            ("127.0.0.1", guarded.ports["HTTP_PORT"]), 30, source_address=("127.0.0.2", 0)
        )
        body = otlp.request(otlp.LOGS, otlp.new_ids(1)).SerializeToString()
        one.sendall(
            b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
            + f"Authorization: {basic('bob', 'secret')}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        assert one.recv(4096).startswith(b"HTTP/1.1 200")
        one.close()
        assert set(wrong.codes()) <= set(ANSWERS)

    def test_many_calls_of_one_who_is_right_are_one_check(self, guarded, grpc_backend):
        ids = otlp.new_ids(60)
        with RawGrpc(guarded.ports["GRPC_PORT"], timeout=30) as connection:
            extra = [("authorization", basic("bob", "secret"))]
            streams = []
            for one in ids:
                stream = connection.open(connection.headers(otlp.LOGS.method_path, extra=extra))
                connection.send(stream, frame(otlp.request(otlp.LOGS, [one]).SerializeToString()))
                streams.append(stream)
            assert [connection.wait(stream).code for stream in streams] == [0] * len(ids)
        grpc_backend.wait_for(ids)

    @pytest.mark.parametrize("user", ["ann", "nobody"])
    def test_a_wrong_one_and_an_unknown_name_are_told_the_same(self, guarded, user):
        answer = senders.post(
            guarded.http_base, otlp.LOGS, otlp.request(otlp.LOGS, [1]), auth=(user, "wrong"), timeout=30
        )
        assert answer.status_code == 401

    def test_calls_that_are_reset_or_whose_connection_ends_harm_nobody(self, guarded, flood, grpc_sender):
        for _ in range(3):
            flood(guarded, 50).close()
            gone = socket.create_connection(("127.0.0.1", guarded.ports["HTTP_PORT"]), 10)
            gone.sendall(
                b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
                + f"Authorization: {basic('ann', 'gone')}\r\nContent-Length: 0\r\n\r\n".encode()
            )
            gone.close()
        metadata = [("authorization", basic("bob", "secret"))]
        request = otlp.request(otlp.LOGS, otlp.new_ids(1))
        sender = grpc_sender(guarded)
        until(
            lambda: sender.code(otlp.LOGS, request, metadata=metadata) is grpc.StatusCode.OK,
            "bob is let in",
            seconds=30,
        )

    def test_a_stop_does_not_wait_for_them(self, guarded, flood):
        flood(guarded, 400)
        status, seconds = guarded.terminate()
        assert status == 0
        print(f"stopped in {seconds:.2f} s with 400 passwords to check")

    def test_a_reload_does_not_wait_for_them(self, guarded, flood, grpc_sender):
        flood(guarded, 400)
        guarded.reload()
        guarded.wait_for_log("the new configuration runs")
        sender = grpc_sender(guarded)
        request = otlp.request(otlp.LOGS, otlp.new_ids(1))
        metadata = [("authorization", basic("bob", "secret"))]
        assert sender.code(otlp.LOGS, request, metadata=metadata, timeout=30) is grpc.StatusCode.OK


class TestBlockedThread:
    """A thread of the receiver that does not come back is waited for by the memory it uses, and by nothing else."""

    @pytest.fixture
    def stalling(self, start, grpc_backend, ending):
        """stalling(transport) -> a Holdfast of which one thread is blocked; unstall() lets it go."""
        assert HOLD_BINARY.exists(), "it is built with the unit tests: ./dev build debug"

        def make(transport):
            holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}, {"stall": None}), binary=HOLD_BINARY)
            (holdfast.directory / "stall").touch()
            request = otlp.request(otlp.TRACES, otlp.new_ids(1))
            request.resource_spans[0].scope_spans[0].spans[0].name = "stall:here"
            body = request.SerializeToString()
            if transport == "grpc":
                connection = RawGrpc(holdfast.ports["GRPC_PORT"])
                stream = connection.open(connection.headers(otlp.TRACES.method_path))
                connection.send(stream, frame(body))
            else:
                connection = socket.create_connection(("127.0.0.1", holdfast.ports["HTTP_PORT"]), 10)
                head = "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
                connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            ending.callback(connection.close)
            holdfast.wait_for_log("stalls")
            return holdfast

        return make

    @pytest.mark.parametrize("transport", ["grpc", "http"])
    def test_a_stop_does_not_wait_for_it(self, stalling, transport):
        holdfast = stalling(transport)
        status, seconds = holdfast.terminate()
        assert status == 0
        print(f"stopped in {seconds:.2f} s with a blocked {transport} thread")

    @pytest.mark.parametrize("transport", ["grpc", "http"])
    def test_a_reload_leaves_it_what_it_uses(self, stalling, transport, grpc_backend):
        holdfast = stalling(transport)
        holdfast.reload()
        holdfast.wait_for_log("the new configuration runs", seconds=30)
        (holdfast.directory / "stall").unlink()
        holdfast.wait_for_log("goes on")
        # It is used again after that, and then freed: what a sanitizer would speak of.
        ids = otlp.new_ids(1)
        until(
            lambda: senders.post(holdfast.http_base, otlp.LOGS, otlp.request(otlp.LOGS, ids)).status_code == 200,
            "it serves",
        )
        grpc_backend.wait_for(ids)
        assert holdfast.terminate()[0] == 0
        assert "has not come back" not in holdfast.log()

    def test_a_stop_asked_for_in_a_reload_does_not_wait_for_it(self, stalling):
        holdfast = stalling("http")
        holdfast.reload()
        holdfast.wait_for_log("Config updated")
        assert holdfast.terminate()[0] == 0


def is_closed(connection):
    """Reads what there is; true at its end."""
    connection.setblocking(False)
    try:
        while connection.recv(4096):
            pass
        return True
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


class TestConnections:
    LIMITS = [{"max_connections": 30, "max_connections_per_peer": 0}, {"max_connections_per_peer": 30}]

    @pytest.mark.parametrize("limits", LIMITS, ids=["in-all", "per-peer"])
    @pytest.mark.parametrize("port", ["GRPC_PORT", "HTTP_PORT"])
    def test_the_idle_go_when_there_are_too_many(self, start, grpc_backend, grpc_sender, ending, port, limits):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), base=receiving(limits))
        idle = []
        for _ in range(100):
            one = socket.create_connection(("127.0.0.1", holdfast.ports[port]), 10)
            ending.callback(one.close)
            idle.append(one)
        until(lambda: sum(map(is_closed, idle)) >= 70, "all but thirty are closed")
        ids = otlp.new_ids(2)
        request = otlp.request(otlp.LOGS, ids[:1])
        grpc_sender(holdfast).export(otlp.LOGS, request)
        assert senders.post(holdfast.http_base, otlp.LOGS, otlp.request(otlp.LOGS, ids[1:])).status_code == 200
        grpc_backend.wait_for(ids)
        assert "an idle one was closed" in holdfast.log()

    def test_one_peer_does_not_take_the_places_of_another(self, start, grpc_backend, ending):
        limits = {"max_connections": 100, "max_connections_per_peer": 10}
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), base=receiving(limits))
        connections = {}
        for host in ("127.0.0.2", "127.0.0.3"):
            for _ in range(10 if host == "127.0.0.2" else 50):
                one = socket.create_connection(
                    ("127.0.0.1", holdfast.ports["HTTP_PORT"]), 10, source_address=(host, 0)
                )
                ending.callback(one.close)
                connections.setdefault(host, []).append(one)
        until(lambda: sum(map(is_closed, connections["127.0.0.3"])) >= 40, "its own are closed")
        assert not any(map(is_closed, connections["127.0.0.2"]))

    @pytest.mark.parametrize("key", ["max_connections", "max_connections_per_peer"])
    def test_limits_that_cannot_be_are_mistakes(self, start, grpc_backend, key):
        base = receiving({key: -1})
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), base=base, ready=False).spawn()
        assert holdfast.process.wait(60) != 0
        assert key in holdfast.log()
