"""The queries of dashboards in a real Prometheus that scrapes Holdfast: those of charts/holdfast, and those of Grafana's
dashboard 15983, which was made for the Go collector. The Prometheus is that of Debian."""

from support import chart, otlp
from support.backends import GrpcBackend
from support.certificates import Authority
from support.holdfast import Holdfast, config, otlp_exporter
from support.senders import GrpcSender
from support.waiting import until

from .prometheus import Prometheus2

SECONDS = 60  # until two scrapes lie between which something was counted
JOB = 'job="eu/holdfast"'
SCRAPE = """
global: {{scrape_interval: 1s}}
scrape_configs:
- job_name: eu/holdfast
  static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""
PROCESSORS = {
    "memory_limiter": {"check_interval": "1s", "limit_percentage": 80},
    "filter": {
        "error_mode": "ignore",
        "traces": {"span": ['name == "none"']},
        "metrics": {"datapoint": ['metric.name == "none"']},
        "logs": {"log_record": ['body == "none"']},
    },
    "batch": {"timeout": "100ms"},
}
ITEMS = ("spans", "metric_points", "log_records")
# What dashboard 15983 sums by a label of its own, row by row.
COUNTERS = {
    "receiver": [f"receiver_{what}_{items}" for what in ("accepted", "refused") for items in ITEMS],
    "processor": [
        *(f"processor_{what}_{items}" for what in ("accepted", "refused") for items in ITEMS),
        *("processor_batch_batch_send_size_count", "processor_batch_batch_send_size_sum"),
        *("processor_batch_batch_size_trigger_send", "processor_batch_timeout_trigger_send"),
    ],
    "exporter": [f"exporter_{what}_{items}" for what in ("sent", "enqueue_failed", "send_failed") for items in ITEMS],
    "filter": [f"processor_filter_{items}_filtered" for items in ("spans", "datapoints", "logs")],
    "processor, otel_signal": ["processor_incoming_items", "processor_outgoing_items"],
    "le": ["processor_batch_batch_send_size_bucket"],
    "job": ["process_cpu_seconds"],
}
GAUGES = {
    "exporter": ["exporter_queue_size", "exporter_queue_capacity"],
    "job": ["process_memory_rss", "process_runtime_total_sys_memory_bytes", "process_runtime_heap_alloc_bytes"],
    "service_instance_id, service_name, service_version": ["process_uptime"],
}


def of_15983():
    for label, names in COUNTERS.items():
        yield from (f"sum(rate(otelcol_{name}{{{JOB}}}[10s])) by ({label})" for name in names)
    for label, names in GAUGES.items():
        yield from (f"max(otelcol_{name}{{{JOB}}}) by ({label})" for name in names)


def ours():
    for one in chart.dashboards().values():
        yield from (query for query in chart.queries(one) if not query.startswith("label_values("))


def plain(query):
    """A query of ours as Grafana sends it when all jobs and instances are chosen, without the limit that hides what is far off."""
    for words, instead in (("$__rate_interval", "10s"), ("$job", ".*"), ("$instance", ".*"), (" < 1e9)", ")")):
        query = query.replace(words, instead)
    return query


def configuration(backend, authority):
    secure = {"endpoint": "https://127.0.0.1:9", "tls": {"ca_file": str(authority)}}
    return config({"otlp": otlp_exporter(backend), "otlphttp": secure}, PROCESSORS)


def shows(prometheus, sender, query):
    """Does it have a value, while data of each signal passes?"""
    for signal in (otlp.TRACES, otlp.METRICS, otlp.LOGS):
        sender.export(signal, otlp.request(signal, otlp.new_ids(3)))
    return prometheus.find(query)


def main(directory):
    authority = Authority(directory / "authority").certificate
    with GrpcBackend() as backend:
        holdfast = Holdfast(directory / "holdfast", configuration(backend, authority))
        prometheus = Prometheus2(directory, configuration=SCRAPE.format(port=holdfast.ports["METRICS_PORT"]))
        try:
            holdfast.start()
            prometheus.start()
            theirs, own = list(of_15983()), [plain(query) for query in ours()]
            with GrpcSender(holdfast.grpc_target) as sender:
                for query in theirs + own:
                    until(lambda query=query: shows(prometheus, sender, query), query, SECONDS)
            print(f"{len(theirs)} queries of dashboard 15983 and {len(own)} of ours have values", flush=True)
            holdfast.close()
            return True
        finally:
            if holdfast.process and holdfast.process.poll() is None:
                holdfast.kill9()
            prometheus.close()
