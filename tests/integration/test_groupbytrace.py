"""groupbytrace: each trace is one request, its spans wait on disk, and none is lost."""

import collections
import os

import pytest

from support import otlp
from support.holdfast import config, otlp_exporter, run
from support.waiting import until


def request(trace_ids):
    message = otlp.request(otlp.TRACES, otlp.new_ids(len(trace_ids)))
    for span, trace_id in zip(message.resource_spans[0].scope_spans[0].spans, trace_ids, strict=True):
        span.trace_id = trace_id
    return message


def spans_of(message):
    return [span for group in message.resource_spans for scope in group.scope_spans for span in scope.spans]


def traces(backend):
    """How many different spans of each trace arrived."""
    found = collections.defaultdict(set)
    for one in list(backend.requests):
        for span in spans_of(one.message):
            found[span.trace_id].add(span.span_id)
    return {trace_id: len(spans) for trace_id, spans in found.items()}


@pytest.fixture
def grouping(start, grpc_backend):
    def make(ready=True, **keys):
        exporter = otlp_exporter(grpc_backend, sending_queue={"batch": {"min_size": 0, "flush_timeout": "1ms"}})
        configuration = config({"otlp": exporter})
        configuration["processors"] = {"groupbytrace": {"wait_duration": "500ms", **keys}}
        configuration["service"]["pipelines"] = {
            "traces": {"receivers": ["otlp"], "processors": ["groupbytrace"], "exporters": ["otlp"]}
        }
        return start(configuration, ready=ready)

    return make


def arrived(backend, wanted):
    until(lambda: traces(backend) == wanted, lambda: f"{len(traces(backend))} of {len(wanted)} traces")


def test_spans_of_several_requests_are_one(grouping, grpc_backend, grpc_sender):
    holdfast = grouping(wait_duration="2s")
    ids = [os.urandom(16) for _ in range(50)]
    grpc_sender(holdfast).export_at_once(otlp.TRACES, [request(ids) for _ in range(3)])
    arrived(grpc_backend, dict.fromkeys(ids, 3))
    for one in grpc_backend.requests:
        order = [span.trace_id for span in spans_of(one.message)]
        assert all(order.count(trace_id) == 3 for trace_id in order)  # a trace is never in two requests
        assert len({trace_id for trace_id in order}) == 1 or order == sorted(order, key=order.index)
    until(lambda: holdfast.books("traces", "groupbytrace")["queued"]["items"] == 0, "spans wait")
    assert holdfast.metric("otelcol_processor_groupbytrace_traces_released") == 50
    assert holdfast.metric("otelcol_processor_groupbytrace_spans_released") == 150


def test_more_than_num_traces_are_passed_on_and_none_is_lost(grouping, grpc_backend, grpc_sender):
    holdfast = grouping(num_traces=10, wait_duration="1h")
    sender = grpc_sender(holdfast)
    ids = [os.urandom(16) for _ in range(100)]
    for first in range(0, 100, 10):
        sender.export(otlp.TRACES, request(ids[first : first + 10]))
    until(lambda: len(traces(grpc_backend)) == 90, lambda: f"{len(traces(grpc_backend))}")
    until(lambda: holdfast.metric("otelcol_processor_groupbytrace_traces_evicted") == 90, "90 are evicted")


def test_kills_lose_nothing(grouping, grpc_backend, grpc_sender):
    holdfast = grouping()
    wanted = {}
    for _ in range(4):
        ids = [os.urandom(16) for _ in range(100)]
        sender = grpc_sender(holdfast)
        for _ in range(2):
            sender.export(otlp.TRACES, request(ids))
        wanted |= dict.fromkeys(ids, 2)
        seen = len(traces(grpc_backend))
        until(lambda seen=seen: len(traces(grpc_backend)) > seen, "nothing comes")
        holdfast.kill9()
        holdfast.start()
    arrived(grpc_backend, wanted)
    until(lambda: holdfast.books("traces", "groupbytrace")["queued"]["items"] == 0, "spans wait")


def test_an_outage_behind_it_and_a_reload(grouping, grpc_backend, grpc_sender):
    grpc_backend.stop()
    holdfast = grouping()
    ids = [os.urandom(16) for _ in range(20)]
    sender = grpc_sender(holdfast)
    sender.export(otlp.TRACES, request(ids))
    holdfast.reload()
    grpc_sender(holdfast).export(otlp.TRACES, request(ids))
    grpc_backend.start()
    arrived(grpc_backend, dict.fromkeys(ids, 2))


def test_a_key_that_the_go_collector_does_not_support(grouping):
    holdfast = grouping(ready=False, discard_orphans=True)
    answer = run("validate", "--config", holdfast.base_path, "--config", holdfast.config_path)
    assert answer.returncode != 0
    assert "discard_orphans" in answer.stderr + answer.stdout
