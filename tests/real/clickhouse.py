"""The exporter clickhouse against ClickHouse itself: chdb, which is ClickHouse as a library, behind a small HTTP server.

Its tables are created, rows of every signal are inserted while Holdfast and the server are killed, and each is there once.
"""

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from support import otlp
from support.holdfast import FAST_RETRY, Holdfast, pipelines
from support.ports import free_port
from support.senders import GrpcSender
from support.waiting import until

from .tools import FOLDER

VERSION = "26.9.0"
HOME = FOLDER / f"chdb-{VERSION}"
SERVER = Path(__file__).with_name("clickhouse_server.py")
INSTALL_SECONDS, START_SECONDS = 900, 300
TABLES = {otlp.LOGS: ("otel_logs", "LogAttributes"), otlp.TRACES: ("otel_traces", "SpanAttributes")}
METRICS = ("otel_metrics_gauge", "Attributes")


def python():
    """Of an environment that has chdb: some 900 MB with what it needs, so it is none of the tests' requirements."""
    program = HOME / "bin" / "python"
    stamp = HOME / "complete"
    if not stamp.exists():
        print(f"installing chdb {VERSION} into {HOME}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", HOME], check=True, timeout=INSTALL_SECONDS)
        command = [program, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"chdb-core=={VERSION}"]
        subprocess.run(command, stdin=subprocess.DEVNULL, check=True, timeout=INSTALL_SECONDS)
        stamp.touch()
    return program


class Server:
    def __init__(self, directory):
        self.home = directory / "clickhouse"
        self.home.mkdir(parents=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        with open(self.home / "log", "ab") as log:
            command = [python(), SERVER, str(self.port), self.home / "data"]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(self.is_ready, lambda: (self.home / "log").read_text()[-3000:], START_SECONDS)
        return self

    def is_ready(self):
        try:
            return self.ask("SELECT 1 AS one") == [{"one": 1}]
        except OSError:
            return False

    def ask(self, query):
        request = urllib.request.Request(self.url, query.encode(), method="POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return [json.loads(line) for line in answer.read().splitlines()]

    def kill(self):
        self.process.kill()
        self.process.wait(20)

    def ids(self, database, table, attributes, as_json):
        value = f"{attributes}.`test.id`" if as_json else f"{attributes}['test.id']"
        return [int(row["id"]) for row in self.ask(f"SELECT {value} AS id FROM {database}.{table}")]


def configuration(server):
    common = {"endpoint": server.url, "compress": "gzip", "timeout": "20s", "retry_on_failure": dict(FAST_RETRY)}
    exporters = {
        "clickhouse": {**common, "database": "otel", "ttl": "72h"},
        "clickhouse/json": {**common, "database": "otel_json", "json": True},
    }
    return {"exporters": exporters, "service": {"pipelines": pipelines(list(exporters))}}


def all_kinds():
    now = time.time_ns()
    request = otlp.METRICS.request()
    scope = request.resource_metrics.add().scope_metrics.add()
    total = scope.metrics.add(name="s").sum
    total.is_monotonic, total.aggregation_temporality = True, 2
    point = total.data_points.add(time_unix_nano=now, as_double=float("inf"))
    point.exemplars.add(time_unix_nano=now, as_int=3, trace_id=b"\x01" * 16)
    scope.metrics.add(name="h").histogram.data_points.add(
        time_unix_nano=now, count=3, sum=4.5, bucket_counts=[1, 2], explicit_bounds=[0.5], min=1, max=2
    )
    point = scope.metrics.add(name="e").exponential_histogram.data_points.add(time_unix_nano=now, count=3, scale=-1)
    point.positive.bucket_counts.extend([1, 2])
    point = scope.metrics.add(name="q").summary.data_points.add(time_unix_nano=now, count=3, sum=4.5)
    point.quantile_values.add(quantile=0.5, value=2.5)
    return request


def write_all(server, holdfast):
    sent = {signal: [] for signal in otlp.SIGNALS}
    with GrpcSender(holdfast.grpc_target) as sender:
        for number in range(30):
            for signal in otlp.SIGNALS:
                some = otlp.new_ids(5)
                sender.export(signal, otlp.request(signal, some))
                sent[signal] += some
            if number in (8, 22):
                holdfast.kill9()
                holdfast.start()
            if number == 15:
                server.kill()
            if number == 25:
                server.start()
        sender.export(otlp.METRICS, all_kinds())
    return sent


def compare(server, sent):
    repeats = 0
    for database, as_json in (("otel", False), ("otel_json", True)):
        tables = {**TABLES, otlp.METRICS: METRICS}
        for signal, (table, attributes) in tables.items():
            found = server.ids(database, table, attributes, as_json and signal is not otlp.METRICS)
            assert set(found) == set(sent[signal]), f"{database}.{table}: {len(set(found))} of {len(sent[signal])}"
            repeats += len(found) - len(set(found))
            print(f"{database}.{table}: {len(found)} rows for {len(sent[signal])} items", flush=True)
        for kind in ("sum", "histogram", "exponential_histogram", "summary"):
            assert server.ask(f"SELECT count() AS n FROM {database}.otel_metrics_{kind}")[0]["n"] >= 1
    print(f"{repeats} rows repeated by kills", flush=True)


def main(directory):
    server = Server(directory)
    holdfast = Holdfast(directory / "holdfast", configuration(server))
    try:
        server.start()
        holdfast.start()
        sent = write_all(server, holdfast)
        for exporter in ("clickhouse", "clickhouse/json"):
            for signal in otlp.SIGNALS:
                until(
                    lambda one=exporter, signal=signal: holdfast.books(signal.name, one)["queued"]["items"] == 0,
                    lambda one=exporter, signal=signal: holdfast.books(signal.name, one),
                    120,
                )
        compare(server, sent)
        holdfast.close()
        return True
    finally:
        if holdfast.process and holdfast.process.poll() is None:
            holdfast.kill9()
        if server.process:
            server.kill()
