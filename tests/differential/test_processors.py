"""Processors and connectors beside the Go collector: the same configuration and input through both, the outputs equal
after sorting.

A case is a folder under `cases/`:

    config.yaml    signal: traces, metrics or logs; processors: as in a configuration, in order;
                   environment: {NAME: value} and gates: feature gates of the Go collector, if any; difference: where and why the outputs differ, if they do;
                   ignore: keys whose values say nothing, such as times of arrival
                   connectors: as in a configuration, and outputs: {pipeline: its receivers}; then what came out is
                   said of each pipeline
    input.json     one OTLP/JSON request
    expected.json  what the Go collector made of it, sorted; null: nothing came out
    holdfast.json  with a difference: what Holdfast makes of it

The test replays the recorded outputs. With HOLDFAST_PEER=/path/to/otelcol it runs that program, compares, and writes
expected.json when there is none yet or HOLDFAST_RECORD is set.
"""

import contextlib
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
from support.waiting import until

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


def without(value, keys):
    if isinstance(value, dict):
        return {key: without(inner, keys) for key, inner in value.items() if key not in keys}
    return [without(inner, keys) for inner in value] if isinstance(value, list) else value


def outputs(case, signal):
    """The pipelines that something comes out of; without connectors there is one."""
    return case.get("outputs") or {signal.name: ["otlp"]}


def service(case, signal):
    names = list(case.get("processors") or {})
    if "connectors" not in case:
        exporter = f"otlphttp/{signal.name}"
        return {"pipelines": {signal.name: {"receivers": ["otlp"], "processors": names, "exporters": [exporter]}}}
    first = {"receivers": ["otlp"], "processors": names, "exporters": list(case["connectors"])}
    behind = {
        name: {"receivers": receivers, "exporters": [f"otlphttp/{name.replace('/', '-')}"]}
        for name, receivers in outputs(case, signal).items()
    }
    return {"pipelines": {f"{signal.name}/in": first} | behind}


def configuration_of(case, signal, backends, make_exporter):
    parts = {name: case[name] for name in ("processors", "connectors") if name in case}
    made = {f"otlphttp/{name.replace('/', '-')}": make_exporter(backend) for name, backend in backends.items()}
    return parts | {"exporters": made, "service": service(case, signal)}


def arrived(backend):
    """All of one pipeline, as one request."""
    if not backend.requests:
        return None
    whole = backend.requests[0].signal.request()
    for request in backend.requests:
        whole.MergeFrom(request.message)
    return plain(whole)


def found_in(case, backends):
    if "connectors" in case:
        found = {name: arrived(backend) for name, backend in backends.items()}
    else:
        (backend,) = backends.values()
        assert len(backend.requests) <= 1, "one request came in, so that one may come out"
        found = arrived(backend)
    return settled(without(found, case.get("ignore", ())))


def started(case, signal, stack):
    return {name: stack.enter_context(HttpBackend()) for name in outputs(case, signal)}


def is_drained(instance):
    return all(one["queued"]["items"] == 0 for one in exporters(instance.queue("stat")))


def through_holdfast(case, signal, body, directory):
    with contextlib.ExitStack() as stack:
        backends = started(case, signal, stack)
        instance = Holdfast(
            directory,
            configuration_of(case, signal, backends, otlphttp_exporter),
            environment=case.get("environment"),
        )
        try:
            instance.start()
            answer = senders.post(instance.http_base, signal, body, content_type="application/json")
            assert answer.status_code == 200, answer.text
            # Twice: what went on from one queue to the next meanwhile is seen by the second look.
            until(
                lambda: is_drained(instance) and is_drained(instance),
                lambda: f"{instance.queue('stat')}",
            )
        finally:
            instance.close()
        return found_in(case, backends)


def exporters(stat):
    return [one for queue in stat["queues"] for one in queue["exporters"]]


def through_peer(case, signal, body, directory):
    port = free_port()
    directory.mkdir()
    with contextlib.ExitStack() as stack:
        backends = started(case, signal, stack)
        configuration = configuration_of(
            case,
            signal,
            backends,
            lambda backend: {"endpoint": backend.endpoint, "compression": "none", **QUIET},
        )
        configuration["receivers"] = {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}}
        with Otelcol(
            directory,
            configuration,
            program=PEER,
            environment=case.get("environment"),
            gates=case.get("gates", ()),
        ):
            answer = senders.post(
                f"http://127.0.0.1:{port}", signal, body, content_type="application/json"
            )
            assert answer.status_code == 200, answer.text
        return found_in(case, backends)


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
