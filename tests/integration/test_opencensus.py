"""Spans and metrics as OpenCensus libraries export them: streams of gRPC, of which only the end is answered. Messages
are described here by hand, so that what encodes them shares nothing with what decodes them."""

import queue
import threading

import grpc
import pytest
import requests

from support.holdfast import otlp_exporter
from support.ports import free_port
from support.pushes import Field, _messages
from support.waiting import until

TEXT, BYTES, INT, UINT, FLAG, DOUBLE = (
    Field.TYPE_STRING,
    Field.TYPE_BYTES,
    Field.TYPE_INT64,
    Field.TYPE_UINT32,
    Field.TYPE_BOOL,
    Field.TYPE_DOUBLE,
)

CENSUS = _messages(
    "census",
    {
        "Time": [(1, "seconds", INT, False), (2, "nanos", Field.TYPE_INT32, False)],
        "Pair": [(1, "key", TEXT, False), (2, "value", TEXT, False)],
        "Process": [(1, "host_name", TEXT, False), (2, "pid", UINT, False), (3, "start", "Time", False)],
        "Library": [(1, "language", INT, False), (2, "exporter", TEXT, False), (3, "version", TEXT, False)],
        "Service": [(1, "name", TEXT, False)],
        "Node": [
            (1, "process", "Process", False),
            (2, "library", "Library", False),
            (3, "service", "Service", False),
            (4, "attributes", "Pair", True),
        ],
        "Resource": [(1, "type", TEXT, False), (2, "labels", "Pair", True)],
        "Text": [(1, "value", TEXT, False)],
        "Value": [
            (1, "text", "Text", False),
            (2, "integer", INT, False),
            (3, "flag", FLAG, False),
            (4, "number", DOUBLE, False),
        ],
        "Entry": [(1, "key", TEXT, False), (2, "value", "Value", False)],
        "Attributes": [(1, "entries", "Entry", True), (2, "dropped", INT, False)],
        "State": [(1, "entries", "Pair", True)],
        "Annotation": [(1, "description", "Text", False), (2, "attributes", "Attributes", False)],
        "Message": [(1, "type", INT, False), (2, "id", INT, False), (3, "size", INT, False), (4, "compressed", INT, False)],
        "Event": [(1, "time", "Time", False), (2, "annotation", "Annotation", False), (3, "message", "Message", False)],
        "Events": [(1, "events", "Event", True), (2, "dropped", INT, False), (3, "dropped_messages", INT, False)],
        "Link": [(1, "trace_id", BYTES, False), (2, "span_id", BYTES, False), (4, "attributes", "Attributes", False)],
        "Links": [(1, "links", "Link", True), (2, "dropped", INT, False)],
        "Status": [(1, "code", INT, False), (2, "message", TEXT, False)],
        "Flag": [(1, "value", FLAG, False)],
        "Span": [
            (1, "trace_id", BYTES, False),
            (2, "span_id", BYTES, False),
            (3, "parent", BYTES, False),
            (4, "name", "Text", False),
            (5, "start", "Time", False),
            (6, "end", "Time", False),
            (7, "attributes", "Attributes", False),
            (9, "events", "Events", False),
            (10, "links", "Links", False),
            (11, "status", "Status", False),
            (12, "same", "Flag", False),
            (14, "kind", INT, False),
            (15, "state", "State", False),
            (16, "resource", "Resource", False),
        ],
        "Traces": [(1, "node", "Node", False), (2, "spans", "Span", True), (3, "resource", "Resource", False)],
        "Key": [(1, "key", TEXT, False)],
        "Label": [(1, "value", TEXT, False), (2, "has_value", FLAG, False)],
        "Descriptor": [
            (1, "name", TEXT, False),
            (2, "description", TEXT, False),
            (3, "unit", TEXT, False),
            (4, "type", INT, False),
            (5, "keys", "Key", True),
        ],
        "Exemplar": [(1, "value", DOUBLE, False), (2, "time", "Time", False), (3, "texts", "Pair", True)],
        "Bucket": [(1, "count", INT, False), (2, "exemplar", "Exemplar", False)],
        "Explicit": [(1, "bounds", DOUBLE, True)],
        "Options": [(1, "explicit", "Explicit", False)],
        "Distribution": [
            (1, "count", INT, False),
            (2, "sum", DOUBLE, False),
            (4, "options", "Options", False),
            (5, "buckets", "Bucket", True),
        ],
        "Count": [(1, "value", INT, False)],
        "Sum": [(1, "value", DOUBLE, False)],
        "Percentile": [(1, "percentile", DOUBLE, False), (2, "value", DOUBLE, False)],
        "Snapshot": [(3, "values", "Percentile", True)],
        "Summary": [(1, "count", "Count", False), (2, "sum", "Sum", False), (3, "snapshot", "Snapshot", False)],
        "Point": [
            (1, "time", "Time", False),
            (2, "integer", INT, False),
            (3, "number", DOUBLE, False),
            (4, "distribution", "Distribution", False),
            (5, "summary", "Summary", False),
        ],
        "Series": [(1, "start", "Time", False), (2, "labels", "Label", True), (3, "points", "Point", True)],
        "Metric": [(1, "descriptor", "Descriptor", False), (2, "series", "Series", True), (3, "resource", "Resource", False)],
        "Metrics": [(1, "node", "Node", False), (2, "metrics", "Metric", True), (3, "resource", "Resource", False)],
    },
)

