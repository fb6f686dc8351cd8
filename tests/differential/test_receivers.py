"""Receivers beside the Go collector: the same bytes sent to both, the items that come out equal after sorting.

A case is a folder under `receivers/`:

    config.yaml    signal: traces, metrics or logs
                   receiver: a receiver's configuration, with ${env:PUSH_PORT} as its port
                   peer: more keys, which only the Go collector's needs
                   send: what is sent to that port, in order, each with `file` (of this folder) and one of
                       http: path (headers, status: the answer that is expected), tcp: true, udp: true
                       (`lines`: a packet for each line), grpc: method;
                       or `files`, the messages of one stream, and grpc_stream: method
                   items: how many come out
                   volatile: keys of items and scopes that are of the moment or of the program, and not compared
                   difference: where and why the outputs differ, if they do
    expected.json  what the Go collector made of it, sorted: an item each, with its resource and scope
    holdfast.json  with a difference: what Holdfast makes of it

The test replays the recorded outputs. With HOLDFAST_PEER_PUSHED=PROGRAM, which is built in differential/pushed, it runs
that program on the cases of its types, compares, and writes expected.json when there is none yet or HOLDFAST_RECORD is
set; HOLDFAST_PEER_PUSHED_OLDER is the same of other types. For opencensus, of which the releases of the Go collector have
no receiver any more, that is HOLDFAST_PEER_OPENCENSUS, the program in differential/opencensus; it also made each .bin of
the .json beside it.
"""

import contextlib
import json
import os
import socket
import subprocess
from pathlib import Path

import grpc
import pytest
import requests
import yaml

from differential.test_processors import RECORD, SIGNALS, differences, plain, written
from support.backends import HttpBackend
from support.holdfast import Holdfast, otlphttp_exporter
from support.ports import free_port, is_bound
from support.waiting import until

CASES = Path(__file__).parent / "receivers"
OLDER = {"awsxray", "carbon", "influxdb", "loki", "prometheusremotewrite", "splunk_hec"}
LEVELS = {
    "traces": ("resourceSpans", "scopeSpans", "spans"),
    "logs": ("resourceLogs", "scopeLogs", "logRecords"),
    "metrics": ("resourceMetrics", "scopeMetrics", "metrics"),
}


def without(value, keys):
    if isinstance(value, dict):
        return {key: without(inner, keys) for key, inner in value.items() if key not in keys}
    if isinstance(value, list):
        return [without(one, keys) for one in value]
    return value


def flat(case, backend):
    """Every item that came out with its resource and scope, in the order of their texts."""
    resources, scopes, items = LEVELS[case["signal"]]
    found = []
    for received in backend.accepted():
        for resource in plain(received.message).get(resources, []):
            for scope in resource.get(scopes, []):
                for item in scope.get(items, []):
                    found.append(
                        {
                            "resource": resource.get("resource", {}),
                            "scope": without(scope.get("scope", {}), case.get("volatile", ())),
                            "item": without(item, case.get("volatile", ())),
                        }
                    )
    return sorted(found, key=lambda one: json.dumps(one, sort_keys=True))


def push_stream(method, messages, port):
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        # The protocol has empty answers, as many as the receiver likes: Holdfast gives one at the end, the Go collector none.
        assert set(channel.stream_stream(method)(iter(messages), timeout=10, wait_for_ready=True)) <= {b""}


def push(folder, one, port):
    if "grpc_stream" in one:
        push_stream(one["grpc_stream"], [(folder / name).read_bytes() for name in one["files"]], port)
        return
    body = (folder / one["file"]).read_bytes()
    if "http" in one:
        url = f"http://127.0.0.1:{port}{one['http']}"
        answer = requests.post(url, data=body, headers=one.get("headers", {}), timeout=10)
        assert answer.status_code == one.get("status", 202), answer.text
    elif "grpc" in one:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            channel.unary_unary(one["grpc"])(body, timeout=10)
    elif "udp" in one:
        packets = body.splitlines() if one.get("lines") else [body]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for packet in packets:
                sender.sendto(packet, ("127.0.0.1", port))
    else:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(body)


def exchange(folder, case, backend, port):
    for one in case["send"]:
        push(folder, one, port)
    until(
        lambda: len(flat(case, backend)) >= case["items"],
        lambda: f"{len(flat(case, backend))} of {case['items']} items came out",
        30,
    )
    return flat(case, backend)


def configuration(case, exporter):
    kind = case["type"]
    return {
        "receivers": {kind: case["receiver"]},
        "exporters": {"otlphttp": exporter},
        "service": {"pipelines": {case["signal"]: {"receivers": [kind], "exporters": ["otlphttp"]}}},
    }


def through_holdfast(folder, case, directory):
    port = free_port()
    with HttpBackend() as backend:
        made = configuration(case, otlphttp_exporter(backend))
        instance = Holdfast(directory, made, environment={"PUSH_PORT": str(port)})
        try:
            instance.start()
            return exchange(folder, case, backend, port)
        finally:
            instance.close()


def peer_of(kind):
    """The program with the Go collector's receiver of that type, if there is one."""
    ending = "OPENCENSUS" if kind == "opencensus" else "PUSHED_OLDER" if kind in OLDER else "PUSHED"
    return os.environ.get(f"HOLDFAST_PEER_{ending}")


def command_of(case, port, backend):
    program = peer_of(case["type"])
    if case["type"] == "opencensus":
        return [program, "receive", f"127.0.0.1:{port}", backend.endpoint]
    receiver = json.dumps({**case["receiver"], **case.get("peer", {})}).replace("${env:PUSH_PORT}", str(port))
    return [program, case["signal"], case["type"], receiver, backend.endpoint]


@contextlib.contextmanager
def running(command, log):
    with open(log, "wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def through_peer(folder, case, log):
    port = free_port()
    with HttpBackend() as backend, running(command_of(case, port, backend), log):
        until(lambda: is_bound(port), log.read_text)
        return exchange(folder, case, backend, port)


@pytest.mark.parametrize(
    "folder", sorted(path.parent for path in CASES.glob("**/config.yaml")), ids=lambda path: "-".join(path.parts[-2:])
)
def test_the_output_is_that_of_the_go_collector(folder, tmp_path):
    case = {"type": folder.parent.name, **yaml.safe_load((folder / "config.yaml").read_text())}
    assert case["signal"] in SIGNALS
    recorded = folder / "expected.json"
    if peer_of(case["type"]):
        found = through_peer(folder, case, tmp_path / "peer.log")
        if RECORD or not recorded.exists():
            written(recorded, found)
        changes = differences(found, json.loads(recorded.read_text()))
        assert not changes, f"the Go collector no longer does what was recorded:\n{changes}"
    wanted = recorded if "difference" not in case else folder / "holdfast.json"
    found = through_holdfast(folder, case, tmp_path / "holdfast")
    if "difference" in case and RECORD and not wanted.exists():
        written(wanted, found)
    changes = differences(found, json.loads(wanted.read_text()))
    assert not changes, changes
