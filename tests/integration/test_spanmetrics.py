"""spanmetrics: metrics of spans, whose sums neither a kill nor a restart changes."""

import os

import pytest

from support import otlp
from support.holdfast import config, otlp_exporter, run
from support.waiting import until

MS = 1_000_000


def spans(count, name="get", service="shop", duration_ms=3, **attributes):
    """A request of so many spans of one kind."""
    message = otlp.request(otlp.TRACES, otlp.new_ids(count), resource={"service.name": service})
    for span in message.resource_spans[0].scope_spans[0].spans:
        span.name = name
        span.start_time_unix_nano = 1_700_000_000_000 * MS
        span.end_time_unix_nano = span.start_time_unix_nano + int(duration_ms * MS)
        for key, value in attributes.items():
            span.attributes.append(otlp.attribute(key, value))
    return message


def points(backend):
    """(metric's name, point) of all that arrived, oldest first: requests may come in any order."""
    found = [
        (metric.name, point)
        for request in list(backend.requests)
        if request.signal is otlp.METRICS
        for resource in request.message.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in getattr(metric, metric.WhichOneof("data")).data_points
    ]
    return sorted(found, key=lambda pair: pair[1].time_unix_nano)


def attributes_of(point):
    return {pair.key: pair.value.string_value or pair.value.bool_value for pair in point.attributes}


def calls(backend, temporality="cumulative"):
    """The number of spans by name of the last cumulative points, or of the sum of deltas."""
    found = {}
    for name, point in points(backend):
        if name == "traces.span.metrics.calls":
            key = attributes_of(point).get("span.name", "overflow")
            found[key] = point.as_int + (found.get(key, 0) if temporality == "delta" else 0)
    return found


@pytest.fixture
def counting(start, grpc_backend):
    """counting(keys...) -> a Holdfast that makes metrics of spans and sends them."""

    def make(ready=True, **keys):
        configuration = config({"otlp": otlp_exporter(grpc_backend)})
        configuration["connectors"] = {"spanmetrics": {"metrics_flush_interval": "200ms", **keys}}
        configuration["exporters"]["nop"] = None
        configuration["service"]["pipelines"] = {
            "traces": {"receivers": ["otlp"], "processors": [], "exporters": ["spanmetrics", "nop"]},
            "metrics": {"receivers": ["spanmetrics"], "processors": [], "exporters": ["otlp"]},
        }
        return start(configuration, ready=ready)

    return make


def reached(backend, wanted, temporality="cumulative"):
    until(lambda: calls(backend, temporality) == wanted, lambda: f"{calls(backend, temporality)} instead of {wanted}")


class TestMetrics:
    def test_calls_and_durations_come_with_their_attributes(self, counting, grpc_backend, grpc_sender):
        holdfast = counting(dimensions=[{"name": "http.method"}, {"name": "zone", "default": "none"}])
        sender = grpc_sender(holdfast)
        sender.export(otlp.TRACES, spans(3, **{"http.method": "GET"}))
        reached(grpc_backend, {"get": 3})
        by_name = dict(points(grpc_backend))
        attributes = attributes_of(by_name["traces.span.metrics.calls"])
        instance = attributes.pop("collector.instance.id")
        assert len(instance) == 36
        assert attributes == {
            "service.name": "shop",
            "span.name": "get",
            "span.kind": "SPAN_KIND_SERVER",
            "status.code": "STATUS_CODE_UNSET",
            "http.method": "GET",
            "zone": "none",
        }
        duration = by_name["traces.span.metrics.duration"]
        assert (duration.count, duration.sum) == (3, 9)
        assert list(duration.bucket_counts)[:3] == [0, 3, 0]
        assert len(duration.explicit_bounds) == 16

    def test_a_sum_begins_with_zero(self, counting, grpc_backend, grpc_sender):
        holdfast = counting()
        grpc_sender(holdfast).export(otlp.TRACES, spans(3))
        reached(grpc_backend, {"get": 3})

        def first():
            return next(point for name, point in points(grpc_backend) if name.endswith("calls"))

        until(lambda: first().as_int == 0, lambda: f"{points(grpc_backend)}")

    def test_exemplars_name_spans(self, counting, grpc_backend, grpc_sender):
        holdfast = counting(exemplars={"enabled": True, "max_per_data_point": 2})
        grpc_sender(holdfast).export(otlp.TRACES, spans(3))
        with_exemplars = until(
            lambda: [point for _, point in points(grpc_backend) if point.exemplars],
            lambda: f"{points(grpc_backend)}",
        )
        assert {len(point.exemplars) for point in with_exemplars} == {2}
        assert with_exemplars[0].exemplars[0].as_double == 3

    def test_what_is_beyond_the_limit_counts_as_overflow(self, counting, grpc_backend, grpc_sender):
        holdfast = counting(max_series=4)
        sender = grpc_sender(holdfast)
        for name in "abcde":
            sender.export(otlp.TRACES, spans(2, name))
        until(
            lambda: calls(grpc_backend).get("overflow") == 6,
            lambda: str(calls(grpc_backend)),
        )


