"""servicegraph: metrics of who calls whom, which a kill neither loses nor counts twice."""

import os

import pytest

from support import otlp
from support.holdfast import config, otlp_exporter, run
from support.waiting import until

MS = 1_000_000
CLIENT, SERVER = 3, 2


def span(service, kind, trace_id, span_id=b"", parent=b"", duration_ms=5, **attributes):
    """A request of one span."""
    message = otlp.request(otlp.TRACES, otlp.new_ids(1), resource={"service.name": service})
    one = message.resource_spans[0].scope_spans[0].spans[0]
    one.trace_id, one.kind = trace_id, kind
    one.span_id = span_id or os.urandom(8)
    one.parent_span_id = parent
    one.start_time_unix_nano = 1_700_000_000_000 * MS
    one.end_time_unix_nano = one.start_time_unix_nano + int(duration_ms * MS)
    for key, value in attributes.items():
        one.attributes.append(otlp.attribute(key, value))
    return message


def call(client, server):
    """The requests of both sides of a call."""
    trace_id, span_id = os.urandom(16), os.urandom(8)
    return span(client, CLIENT, trace_id, span_id), span(server, SERVER, trace_id, parent=span_id)


def requests_of(backend, name="traces_service_graph_request_total"):
    """The newest number of requests by (client, server); the backend may get them in any order."""
    found, times = {}, {}
    for request in list(backend.requests):
        for resource in request.message.resource_metrics if request.signal is otlp.METRICS else ():
            for metric in resource.scope_metrics[0].metrics:
                for point in getattr(metric, metric.WhichOneof("data")).data_points if metric.name == name else ():
                    of = {pair.key: pair.value.string_value for pair in point.attributes}
                    of = of.get("client"), of.get("server")
                    if point.time_unix_nano >= times.get(of, 0):
                        found[of] = point.as_int if hasattr(point, "as_int") else point.count
                        times[of] = point.time_unix_nano
    return found


@pytest.fixture
def graphing(start, grpc_backend):
    def make(ready=True, **keys):
        configuration = config({"otlp": otlp_exporter(grpc_backend)})
        configuration["connectors"] = {"servicegraph": {"metrics_flush_interval": "200ms", **keys}}
        configuration["service"]["pipelines"] = {
            "traces": {"receivers": ["otlp"], "processors": [], "exporters": ["servicegraph"]},
            "metrics": {"receivers": ["servicegraph"], "processors": [], "exporters": ["otlp"]},
        }
        return start(configuration, ready=ready)

    return make


def reached(backend, wanted):
    until(lambda: requests_of(backend) == wanted, lambda: f"{requests_of(backend)} instead of {wanted}")


def folded(holdfast):
    until(lambda: holdfast.books("traces", "servicegraph")["queued"]["items"] == 0, "spans are still queued")


class TestGraph:
    def test_a_call_is_counted_and_timed_on_both_sides(self, graphing, grpc_backend, grpc_sender):
        sender = grpc_sender(graphing())
        for _ in range(3):
            for message in call("front", "cart"):
                sender.export(otlp.TRACES, message)
        wanted = {("front", "cart"): 3}
        reached(grpc_backend, wanted)
        assert requests_of(grpc_backend, "traces_service_graph_request_server") == wanted
        assert requests_of(grpc_backend, "traces_service_graph_request_client") == wanted
        assert requests_of(grpc_backend, "traces_service_graph_request_failed_total") == {}

    def test_a_service_without_spans_is_named_by_the_client(self, graphing, grpc_backend, grpc_sender):
        sender = grpc_sender(graphing(store={"ttl": "100ms"}, store_expiration_loop="100ms"))
        sender.export(otlp.TRACES, span("front", CLIENT, os.urandom(16), **{"peer.service": "outside"}))
        sender.export(otlp.TRACES, span("cart", SERVER, os.urandom(16)))
        reached(grpc_backend, {("front", "outside"): 1, ("user", "cart"): 1})

    def test_what_is_beyond_max_items_is_counted(self, graphing, grpc_sender):
        holdfast = graphing(store={"ttl": "1h", "max_items": 2})
        sender = grpc_sender(holdfast)
        for _ in range(5):
            sender.export(otlp.TRACES, span("front", CLIENT, os.urandom(16)))
        name = "otelcol_connector_servicegraph_dropped_spans"
        until(lambda: holdfast.metric(name) == 3, lambda: str(holdfast.metric(name)))


class TestSurvival:
    def test_a_side_that_waits_survives_a_kill(self, graphing, grpc_backend, grpc_sender):
        holdfast = graphing(store={"ttl": "1h"})
        client, server = call("front", "cart")
        grpc_sender(holdfast).export(otlp.TRACES, client)
        folded(holdfast)
        holdfast.kill9()
        holdfast.start()
        grpc_sender(holdfast).export(otlp.TRACES, server)
        reached(grpc_backend, {("front", "cart"): 1})

    def test_counts_go_on_after_kills(self, graphing, grpc_backend, grpc_sender):
        holdfast = graphing(store={"ttl": "1h"})
        for _ in range(3):
            sender = grpc_sender(holdfast)
            for _ in range(10):
                for message in call("front", "cart"):
                    sender.export(otlp.TRACES, message)
            holdfast.kill9()
            holdfast.start()
        reached(grpc_backend, {("front", "cart"): 30})
        folded(holdfast)
        reached(grpc_backend, {("front", "cart"): 30})

    def test_a_reload_with_other_dimensions_begins_again(self, graphing, grpc_backend, grpc_sender):
        holdfast = graphing(store={"ttl": "1h"})
        sender = grpc_sender(holdfast)
        for message in call("front", "cart"):
            sender.export(otlp.TRACES, message)
        reached(grpc_backend, {("front", "cart"): 1})
        text = holdfast.config_path.read_text()
        holdfast.write_config(text.replace("ttl: 1h", "ttl: 1h\n    dimensions: [zone]"))
        holdfast.reload()
        sender = grpc_sender(holdfast)
        for message in call("front", "pay"):
            sender.export(otlp.TRACES, message)
        until(lambda: ("front", "pay") in requests_of(grpc_backend), lambda: str(requests_of(grpc_backend)))


@pytest.mark.parametrize(
    "keys, words",
    [
        ({"latency_histogram_buckets": ["1ms"], "exponential_histogram_max_size": 5}, "not both"),
        ({"latency_histogram_buckets": ["2ms", "1ms"]}, "ascending"),
        ({"latency_histogram_buckets": ["soon"]}, '"soon" is no duration'),
        ({"store": {"max_items": -1}}, "max_items"),
    ],
)
def test_a_mistake_is_named(graphing, keys, words):
    holdfast = graphing(ready=False, **keys)
    answer = run("validate", "--config", holdfast.base_path, "--config", holdfast.config_path)
    assert answer.returncode != 0
    assert words in answer.stderr + answer.stdout
