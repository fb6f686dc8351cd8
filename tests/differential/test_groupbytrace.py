"""groupbytrace beside the Go collector: both make the same resources, scopes and spans of each trace.

`tail_cases/groups.json` has what the Go collector made; HOLDFAST_PEER and HOLDFAST_RECORD: as in test_processors.py.
"""

import json
import os
from pathlib import Path

from support import otlp, senders
from support.backends import HttpBackend
from support.holdfast import Holdfast, otlphttp_exporter
from support.otelcol import Otelcol
from support.ports import free_port
from support.waiting import until

from .test_processors import QUIET, plain, settled

PEER = os.environ.get("HOLDFAST_PEER")
RECORD = bool(os.environ.get("HOLDFAST_RECORD"))
EXPECTED = Path(__file__).parent / "tail_cases" / "groups.json"
TRACES = 6


def request(number):
    """Two resources with two scopes each, whose spans are of several traces."""
    message = otlp.TRACES.request()
    for place in range(2):
        group = message.resource_spans.add(schema_url=f"schema {place}")
        group.resource.attributes.append(otlp.attribute("service.name", f"s{place}"))
        for scope_number in range(2):
            scope = group.scope_spans.add(schema_url="scope")
            scope.scope.name = f"lib {scope_number}"
            for one in range(4):
                trace = (number + one + place) % TRACES
                scope.spans.add(
                    trace_id=bytes([0xCD, trace]) * 8,
                    span_id=bytes([number + 1, place * 2 + scope_number, one, 1]) * 2,
                    name=f"{number} {place} {scope_number} {one}",
                )
    return message


def by_trace(backend):
    """The resources of each trace; a resource is of one trace only."""
    found = {}
    for one in list(backend.requests):
        for group in plain(one.message).get("resourceSpans", []):
            traces = {span["traceId"] for scope in group["scopeSpans"] for span in scope["spans"]}
            assert len(traces) == 1
            found.setdefault(traces.pop(), []).append(group)
    return settled({trace: groups for trace, groups in sorted(found.items())})


def spans_in(backend):
    return sum(len(scope.spans) for one in list(backend.requests) for group in one.message.resource_spans for scope in group.scope_spans)


def run_through(base, backend):
    requests = [request(number) for number in range(4)]
    for message in requests:
        assert senders.post(base, otlp.TRACES, message).status_code == 200
    until(lambda: spans_in(backend) == 4 * 16, lambda: f"{spans_in(backend)} spans")
    return by_trace(backend)


PROCESSORS = {"groupbytrace": {"wait_duration": "1s"}}
PIPELINES = {"traces": {"receivers": ["otlp"], "processors": ["groupbytrace"], "exporters": ["otlphttp"]}}


def through_peer(directory):
    port = free_port()
    directory.mkdir()
    with HttpBackend() as backend:
        configuration = {
            "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}},
            "processors": PROCESSORS,
            "exporters": {"otlphttp": {"endpoint": backend.endpoint, "compression": "none", **QUIET}},
            "service": {"pipelines": PIPELINES},
        }
        with Otelcol(directory, configuration, program=PEER):
            return run_through(f"http://127.0.0.1:{port}", backend)


def through_holdfast(directory):
    with HttpBackend() as backend:
        configuration = {
            "processors": PROCESSORS,
            "exporters": {"otlphttp": otlphttp_exporter(backend)},
            "service": {"pipelines": PIPELINES},
        }
        instance = Holdfast(directory, configuration)
        try:
            instance.start()
            return run_through(instance.http_base, backend)
        finally:
            instance.close()


def test_each_trace_is_the_same(tmp_path):
    if PEER:
        found = through_peer(tmp_path / "peer")
        if RECORD or not EXPECTED.exists():
            EXPECTED.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
        assert found == json.loads(EXPECTED.read_text()), "the Go collector no longer does what was recorded"
    assert through_holdfast(tmp_path / "holdfast") == json.loads(EXPECTED.read_text())
