"""A small shop, instrumented with the official OpenTelemetry SDK: the sender of `./dev demo`.

Each order makes a span, a count and a log record, each with the order's number, alternately over OTLP/gRPC and
OTLP/HTTP. What Holdfast acknowledged is written to a file, a line each: this is the sender's own record, kept outside
Holdfast. It ends at SIGTERM, after a last flush.
"""

import itertools
import logging
import signal
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.metrics import Counter, MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    MetricExporter,
    MetricExportResult,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from support import otlp, sdk

ORDERS_A_SECOND = 60


class Record:
    """The file of what was acknowledged."""

    def __init__(self, path):
        self._file = open(path, "a", buffering=1, encoding="ascii")
        self._lock = threading.Lock()

    def add(self, signal_name, ids):
        with self._lock:
            self._file.writelines(f"{signal_name} {item}\n" for item in ids)


class RecordedSpans(SpanExporter):
    def __init__(self, inner, record):
        self._inner, self._record = inner, record

    def export(self, spans):
        result = self._inner.export(spans)
        if result is SpanExportResult.SUCCESS:
            self._record.add("traces", [span.attributes[otlp.ID_KEY] for span in spans])
        return result

    def shutdown(self):
        self._inner.shutdown()


class RecordedPoints(MetricExporter):
    def __init__(self, inner, record):
        # Deltas: each order's point is sent once, not again with every later export.
        super().__init__(preferred_temporality={Counter: AggregationTemporality.DELTA})
        self._inner, self._record = inner, record

    def export(self, metrics_data, timeout_millis=10_000, **options):
        result = self._inner.export(metrics_data, timeout_millis, **options)
        if result is MetricExportResult.SUCCESS:
            self._record.add(
                "metrics",
                [
                    point.attributes[otlp.ID_KEY]
                    for resource in metrics_data.resource_metrics
                    for scope in resource.scope_metrics
                    for metric in scope.metrics
                    for point in metric.data.data_points
                    if otlp.ID_KEY in point.attributes
                ],
            )
        return result

    def force_flush(self, timeout_millis=10_000):
        return self._inner.force_flush(timeout_millis)

    def shutdown(self, timeout_millis=30_000, **options):
        self._inner.shutdown(timeout_millis, **options)


class RecordedLogs(LogRecordExporter):
    def __init__(self, inner, record):
        self._inner, self._record = inner, record

    def export(self, batch):
        result = self._inner.export(batch)
        if result is LogRecordExportResult.SUCCESS:
            self._record.add("logs", [one.log_record.attributes[otlp.ID_KEY] for one in batch])
        return result

    def force_flush(self, timeout_millis=10_000):
        return self._inner.force_flush(timeout_millis)

    def shutdown(self):
        self._inner.shutdown()


class Holdfast:
    """The addresses that the SDK's exporters ask for."""

    def __init__(self, grpc_port, http_port):
        self.grpc_target = f"127.0.0.1:{grpc_port}"
        self.http_base = f"http://127.0.0.1:{http_port}"


class Till:
    """One way to Holdfast: a provider for each signal over one transport."""

    def __init__(self, holdfast, transport, record):
        resource = Resource.create({"service.name": "shop", "till": transport})

        def exporter(signal_):
            return sdk.exporter(signal_, transport, holdfast, gzip=transport == "http", timeout=5)

        self.tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
        self.tracers.add_span_processor(
            BatchSpanProcessor(RecordedSpans(exporter(otlp.TRACES), record), schedule_delay_millis=200)
        )
        reader = PeriodicExportingMetricReader(
            RecordedPoints(exporter(otlp.METRICS), record), export_interval_millis=500
        )
        self.meters = MeterProvider(metric_readers=[reader], resource=resource, shutdown_on_exit=False)
        self.loggers = LoggerProvider(resource=resource, shutdown_on_exit=False)
        self.loggers.add_log_record_processor(
            BatchLogRecordProcessor(RecordedLogs(exporter(otlp.LOGS), record), schedule_delay_millis=200)
        )
        self.tracer = self.tracers.get_tracer("shop")
        self.orders = self.meters.get_meter("shop").create_counter("orders")
        self.logger = self.loggers.get_logger("shop")

    def sell(self, number):
        with self.tracer.start_as_current_span("order", attributes={otlp.ID_KEY: number}):
            self.orders.add(1, {otlp.ID_KEY: number})
            self.logger.emit(
                severity_number=SeverityNumber.INFO, body=f"order {number}", attributes={otlp.ID_KEY: number}
            )

    def close(self):
        for provider in (self.tracers, self.meters, self.loggers):
            provider.shutdown()


def main():
    grpc_port, http_port, path = sys.argv[1:]
    # The SDK logs each attempt that fails; failing attempts are what the demo is about.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    closing = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: closing.set())
    record = Record(path)
    tills = [Till(Holdfast(grpc_port, http_port), transport, record) for transport in ("grpc", "http")]
    for number in itertools.count(1):
        if closing.wait(1 / ORDERS_A_SECOND):
            break
        tills[number % len(tills)].sell(number)
    for till in tills:
        till.close()


if __name__ == "__main__":
    main()
