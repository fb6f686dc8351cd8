"""Processors beside the Go collector: the same configuration and input through both, the outputs equal after sorting.

A case is a folder under `cases/`:

    config.yaml    signal: traces, metrics or logs; processors: as in a configuration, in order;
                   environment: {NAME: value}, if any; difference: where and why the outputs differ, if they do
    input.json     one OTLP/JSON request
    expected.json  what the Go collector made of it, sorted; null: nothing came out
    holdfast.json  with a difference: what Holdfast makes of it

The test replays the recorded outputs. With HOLDFAST_PEER=/path/to/otelcol it runs that program, compares, and writes
expected.json when there is none yet or HOLDFAST_RECORD is set.
"""

import difflib
import json
import os
from pathlib import Path

import pytest
import yaml
from google.protobuf import json_format

from support import otlp, senders
from support.backends import HttpBackend
from support.holdfast import Holdfast, otlphttp_exporter
from support.otelcol import Otelcol
from support.ports import free_port

CASES = Path(__file__).parent / "cases"
PEER = os.environ.get("HOLDFAST_PEER")
RECORD = bool(os.environ.get("HOLDFAST_RECORD"))
SIGNALS = {signal.name: signal for signal in (otlp.TRACES, otlp.METRICS, otlp.LOGS)}
OPTIONAL = {"status", "scope", "resource", "body", "positive", "negative"}  # a message without fields says as much as none
QUIET = {"sending_queue": {"enabled": False}, "retry_on_failure": {"enabled": False}}


def settled(value):
    """Without what order says: attributes and maps by key, resources, scopes and items by their content."""
    if isinstance(value, dict):
        return {key: settled(inner) for key, inner in sorted(value.items()) if inner != {} or key not in OPTIONAL}
    if isinstance(value, list):
        inner = [settled(one) for one in value]
        is_ordered = any(not isinstance(one, dict) for one in inner)
        return inner if is_ordered else sorted(inner, key=lambda one: json.dumps(one, sort_keys=True))
    return value


def plain(message):
    """The message as JSON. Lists of values keep their order: each gets its place as a number."""
    found = json_format.MessageToDict(message)

    def number(value):
        if isinstance(value, dict):
            if "arrayValue" in value:
                for place, one in enumerate(value["arrayValue"].get("values", [])):
                    one["place"] = place
            for inner in value.values():
                number(inner)
        elif isinstance(value, list):
            for inner in value:
                number(inner)

    number(found)
    return settled(found)


def pipeline(case, signal):
    names = list(case["processors"])
    return {"pipelines": {signal.name: {"receivers": ["otlp"], "processors": names, "exporters": ["otlphttp"]}}}


def only(backend):
    assert len(backend.requests) <= 1, "one request came in, so that one may come out"
    return plain(backend.requests[0].message) if backend.requests else None


def through_holdfast(case, signal, body, directory):
    with HttpBackend() as backend:
        configuration = {
            "processors": case["processors"],
            "exporters": {"otlphttp": otlphttp_exporter(backend)},
            "service": pipeline(case, signal),
        }
        instance = Holdfast(directory, configuration, environment=case.get("environment"))
        try:
            instance.start()
            answer = senders.post(instance.http_base, signal, body, content_type="application/json")
            assert answer.status_code == 200, answer.text
            accepted = sum(one["accepted"]["items"] for one in exporters(instance.queue("stat")))
            if accepted:
                backend.wait_for_requests(1)
        finally:
            instance.close()
        return only(backend)


def exporters(stat):
    return [one for queue in stat["queues"] for one in queue["exporters"]]


def through_peer(case, signal, body, directory):
    port = free_port()
    directory.mkdir()
    with HttpBackend() as backend:
        configuration = {
            "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}},
            "processors": case["processors"],
            "exporters": {"otlphttp": {"endpoint": backend.endpoint, "compression": "none", **QUIET}},
            "service": pipeline(case, signal),
        }
        with Otelcol(directory, configuration, program=PEER, environment=case.get("environment")):
            answer = senders.post(
                f"http://127.0.0.1:{port}", signal, body, content_type="application/json"
            )
            assert answer.status_code == 200, answer.text
        return only(backend)


def differences(found, wanted):
    lines = [json.dumps(one, indent=1, sort_keys=True).splitlines() for one in (wanted, found)]
    return "\n".join(difflib.unified_diff(*lines, "wanted", "found", lineterm="", n=8))


def written(path, value):
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n")


@pytest.mark.parametrize("folder", sorted(path.parent for path in CASES.glob("**/config.yaml")), ids=lambda path: "-".join(path.parts[-2:]))
def test_the_output_is_that_of_the_go_collector(folder, tmp_path):
    case = yaml.safe_load((folder / "config.yaml").read_text())
    signal = SIGNALS[case["signal"]]
    body = (folder / "input.json").read_bytes()
    recorded = folder / "expected.json"
    if PEER:
        found = through_peer(case, signal, body, tmp_path / "peer")
        if RECORD or not recorded.exists():
            written(recorded, found)
        changes = differences(found, json.loads(recorded.read_text()))
        assert not changes, f"the Go collector no longer does what was recorded:\n{changes}"
    wanted = recorded if "difference" not in case else folder / "holdfast.json"
    found = through_holdfast(case, signal, body, tmp_path / "holdfast")
    if "difference" in case and RECORD and not wanted.exists():
        written(wanted, found)
    changes = differences(found, json.loads(wanted.read_text()))
    assert not changes, changes
