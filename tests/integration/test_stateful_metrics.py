"""Processors that remember their series: a kill in the middle neither loses a point nor forgets what came before."""

import pytest
from opentelemetry.proto.metrics.v1 import metrics_pb2

from support import otlp
from support.holdfast import config, otlp_exporter
from support.waiting import until

S = 1_000_000_000
T0 = 1_700_000_000 * S
CUMULATIVE = metrics_pb2.AGGREGATION_TEMPORALITY_CUMULATIVE
DELTA = metrics_pb2.AGGREGATION_TEMPORALITY_DELTA


def request(temporality, points, name="requests"):
    """Of (series, start, time, value), times in seconds after T0."""
    message = otlp.METRICS.request()
    metric = message.resource_metrics.add().scope_metrics.add().metrics.add()
    metric.name = name
    metric.sum.aggregation_temporality = temporality
    metric.sum.is_monotonic = True
    for series, start, time, value in points:
        point = metric.sum.data_points.add()
        point.attributes.add(key="series").value.string_value = str(series)
        point.start_time_unix_nano = T0 + int(start * S)
        point.time_unix_nano = T0 + int(time * S)
        point.as_int = value
    return message


def points(backend):
    """What has arrived: {(series, start, time): value}; what came twice must be the same."""
    found = {}
    for received in list(backend.requests):
        for resource in received.message.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in metric.sum.data_points:
                        start = (point.start_time_unix_nano - T0) / S
                        key = (point.attributes[0].value.string_value, start, (point.time_unix_nano - T0) / S)
                        assert found.setdefault(key, point.as_int) == point.as_int, f"{key} came with two values"
    return found


@pytest.fixture
def remembering(start, grpc_backend):
    """remembering(type, keys) -> a Holdfast whose metrics pass that processor."""

    def make(kind, keys):
        configuration = config({"otlp": otlp_exporter(grpc_backend)})
        configuration["processors"] = {kind: keys}
        configuration["service"]["pipelines"] = {
            "metrics": {"receivers": ["otlp"], "processors": [kind], "exporters": ["otlp"]}
        }
        return start(configuration)

    return make


SERIES = 20
ROUNDS = 30


def send_rounds(holdfast, grpc_sender, rounds, temporality, kill_after):
    """A request a round; the sender's truth is what was acknowledged."""
    sender = grpc_sender(holdfast)
    for number in rounds:
        if temporality == CUMULATIVE:
            batch = [(series, 0, number + 1, 10 * (number + 1) + series) for series in range(SERIES)]
        else:
            batch = [(series, number, number + 1, number + series) for series in range(SERIES)]
        sender.export(otlp.METRICS, request(temporality, batch))
        if number in kill_after:
            holdfast.kill9()
            holdfast.start()
            sender = grpc_sender(holdfast)


def wait_until_done(holdfast, kind):
    def queued():
        return holdfast.books("metrics", kind)["queued"]["items"]

    until(lambda: queued() == 0, lambda: f"{queued()} points wait", seconds=60)


class TestKill:
    def test_deltas_add_up_to_the_cumulative_value(self, remembering, grpc_backend, grpc_sender):
        holdfast = remembering("cumulativetodelta", {"initial_value": "drop"})
        send_rounds(holdfast, grpc_sender, range(ROUNDS), CUMULATIVE, {3, 4, 11, 20, 29})
        wait_until_done(holdfast, "cumulativetodelta")
        wanted = {(str(series), float(n), float(n + 1)): 10 for series in range(SERIES) for n in range(1, ROUNDS)}
        until(lambda: points(grpc_backend) == wanted, lambda: sorted(set(wanted) ^ set(points(grpc_backend)))[:10])

    def test_a_cumulative_sum_continues(self, remembering, grpc_backend, grpc_sender):
        holdfast = remembering("delta_to_cumulative", {})
        send_rounds(holdfast, grpc_sender, range(ROUNDS), DELTA, {3, 4, 11, 20, 29})
        wait_until_done(holdfast, "delta_to_cumulative")
        wanted = {
            (str(series), 0.0, float(n + 1)): sum(m + series for m in range(n + 1))
            for series in range(SERIES)
            for n in range(ROUNDS)
        }
        until(lambda: points(grpc_backend) == wanted, lambda: sorted(set(wanted) ^ set(points(grpc_backend)))[:10])


    def test_a_start_time_stays(self, remembering, grpc_backend, grpc_sender):
        holdfast = remembering("metricstarttime", {})
        for number in range(10):
            batch = [(series, -T0 / S, number + 1, 10 * (number + 1)) for series in range(SERIES)]
            grpc_sender(holdfast).export(otlp.METRICS, request(CUMULATIVE, batch))
            if number in {0, 4, 5}:
                holdfast.kill9()
                holdfast.start()
        wait_until_done(holdfast, "metricstarttime")
        wanted = {(str(series), 1.0, float(n + 1)): 10 * (n + 1) for series in range(SERIES) for n in range(10)}
        until(lambda: points(grpc_backend) == wanted, lambda: sorted(set(wanted) ^ set(points(grpc_backend)))[:10])


