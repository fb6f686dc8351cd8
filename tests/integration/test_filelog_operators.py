"""Operators make of lines what the Go collector makes of them. Its answers are recorded in cases/filelog.json; with
HOLDFAST_PEER (the path of its program) they are recorded again."""

import http.server
import json
import os
import subprocess
import threading
import time
from pathlib import Path

import pytest
import yaml

from support.waiting import until

HERE = Path(__file__).parent
CASES = yaml.safe_load((HERE / "cases" / "filelog.yaml").read_text())
# Newer Go collectors name their receiver where no operator names a scope.
SCOPES = ["github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver"]
RECORDED = HERE / "cases" / "filelog.json"


def configuration(directory, output):
    """A receiver for every case, each with a folder of its own; the case's name is an attribute of the resource."""
    receivers = {}
    for name, case in CASES.items():
        folder = directory / "default_pod-1_49cc7c1fd3702c40b2686ea7486091d3" / name.replace("_", "-")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "1.log").write_bytes("".join(line + "\n" for line in case["lines"]).encode())
        receivers[f"filelog/{name}"] = {
            "include": [str(folder / "*.log")],
            "start_at": "beginning",
            "include_file_name": False,
            "resource": {"case": name},
            "operators": case["operators"],
            **case.get("receiver", {}),
        }
    return {
        "receivers": receivers,
        "exporters": {"file": {"path": str(output)}},
        "service": {
            "pipelines": {"logs": {"receivers": list(receivers), "exporters": ["file"]}},
        },
    }


def plain(value):
    """An AnyValue of OTLP/JSON as what it holds; maps in the order of their keys."""
    if not value:
        return None
    kind, held = next(iter(value.items()))
    if kind == "kvlistValue":
        return {pair.get("key", ""): plain(pair.get("value")) for pair in held.get("values", [])}
    if kind == "arrayValue":
        return [plain(one) for one in held.get("values", [])]
    return int(held) if kind == "intValue" else {"double": held} if kind == "doubleValue" else held


def attributes(of):
    return {pair.get("key", ""): plain(pair.get("value")) for pair in of.get("attributes", [])}


def read(output, directory):
    """{case: its records} of what the file exporter wrote."""
    found = {name: [] for name in CASES}
    text = output.read_text().replace(str(directory), "DIRECTORY") if output.exists() else ""
    for line in text.splitlines():
        for resource_logs in json.loads(line)["resourceLogs"]:
            resource = attributes(resource_logs["resource"])
            name = resource.pop("case")
            for scope_logs in resource_logs["scopeLogs"]:
                for record in scope_logs["logRecords"]:
                    record.pop("observedTimeUnixNano", None)
                    record["body"] = plain(record.get("body"))
                    record["attributes"] = attributes(record)
                    record["resource"] = resource
                    name_of_scope = scope_logs.get("scope", {}).get("name", "")
                    record["scope"] = "" if name_of_scope in SCOPES else name_of_scope
                    record = {key: value for key, value in record.items() if value not in ("", "0", 0)}
                    if CASES[name].get("undated"):
                        record.pop("timeUnixNano", None)  # it is of the year in which the test runs
                    found[name].append(dict(sorted(record.items())))
    # Records of one resource keep their order; resources have none.
    for records in found.values():
        records.sort(key=lambda record: json.dumps(record["resource"], sort_keys=True))
    return found


class Sink(http.server.BaseHTTPRequestHandler):
    """Takes OTLP/JSON and appends it to a file, a request a line."""

    output = None

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(self.output, "ab") as file:
            file.write(body + b"\n")
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def run_peer(program, tmp_path):
    """What the Go collector makes of the cases: all that comes until nothing came for some seconds."""
    directory, output = tmp_path / "peer", tmp_path / "peer.json"
    directory.mkdir()
    server = http.server.HTTPServer(("127.0.0.1", 0), type("Here", (Sink,), {"output": output}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config = configuration(directory, output)
    endpoint = f"http://127.0.0.1:{server.server_port}"
    config["exporters"] = {"otlphttp": {"endpoint": endpoint, "encoding": "json", "compression": "none"}}
    config["service"]["pipelines"]["logs"]["exporters"] = ["otlphttp"]
    config["service"]["telemetry"] = {"metrics": {"level": "none"}}
    path = tmp_path / "peer.yaml"
    path.write_text(yaml.safe_dump(config))
    with open(tmp_path / "peer.log", "wb") as log:
        process = subprocess.Popen([program, "--config", path], stdout=log, stderr=log)
        try:
            seen, calm = None, 0
            while calm < 60:
                now = output.stat().st_size if output.exists() else None
                calm = calm + 1 if now == seen and now else 0
                seen = now
                assert process.poll() is None, (tmp_path / "peer.log").read_text()[-3000:]
                time.sleep(0.1)
        finally:
            process.terminate()
            process.wait()
            server.shutdown()
    return read(output, directory)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    if "HOLDFAST_PEER" in os.environ:
        answers = run_peer(os.environ["HOLDFAST_PEER"], tmp_path_factory.mktemp("peer"))
        RECORDED.write_text(json.dumps(answers, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    return json.loads(RECORDED.read_text())


def test_recorded_answers_are_the_same(start, tmp_path, expected):
    directory, output = tmp_path / "files", tmp_path / "out.json"
    directory.mkdir()
    start(configuration(directory, output))

    def differing():
        found = read(output, directory)
        return {
            name: {"expected": records, "found": found[name]}
            for name, records in expected.items()
            if found[name] != records
        }

    until(lambda: not differing(), lambda: json.dumps(differing(), indent=1, ensure_ascii=False))
