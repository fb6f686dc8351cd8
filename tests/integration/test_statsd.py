"""StatsD: the official client's lines over UDP, TCP and a Unix socket; what a kill, a stop, a reload and a full queue
cost."""

import json
import socket

import pytest
import statsd

from support.holdfast import otlp_exporter
from support.ports import free_port
from support.waiting import until

LONG = "1h"  # no interval ends by itself


class Receiver:
    """A running Holdfast with a statsd receiver, and the points that came out."""

    def __init__(self, start, backend, tmp_path, **settings):
        self.backend = backend
        self.port = free_port()
        self.path = str(tmp_path / "statsd.sock")
        text = json.dumps({"endpoint": "127.0.0.1:PORT", "aggregation_interval": LONG, **settings})
        self.settings = json.loads(text.replace("PORT", str(self.port)).replace("PATH", self.path))
        self.holdfast = start(self.configuration())

    def configuration(self, **more):
        return {
            "receivers": {"statsd": {**self.settings, **more}},
            "exporters": {"otlp": otlp_exporter(self.backend)},
            "service": {"pipelines": {"metrics": {"receivers": ["statsd"], "exporters": ["otlp"]}}},
        }

    def send(self, *lines):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for line in lines:
                sender.sendto(line.encode(), ("127.0.0.1", self.port))

    def wait_read(self, count):
        self.holdfast.wait_metric(
            "otelcol_receiver_received_statsd_metrics", count, receiver="statsd", parse_success="true"
        )

    def metrics(self):
        return self.backend.metrics()

    def counter(self, name):
        """The sum of all points of a counter; a point that was delivered twice, as after a kill, counts once. An
        interval that were handed over twice would have points of two times."""
        points = {
            (point.start_time_unix_nano, point.time_unix_nano, str(point.attributes), point.as_int)
            for metric in self.metrics()
            if metric.name == name
            for point in metric.sum.data_points
        }
        return sum(point[3] for point in points)

    def wait_counter(self, name, value):
        until(lambda: self.counter(name) >= value, lambda: f"{name} is {self.counter(name)}, not {value}")
        assert self.counter(name) == value


@pytest.fixture
def receiver(start, grpc_backend, tmp_path):
    return lambda **settings: Receiver(start, grpc_backend, tmp_path, **settings)


class TestClients:
    def test_udp(self, receiver):
        one = receiver(aggregation_interval="200ms")
        client = statsd.StatsClient("127.0.0.1", one.port, prefix="app")
        for _ in range(10):
            client.incr("hits", 3)
        client.gauge("depth", 7)
        client.gauge("depth", 2, delta=True)
        client.timing("took", 320)
        one.wait_counter("app.hits", 30)
        until(lambda: {"app.depth", "app.took"} <= {metric.name for metric in one.metrics()}, "no gauge")
        one.wait_read(13)

    def test_tcp(self, receiver):
        one = receiver(transport="tcp", aggregation_interval="200ms")
        client = statsd.TCPStatsClient("127.0.0.1", one.port)
        for _ in range(10):
            client.incr("hits", 3)
        one.wait_counter("hits", 30)
        client.close()

    def test_a_unix_socket(self, receiver):
        one = receiver(transport="unixgram", endpoint="PATH", aggregation_interval="200ms", socket_permissions="0600")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.connect(one.path)
            for _ in range(10):
                sender.send(b"hits:3|c\ndepth:1|g")
        one.wait_counter("hits", 30)
        one.holdfast.kill9()
        one.holdfast.start()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.connect(one.path)
            sender.send(b"hits:3|c")
        one.wait_counter("hits", 33)

    def test_what_cannot_be_read_is_counted_and_said(self, receiver):
        one = receiver()
        one.send("unique:1|s", "nothing", "a:1|c|#x")
        one.holdfast.wait_metric(
            "otelcol_receiver_received_statsd_metrics", 3, receiver="statsd", parse_success="false"
        )
        one.holdfast.wait_for_log("a line of 127.0.0.1:[0-9]+ is dropped: a type that is not known")


class TestWhatIsRead:
    def saved(self, one, text):
        """Waits until the file of the interval has that text."""
        path = one.holdfast.data_directory / "statsd.state"
        until(lambda: path.exists() and text.encode() in path.read_bytes(), f"{text} is not saved")

    def test_survives_a_kill_in_the_middle_of_an_interval(self, receiver):
        one = receiver(ignore_host=True)
        one.send(*["hits:1|c"] * 50, "last.one:1|c")
        one.wait_read(51)
        self.saved(one, "last.one")
        one.holdfast.kill9()
        one.holdfast.start()
        one.send(*["hits:1|c"] * 7)
        one.wait_read(7)
        one.holdfast.terminate()
        one.holdfast.start()
        one.wait_counter("hits", 57)

    def test_is_delivered_once_whenever_the_kill_comes(self, receiver):
        one = receiver(ignore_host=True, aggregation_interval="150ms")
        for turn in range(4):
            one.send(*["hits:1|c"] * 5, f"turn{turn}:1|c")
            until(
                lambda turn=turn: one.holdfast.metric("otelcol_receiver_accepted_metric_points", receiver="statsd"),
                "no interval has ended",
            )
            one.wait_counter(f"turn{turn}", 1)
            one.holdfast.kill9()
            one.holdfast.start()
        one.wait_counter("hits", 20)

    @pytest.mark.parametrize("act", ["restart", "reload"])
    def test_is_handed_over_at_a_stop(self, receiver, act):
        one = receiver()
        one.send(*["hits:1|c"] * 50)
        one.wait_read(50)
        if act == "reload":
            one.holdfast.write_config(one.configuration(enable_metric_type=True))
        getattr(one.holdfast, act)()
        one.wait_counter("hits", 50)

    def test_waits_for_a_queue_that_is_full(self, receiver, grpc_backend):
        grpc_backend.stop()
        one = receiver(aggregation_interval="100ms")
        one.holdfast.write_config(
            {
                **one.configuration(),
                "exporters": {"otlp": {**otlp_exporter(grpc_backend), "sending_queue": {"queue_size": 1}}},
            }
        )
        one.holdfast.restart()
        one.send("first:1|c")
        one.holdfast.wait_metric("otelcol_receiver_accepted_metric_points", 1, receiver="statsd")
        one.send("second:1|c")
        one.holdfast.wait_metric("otelcol_receiver_refused_metric_points", 1, receiver="statsd")
        one.holdfast.kill9()
        grpc_backend.start()
        one.holdfast.start()
        one.wait_counter("first", 1)
        one.wait_counter("second", 1)


def test_bad_values_are_named(start, tmp_path):
    cases = {
        "explicit_buckets: buckets": {"histogram": {"explicit_buckets": [{"matcher_pattern": "x", "buckets": [2, 1]}]}},
        "matcher_pattern": {"histogram": {"explicit_buckets": [{"matcher_pattern": "(", "buckets": [1]}]}},
    }
    for wanted, mapping in cases.items():
        settings = {
            "endpoint": "127.0.0.1:0",
            "timer_histogram_mapping": [{"statsd_type": "timer", "observer_type": "histogram", **mapping}],
        }
        instance = start(
            {
                "receivers": {"statsd": settings},
                "exporters": {"nop": None},
                "service": {"pipelines": {"metrics": {"receivers": ["statsd"], "exporters": ["nop"]}}},
            },
            ready=False,
        )
        instance.spawn().process.wait(20)
        assert instance.process.returncode not in (0, None)
        assert wanted in instance.log()