class TestSurvival:
    def test_sums_go_on_after_a_kill(self, counting, grpc_backend, grpc_sender):
        holdfast = counting()
        total = 0
        instances = set()
        for _ in range(4):
            sender = grpc_sender(holdfast)
            for _ in range(10):
                sender.export(otlp.TRACES, spans(7))
                total += 7
            holdfast.kill9()
            holdfast.start()
        reached(grpc_backend, {"get": total})
        until(lambda: holdfast.books("traces", "spanmetrics")["queued"]["items"] == 0, "spans are still queued")
        starts = set()
        for name, point in points(grpc_backend):
            if name.endswith("calls"):
                starts.add(point.start_time_unix_nano)
                instances.add(attributes_of(point)["collector.instance.id"])
        reached(grpc_backend, {"get": total})
        assert len(instances) <= 2  # one that was killed before its first snapshot has told no other
        assert len(starts) <= 2

    def test_a_kill_behind_the_snapshot_counts_nothing_twice(self, counting, grpc_backend, grpc_sender):
        holdfast = counting()
        sender = grpc_sender(holdfast)
        for _ in range(20):
            sender.export(otlp.TRACES, spans(5))
        until(lambda: holdfast.books("traces", "spanmetrics")["queued"]["items"] == 0, "spans are still queued")
        holdfast.kill9()
        # The place in the queue is what is lost: all spans are given to the connector again.
        os.unlink(holdfast.data_directory / "queue" / "traces" / "cursors.lmdb")
        holdfast.start()
        sender = grpc_sender(holdfast)
        sender.export(otlp.TRACES, spans(1, "other"))
        reached(grpc_backend, {"get": 100, "other": 1})

    def test_deltas_are_complete_after_kills(self, counting, grpc_backend, grpc_sender):
        holdfast = counting(aggregation_temporality="AGGREGATION_TEMPORALITY_DELTA")
        total = 0
        for _ in range(3):
            sender = grpc_sender(holdfast)
            for _ in range(10):
                sender.export(otlp.TRACES, spans(7))
                total += 7
            holdfast.kill9()
            holdfast.start()
        until(
            lambda: calls(grpc_backend, "delta").get("get", 0) >= total,
            lambda: f"{calls(grpc_backend, 'delta')} instead of {total}",
        )
        # A kill repeats one flush at most, which has 70 spans at most.
        assert calls(grpc_backend, "delta")["get"] <= total + 3 * 70

    def test_an_outage_behind_it_loses_nothing(self, counting, grpc_backend, grpc_sender):
        grpc_backend.stop()
        holdfast = counting(aggregation_temporality="AGGREGATION_TEMPORALITY_DELTA")
        sender = grpc_sender(holdfast)
        for _ in range(10):
            sender.export(otlp.TRACES, spans(3))
        until(lambda: holdfast.books("traces", "spanmetrics")["queued"]["items"] == 0, "spans are still queued")
        holdfast.kill9()
        holdfast.start()
        grpc_backend.start()
        until(lambda: calls(grpc_backend, "delta").get("get", 0) >= 30, lambda: str(calls(grpc_backend, "delta")))

    @pytest.mark.parametrize("how", ["reload", "restart"])
    def test_sums_go_on_after_a_change_elsewhere(self, counting, grpc_backend, grpc_sender, how):
        holdfast = counting()
        grpc_sender(holdfast).export(otlp.TRACES, spans(5))
        reached(grpc_backend, {"get": 5})
        getattr(holdfast, how)()
        grpc_sender(holdfast).export(otlp.TRACES, spans(2))
        reached(grpc_backend, {"get": 7})

    def test_other_dimensions_begin_again_and_lose_nothing(self, counting, grpc_backend, grpc_sender):
        holdfast = counting(aggregation_temporality="AGGREGATION_TEMPORALITY_DELTA", metrics_flush_interval="1h")
        grpc_sender(holdfast).export(otlp.TRACES, spans(5))
        until(lambda: holdfast.books("traces", "spanmetrics")["queued"]["items"] == 0, "spans are still queued")
        text = holdfast.config_path.read_text()
        changed = text.replace("metrics_flush_interval: 1h", "metrics_flush_interval: 200ms\n    dimensions: [{name: x}]")
        assert changed != text
        holdfast.write_config(changed)
        holdfast.reload()
        grpc_sender(holdfast).export(otlp.TRACES, spans(2))
        reached(grpc_backend, {"get": 7}, "delta")

    def test_a_damaged_state_is_said_and_does_not_stop_it(self, counting, grpc_backend, grpc_sender):
        holdfast = counting()
        grpc_sender(holdfast).export(otlp.TRACES, spans(5))
        reached(grpc_backend, {"get": 5})
        holdfast.terminate()
        path = holdfast.data_directory / "spanmetrics.state"
        body = bytearray(path.read_bytes())
        body[-10] ^= 0xFF
        path.write_bytes(bytes(body))
        holdfast.start()
        grpc_sender(holdfast).export(otlp.TRACES, spans(2))
        reached(grpc_backend, {"get": 2})
        assert "spanmetrics.state is damaged" in holdfast.log_path.read_text()