TRACES = "/opencensus.proto.agent.trace.v1.TraceService/Export"
METRICS = "/opencensus.proto.agent.metrics.v1.MetricsService/Export"


class Stream:
    """One call that stays open: say() sends a message, end() returns its status."""

    def __init__(self, channel, path, **options):
        self.messages = queue.Queue()
        method = channel.stream_stream(path)
        self.call = method(iter(self.messages.get, None), timeout=60, **options)
        self.code = None
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        try:
            list(self.call)
        except grpc.RpcError:
            pass
        self.code = self.call.code()

    def say(self, message):
        self.messages.put(message if isinstance(message, bytes) else message.SerializeToString())

    def end(self):
        self.messages.put(None)
        self.thread.join(60)
        return self.code


class Receiver:
    def __init__(self, start, backend, **exporter):
        self.backend = backend
        self.port = free_port()
        self.configuration = {
            "receivers": {"opencensus": {"endpoint": f"127.0.0.1:{self.port}"}},
            "exporters": {"otlp": otlp_exporter(backend, **exporter)},
            "service": {
                "pipelines": {
                    signal: {"receivers": ["opencensus"], "exporters": ["otlp"]} for signal in ("traces", "metrics")
                }
            },
        }
        self.holdfast = start(self.configuration)
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.port}")

    def spans(self):
        """[(resource, span)]"""
        return [
            ({one.key: value_of(one.value) for one in group.resource.attributes}, span)
            for request in self.backend.accepted()
            for group in getattr(request.message, "resource_spans", ())
            for scope in group.scope_spans
            for span in scope.spans
        ]

    def metrics(self):
        return {
            metric.name: metric
            for request in self.backend.accepted()
            for group in getattr(request.message, "resource_metrics", ())
            for scope in group.scope_metrics
            for metric in scope.metrics
        }


def value_of(value):
    return getattr(value, value.WhichOneof("value"))


def attributes(of):
    return {one.key: value_of(one.value) for one in of}


def node(name):
    made = CENSUS["Node"]()
    made.service.name = name
    return made


def traces(*names, of=None, **more):
    made = CENSUS["Traces"](node=node(of) if of else None, **more)
    for name in names:
        span = made.spans.add(trace_id=bytes(range(16)), span_id=bytes(range(8)))
        span.name.value = name
        span.start.seconds = 5
    return made


@pytest.fixture
def receiver(start, grpc_backend):
    made = []

    def make(**exporter):
        made.append(Receiver(start, grpc_backend, **exporter))
        return made[-1]

    yield make
    for one in made:
        one.channel.close()


def names(one):
    return sorted(span.name for _, span in one.spans())