class TestReload:
    def test_the_state_goes_on(self, remembering, grpc_backend, grpc_sender):
        holdfast = remembering("deltatocumulative", {})
        sender = grpc_sender(holdfast)
        sender.export(otlp.METRICS, request(DELTA, [("a", 0, 1, 5)]))
        until(lambda: len(points(grpc_backend)) == 1, "nothing has arrived")
        holdfast.reload()
        holdfast.wait_for_log("the new configuration runs", seconds=60)
        sender.export(otlp.METRICS, request(DELTA, [("a", 1, 2, 7)]))
        wanted = {("a", 0.0, 1.0): 5, ("a", 0.0, 2.0): 12}
        until(lambda: points(grpc_backend) == wanted, lambda: points(grpc_backend))


class TestLimits:
    def test_series_beyond_the_limit_are_dropped_and_counted(self, remembering, grpc_backend, grpc_sender):
        holdfast = remembering("deltatocumulative", {"max_streams": 2})
        grpc_sender(holdfast).export(otlp.METRICS, request(DELTA, [(i, 0, 1, 5) for i in range(5)]))
        wait_until_done(holdfast, "deltatocumulative")
        until(lambda: len(points(grpc_backend)) == 2, lambda: points(grpc_backend))
        assert holdfast.metric("otelcol_deltatocumulative_datapoints", error="limit") == 3
        assert holdfast.metric("otelcol_deltatocumulative_streams_tracked") == 2
        assert holdfast.books("metrics", "deltatocumulative")["dropped"]["processor"]["items"] == 3

    def test_a_stale_series_is_forgotten(self, remembering, grpc_backend, grpc_sender):
        holdfast = remembering("cumulativetodelta", {"initial_value": "drop", "max_staleness": "1ms"})
        sender = grpc_sender(holdfast)
        sender.export(otlp.METRICS, request(CUMULATIVE, [("a", 0, 1, 5)]))
        counted = "otelcol_cumulativetodelta_datapoints_dropped"
        until(lambda: holdfast.metric(counted, reason="initial", metric_type="sum") == 1, "it was not looked at")
        until(lambda: holdfast.metric("otelcol_cumulativetodelta_streams_tracked") == 0, "it is remembered")
        sender.export(otlp.METRICS, request(CUMULATIVE, [("a", 0, 2, 6)]))
        until(lambda: holdfast.metric(counted, reason="initial", metric_type="sum") == 2, "it was remembered")


class TestBackendOutage:
    def test_what_waits_for_the_backend_is_counted_once(self, remembering, grpc_backend, grpc_sender):
        holdfast = remembering("deltatocumulative", {})
        grpc_backend.stop()
        send_rounds(holdfast, grpc_sender, range(5), DELTA, {1, 3})
        grpc_backend.start()
        wanted = {
            (str(series), 0.0, float(n + 1)): sum(m + series for m in range(n + 1))
            for series in range(SERIES)
            for n in range(5)
        }
        until(lambda: points(grpc_backend) == wanted, lambda: len(points(grpc_backend)), seconds=40)