class TestConfiguration:
    @pytest.mark.parametrize(
        "keys, words",
        [
            ({"dimensions": [{"name": "span.name"}]}, 'duplicate dimension name "span.name"'),
            ({"dimensions": [{"name": "a"}, {"name": "a"}]}, 'duplicate dimension name "a"'),
            ({"dimensions": [{"default": "x"}]}, "set one of `name` and `glob`"),
            ({"dimensions": [{"glob": "a.*", "default": "x"}]}, "`default` needs a `name`"),
            ({"dimensions": [{"glob": "span.*"}]}, 'matches the dimension "span.'),
            ({"dimensions": [{"glob": "[a"}]}, "not closed"),
            ({"events": {"enabled": True}}, "no dimensions configured for events"),
            ({"histogram": {"explicit": {"buckets": ["1ms"]}, "exponential": {"max_size": 20}}}, "not both"),
            ({"histogram": {"explicit": {"buckets": ["1x"]}}}, '"1x" is no duration'),
            ({"histogram": {"explicit": {"buckets": ["2ms", "1ms"]}}}, "ascending"),
            ({"histogram": {"unit": "h"}}, "unit"),
            ({"aggregation_temporality": "DELTA"}, "aggregation_temporality"),
        ],
    )
    def test_a_mistake_is_named(self, counting, keys, words):
        holdfast = counting(ready=False, **keys)
        answer = run("validate", "--config", holdfast.base_path, "--config", holdfast.config_path)
        assert answer.returncode != 0
        assert words in answer.stderr + answer.stdout

@pytest.mark.parametrize("kind", ["spanmetrics", "servicegraph"])
def test_the_old_processor_is_refused_with_what_to_write(start, kind):
    configuration = config({"nop": None})
    keys = {"metrics_exporter": "nop", "latency_histogram_buckets": ["1ms", "2ms"], "dimensions": [{"name": "a"}]}
    configuration["processors"] = {kind: keys}
    configuration["service"]["pipelines"] = {
        "traces": {"receivers": ["otlp"], "processors": [kind], "exporters": ["nop"]}
    }
    holdfast = start(configuration, ready=False)
    answer = run("validate", "--config", holdfast.base_path, "--config", holdfast.config_path)
    assert answer.returncode != 0
    words = answer.stderr + answer.stdout
    assert f"the processor {kind} has become a connector" in words
    assert f"receivers [{kind}] and exporters [nop]" in words
