"""Splunk's HTTP Event Collector: events, raw lines and metrics as its clients send them; answered once they are on disk.
Peers that are not the test's own are Holdfast's `splunk_hec` exporter, whose requests Splunk takes (test_splunk_hec.py), and a
handler of Python's logging for Splunk."""

import gzip
import json
import logging

import pytest
import requests
from splunk_hec_handler import SplunkHecHandler

from support import otlp
from support.holdfast import otlp_exporter
from support.ports import free_port
from support.waiting import until

CHANNEL = "11111111-2222-3333-4444-555555555555"


class Receiver:
    def __init__(self, start, backend, signals=("logs", "metrics"), exporter=None, **keys):
        self.backend, self.signals = backend, signals
        self.port = free_port()
        self.exporter = otlp_exporter(backend, **(exporter or {}))
        self.url = f"http://127.0.0.1:{self.port}/services/collector"
        self.holdfast = start(self.configuration(**keys))

    def configuration(self, **keys):
        return {
            "receivers": {"splunk_hec": {"endpoint": f"127.0.0.1:{self.port}", **keys}},
            "exporters": {"otlp": self.exporter},
            "service": {"pipelines": {one: {"receivers": ["splunk_hec"], "exporters": ["otlp"]} for one in self.signals}},
        }

    def post(self, body, path="", headers=None, **query):
        body = body if isinstance(body, (str, bytes)) else json.dumps(body)
        return requests.post(self.url + path, data=body, headers=headers, params=query, timeout=10)

    def groups(self):
        """(attributes of the resource, record) of all that has arrived."""
        return [
            ({pair.key: pair.value.string_value for pair in resource.resource.attributes}, record)
            for request in self.backend.accepted()
            for resource in getattr(request.message, "resource_logs", ())
            for scope in resource.scope_logs
            for record in scope.log_records
        ]

    def bodies(self):
        return {record.body.string_value for _, record in self.groups()}

    def metrics(self):
        return [
            metric
            for request in self.backend.accepted()
            for resource in getattr(request.message, "resource_metrics", ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        ]

    def wait_for(self, bodies):
        """Waits for those bodies; after a kill one may come twice."""
        until(lambda: self.bodies() >= set(bodies), lambda: f"{sorted(self.bodies())}, not {sorted(bodies)}")


@pytest.fixture
def receiver(start, grpc_backend):
    return lambda **more: Receiver(start, grpc_backend, **more)


def success(answer):
    return answer.status_code == 200 and answer.json() == {"text": "Success", "code": 0}


def event(text, **more):
    return {"event": text, **more}


def test_events_on_every_path(receiver):
    one = receiver()
    for path in ("", "/event", "/event/1.0"):
        assert success(one.post(event("at" + path), path))
    two = json.dumps(event("first", host="h")) + json.dumps(event("second", host="h", fields={"k": 1.5, "l": ["x"]}))
    assert success(one.post(gzip.compress(two.encode()), headers={"Content-Encoding": "gzip"}))
    meta = {"host": "h", "source": "s", "sourcetype": "t", "index": "i"}
    assert success(one.post(event({"a": [1, None]}, time=1700000000.5, **meta)))
    one.wait_for(["at", "at/event", "at/event/1.0", "first", "second", ""])
    (second,) = [record for _, record in one.groups() if record.body.string_value == "second"]
    assert [entry.key for entry in second.attributes] == ["k", "l"]
    (resource, record), = [group for group in one.groups() if "com.splunk.source" in group[0]]
    assert resource == {"host.name": "h", "com.splunk.source": "s", "com.splunk.sourcetype": "t", "com.splunk.index": "i"}
    assert record.time_unix_nano == 1700000000500000000
    assert record.body.kvlist_value.values[0].key == "a"


def test_raw_lines(receiver):
    one = receiver()
    query = {"host": "h", "source": "s p", "sourcetype": "t", "index": "i", "time": "1700000000", "channel": CHANNEL}
    assert success(one.post("one\r\ntwo\n", "/raw", **query))
    one.wait_for(["one", "two"])
    for resource, record in one.groups():
        assert resource == {"host.name": "h", "com.splunk.source": "s p", "com.splunk.sourcetype": "t", "com.splunk.index": "i"}
        assert record.time_unix_nano == 1700000000000000000


def test_the_keys(receiver):
    names = {"source": "a", "sourcetype": "b", "index": "c", "host": "d"}
    one = receiver(
        raw_path="/r",
        health_path="/h",
        splitting="none",
        access_token_passthrough=True,
        hec_metadata_to_otel_attrs=names,
    )
    base = f"http://127.0.0.1:{one.port}"
    assert requests.get(base + "/h", timeout=10).json() == {"text": "HEC is healthy", "code": 17}
    token = {"Authorization": "Splunk 1-2-3"}
    assert success(requests.post(base + "/r?host=x", data="one\ntwo\n", headers=token, timeout=10))
    one.wait_for(["one\ntwo\n"])
    assert one.groups()[0][0] == {"d": "x", "com.splunk.hec.access_token": "1-2-3"}


def test_metrics_and_events_of_one_request(receiver):
    one = receiver()
    metric = {"time": 1700000000, "event": "metric", "host": "h", "fields": {"metric_name:cpu.user": 1.5, "core": 2}}
    old = {"fields": {"metric_name": "old", "_value": "3"}}
    assert success(one.post(json.dumps(metric) + json.dumps(event("beside")) + json.dumps(old)))
    one.wait_for(["beside"])
    until(lambda: len(one.metrics()) == 2, lambda: f"{one.metrics()}")
    cpu, other = sorted(one.metrics(), key=lambda found: found.name)
    (point,) = cpu.gauge.data_points
    assert (cpu.name, point.as_double, point.time_unix_nano) == ("cpu.user", 1.5, 1700000000000000000)
    assert [(label.key, label.value.string_value) for label in point.attributes] == [("core", "2")]
    assert (other.name, other.gauge.data_points[0].as_double) == ("old", 3)


@pytest.mark.parametrize(
    "body, code, text, number",
    [
        ("", 5, "No data", None),
        (" \n", 5, "No data", None),
        ("nothing", 6, "Invalid data format", 0),
        ('{"event":"x"}{"event":', 6, "Invalid data format", 1),
        ('{"event":"x"}{"host":"h"}', 12, "Event field is required", 1),
        ('{"event":""}', 13, "Event field cannot be blank", 0),
        ('{"event":"x","fields":{"a":{}}}', 15, "Error in handling indexed fields", 0),
        ('{"event":"metric","fields":{"metric_name:a":"x"}}', 15, "Error in handling indexed fields", 0),
    ],
)
def test_bad_bodies(receiver, body, code, text, number):
    one = receiver()
    refused = one.post(body)
    assert refused.status_code == 400
    assert refused.json() == {"text": text, "code": code, **({} if number is None else {"invalid-event-number": number})}
    assert refused.headers["Content-Type"] == "application/json"
    assert success(one.post(event("fine")))
    one.wait_for(["fine"])
    assert one.bodies() == {"fine"} and not one.metrics()


def test_what_else_it_refuses(receiver):
    one = receiver(max_request_body_size=1000)
    assert requests.get(one.url, timeout=10).status_code == 405
    for answer, status, code in [
        (one.post({"acks": [1]}, "/ack", channel=CHANNEL), 400, 14),
        (one.post(event("x"), channel="x"), 400, 11),
        (one.post(event("x"), headers={"X-Splunk-Request-Channel": "no"}), 400, 11),
        (one.post(event("x"), channel=""), 400, 10),
        (one.post("x", "/raw", time="-5"), 400, 6),
        (one.post("no gzip", headers={"Content-Encoding": "gzip"}), 400, 6),
        (one.post("x", headers={"Content-Encoding": "br"}), 415, 6),
        (one.post(event("x" * 2000)), 413, 27),
    ]:
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert success(one.post(event("fine"), headers={"X-Splunk-Request-Channel": CHANNEL}))
    one.wait_for(["fine"])
    assert one.bodies() == {"fine"}


@pytest.mark.parametrize(
    "signals, body, text",
    [
        (("logs",), {"fields": {"metric_name:a": 1}}, "Unsupported metric event"),
        (("metrics",), {"event": "x"}, "Unsupported log event"),
    ],
)
def test_a_signal_without_pipeline(receiver, signals, body, text):
    one = receiver(signals=signals)
    refused = one.post(body)
    assert (refused.status_code, refused.json()["text"]) == (400, text)


def test_credentials(start, grpc_backend):
    one = Receiver.__new__(Receiver)
    one.backend, one.signals, one.port = grpc_backend, ("logs",), free_port()
    one.exporter, one.url = otlp_exporter(grpc_backend), f"http://127.0.0.1:{one.port}/services/collector"
    configuration = one.configuration(auth={"authenticator": "bearertokenauth"})
    configuration["extensions"] = {"bearertokenauth": {"scheme": "Splunk", "token": "1-2-3"}}
    configuration["service"]["extensions"] = ["health_check", "bearertokenauth"]
    start(configuration)
    refused = one.post(event("x"))
    assert (refused.status_code, refused.json()) == (401, {"text": "Invalid authorization", "code": 3})
    assert success(one.post(event("fine"), headers={"Authorization": "Splunk 1-2-3"}))
    one.wait_for(["fine"])


def test_an_ack_extension_is_refused(start, grpc_backend):
    port = free_port()
    configuration = {
        "receivers": {"splunk_hec": {"endpoint": f"127.0.0.1:{port}", "ack": {"extension": "ack"}}},
        "exporters": {"otlp": otlp_exporter(grpc_backend)},
        "service": {"pipelines": {"logs": {"receivers": ["splunk_hec"], "exporters": ["otlp"]}}},
    }
    holdfast = start(configuration, ready=False)
    result = holdfast.command("validate", "--config", holdfast.base_path, "--config", holdfast.config_path)
    assert result.returncode != 0 and "ack::extension" in result.stdout + result.stderr


def test_an_answer_is_kept_over_a_kill(receiver, grpc_backend):
    grpc_backend.stop()
    one = receiver()
    for number in range(50):
        body = json.dumps(event(f"line {number}")) + json.dumps({"fields": {f"metric_name:m{number}": 1}})
        assert success(one.post(body))
    one.holdfast.kill9()
    one.holdfast.start()
    grpc_backend.start()
    one.wait_for([f"line {number}" for number in range(50)])
    wanted = {f"m{number}" for number in range(50)}
    until(lambda: {metric.name for metric in one.metrics()} >= wanted, lambda: f"{len(one.metrics())} metrics")


def test_a_full_queue_is_a_refusal_to_be_tried_again(receiver, grpc_backend):
    grpc_backend.stop()
    one = receiver(signals=("logs",), exporter={"sending_queue": {"queue_size": 1}})
    assert success(one.post(event("first")))
    refused = one.post(event("second"))
    assert refused.status_code == 503 and "Retry-After" in refused.headers
    assert refused.json() == {"text": "Server is busy", "code": 9}
    grpc_backend.start()
    until(lambda: success(one.post(event("second"))), "the queue stays full")
    one.wait_for(["first", "second"])


def test_when_one_of_two_queues_is_full_both_are_repeated(start, grpc_backend):
    """The sender is told to repeat the request, so that nothing is lost; the part that had room may come twice."""
    grpc_backend.stop()
    port = free_port()
    pipeline = {"receivers": ["splunk_hec"]}
    start(
        {
            "receivers": {"splunk_hec": {"endpoint": f"127.0.0.1:{port}"}},
            "exporters": {
                "otlp/logs": otlp_exporter(grpc_backend),
                "otlp/metrics": otlp_exporter(grpc_backend, sending_queue={"queue_size": 1}),
            },
            "service": {
                "pipelines": {
                    "logs": {**pipeline, "exporters": ["otlp/logs"]},
                    "metrics": {**pipeline, "exporters": ["otlp/metrics"]},
                }
            },
        }
    )
    url = f"http://127.0.0.1:{port}/services/collector"
    body = json.dumps(event("x")) + json.dumps({"fields": {"metric_name:a": 1}})
    assert success(requests.post(url, data=body, timeout=10))
    assert requests.post(url, data=body, timeout=10).status_code == 503
    grpc_backend.start()
    until(lambda: success(requests.post(url, data=body, timeout=10)), "the queue stays full")


def test_a_reload_refuses_no_one(receiver):
    one = receiver()
    assert success(one.post(event("before")))
    one.holdfast.write_config(one.configuration(splitting="none"))
    one.holdfast.reload()
    assert success(one.post("while\nit reloads", "/raw"))
    one.holdfast.wait_for_log("the new configuration runs")
    assert success(one.post("after\nreload", "/raw"))
    one.wait_for(["before", "after\nreload"])


def test_what_the_splunk_hec_exporter_sends(receiver, start, grpc_sender):
    one = receiver()
    sender = start(
        {
            "exporters": {"splunk_hec": {"endpoint": one.url, "token": "1-2-3"}},
            "service": {
                "pipelines": {
                    signal: {"receivers": ["otlp"], "exporters": ["splunk_hec"]} for signal in ("logs", "metrics")
                }
            },
        }
    )
    logs, metrics = otlp.new_ids(5), otlp.new_ids(5)
    grpc_sender(sender).export(otlp.LOGS, otlp.request(otlp.LOGS, logs))
    grpc_sender(sender).export(otlp.METRICS, otlp.request(otlp.METRICS, metrics))
    until(lambda: len(one.groups()) >= 5, lambda: f"{len(one.groups())} of 5 records")
    until(lambda: len(one.metrics()) >= 5, lambda: f"{len(one.metrics())} of 5 metrics")


def test_a_handler_of_pythons_logging(receiver):
    one = receiver(access_token_passthrough=True)
    keys = {"source": "till", "sourcetype": "_json", "index": "main", "hostname": "shop"}
    handler = SplunkHecHandler("127.0.0.1", "a-token", port=one.port, proto="http", **keys)
    logger = logging.getLogger("shop")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    logger.info({"time": 1700000000.5, "sold": 7, "fields": {"place": "till"}})
    logger.removeHandler(handler)
    ((resource, record),) = until(one.groups, "no event came")
    assert {pair.key: pair.value for pair in record.body.kvlist_value.values}["log_level"].string_value == "INFO"
    assert (resource["com.splunk.source"], resource["com.splunk.sourcetype"]) == ("till", "_json")
    assert (resource["host.name"], resource["com.splunk.index"]) == ("shop", "main")
    assert resource["com.splunk.hec.access_token"] == "a-token"
    assert record.time_unix_nano == 1700000000500000000
