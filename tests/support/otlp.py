"""OTLP messages with an id in every item, and the ids out of messages again.

The id is what the tests' truth is made of: the sender keeps the ids that were acknowledged, the backend those that
arrived, both outside Holdfast.
"""

import collections
import itertools
import os
import time

from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.profiles.v1development import profiles_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

ID_KEY = "test.id"

Signal = collections.namedtuple(
    "Signal", "name service method_path http_path request response rejected items"
)

TRACES = Signal(
    "traces",
    "opentelemetry.proto.collector.trace.v1.TraceService",
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "/v1/traces",
    trace_service_pb2.ExportTraceServiceRequest,
    trace_service_pb2.ExportTraceServiceResponse,
    "rejected_spans",
    "spans",
)
METRICS = Signal(
    "metrics",
    "opentelemetry.proto.collector.metrics.v1.MetricsService",
    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    "/v1/metrics",
    metrics_service_pb2.ExportMetricsServiceRequest,
    metrics_service_pb2.ExportMetricsServiceResponse,
    "rejected_data_points",
    "metric_points",
)
LOGS = Signal(
    "logs",
    "opentelemetry.proto.collector.logs.v1.LogsService",
    "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    "/v1/logs",
    logs_service_pb2.ExportLogsServiceRequest,
    logs_service_pb2.ExportLogsServiceResponse,
    "rejected_log_records",
    "log_records",
)
SIGNALS = (TRACES, METRICS, LOGS)
# Its items have no attributes of their own, so they carry no ids: what is sent is told by the bytes.
PROFILES = Signal(
    "profiles",
    "opentelemetry.proto.collector.profiles.v1development.ProfilesService",
    "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export",
    "/v1development/profiles",
    profiles_service_pb2.ExportProfilesServiceRequest,
    profiles_service_pb2.ExportProfilesServiceResponse,
    "rejected_profiles",
    "profile_samples",
)
ALL_SIGNALS = (*SIGNALS, PROFILES)

_ids = itertools.count(int.from_bytes(os.urandom(5), "big") << 20)


def new_ids(count):
    """So many ids that no other call returns."""
    return [next(_ids) for _ in range(count)]


def any_value(value):
    """An AnyValue of a Python str, bool, int, float, bytes, list, dict or None."""
    if value is None:
        kind = {}
    elif isinstance(value, list):
        kind = {"array_value": ArrayValue(values=[any_value(one) for one in value])}
    elif isinstance(value, dict):
        kind = {"kvlist_value": KeyValueList(values=[attribute(*pair) for pair in value.items()])}
    elif isinstance(value, bool):
        kind = {"bool_value": value}
    elif isinstance(value, int):
        kind = {"int_value": value}
    elif isinstance(value, float):
        kind = {"double_value": value}
    elif isinstance(value, bytes):
        kind = {"bytes_value": value}
    else:
        kind = {"string_value": value}
    return AnyValue(**kind)


def attribute(key, value):
    """A KeyValue, see any_value()."""
    return KeyValue(key=key, value=any_value(value))


def _fill_spans(resource, ids, padding):
    now = time.time_ns()
    spans = resource.scope_spans.add().spans
    for item in ids:
        span = spans.add(
            trace_id=os.urandom(16),
            span_id=os.urandom(8),
            name="test span",
            kind=2,
            start_time_unix_nano=now,
            end_time_unix_nano=now + 1000,
        )
        span.attributes.append(attribute(ID_KEY, item))
        if padding:
            span.attributes.append(attribute("padding", padding))


def _fill_points(resource, ids, padding):
    points = resource.scope_metrics.add().metrics.add(name="test.metric", unit="1").gauge.data_points
    for item in ids:
        point = points.add(time_unix_nano=time.time_ns(), as_int=1)
        point.attributes.append(attribute(ID_KEY, item))
        if padding:
            point.attributes.append(attribute("padding", padding))


def _fill_records(resource, ids, padding):
    records = resource.scope_logs.add().log_records
    for item in ids:
        record = records.add(time_unix_nano=time.time_ns(), severity_number=9, severity_text="INFO")
        record.body.string_value = padding or "test record"
        record.attributes.append(attribute(ID_KEY, item))


def request(signal, ids, padding="", resource=None):
    """An Export request with one item for each id."""
    message = signal.request()
    group = {
        "traces": lambda: message.resource_spans,
        "metrics": lambda: message.resource_metrics,
        "logs": lambda: message.resource_logs,
    }[signal.name]().add()
    for key, value in (resource or {"service.name": "test"}).items():
        group.resource.attributes.append(attribute(key, value))
    {"traces": _fill_spans, "metrics": _fill_points, "logs": _fill_records}[signal.name](group, ids, padding)
    return message


def groups(signal, message):
    """The ResourceSpans and so on of an Export request."""
    names = {
        "traces": "resource_spans",
        "metrics": "resource_metrics",
        "logs": "resource_logs",
        "profiles": "resource_profiles",
    }
    return getattr(message, names[signal.name])


def resources(signal, message):
    """The Resource messages of an Export request."""
    return [group.resource for group in groups(signal, message)]


def _points(metric):
    return getattr(metric, metric.WhichOneof("data")).data_points if metric.WhichOneof("data") else []


def items(signal, message):
    """All spans, data points or log records of an Export request."""
    if signal is TRACES:
        return [
            span for group in message.resource_spans for scope in group.scope_spans for span in scope.spans
        ]
    if signal is METRICS:
        return [
            point
            for group in message.resource_metrics
            for scope in group.scope_metrics
            for metric in scope.metrics
            for point in _points(metric)
        ]
    return [
        record
        for group in message.resource_logs
        for scope in group.scope_logs
        for record in scope.log_records
    ]


def attributes(item):
    """{key: Python value} of whatever has attributes."""
    return {entry.key: value(entry.value) for entry in item.attributes}


def value(any_value):
    """The Python value of an AnyValue; lists and maps too."""
    kind = any_value.WhichOneof("value")
    if kind == "array_value":
        return [value(entry) for entry in any_value.array_value.values]
    if kind == "kvlist_value":
        return {entry.key: value(entry.value) for entry in any_value.kvlist_value.values}
    return getattr(any_value, kind) if kind else None


def ids(signal, message):
    """The ids of a request's items, in order; items without one are left out."""
    found = []
    if signal is PROFILES:
        return found
    for item in items(signal, message):
        for entry in item.attributes:
            if entry.key == ID_KEY:
                found.append(entry.value.int_value)
    return found


def varint(number):
    """Protobuf's variable-length integer."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)
