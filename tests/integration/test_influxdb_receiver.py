"""InfluxDB's line protocol as its clients write it, answered once it is on disk. A peer that is not the test's own is
InfluxDB's client library for Python."""

import gzip

import influxdb_client
import pytest
import requests
from influxdb_client.client.write_api import SYNCHRONOUS

from support.holdfast import otlp_exporter
from support.ports import free_port
from support.waiting import until

PIPELINE = {"receivers": ["influxdb"], "exporters": ["otlp"]}


class Receiver:
    def __init__(self, start, backend, **exporter):
        self.backend = backend
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.holdfast = start(
            {
                "receivers": {"influxdb": {"endpoint": f"127.0.0.1:{self.port}"}},
                "exporters": {"otlp": otlp_exporter(backend, **exporter)},
                "service": {"pipelines": {"metrics": PIPELINE}},
            }
        )

    def write(self, lines, path="/api/v2/write?org=o&bucket=b", **headers):
        data = lines.encode() if isinstance(lines, str) else lines
        return requests.post(self.url + path, data=data, headers=headers, timeout=10)

    def points(self):
        """{(name, time in ns): value}"""
        return {
            (metric.name, point.time_unix_nano): point.as_int if point.WhichOneof("value") == "as_int" else point.as_double
            for request in self.backend.accepted()
            for resource in request.message.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            for point in [*metric.gauge.data_points, *metric.sum.data_points]
        }

    def wait_for(self, points):
        until(lambda: self.points() == points, lambda: f"{self.points()}, not {points}")


@pytest.fixture
def receiver(start, grpc_backend):
    return lambda **exporter: Receiver(start, grpc_backend, **exporter)


def test_both_versions_and_their_precisions(receiver):
    one = receiver()
    assert requests.get(one.url + "/ping", timeout=10).status_code == 204
    assert one.write("a gauge=1 5").status_code == 204
    assert one.write("b gauge=2i 5", "/write?db=d&rp=r&precision=s").status_code == 204
    assert one.write("c gauge=3 5", "/api/v2/write?precision=ms").status_code == 204
    assert one.write(gzip.compress(b"cpu usage=4 5\n"), **{"Content-Encoding": "gzip"}).status_code == 204
    one.wait_for({("a", 5): 1, ("b", 5 * 10**9): 2, ("c", 5 * 10**6): 3, ("cpu_usage", 5): 4})


def test_the_library_of_influxdb(receiver):
    one = receiver()
    with influxdb_client.InfluxDBClient(url=one.url, token="t", org="o", enable_gzip=True) as client:
        assert client.ping()
        points = [
            influxdb_client.Point("my, measure").tag("a b", "c=d,e").field("f", number).time(number + 1, "ns")
            for number in range(3)
        ]
        client.write_api(write_options=SYNCHRONOUS).write("bucket", record=points)
    one.wait_for({("my, measure_f", number + 1): number for number in range(3)})
    (metric,) = one.backend.accepted()[0].message.resource_metrics[0].scope_metrics[0].metrics
    assert [(entry.key, entry.value.string_value) for entry in metric.gauge.data_points[0].attributes] == [("a b", "c=d,e")]


def test_a_wrong_line_costs_no_other(receiver):
    one = receiver()
    for path, member in (("/write", "error"), ("/api/v2/write", "message")):
        answer = one.write('a gauge=1 5\nm "f\nb gauge=1 5\n', path)
        assert answer.status_code == 400
        assert answer.json()[member] == (
            "partial write: unable to parse 'm ?f' on line 2: a field has no key or no value, lines dropped: 1"
        )
    one.wait_for({("a", 5): 1, ("b", 5): 1})
    until(lambda: "partial write" in one.holdfast.log(), one.holdfast.log)


def test_what_it_refuses(receiver):
    one = receiver()
    assert one.write("a gauge=1", "/query").status_code == 404
    assert requests.get(one.url + "/write", timeout=10).status_code == 405
    precision = one.write("a gauge=1", "/api/v2/write?precision=d")
    assert (precision.status_code, precision.json()["code"]) == (400, "invalid")
    coding = one.write("a gauge=1", **{"Content-Encoding": 'a"b'})
    assert coding.status_code == 415 and coding.json()["message"].endswith("a?b")
    assert one.write(b"no gzip", **{"Content-Encoding": "gzip"}).status_code == 400
    assert one.write("").status_code == 204
    assert one.write("fine gauge=1 5").status_code == 204
    one.wait_for({("fine", 5): 1})


def test_what_metrics_do_not_have_is_told(receiver):
    one = receiver()
    assert one.write('a f=1,text="x" 5').status_code == 204
    one.wait_for({("a_f", 5): 1})
    until(lambda: "fields of text or truth values are ignored" in one.holdfast.log(), one.holdfast.log)


def test_an_answer_is_kept_over_a_kill(receiver, grpc_backend):
    grpc_backend.stop()
    one = receiver()
    for number in range(50):
        assert one.write(f"a gauge={number} {number + 1}").status_code == 204
    one.holdfast.kill9()
    one.holdfast.start()
    grpc_backend.start()
    one.wait_for({("a", number + 1): number for number in range(50)})


def test_a_full_queue_is_a_refusal_to_be_tried_again(receiver, grpc_backend):
    grpc_backend.stop()
    one = receiver(sending_queue={"queue_size": 1})
    assert one.write("a gauge=1 1").status_code == 204
    refused = one.write("a gauge=2 2")
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable") and "Retry-After" in refused.headers
    grpc_backend.start()
    until(lambda: one.write("a gauge=2 2").status_code == 204, "the queue stays full")
    one.wait_for({("a", 1): 1, ("a", 2): 2})
