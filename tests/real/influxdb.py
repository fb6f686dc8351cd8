"""The exporter influxdb against a real InfluxDB 1, which Debian has.

Points are written while Holdfast is killed and InfluxDB is killed; then every value is there at its time. A point whose
field has another type is refused alone.
"""

import json
import os
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from pathlib import Path

from opentelemetry.proto.metrics.v1 import metrics_pb2 as m

from support import otlp
from support.holdfast import FAST_RETRY, Holdfast, pipelines
from support.ports import free_port
from support.senders import GrpcSender
from support.waiting import until

START_SECONDS = 60
CONFIGURATION = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
dir = "{home}/meta"
[data]
dir = "{home}/data"
wal-dir = "{home}/wal"
[http]
bind-address = "127.0.0.1:{port}"
[monitor]
store-enabled = false
"""


def program():
    elsewhere = Path(os.environ.get("HOLDFAST_REAL_BIN", "/nonexistent")) / "influxd"
    found = str(elsewhere) if elsewhere.exists() else shutil.which("influxd")
    if found is None:
        raise SystemExit("influxd is not there (apt-get install influxdb)")
    return found


class InfluxDB:
    def __init__(self, directory):
        self.home = directory / "influxdb"
        self.home.mkdir(parents=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        text = CONFIGURATION.format(home=self.home, port=self.port, rpc=free_port())
        (self.home / "influxdb.conf").write_text(text)
        self.process = None

    def start(self):
        with open(self.home / "log", "ab") as log:
            self.process = subprocess.Popen(
                [program(), "-config", self.home / "influxdb.conf"],
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until(self.is_ready, lambda: (self.home / "log").read_text()[-3000:], START_SECONDS)
        return self

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"{self.url}/ping", timeout=5) as answer:
                return answer.status == 204
        except OSError:
            return False

    def kill(self):
        self.process.kill()
        self.process.wait(20)

    def ask(self, query):
        """The rows of the series that it finds, each as a map."""
        data = urllib.parse.urlencode({"q": query, "db": "telemetry", "epoch": "ns"}).encode()
        with urllib.request.urlopen(f"{self.url}/query", data, timeout=30) as answer:
            (result,) = json.loads(answer.read())["results"]
        assert "error" not in result, result
        return [dict(zip(series["columns"], row)) for series in result.get("series", ()) for row in series["values"]]


def request(*all_metrics):
    group = m.ResourceMetrics(scope_metrics=[m.ScopeMetrics(metrics=all_metrics)])
    group.resource.attributes.append(otlp.attribute("service.name", "my shop, inc=x"))
    return otlp.METRICS.request(resource_metrics=[group])


def gauge(name, time_ns, **value):
    return m.Metric(name=name, gauge=m.Gauge(data_points=[m.NumberDataPoint(time_unix_nano=time_ns, **value)]))


def write_all(influx, holdfast, sender):
    """Sends with kills of both sides; returns {time in ns: value}."""
    sent = {}
    begun_ns = time.time_ns() - 600 * 10**9
    for number in range(300):
        time_ns = begun_ns + number * 10**9
        sender.export(otlp.METRICS, request(gauge("items", time_ns, as_double=number)))
        sent[time_ns] = number
        if number in (80, 220):
            holdfast.kill9()
            holdfast.start()
        if number == 120:
            influx.kill()
        if number == 250:
            influx.start()
    return sent


def check_conflict(influx, holdfast, sender):
    """A field cannot be of two types: the point that comes later is a dead letter, its neighbours are written."""
    now_ns = time.time_ns()
    sender.export(
        otlp.METRICS,
        request(
            gauge("before", now_ns, as_double=1),
            gauge("items", now_ns, as_int=1),
            gauge("behind", now_ns, as_double=2),
        ),
    )
    until(
        lambda: holdfast.books("metrics", "influxdb")["dead_lettered"]["items"] == 1,
        lambda: (holdfast.books("metrics", "influxdb"), holdfast.log()[-2000:]),
    )
    until(
        lambda: holdfast.books("metrics", "influxdb")["queued"]["items"] == 0,
        lambda: holdfast.books("metrics", "influxdb"),
    )
    assert [row["gauge"] for row in influx.ask("select * from before")] == [1]
    assert [row["gauge"] for row in influx.ask("select * from behind")] == [2]


def check_signals(influx, sender):
    ids = otlp.new_ids(2)
    sender.export(otlp.LOGS, otlp.request(otlp.LOGS, ids[:1], padding='a "quoted"\nbody \\'))
    sender.export(otlp.TRACES, otlp.request(otlp.TRACES, ids[1:]))
    until(lambda: influx.ask("select * from spans"), "no span")
    until(lambda: influx.ask("select * from logs"), "no record")
    (record,) = influx.ask("select * from logs")
    assert 'a "quoted"\nbody \\' in (record["body"] or "") + json.loads(record["attributes"] or "{}").get("padding", ""), record


def main(directory):
    influx = InfluxDB(directory)
    exporter = {
        "endpoint": influx.url,
        "v1_compatibility": {"enabled": True, "db": "telemetry"},
        "compression": "gzip",
        "retry_on_failure": dict(FAST_RETRY),
    }
    configuration = {
        "exporters": {"influxdb": exporter},
        "service": {"pipelines": pipelines(["influxdb"], signals=("traces", "metrics", "logs"))},
    }
    holdfast = Holdfast(directory / "holdfast", configuration)
    try:
        influx.start()
        influx.ask("create database telemetry")
        holdfast.start()
        with GrpcSender(holdfast.grpc_target) as sender:
            sent = write_all(influx, holdfast, sender)

            def rows():
                return {row["time"]: row["gauge"] for row in influx.ask("select * from items")}

            until(lambda: rows() == sent, lambda: f"{len(rows())} of {len(sent)} points", 60)
            (row, *_) = influx.ask("select * from items limit 1")
            assert row["service.name"] == "my shop, inc=x", row
            print(f"{len(sent)} points, each with its value and time", flush=True)
            check_conflict(influx, holdfast, sender)
            check_signals(influx, sender)
        holdfast.close()
        return True
    finally:
        if holdfast.process and holdfast.process.poll() is None:
            holdfast.kill9()
        if influx.process:
            influx.kill()
