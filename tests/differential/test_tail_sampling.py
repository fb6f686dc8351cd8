"""tail_sampling beside the Go collector: both keep the same traces under each policy.

All cases run in one process, a pipeline each. `tail_cases/expected.json` has the numbers of the traces that the Go
collector kept; HOLDFAST_PEER and HOLDFAST_RECORD: as in test_processors.py.
"""

import json
import os
import time
from pathlib import Path

from support import otlp, senders
from support.backends import HttpBackend
from support.holdfast import Holdfast, otlphttp_exporter
from support.otelcol import Otelcol
from support.ports import free_port
from support.waiting import until

from .test_processors import QUIET

PEER = os.environ.get("HOLDFAST_PEER")
RECORD = bool(os.environ.get("HOLDFAST_RECORD"))
EXPECTED = Path(__file__).parent / "tail_cases" / "expected.json"
MS = 1_000_000
COUNT = 60


def policy(kind, name="p", **keys):
    return {"name": name, "type": kind, **({kind: keys} if keys else {})}


def both(*inner):
    return {"name": "p", "type": "and", "and": {"and_sub_policy": list(inner)}}


CASES = {
    "always": {"policies": [policy("always_sample")]},
    "status": {"policies": [policy("status_code", status_codes=["ERROR"])]},
    "latency": {"policies": [policy("latency", threshold_ms=100)]},
    "latency_band": {"policies": [policy("latency", threshold_ms=50, upper_threshold_ms=200)]},
    "share": {"policies": [policy("probabilistic", sampling_percentage=40, hash_salt="x")]},
    "text": {"policies": [policy("string_attribute", key="zone", values=["z1", "z2"])]},
    "pattern": {"policies": [policy("string_attribute", key="zone", values=["^z[13]"], enabled_regex_matching=True)]},
    "not_text": {"policies": [policy("string_attribute", key="zone", values=["z1"], invert_match=True)]},
    "number": {"policies": [policy("numeric_attribute", key="number", min_value=3, max_value=7)]},
    "number_without_end": {"policies": [policy("numeric_attribute", key="number", min_value=5)]},
    "flag": {"policies": [policy("boolean_attribute", key="flag", value=True)]},
    "count": {"policies": [policy("span_count", min_spans=3)]},
    "state": {"policies": [policy("trace_state", key="v", values=["1", "2"])]},
    "flags": {"policies": [policy("trace_flags")]},
    "condition": {"policies": [policy("ottl_condition", span=['attributes["number"] > 4 and kind == 2', 'name == "s7"'])]},
    "event": {"policies": [policy("ottl_condition", spanevent=['name == "exception"'], error_mode="ignore")]},
    "condition_fails": {
        "policies": [
            policy("ottl_condition", span=['ParseJSON(attributes["zone"])["a"] == 1'], error_mode="propagate"),
            policy("status_code", "q", status_codes=["ERROR"]),
        ]
    },
    "and": {"policies": [both(policy("status_code", status_codes=["ERROR"]), policy("latency", "q", threshold_ms=100))]},
    "and_not": {
        "policies": [
            both(
                policy("latency", threshold_ms=100),
                {"name": "n", "type": "not", "not": {"not_sub_policy": policy("status_code", "q", status_codes=["ERROR"])}},
            )
        ]
    },
    "not": {"policies": [{"name": "p", "type": "not", "not": {"not_sub_policy": policy("span_count", "q", min_spans=2)}}]},
    "drop": {
        "policies": [
            policy("always_sample", "a"),
            {"name": "d", "type": "drop", "drop": {"drop_sub_policy": [policy("string_attribute", key="zone", values=["z1"])]}},
        ]
    },
    "several": {"policies": [policy("status_code", status_codes=["ERROR"]), policy("span_count", "q", min_spans=3)]},
    "rate_of_all": {"policies": [policy("rate_limiting", spans_per_second=100000)]},
    "rate_of_none": {"policies": [policy("rate_limiting", spans_per_second=0)]},
    "bytes_of_all": {"policies": [policy("bytes_limiting", bytes_per_second=10_000_000)]},
    "bytes_of_small_ones": {"policies": [policy("bytes_limiting", bytes_per_second=10_000_000, burst_capacity=120)]},
    "too_large": {"policies": [policy("always_sample")], "maximum_trace_size_bytes": 600},
    "at_once": {"policies": [policy("status_code", status_codes=["ERROR"])], "sampling_strategy": "span-ingest"},
    "at_once_with_drop": {
        "policies": [
            policy("always_sample", "a"),
            {"name": "d", "type": "drop", "drop": {"drop_sub_policy": [policy("string_attribute", key="zone", values=["z1"])]}},
        ],
        "sampling_strategy": "span-ingest",
    },
}