def test_a_span_with_all_it_can_have(receiver):
    one = receiver()
    request = traces("buy", of="shop")
    request.node.process.host_name, request.node.process.pid, request.node.process.start.seconds = "n1", 7, 86400
    request.node.library.language, request.node.library.version, request.node.library.exporter = 9, "1.2", "0.1"
    request.node.attributes.add(key="both", value="node")
    request.resource.type = "k8s"
    request.resource.labels.add(key="both", value="resource")
    request.resource.labels.add(key="cloud.zone", value="a")
    (span,) = request.spans
    span.parent, span.kind, span.end.seconds, span.end.nanos = b"\x01" * 8, 1, 6, 7
    span.state.entries.add(key="k", value="v")
    span.state.entries.add(key="l", value="w")
    for key, value in {"t": {"text": {"value": "x"}}, "i": {"integer": -1}, "f": {"flag": True}, "n": {"number": 1.5}}.items():
        span.attributes.entries.add(key=key, value=CENSUS["Value"](**value))
    span.attributes.dropped = 2
    annotation = span.events.events.add()
    annotation.time.seconds = 5
    annotation.annotation.description.value = "note"
    annotation.annotation.attributes.entries.add(key="a", value=CENSUS["Value"](integer=3))
    message = span.events.events.add()
    message.message.type, message.message.id, message.message.size = 1, 4, 100
    span.events.dropped, span.events.dropped_messages = 1, 2
    link = span.links.links.add(trace_id=b"\x02" * 16, span_id=b"\x03" * 8)
    link.attributes.entries.add(key="b", value=CENSUS["Value"](flag=True))
    span.status.code, span.status.message = 5, "not found"
    span.same.value = True
    stream = Stream(one.channel, TRACES)
    stream.say(request)
    until(one.spans, one.holdfast.log)
    assert stream.end() == grpc.StatusCode.OK
    ((resource, made),) = one.spans()
    assert resource == {
        "both": "node",
        "cloud.availability_zone": "a",
        "service.name": "shop",
        "opencensus.starttime": "1970-01-02T00:00:00Z",
        "host.name": "n1",
        "process.pid": 7,
        "telemetry.sdk.version": "1.2",
        "opencensus.exporterversion": "0.1",
        "telemetry.sdk.language": "ruby",
        "opencensus.resourcetype": "k8s",
    }
    assert (made.trace_id, made.span_id, made.parent_span_id) == (bytes(range(16)), bytes(range(8)), b"\x01" * 8)
    assert (made.name, made.kind, made.trace_state) == ("buy", 2, "k=v,l=w")
    assert (made.start_time_unix_nano, made.end_time_unix_nano) == (5 * 10**9, 6 * 10**9 + 7)
    assert attributes(made.attributes) == {
        "t": "x",
        "i": -1,
        "f": True,
        "n": 1.5,
        "opencensus.same_process_as_parent_span": True,
    }
    assert (made.dropped_attributes_count, made.dropped_events_count) == (2, 3)
    note, sent = made.events
    assert (note.name, note.time_unix_nano, attributes(note.attributes)) == ("note", 5 * 10**9, {"a": 3})
    assert sent.name == "message" and attributes(sent.attributes) == {
        "message.type": "SENT",
        "messaging.message_id": 4,
        "messaging.message_payload_size_bytes": 100,
        "messaging.message_payload_compressed_size_bytes": 0,
    }
    (led,) = made.links
    assert (led.trace_id, led.span_id, attributes(led.attributes)) == (b"\x02" * 16, b"\x03" * 8, {"b": True})
    assert (made.status.code, made.status.message) == (2, "not found")


def test_node_and_resource_hold_for_the_stream(receiver):
    one = receiver()
    stream = Stream(one.channel, TRACES)
    stream.say(traces("first", of="shop"))
    second = traces("second", "own")
    second.resource.labels.add(key="a", value="b")
    second.spans[1].resource.labels.add(key="c", value="d")
    stream.say(second)
    stream.say(traces("third"))
    stream.say(traces("fourth", of="other"))
    assert stream.end() == grpc.StatusCode.OK
    until(lambda: len(one.spans()) == 5, one.holdfast.log)
    found = {span.name: resource for resource, span in one.spans()}
    assert found == {
        "first": {"service.name": "shop"},
        "second": {"service.name": "shop", "a": "b"},
        "own": {"service.name": "shop", "c": "d"},
        "third": {"service.name": "shop", "a": "b"},
        "fourth": {"service.name": "other", "a": "b"},
    }


