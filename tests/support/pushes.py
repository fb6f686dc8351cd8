"""Backends of push protocols other than OTLP: Loki and Prometheus remote write.

Their messages are described here by hand, so that what decodes a request shares nothing with what encoded it.
"""

import collections
import json
import re
import time

import cramjam
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from .backends import DECODE, HttpBackend, Received

Field = descriptor_pb2.FieldDescriptorProto

Entry = collections.namedtuple("Entry", "labels time_ns line")
Sample = collections.namedtuple("Sample", "labels value time_ms")


def _messages(package, described):
    """Classes of the messages in {name: [(number, name, type, repeated)]}; a type may be another one's name."""
    file = descriptor_pb2.FileDescriptorProto(name=f"test/{package}.proto", package=package, syntax="proto3")
    for name, fields in described.items():
        message = file.message_type.add(name=name)
        for number, field_name, kind, repeated in fields:
            field = message.field.add(name=field_name, number=number)
            field.label = Field.LABEL_REPEATED if repeated else Field.LABEL_OPTIONAL
            if isinstance(kind, str):
                field.type = Field.TYPE_MESSAGE
                field.type_name = f".{package}.{kind}"
            else:
                field.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))
        for name in described
    }


LOKI = _messages(
    "loki",
    {
        "PushRequest": [(1, "streams", "Stream", True)],
        "Stream": [(1, "labels", Field.TYPE_STRING, False), (2, "entries", "Entry", True)],
        "Entry": [
            (1, "timestamp", "Timestamp", False),
            (2, "line", Field.TYPE_STRING, False),
        ],
        "Timestamp": [(1, "seconds", Field.TYPE_INT64, False), (2, "nanos", Field.TYPE_INT32, False)],
    },
)

_HISTOGRAM = [
    (1, "count_int", Field.TYPE_UINT64, False),
    (3, "sum", Field.TYPE_DOUBLE, False),
    (4, "schema", Field.TYPE_SINT32, False),
    (5, "zero_threshold", Field.TYPE_DOUBLE, False),
    (6, "zero_count_int", Field.TYPE_UINT64, False),
    (8, "negative_spans", "BucketSpan", True),
    (9, "negative_deltas", Field.TYPE_SINT64, True),
    (11, "positive_spans", "BucketSpan", True),
    (12, "positive_deltas", Field.TYPE_SINT64, True),
    (14, "reset_hint", Field.TYPE_INT32, False),
    (15, "timestamp", Field.TYPE_INT64, False),
]

PROMETHEUS = _messages(
    "prometheus",
    {
        "WriteRequest": [(1, "timeseries", "TimeSeries", True), (3, "metadata", "MetricMetadata", True)],
        "TimeSeries": [
            (1, "labels", "Label", True),
            (2, "samples", "Sample", True),
            (3, "exemplars", "Exemplar", True),
            (4, "histograms", "Histogram", True),
        ],
        "Label": [(1, "name", Field.TYPE_STRING, False), (2, "value", Field.TYPE_STRING, False)],
        "Sample": [(1, "value", Field.TYPE_DOUBLE, False), (2, "timestamp", Field.TYPE_INT64, False)],
        "Exemplar": [
            (1, "labels", "Label", True),
            (2, "value", Field.TYPE_DOUBLE, False),
            (3, "timestamp", Field.TYPE_INT64, False),
        ],
        "Histogram": _HISTOGRAM,
        "BucketSpan": [(1, "offset", Field.TYPE_SINT32, False), (2, "length", Field.TYPE_UINT32, False)],
        "MetricMetadata": [
            (1, "type", Field.TYPE_INT32, False),
            (2, "metric_family_name", Field.TYPE_STRING, False),
            (4, "help", Field.TYPE_STRING, False),
            (5, "unit", Field.TYPE_STRING, False),
        ],
    },
)

_REFS = Field.TYPE_UINT32
PROMETHEUS_2 = _messages(
    "write2",
    {
        "Request": [(4, "symbols", Field.TYPE_STRING, True), (5, "timeseries", "TimeSeries", True)],
        "TimeSeries": [
            (1, "labels_refs", _REFS, True),
            (2, "samples", "Sample", True),
            (3, "histograms", "Histogram", True),
            (4, "exemplars", "Exemplar", True),
            (5, "metadata", "Metadata", False),
        ],
        "Sample": [
            (1, "value", Field.TYPE_DOUBLE, False),
            (2, "timestamp", Field.TYPE_INT64, False),
            (3, "start_timestamp", Field.TYPE_INT64, False),
        ],
        "Exemplar": [
            (1, "labels_refs", _REFS, True),
            (2, "value", Field.TYPE_DOUBLE, False),
            (3, "timestamp", Field.TYPE_INT64, False),
        ],
        "Metadata": [
            (1, "type", Field.TYPE_INT32, False),
            (3, "help_ref", _REFS, False),
            (4, "unit_ref", _REFS, False),
        ],
        "Histogram": [*_HISTOGRAM, (17, "start_timestamp", Field.TYPE_INT64, False)],
        "BucketSpan": [(1, "offset", Field.TYPE_SINT32, False), (2, "length", Field.TYPE_UINT32, False)],
    },
)


