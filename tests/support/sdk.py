"""The official OpenTelemetry SDK as a sender: spans, counters and log records that carry the tests' ids."""

import contextlib

import grpc
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc import _log_exporter as grpc_logs
from opentelemetry.exporter.otlp.proto.grpc import metric_exporter as grpc_metrics
from opentelemetry.exporter.otlp.proto.grpc import trace_exporter as grpc_traces
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http import _log_exporter as http_logs
from opentelemetry.exporter.otlp.proto.http import metric_exporter as http_metrics
from opentelemetry.exporter.otlp.proto.http import trace_exporter as http_traces
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import Counter, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from . import otlp

RESOURCE = Resource.create({"service.name": "sdk-test"})

EXPORTERS = {
    ("traces", "grpc"): grpc_traces.OTLPSpanExporter,
    ("metrics", "grpc"): grpc_metrics.OTLPMetricExporter,
    ("logs", "grpc"): grpc_logs.OTLPLogExporter,
    ("traces", "http"): http_traces.OTLPSpanExporter,
    ("metrics", "http"): http_metrics.OTLPMetricExporter,
    ("logs", "http"): http_logs.OTLPLogExporter,
}


def exporter(signal, transport, holdfast, gzip=False, **options):
    """The SDK's own exporter to that instance."""
    make = EXPORTERS[signal.name, transport]
    if signal is otlp.METRICS:
        # Deltas: a point is sent once, not again with every later flush.
        options["preferred_temporality"] = {Counter: AggregationTemporality.DELTA}
    if transport == "grpc":
        compression = grpc.Compression.Gzip if gzip else grpc.Compression.NoCompression
        return make(endpoint=holdfast.grpc_target, insecure=True, compression=compression, **options)
    compression = Compression.Gzip if gzip else Compression.NoCompression
    return make(endpoint=holdfast.http_base + signal.http_path, compression=compression, **options)


def _spans(exporter_, ids):
    provider = TracerProvider(resource=RESOURCE)
    provider.add_span_processor(BatchSpanProcessor(exporter_))
    tracer = provider.get_tracer("tests")
    for item in ids:
        with tracer.start_as_current_span("parent", attributes={otlp.ID_KEY: item}) as span:
            span.add_event("event", {"key": "value"})
    return provider


def _points(exporter_, ids):
    reader = PeriodicExportingMetricReader(exporter_, export_interval_millis=3_600_000)
    provider = MeterProvider(metric_readers=[reader], resource=RESOURCE)
    counter = provider.get_meter("tests").create_counter("requests")
    for item in ids:
        counter.add(1, {otlp.ID_KEY: item})
    return provider


def _records(exporter_, ids):
    provider = LoggerProvider(resource=RESOURCE)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter_))
    logger = provider.get_logger("tests")
    for item in ids:
        logger.emit(severity_number=SeverityNumber.INFO, body="record", attributes={otlp.ID_KEY: item})
    return provider


def send(signal, exporter_, ids):
    """Makes one item for each id with the SDK and flushes; returns the SDK's own verdict."""
    provider = {"traces": _spans, "metrics": _points, "logs": _records}[signal.name](exporter_, ids)
    with contextlib.closing(_Shutdown(provider)):
        return provider.force_flush(10_000)


class _Shutdown:
    """Gives a provider the method that contextlib knows."""

    def __init__(self, provider):
        self.close = provider.shutdown
