"""Receivers that scrape beside the Go collector: both ask the same server, the metrics that come out equal after sorting.

A case is a folder under `scrapers/TYPE/`:

    config.yaml    receiver: its configuration, with ${env:SCRAPED} as host:port of the server
                   environment: {NAME: value}, with $SCRAPED for the same
                   answers: {path: file of this folder}; a path that is absent is 404
                   or objects: file of this folder, {kind in the plural: [object]}, of an API server of Kubernetes
                   items: how many metrics come out of one scrape
                   unmeasured: names of metrics whose values are of the moment and not compared
                   unordered: true, where points come in any order
                   difference: where and why the outputs differ, if they do
    expected.json  what the Go collector's receiver made of it, sorted: a metric each, with its resource and scope
    holdfast.json  with a difference: what Holdfast makes of it

Answers do not change, so that every scrape makes the same but for its times. The test replays the recorded outputs. With
HOLDFAST_PEER_SCRAPERS=PROGRAM, which is built in `scrapers/`, it compares, and writes expected.json when there is none yet
or HOLDFAST_RECORD is set.
"""

import contextlib
import http.server
import json
import os
import subprocess
import threading
from pathlib import Path

import pytest
import yaml

from differential.test_processors import RECORD, differences, plain, written
from support.backends import HttpBackend
from support.certificates import Authority
from support.holdfast import Holdfast, otlphttp_exporter
from support.kubernetes import KubernetesApi
from support.waiting import until

CASES = Path(__file__).parent / "scrapers"
PEER = os.environ.get("HOLDFAST_PEER_SCRAPERS")
OWN_WORDS = {"description", "version"}  # of metrics; of scopes
TIMES = {"timeUnixNano", "startTimeUnixNano"}


class Server:
    """Gives the answers of a case; /events, as Docker has it, stays open and says nothing."""

    def __init__(self, folder, answers):
        self.answers = {path: (folder / name).read_bytes() for path, name in answers.items()}
        self.ending = threading.Event()

    def __enter__(self):
        scraped = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                path = self.path.partition("?")[0]
                if path.endswith("/events"):
                    self.send_response(200)
                    self.end_headers()
                    self.wfile.flush()
                    scraped.ending.wait()
                    self.close_connection = True
                    return
                body = scraped.answers.get(path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body or b"{}")))
                self.end_headers()
                self.wfile.write(body or b"{}")

            def log_message(self, *_):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.server.shutdown()
        self.server.server_close()


class Cluster:
    """The API server of a case: with TLS, to whoever asks."""

    def __init__(self, objects, directory):
        self.api = KubernetesApi(Authority(directory).issue("kubernetes"))
        for kind, listed in objects.items():
            for one in listed:
                metadata = dict(one["metadata"])
                parts = {key: value for key, value in one.items() if key != "metadata"}
                self.api.put(kind, metadata.pop("name"), metadata.pop("namespace", None), metadata=metadata, **parts)

    def __enter__(self):
        self.api.start()
        self.address = f"127.0.0.1:{self.api.port}"
        return self

    def __exit__(self, *_):
        self.api.stop()


def serving(folder, case, directory):
    if "objects" in case:
        return Cluster(json.loads((folder / case["objects"]).read_text()), directory)
    return Server(folder, case["answers"])


def timeless(value):
    """Without times, though not without saying that there is one, and without words that each has of its own."""
    if isinstance(value, dict):
        return {key: "set" if key in TIMES else timeless(inner) for key, inner in value.items() if key not in OWN_WORDS}
    return [timeless(one) for one in value] if isinstance(value, list) else value


def comparable(case, metric):
    """The metric with what of its points can be compared, in an order that can."""
    for data in metric.values():
        points = data.get("dataPoints", []) if isinstance(data, dict) else []
        for point in points:
            for key in ("asInt", "asDouble") if metric["name"] in case.get("unmeasured", ()) else ():
                point.pop(key, None)
        if case.get("unordered"):
            points.sort(key=lambda point: json.dumps(point.get("attributes"), sort_keys=True))
    return metric


def metrics(case, backend):
    """Each different metric that came out, with its resource and scope, in the order of their texts."""
    found = {}
    for received in backend.accepted():
        for resource in plain(received.message).get("resourceMetrics", []):
            for scope in resource.get("scopeMetrics", []):
                for metric in scope.get("metrics", []):
                    metric = comparable(case, metric)
                    one = timeless({"resource": resource.get("resource", {}), "scope": scope.get("scope", {}), "metric": metric})
                    one = json.loads(json.dumps(one).replace(case["address"], "SCRAPED"))
                    found[json.dumps(one, sort_keys=True)] = one
    return [found[text] for text in sorted(found)]


def one_scrape(case, backend, said):
    """Two requests more than are needed, so that what comes later than the rest is seen."""
    until(lambda: len(metrics(case, backend)) >= case["items"], lambda: f"{len(metrics(case, backend))} metrics came out\n{said()}")
    count = len(backend.accepted())
    until(lambda: len(backend.accepted()) >= count + 2, "no more scrapes")
    return metrics(case, backend)


def environment_of(case, server):
    host, port = server.address.split(":")
    named = case.get("environment", {})
    return {
        "SCRAPED": server.address,
        "KUBERNETES_SERVICE_HOST": host,
        "KUBERNETES_SERVICE_PORT": port,
        **{name: value.replace("$SCRAPED", server.address) for name, value in named.items()},
    }


def through_holdfast(case, server, directory):
    kind = case["type"]
    with HttpBackend() as backend:
        configuration = {
            "receivers": {kind: {**case["receiver"], "collection_interval": "200ms"}},
            "exporters": {"otlphttp": otlphttp_exporter(backend)},
            "service": {"pipelines": {"metrics": {"receivers": [kind], "exporters": ["otlphttp"]}}},
        }
        instance = Holdfast(directory, configuration, environment=environment_of(case, server))
        try:
            instance.start()
            return one_scrape(case, backend, instance.log)
        finally:
            instance.close()


@contextlib.contextmanager
def running(command, log, environment):
    with open(log, "wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env={**os.environ, **environment})
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def through_peer(case, server, log):
    receiver = {**case["receiver"], "collection_interval": "200ms"}
    configuration = json.dumps(receiver).replace("${env:SCRAPED}", server.address)
    with HttpBackend() as backend:
        with running([PEER, case["type"], configuration, backend.endpoint], log, environment_of(case, server)):
            return one_scrape(case, backend, log.read_text)


@pytest.mark.parametrize(
    "folder", sorted(path.parent for path in CASES.glob("*/*/config.yaml")), ids=lambda path: "-".join(path.parts[-2:])
)
def test_the_output_is_that_of_the_go_collector(folder, tmp_path):
    case = {"type": folder.parent.name, **yaml.safe_load((folder / "config.yaml").read_text())}
    recorded = folder / "expected.json"
    with serving(folder, case, tmp_path / "authority") as server:
        case["address"] = server.address
        if PEER:
            found = through_peer(case, server, tmp_path / "peer.log")
            if RECORD or not recorded.exists():
                written(recorded, found)
            changes = differences(found, json.loads(recorded.read_text()))
            assert not changes, f"the Go collector no longer does what was recorded:\n{changes}"
        wanted = recorded if "difference" not in case else folder / "holdfast.json"
        found = through_holdfast(case, server, tmp_path / "holdfast")
    if "difference" in case and RECORD and not wanted.exists():
        written(wanted, found)
    changes = differences(found, json.loads(wanted.read_text()))
    assert not changes, changes
