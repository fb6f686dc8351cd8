"""Graphite's plaintext protocol over TCP and UDP; what a kill, a full queue, a stop and a reload cost. A peer that is not the
test's own is graphyte, a client of Graphite."""

import socket

import graphyte
import pytest

from support import otlp
from support.holdfast import otlp_exporter
from support.ports import free_port
from support.waiting import until


class Receiver:
    def __init__(self, start, backend, exporter=(), **settings):
        self.backend = backend
        self.port = free_port()
        self.settings = {"endpoint": f"127.0.0.1:{self.port}", **settings}
        self.exporter = otlp_exporter(backend, **dict(exporter))
        self.holdfast = start(self.configuration())

    def configuration(self, **more):
        return {
            "receivers": {"carbon": {**self.settings, **more}},
            "exporters": {"otlp": self.exporter},
            "service": {"pipelines": {"metrics": {"receivers": ["carbon"], "exporters": ["otlp"]}}},
        }

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def metrics(self):
        return self.backend.metrics()

    def names(self):
        return {metric.name for metric in self.metrics()}

    def wait_for(self, names):
        """Waits for metrics of all those names; after a kill one may come twice."""
        until(lambda: self.names() >= set(names), lambda: f"without {sorted(set(names) - self.names())[:10]}")


@pytest.fixture
def receiver(start, grpc_backend):
    return lambda **settings: Receiver(start, grpc_backend, **settings)


def test_lines_over_tcp(receiver):
    one = receiver()
    with one.connect() as connection:
        connection.sendall(b"whole 5 1700000000\r\nbroken;unit=s;kind= 2.5 1700000001.5\nbad\n\nlast 1 1700000000")
    one.wait_for(["whole", "broken", "last"])
    found = {metric.name: metric.gauge.data_points[0] for metric in one.metrics()}
    assert found["whole"].as_int == 5 and found["whole"].time_unix_nano == 1_700_000_000_000_000_000
    assert found["broken"].as_double == 2.5 and found["broken"].time_unix_nano == 1_700_000_001_500_000_000
    assert otlp.attributes(found["broken"]) == {"unit": "s", "kind": ""}
    one.holdfast.wait_metric("holdfast_receiver_errors", 1, receiver="carbon", reason="malformed")
    one.holdfast.wait_for_log("a line is dropped: not three parts")


def test_rules_over_udp(receiver):
    rules = [
        {"regexp": r"^(?P<key_host>[^.]+)\.(?P<name_0>.+)$$", "name_prefix": "os", "type": "cumulative", "labels": {"k": "v"}}
    ]
    one = receiver(transport="udp", parser={"type": "regex", "config": {"rules": rules, "name_separator": "."}})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"h1.cpu.user 5 1700000000\nplain 1 1700000000\n", ("127.0.0.1", one.port))
    one.wait_for(["os.cpu.user", "plain"])
    point = next(metric for metric in one.metrics() if metric.name == "os.cpu.user").sum.data_points[0]
    assert otlp.attributes(point) == {"host": "h1", "k": "v"}


def test_what_was_read_before_a_kill_is_there(receiver, grpc_backend):
    grpc_backend.stop()
    one = receiver()
    with one.connect() as connection:
        connection.sendall(b"".join(b"m%d 1 1700000000\n" % number for number in range(1000)))
        one.holdfast.wait_metric("otelcol_receiver_accepted_metric_points", 1000, receiver="carbon")
        one.holdfast.kill9()
    one.holdfast.start()
    grpc_backend.start()
    one.wait_for([f"m{number}" for number in range(1000)])


@pytest.mark.parametrize("act", ["restart", "reload"])
def test_a_stop_reads_what_has_come(receiver, act):
    one = receiver()
    with one.connect() as connection:
        connection.sendall(b"".join(b"m%d 1 1700000000\n" % number for number in range(20_000)))
        connection.sendall(b"unfinished 1 1700000000")
        getattr(one.holdfast, act)()
        one.wait_for([*(f"m{number}" for number in range(20_000)), "unfinished"])


def test_a_full_queue_makes_senders_wait(receiver, grpc_backend):
    one = receiver(exporter={"sending_queue": {"queue_size": 1}})
    with one.connect() as connection:
        connection.sendall(b"first 1 1700000000\n")
        one.wait_for(["first"])
        grpc_backend.stop()
        connection.sendall(b"second 1 1700000000\n")
        one.holdfast.wait_metric("otelcol_receiver_accepted_metric_points", 2, receiver="carbon")
        connection.sendall(b"third 1 1700000000\n")
        one.holdfast.wait_metric("otelcol_receiver_refused_metric_points", 1, receiver="carbon")
        connection.sendall(b"fourth 1 1700000000\n")
        grpc_backend.start()
        one.wait_for(["first", "second", "third", "fourth"])


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_a_client_of_graphite(receiver, protocol):
    one = receiver(transport=protocol)
    sender = graphyte.Sender("127.0.0.1", port=one.port, prefix="shop", protocol=protocol, tags={"place": "till"}, raise_send_errors=True)
    sender.send("sold", 7, timestamp=1_700_000_000)
    sender.send("share", 0.25, timestamp=1_700_000_001, tags={"kind": "a"})
    one.wait_for(["shop.sold", "shop.share"])
    found = {metric.name: metric.gauge.data_points[0] for metric in one.metrics()}
    assert (found["shop.sold"].as_int, found["shop.sold"].time_unix_nano) == (7, 1_700_000_000_000_000_000)
    assert otlp.attributes(found["shop.sold"]) == {"place": "till"}
    assert found["shop.share"].as_double == 0.25
    assert otlp.attributes(found["shop.share"]) == {"place": "till", "kind": "a"}
