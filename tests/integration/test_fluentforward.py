"""Fluentd's Forward protocol in: modes, acknowledgements after the commit, heartbeats, kills, and bad events."""

import gzip
import socket
import threading

import msgpack
import pytest
from fluent import sender

from support.holdfast import otlp_exporter
from support.ports import free_port
from support.waiting import until


class Forward:
    def __init__(self, start, backend, exporter=(), endpoint=None):
        self.backend = backend
        self.port = free_port()
        self.endpoint = endpoint or f"127.0.0.1:{self.port}"
        self.exporter = otlp_exporter(backend, **dict(exporter))
        self.holdfast = start(self.configuration())

    def configuration(self, **more):
        return {
            "receivers": {"fluentforward": {"endpoint": self.endpoint, **more}},
            "exporters": {"otlp": self.exporter},
            "service": {"pipelines": {"logs": {"receivers": ["fluentforward"], "exporters": ["otlp"]}}},
        }

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def records(self):
        return self.backend.records()

    def bodies(self):
        return [record.body.string_value for record in self.records()]

    def wait_for(self, bodies):
        missing = lambda: set(bodies) - set(self.bodies())
        until(lambda: not missing(), lambda: f"{len(missing())} of {len(bodies)} records are missing", 30)


def forward(bodies, chunk=None):
    event = ["app", [[1_700_000_000, {"message": body}] for body in bodies]]
    return msgpack.packb(event + ([{"chunk": chunk}] if chunk else []))


def acknowledged(connection):
    unpacker = msgpack.Unpacker()
    while True:
        received = connection.recv(4096)
        if not received:
            return None
        unpacker.feed(received)
        for answer in unpacker:
            return answer["ack"]


@pytest.fixture
def fluent(start, grpc_backend):
    return lambda **options: Forward(start, grpc_backend, **options)


class TestEvents:
    def test_a_public_client_is_understood(self, fluent):
        one = fluent()
        client = sender.FluentSender("shop", host="127.0.0.1", port=one.port, nanosecond_precision=True)
        assert client.emit_with_time("order", 1_700_000_000.5, {"message": "paid", "amount": 7})
        client.close()
        one.wait_for(["paid"])
        (record,) = one.records()
        found = {entry.key: entry.value for entry in record.attributes}
        assert found["amount"].int_value == 7 and found["fluent.tag"].string_value == "shop.order"
        assert record.time_unix_nano == 1_700_000_000_500_000_000

    def test_packed_and_compressed_events(self, fluent):
        one = fluent()
        entries = b"".join(msgpack.packb([1_700_000_000, {"log": f"line {number}"}]) for number in range(5000))
        with one.connect() as connection:
            connection.sendall(msgpack.packb(["app", entries]))
            connection.sendall(msgpack.packb(["app", gzip.compress(entries), {"compressed": "gzip", "chunk": "a"}]))
            assert acknowledged(connection) == "a"
        until(lambda: len(one.records()) == 10_000, "not all records arrive")
        assert one.holdfast.metric("otelcol_fluent_records_generated", receiver="fluentforward") == 10_000

    def test_an_event_may_come_byte_by_byte(self, fluent):
        one = fluent()
        with one.connect() as connection:
            for byte in forward(["slow"], "c"):
                connection.sendall(bytes([byte]))
            assert acknowledged(connection) == "c"
        one.wait_for(["slow"])

    def test_a_unix_socket(self, start, grpc_backend, tmp_path):
        path = tmp_path / "fluent.sock"
        one = Forward(start, grpc_backend, endpoint=f"unix://{path}")
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.sendall(forward(["local"], "c"))
            assert acknowledged(connection) == "c"
        one.wait_for(["local"])

    def test_heartbeats_are_answered(self, fluent):
        one = fluent()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as heart:
            heart.settimeout(10)
            heart.sendto(b"\0", ("127.0.0.1", one.port))
            assert heart.recv(10) == b"\0"

    @pytest.mark.parametrize(
        "event, words",
        [
            (b"\xc1", "within an event"),
            (msgpack.packb(["tag", b"\x92\x01"]), "packed entries"),
            (msgpack.packb(["tag", [[1, {"a": 1}], [1]]]), "an entry is not a time and a record"),
            (msgpack.packb([1, 2, 3]), "a list of a tag"),
        ],
    )
    def test_a_malformed_event_ends_its_connection_alone(self, fluent, event, words):
        one = fluent()
        with one.connect() as good, one.connect() as bad:
            bad.sendall(event)
            assert acknowledged(bad) is None
            good.sendall(forward(["good"], "c"))
            assert acknowledged(good) == "c"
        one.holdfast.wait_for_log(words)
        assert one.holdfast.metric("otelcol_fluent_parse_failures", receiver="fluentforward") == 1
        one.wait_for(["good"])
        assert one.bodies() == ["good"]

    def test_an_event_above_the_limit_ends_its_connection(self, fluent):
        one = fluent()
        one.holdfast.write_config(one.configuration(max_event_size="64KiB"))
        one.holdfast.reload()

        def is_refused():
            with one.connect() as connection:
                try:
                    connection.sendall(forward(["x" * 200_000], "c"))
                    return acknowledged(connection) is None
                except ConnectionError:
                    return True

        until(is_refused, "the limit is not kept")


class TestDurability:
    def test_a_chunk_is_acknowledged_once_it_is_on_disk(self, fluent, grpc_backend):
        """With a full queue no chunk is acknowledged; with room again, the waiting one is."""
        grpc_backend.stop()
        one = fluent(exporter={"sending_queue": {"queue_size": 1}})
        with one.connect() as first, one.connect() as second:
            first.sendall(forward(["first"], "1"))
            assert acknowledged(first) == "1"
            second.sendall(forward(["second"], "2"))
            one.holdfast.wait_metric("otelcol_receiver_refused_log_records", 1, receiver="fluentforward")
            second.settimeout(0.3)
            with pytest.raises(TimeoutError):
                acknowledged(second)
            grpc_backend.start()
            second.settimeout(20)
            assert acknowledged(second) == "2"
        one.wait_for(["first", "second"])

    def test_what_was_acknowledged_survives_a_kill(self, fluent, grpc_backend):
        grpc_backend.stop()
        one = fluent()
        kept = []
        is_over = threading.Event()

        def send(name):
            number = 0
            while not is_over.is_set():
                try:
                    with one.connect() as connection:
                        while not is_over.is_set():
                            number += 1
                            bodies = [f"{name}-{number}-{item}" for item in range(20)]
                            connection.sendall(forward(bodies, f"{name}-{number}"))
                            if acknowledged(connection) is None:
                                break
                            kept.extend(bodies)
                except OSError:
                    pass  # the process is away: nothing was promised

        senders = [threading.Thread(target=send, args=(name,)) for name in "abc"]
        for thread in senders:
            thread.start()
        for _ in range(3):
            least = len(kept) + 300
            until(lambda least=least: len(kept) >= least, "nothing is acknowledged")
            one.holdfast.kill9()
            one.holdfast.start()
        is_over.set()
        for thread in senders:
            thread.join()
        grpc_backend.start()
        one.wait_for(kept)