def trace_id(number):
    return bytes([0xAB, number]) * 8


def make_request():
    """Traces that differ in everything that a policy looks at."""
    message = otlp.TRACES.request()
    for number in range(COUNT):
        group = message.resource_spans.add()
        group.resource.attributes.append(otlp.attribute("service.name", "s"))
        if number % 7 == 0:
            group.resource.attributes.append(otlp.attribute("zone", "z3"))
        spans = group.scope_spans.add().spans
        for place in range(1 + number % 4):
            span = spans.add(trace_id=trace_id(number), span_id=bytes([number + 1, place + 1]) * 4, name=f"s{number % 9}")
            span.kind = 1 + number % 5
            span.start_time_unix_nano = 1_700_000_000_000 * MS
            span.end_time_unix_nano = span.start_time_unix_nano + (1 + number * 5) * MS
            span.parent_span_id = b"" if place == 0 else bytes([number + 1, 1]) * 4
            span.flags = number % 2
            span.status.code = number % 3
            span.trace_state = f"v={number % 4}" if number % 5 else ""
            span.attributes.append(otlp.attribute("zone", f"z{number % 3}"))
            span.attributes.append(otlp.attribute("number", number % 11))
            span.attributes.append(otlp.attribute("flag", number % 4 == 1))
            if number % 6 == 2:
                span.events.add(name="exception" if place == number % 4 else "other")
            if number % 10 == 9:
                span.attributes.append(otlp.attribute("padding", "x" * 300))
    return message


def parts():
    processors, pipelines = {}, {}
    for name, keys in CASES.items():
        processors[f"tail_sampling/{name}"] = {"decision_wait": "1s", **keys}
        processors[f"resource/{name}"] = {"attributes": [{"key": "case", "value": name, "action": "insert"}]}
        pipelines[f"traces/{name}"] = {
            "receivers": ["otlp"],
            "processors": [f"tail_sampling/{name}", f"resource/{name}"],
            "exporters": ["otlphttp"],
        }
    return processors, pipelines


def kept(backend):
    """The numbers of the traces by case."""
    found = {name: set() for name in CASES}
    for request in list(backend.requests):
        for group in request.message.resource_spans:
            name = otlp.attributes(group.resource)["case"]
            found[name] |= {span.trace_id[1] for scope in group.scope_spans for span in scope.spans}
    return {name: sorted(numbers) for name, numbers in found.items()}


def settled(backend, is_over):
    """What was kept when all is decided, and nothing more comes."""
    until(is_over, lambda: f"{kept(backend)}", seconds=60)
    return kept(backend)


def through_peer(directory):
    port = free_port()
    directory.mkdir()
    processors, pipelines = parts()
    with HttpBackend() as backend:
        configuration = {
            "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}},
            "processors": processors,
            "exporters": {"otlphttp": {"endpoint": backend.endpoint, "compression": "none", **QUIET}},
            "service": {"pipelines": pipelines},
        }
        with Otelcol(directory, configuration, program=PEER):
            body = make_request().SerializeToString()
            assert senders.post(f"http://127.0.0.1:{port}", otlp.TRACES, body).status_code == 200
            until(lambda: len(kept(backend)["always"]) == COUNT, "not all have come", seconds=30)
            last = None
            while last != len(backend.requests):  # it does not say when it has decided all
                last = len(backend.requests)
                time.sleep(3)
        return kept(backend)


def through_holdfast(directory):
    processors, pipelines = parts()
    with HttpBackend() as backend:
        configuration = {
            "processors": processors,
            "exporters": {"otlphttp": otlphttp_exporter(backend)},
            "service": {"pipelines": pipelines},
        }
        instance = Holdfast(directory, configuration)

        def is_over():
            queues = instance.queue("stat")["queues"]
            return all(one["queued"]["items"] == 0 for queue in queues for one in queue["exporters"])

        try:
            instance.start()
            assert senders.post(instance.http_base, otlp.TRACES, make_request().SerializeToString()).status_code == 200
            return settled(backend, is_over)
        finally:
            instance.close()


def test_the_same_traces_are_kept(tmp_path):
    if PEER:
        found = through_peer(tmp_path / "peer")
        if RECORD or not EXPECTED.exists():
            EXPECTED.parent.mkdir(exist_ok=True)
            EXPECTED.write_text(json.dumps(found, indent=1) + "\n")
        assert found == json.loads(EXPECTED.read_text()), "the Go collector no longer does what was recorded"
    wanted = json.loads(EXPECTED.read_text())
    found = through_holdfast(tmp_path / "holdfast")
    assert {name: found[name] for name in CASES if found[name] != wanted[name]} == {}, wanted
