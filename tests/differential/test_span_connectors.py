"""Connectors that make metrics of spans, beside the Go collector: the same configuration and input through both, the
outputs equal but for their times.

A case is a folder under `span_cases/`:

    config.yaml    connector: its id and keys; flushes: how many are compared (2); requests: how the input is sent (a list
                   of lists of places among its resource spans; absent: as one request); difference: as for processors
    input.json     one OTLP/JSON request of traces
    expected.json  what the Go collector made of it: the points of each flush that has any

Flushes that say the same as the one before, and points of metrics without any, do not count. HOLDFAST_PEER and
HOLDFAST_RECORD: as in test_processors.py.
"""

import json
import os
import re
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

from .test_processors import QUIET, differences, plain, written

CASES = Path(__file__).parent / "span_cases"
PEER = os.environ.get("HOLDFAST_PEER")
RECORD = bool(os.environ.get("HOLDFAST_RECORD"))
UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


def timeless(value):
    """Without times and ids that a run makes up. Data that has no points is gone."""
    if isinstance(value, dict):
        kept = {key: timeless(inner) for key, inner in value.items() if not key.endswith("UnixNano")}
        if "metrics" in kept:
            kept["metrics"] = [one for one in kept["metrics"] if any("dataPoints" in str(part) for part in one.values())]
        return kept
    if isinstance(value, list):
        return [timeless(one) for one in value]
    return "A UUID" if isinstance(value, str) and UUID.match(value) else value


def has_points(message):
    return any(
        len(getattr(metric, metric.WhichOneof("data")).data_points)
        for resource in message.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    )


def flushes(backend):
    """The outputs that differ from the one before."""
    found = []
    for request in list(backend.requests):
        if request.signal is otlp.METRICS and has_points(request.message):
            one = plain(timeless_message(request.message))
            if not found or found[-1] != one:
                found.append(one)
    return found


def timeless_message(message):
    """A copy whose order no longer depends on times."""
    as_json = timeless(json_format.MessageToDict(message))
    return json_format.ParseDict(as_json, otlp.METRICS.request())


def service(connector):
    return {
        "traces": {"receivers": ["otlp"], "exporters": [connector]},
        "metrics": {"receivers": [connector], "exporters": ["otlphttp"]},
    }


def bodies(case, text):
    whole = json.loads(text)
    parts = case.get("requests") or [range(len(whole["resourceSpans"]))]
    return [json.dumps({"resourceSpans": [whole["resourceSpans"][place] for place in part]}) for part in parts]


def send(base, case, text):
    for body in bodies(case, text):
        answer = senders.post(base, otlp.TRACES, body.encode(), content_type="application/json")
        assert answer.status_code == 200, answer.text


def compared(backend, case):
    count = case.get("flushes", 2)
    until(lambda: len(flushes(backend)) >= count, lambda: f"{len(flushes(backend))} flushes")
    return flushes(backend)[:count]


def through_holdfast(case, text, directory):
    with HttpBackend() as backend:
        connector = next(iter(case["connector"]))
        configuration = {
            "connectors": case["connector"],
            "exporters": {"otlphttp": otlphttp_exporter(backend)},
            "service": {"pipelines": service(connector)},
        }
        instance = Holdfast(directory, configuration)
        try:
            instance.start()
            send(instance.http_base, case, text)
            return compared(backend, case)
        finally:
            instance.close()


def through_peer(case, text, directory):
    port = free_port()
    directory.mkdir()
    with HttpBackend() as backend:
        connector = next(iter(case["connector"]))
        configuration = {
            "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}},
            "connectors": case["connector"],
            "exporters": {"otlphttp": {"endpoint": backend.endpoint, "compression": "none", **QUIET}},
            "service": {"pipelines": service(connector)},
        }
        with Otelcol(directory, configuration, program=PEER):
            send(f"http://127.0.0.1:{port}", case, text)
            return compared(backend, case)


@pytest.mark.parametrize("folder", sorted(path.parent for path in CASES.glob("**/config.yaml")), ids=lambda path: "-".join(path.parts[-2:]))
def test_the_output_is_that_of_the_go_collector(folder, tmp_path):
    case = yaml.safe_load((folder / "config.yaml").read_text())
    text = (folder / "input.json").read_text()
    recorded = folder / "expected.json"
    if PEER:
        found = through_peer(case, text, tmp_path / "peer")
        if RECORD or not recorded.exists():
            written(recorded, found)
        changes = differences(found, json.loads(recorded.read_text()))
        assert not changes, f"the Go collector no longer does what was recorded:\n{changes}"
    wanted = recorded if "difference" not in case else folder / "holdfast.json"
    found = through_holdfast(case, text, tmp_path / "holdfast")
    if "difference" in case and RECORD and not wanted.exists():
        written(wanted, found)
    changes = differences(found, json.loads(wanted.read_text()))
    assert not changes, changes
