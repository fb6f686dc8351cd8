"""tail_sampling: whole traces are kept or dropped, their spans wait on disk, and a kill loses none that a policy keeps."""

import collections
import json
import os

import pytest

from support import otlp
from support.holdfast import config, otlp_exporter, run
from support.waiting import until

POLICIES = [
    {"name": "errors", "type": "status_code", "status_code": {"status_codes": ["ERROR"]}},
    {"name": "slow", "type": "latency", "latency": {"threshold_ms": 1000}},
    {"name": "some", "type": "probabilistic", "probabilistic": {"sampling_percentage": 10}},
]
MS = 1_000_000


def is_of_the_share(trace_id, percentage, salt=b"default-hash-seed"):
    """Does the Go collector's policy keep that id?"""
    number = 0xCBF29CE484222325
    for byte in salt + trace_id:
        number = (number ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return number <= percentage / 100 * (2**64 - 1)


def request(spans):
    """Of (trace id, end in milliseconds after the start, has an error)."""
    message = otlp.request(otlp.TRACES, otlp.new_ids(len(spans)))
    for span, (trace_id, end_ms, has_error) in zip(message.resource_spans[0].scope_spans[0].spans, spans, strict=True):
        span.trace_id = trace_id
        span.start_time_unix_nano = 1_700_000_000_000 * MS
        span.end_time_unix_nano = span.start_time_unix_nano + end_ms * MS
        span.status.code = 2 if has_error else 0
    return message


def spans_by_trace(backend):
    """How many different spans of each trace arrived."""
    found = collections.defaultdict(set)
    for message in list(backend.requests):
        for resource in message.message.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    found[span.trace_id].add(span.span_id)
    return {trace_id: len(spans) for trace_id, spans in found.items()}


@pytest.fixture
def sampling(start, grpc_backend):
    """sampling(...) -> a Holdfast whose traces pass tail_sampling with these keys."""

    def make(**keys):
        configuration = config({"otlp": otlp_exporter(grpc_backend)})
        configuration["processors"] = {"tail_sampling": {"decision_wait": "3s", "policies": POLICIES, **keys}}
        configuration["service"]["pipelines"] = {
            "traces": {"receivers": ["otlp"], "processors": ["tail_sampling"], "exporters": ["otlp"]}
        }
        return start(configuration)

    return make


def wait_until_decided(holdfast):
    def queued():
        return holdfast.books("traces", "tail_sampling")["queued"]["items"]

    until(lambda: queued() == 0, lambda: f"{queued()} spans wait")


def wait_until_delivered(holdfast):
    until(lambda: holdfast.books("traces>tail_sampling", "otlp")["queued"]["items"] == 0, "spans wait behind")


def make_traces(count):
    """Ids by what is to become of them: with an error in their second half, slow, and others."""
    return [[os.urandom(16) for _ in range(count)] for _ in range(3)]


def send(sender, errors, slow, others):
    """Each trace has two spans, in two requests, which come long before the decision."""
    first = [(i, 1, False) for i in errors + slow + others]
    second = [(i, 1, True) for i in errors] + [(i, 1001, False) for i in slow] + [(i, 1000, False) for i in others]
    sender.export_at_once(otlp.TRACES, [request(first), request(second)])


class TestVerdicts:
    def test_errors_and_slow_ones_are_kept_whole_and_a_share_of_the_others(self, sampling, grpc_backend, grpc_sender):
        holdfast = sampling()
        errors, slow, others = make_traces(100)
        send(grpc_sender(holdfast), errors, slow, others)
        wait_until_decided(holdfast)
        kept = set(errors + slow) | {i for i in others if is_of_the_share(i, 10)}
        wait_until_delivered(holdfast)
        assert spans_by_trace(grpc_backend) == {i: 2 for i in kept}
        books = holdfast.books("traces", "tail_sampling")
        assert books["accepted"]["items"] == 600
        assert books["delivered"]["items"] == 2 * len(kept)
        assert books["dropped"]["processor"]["items"] == 600 - 2 * len(kept)
        prefix = "otelcol_processor_tail_sampling_"
        assert holdfast.metric(prefix + "global_count_traces_sampled", sampled="true") == len(kept)
        assert holdfast.metric(prefix + "count_traces_sampled", policy="errors", decision="sampled") == 100

    def test_late_spans_follow_the_verdict(self, sampling, grpc_backend, grpc_sender):
        holdfast = sampling()
        sender = grpc_sender(holdfast)
        kept, dropped = os.urandom(16), next(i for i in iter(lambda: os.urandom(16), None) if not is_of_the_share(i, 10))
        sender.export(otlp.TRACES, request([(kept, 1, True), (dropped, 1, False)]))
        wait_until_decided(holdfast)
        sender.export(otlp.TRACES, request([(kept, 1, False), (dropped, 1, True)]))
        wait_until_decided(holdfast)
        until(lambda: spans_by_trace(grpc_backend) == {kept: 2}, lambda: spans_by_trace(grpc_backend))


class TestKill:
    def test_waiting_spans_are_decided_after_a_start(self, sampling, grpc_backend, grpc_sender):
        holdfast = sampling()
        errors, slow, others = make_traces(50)
        send(grpc_sender(holdfast), errors, slow, others)
        holdfast.kill9()
        holdfast.start()
        wait_until_decided(holdfast)
        kept = set(errors + slow) | {i for i in others if is_of_the_share(i, 10)}
        wait_until_delivered(holdfast)
        assert spans_by_trace(grpc_backend) == {i: 2 for i in kept}
        assert holdfast.books("traces", "tail_sampling")["accepted"]["items"] == 300

    def test_a_kill_amid_decisions_loses_nothing_and_splits_no_trace(self, sampling, grpc_backend, grpc_sender):
        holdfast = sampling()
        sender = grpc_sender(holdfast)
        kept = set()
        for _ in range(20):
            errors, slow, others = make_traces(40)
            send(sender, errors, slow, others)
            kept |= set(errors + slow) | {i for i in others if is_of_the_share(i, 10)}
        for share in (0.1, 0.5, 0.9):
            least = len(kept) * share
            until(lambda least=least: len(spans_by_trace(grpc_backend)) >= least, "too few arrive", pause=0.001)
            holdfast.kill9()
            holdfast.start()
        wait_until_decided(holdfast)
        wait_until_delivered(holdfast)
        assert spans_by_trace(grpc_backend) == {i: 2 for i in kept}
        holdfast.books("traces", "tail_sampling")

    def test_a_verdict_that_cannot_be_repeated_outlives_kills(self, sampling, grpc_backend, grpc_sender):
        """By a rate: decided again, a part of a trace would have another verdict than the rest."""
        limit = {"name": "rate", "type": "rate_limiting", "rate_limiting": {"spans_per_second": 1, "burst_capacity": 100}}
        holdfast = sampling(policies=[limit], decision_wait="1s")
        ids = [os.urandom(16) for _ in range(200)]
        for _ in range(3):  # a trace has a span in each of the requests, and one kill behind
            sender = grpc_sender(holdfast)
            for first in range(0, 200, 20):
                sender.export(otlp.TRACES, request([(i, 1, False) for i in ids[first : first + 20]]))
        for _ in range(4):
            found = len(grpc_backend.requests)
            until(
                lambda seen=found: len(grpc_backend.requests) > seen
                or holdfast.books("traces", "tail_sampling")["queued"]["items"] == 0,
                "nothing comes",
            )
            holdfast.kill9()
            holdfast.start()
        wait_until_decided(holdfast)
        wait_until_delivered(holdfast)
        found = spans_by_trace(grpc_backend)
        assert found
        assert set(found.values()) == {3}

    def test_late_spans_follow_a_verdict_of_before_the_kill(self, sampling, grpc_backend, grpc_sender):
        holdfast = sampling(policies=POLICIES[:1], decision_wait="1s")
        kept, dropped = os.urandom(16), os.urandom(16)
        grpc_sender(holdfast).export(otlp.TRACES, request([(kept, 1, True), (dropped, 1, False)]))
        wait_until_decided(holdfast)
        holdfast.kill9()
        holdfast.start()
        grpc_sender(holdfast).export(otlp.TRACES, request([(kept, 1, False), (dropped, 1, True)]))
        wait_until_decided(holdfast)
        until(lambda: spans_by_trace(grpc_backend) == {kept: 2}, lambda: spans_by_trace(grpc_backend))


class TestConfiguration:
    def test_a_gateway_of_the_go_collector_loads(self, sampling):
        holdfast = sampling(decision_wait="10s", num_traces=100000, expected_new_traces_per_sec=10000)
        assert holdfast.health()

    @pytest.mark.parametrize(
        "policy, says",
        [
            ({"name": "a", "type": "status_code"}, "policies: a: status_code::status_codes: at least one is needed"),
            ({"name": "a", "type": "ottl_condition"}, "ottl_condition"),
            (
                {"name": "a", "type": "string_attribute", "string_attribute": {"key": "k", "values": ["("], "enabled_regex_matching": True}},
                "policies: a: string_attribute::values[0]: ",
            ),
        ],
    )
    def test_says_which_policy_is_wrong(self, tmp_path, policy, says):
        path = tmp_path / "config.yaml"
        path.write_text(
            "receivers: {otlp: {protocols: {grpc: {}}}}\nexporters: {nop: {}}\n"
            f"processors: {{tail_sampling: {{policies: [{json.dumps(policy)}]}}}}\n"
            "service: {pipelines: {traces: {receivers: [otlp], processors: [tail_sampling], exporters: [nop]}}}\n"
        )
        done = run("validate", "--config", path)
        assert done.returncode != 0
        assert says in done.stdout + done.stderr