def test_metrics(receiver):
    one = receiver()
    request = CENSUS["Metrics"](node=node("shop"))

    def add(name, kind, **point):
        metric = request.metrics.add()
        metric.descriptor.name, metric.descriptor.type, metric.descriptor.unit = name, kind, "By"
        metric.descriptor.keys.add(key="k")
        metric.descriptor.keys.add(key="unset")
        series = metric.series.add()
        series.start.seconds = 1
        series.labels.add(value="v", has_value=True)
        series.labels.add()
        series.points.add(time=CENSUS["Time"](seconds=5), **point)

    add("gauge", 2, number=1.5)
    add("sum", 4, integer=3)
    buckets = [{"count": 1}, {"count": 2, "exemplar": {"value": 7, "texts": [{"key": "a", "value": "b"}]}}]
    add("distribution", 6, distribution={"count": 3, "sum": 9, "options": {"explicit": {"bounds": [5]}}, "buckets": buckets})
    values = [{"percentile": 99, "value": 4}]
    add("summary", 7, summary={"count": {"value": 2}, "sum": {"value": 6}, "snapshot": {"values": values}})
    stream = Stream(one.channel, METRICS, compression=grpc.Compression.Gzip)
    stream.say(request)
    assert stream.end() == grpc.StatusCode.OK
    until(lambda: len(one.metrics()) == 4, one.holdfast.log)
    found = one.metrics()
    (point,) = found["gauge"].gauge.data_points
    assert (point.as_double, point.time_unix_nano, attributes(point.attributes)) == (1.5, 5 * 10**9, {"k": "v"})
    (point,) = found["sum"].sum.data_points
    assert (point.as_int, point.start_time_unix_nano, found["sum"].unit) == (3, 10**9, "By")
    assert found["sum"].sum.is_monotonic and found["sum"].sum.aggregation_temporality == 2
    (point,) = found["distribution"].histogram.data_points
    assert (point.count, point.sum, list(point.bucket_counts), list(point.explicit_bounds)) == (3, 9, [1, 2], [5])
    assert point.exemplars[0].as_double == 7 and attributes(point.exemplars[0].filtered_attributes) == {"a": "b"}
    (point,) = found["summary"].summary.data_points
    assert (point.count, point.sum, point.quantile_values[0].quantile) == (2, 6, 0.99)


@pytest.mark.parametrize(
    ("path", "message", "why"),
    [
        (TRACES, traces("a"), "the first message of the stream has no node"),
        (TRACES, b"\x0a\x05", "the message is malformed"),
        (TRACES, b"\x0a\x00\x12\x02\x0a\x05", "the message is malformed"),
        (METRICS, b"\x0a\x00\x12\x04\x0a\x02\x20\x03", "a metric is of a type that OTLP does not have: 3"),
    ],
    ids=["node", "bytes", "span", "type"],
)
def test_what_it_refuses(receiver, path, message, why):
    one = receiver()
    stream = Stream(one.channel, path)
    stream.say(message)
    until(lambda: stream.code is not None, one.holdfast.log)
    assert stream.code == grpc.StatusCode.INVALID_ARGUMENT and stream.call.details() == why
    stream.messages.put(None)


def test_json_over_http_is_refused_in_words_of_its_own(receiver):
    one = receiver()
    answer = requests.post(f"http://127.0.0.1:{one.port}/v1/trace", json={"spans": []}, timeout=10)
    assert (answer.status_code, answer.text.strip()) == (505, "This port is for gRPC only.")
    one.holdfast.wait_for_log("speaks HTTP/1.1 to a port of gRPC: set the client's protocol to gRPC")
    assert "4318" not in one.holdfast.log()


def test_a_full_queue_makes_the_sender_wait(receiver, grpc_backend):
    grpc_backend.stop()
    one = receiver(sending_queue={"queue_size": 1})
    stream = Stream(one.channel, TRACES)
    for number in range(20):
        stream.say(traces(f"s{number}", of="shop"))
    until(lambda: "queue" in one.holdfast.log(), one.holdfast.log)
    assert stream.code is None
    grpc_backend.start()
    assert stream.end() == grpc.StatusCode.OK
    until(lambda: len(set(names(one))) == 20, one.holdfast.log)


def test_what_is_committed_outlives_a_kill(receiver, grpc_backend):
    grpc_backend.stop()
    one = receiver()
    stream = Stream(one.channel, TRACES)
    for number in range(50):
        stream.say(traces(f"s{number}", of="shop"))
    assert stream.end() == grpc.StatusCode.OK
    one.holdfast.kill9()
    one.holdfast.start()
    grpc_backend.start()
    until(lambda: set(names(one)) == {f"s{number}" for number in range(50)}, one.holdfast.log)


def test_a_stop_ends_the_stream_between_messages(receiver):
    one = receiver()
    stream = Stream(one.channel, TRACES)
    stream.say(traces("a", of="shop"))
    until(lambda: names(one) == ["a"], one.holdfast.log)
    one.holdfast.terminate()
    until(lambda: stream.code is not None, one.holdfast.log)
    assert stream.code == grpc.StatusCode.UNAVAILABLE
    stream.messages.put(None)


def test_large_messages_and_many(receiver):
    """More than a window of the stream at once, and messages that fill it together."""
    one = receiver()
    stream = Stream(one.channel, TRACES)
    stream.say(traces(*["large" * 100] * 5000, of="shop"))
    for number in range(200):
        stream.say(traces(*[f"s{number}"] * 100))
    assert stream.end() == grpc.StatusCode.OK
    until(lambda: len(one.spans()) == 25000, lambda: len(one.spans()))