class PushBackend(HttpBackend):
    """An HTTP server for one message, as a snappy block; what it took are `requests` as those of HttpBackend."""

    def __init__(self, path, message):
        super().__init__()
        self.path = path
        self._message = message

    @property
    def url(self):
        return f"{self.endpoint}{self.path}"

    def _remember(self, signal, metadata, body, message, accepted):
        received = Received(
            signal, metadata, body, message, self._items(message), time.monotonic(), accepted
        )
        with self._lock:
            self.requests.append(received)

    def _decode(self, _metadata, body):
        return self._message.FromString(bytes(cramjam.snappy.decompress_raw(body)))

    def _serve(self, handler, metadata, body):
        if handler.path != self.path:
            self._answer(handler, 404, {}, b"")
            return
        message = self._decode(metadata, body)
        answer = self.judge(message)
        self._remember(None, metadata, body, message, answer.kind in ("ok", "hide"))
        if answer.kind == "hide":
            handler.close_connection = True
        elif answer.kind == "status":
            self._answer(handler, answer.code, answer.headers, answer.body)
        else:
            self._answer(handler, 204, self._headers(message), b"")

    def _headers(self, _message):
        return {}


class LokiBackend(PushBackend):
    def __init__(self):
        super().__init__("/loki/api/v1/push", LOKI["PushRequest"])

    def _items(self, message):
        return [
            Entry(
                labels_of(stream.labels), entry.timestamp.seconds * 10**9 + entry.timestamp.nanos, entry.line
            )
            for stream in message.streams
            for entry in stream.entries
        ]

    def entries(self):
        """All entries that were accepted, in order of arrival."""
        return self.ids()


class ZipkinBackend(PushBackend):
    """Zipkin's interface, version 2, in JSON; an item is a span."""

    def __init__(self):
        super().__init__("/api/v2/spans", None)

    def _decode(self, metadata, body):
        assert metadata["content-type"] == "application/json"
        return json.loads(DECODE[metadata.get("content-encoding", "")](body))

    def _items(self, message):
        return message


class PrometheusBackend(PushBackend):
    def __init__(self):
        super().__init__("/api/v1/write", PROMETHEUS["WriteRequest"])

    def _items(self, message):
        items = []
        for series in message.timeseries:
            labels = [(label.name, label.value) for label in series.labels]
            names = [name for name, _ in labels]
            assert names == sorted(set(names)) and all(value for _, value in labels), labels
            items += [Sample(dict(labels), one.value, one.timestamp) for one in series.samples]
        return items

    def samples(self, name):
        """The samples of that name that were accepted, in order of arrival."""
        return [one for one in self.ids() if one.labels["__name__"] == name]


class Prometheus2Backend(PrometheusBackend):
    """Remote write 2.0; `says_nothing`: as a backend that knows only 1.0."""

    def __init__(self):
        super().__init__()
        self._message = PROMETHEUS_2["Request"]
        self.says_nothing = False

    @staticmethod
    def labels(message, refs):
        """The labels that a series or an exemplar refers to."""
        names = [message.symbols[ref] for ref in refs[::2]]
        values = [message.symbols[ref] for ref in refs[1::2]]
        assert names == sorted(set(names)) and all(values) and len(names) == len(values)
        return dict(zip(names, values))

    def _items(self, message):
        assert message.symbols[0] == "" and len(set(message.symbols)) == len(message.symbols)
        return [
            Sample(self.labels(message, series.labels_refs), one.value, one.timestamp)
            for series in message.timeseries
            for one in series.samples
        ]

    def _headers(self, message):
        def count(kind):
            return str(sum(len(getattr(series, kind)) for series in message.timeseries))

        return {} if self.says_nothing else {
            f"X-Prometheus-Remote-Write-{kind.title()}-Written": count(kind)
            for kind in ("samples", "histograms", "exemplars")
        }


def labels_of(text):
    """The labels of a LogQL selector."""
    assert text.startswith("{") and text.endswith("}"), text
    pairs = re.findall(r'([a-zA-Z_][a-zA-Z0-9_]*)=("(?:[^"\\]|\\.)*")(?:, |$)', text[1:-1])
    assert ", ".join(f"{name}={value}" for name, value in pairs) == text[1:-1], text
    names = [name for name, _ in pairs]
    assert names == sorted(set(names)), text
    return {name: value[1:-1].encode().decode("unicode_escape") for name, value in pairs}


Line = collections.namedtuple("Line", "measurement tags fields time")


class InfluxBackend(PushBackend):
    """InfluxDB's interface for lines; an item is a line. `query` is what it is asked with."""

    def __init__(self, path="/api/v2/write", query="bucket=b&org=o&precision=ns"):
        super().__init__(f"{path}?{query}", None)

    def _decode(self, metadata, body):
        assert metadata["content-type"] == "text/plain; charset=utf-8"
        text = DECODE[metadata.get("content-encoding", "")](body).decode()
        return [self.line(line) for line in text.splitlines()]

    @staticmethod
    def line(text):
        """Of lines without escapes but in the texts of fields."""
        found = re.fullmatch(r'([^, ]+)((?:,[^=]+=[^, ]+)*) ((?:[^= ]+=(?:"(?:[^"\\]|\\.)*"|[^, ]+),?)+) (\d+)', text)
        assert found, text
        tags = dict(pair.split("=") for pair in found[2].split(",")[1:])
        assert list(tags) == sorted(tags), text
        pairs = re.findall(r'([^=,]+)=("(?:[^"\\]|\\.)*"|[^,]+)', found[3])
        fields = {
            key: re.sub(r"\\(.)", r"\1", value[1:-1])
            if value[0] == '"'
            else int(value[:-1])
            if value[-1] in "iu"
            else float(value)
            for key, value in pairs
        }
        return Line(found[1], tags, fields, int(found[4]))

    def _items(self, message):
        return message

    def lines(self):
        """The lines that were accepted, in order of arrival."""
        return self.ids()
