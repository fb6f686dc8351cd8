/*
 * spanmetrics: the processor that made metrics of spans until it became a connector.
 */
#include "support/settings/moved.h"

enum {
    METRICS_EXPORTER = 0,
    LATENCY_HISTOGRAM_BUCKETS,
    DIMENSIONS,
    DIMENSIONS_CACHE_SIZE,
    RESOURCE_ATTRIBUTES,
    RESOURCE_ATTRIBUTES_CACHE_SIZE,
    AGGREGATION_TEMPORALITY,
    SKIP_SANITIZE_LABEL,
    INHERIT_INSTRUMENTATION_LIBRARY_NAME,
    ATTACH_SPAN_AND_TRACE_ID,
    NAMESPACE,
    HISTOGRAM,
    EXEMPLARS,
    EVENTS,
    METRICS_FLUSH_INTERVAL,
    EXCLUDE_DIMENSIONS,
    KEY_COUNT
};

static const struct hf_moved_key keys[KEY_COUNT] = {
    [METRICS_EXPORTER] = {"metrics_exporter", NULL},
    [LATENCY_HISTOGRAM_BUCKETS] = {"latency_histogram_buckets", "histogram::explicit::buckets"},
    [DIMENSIONS] = {"dimensions", "dimensions"},
    [DIMENSIONS_CACHE_SIZE] = {"dimensions_cache_size", "dimensions_cache_size"},
    [RESOURCE_ATTRIBUTES] = {"resource_attributes", NULL},
    [RESOURCE_ATTRIBUTES_CACHE_SIZE] = {"resource_attributes_cache_size",
                                        "resource_metrics_cache_size"},
    [AGGREGATION_TEMPORALITY] = {"aggregation_temporality", "aggregation_temporality"},
    [SKIP_SANITIZE_LABEL] = {"skip_sanitize_label", NULL},
    [INHERIT_INSTRUMENTATION_LIBRARY_NAME] = {"inherit_instrumentation_library_name", NULL},
    [ATTACH_SPAN_AND_TRACE_ID] = {"attach_span_and_trace_id", "exemplars::enabled"},
    [NAMESPACE] = {"namespace", "namespace"},
    [HISTOGRAM] = {"histogram", "histogram"},
    [EXEMPLARS] = {"exemplars", "exemplars"},
    [EVENTS] = {"events", "events"},
    [METRICS_FLUSH_INTERVAL] = {"metrics_flush_interval", "metrics_flush_interval"},
    [EXCLUDE_DIMENSIONS] = {"exclude_dimensions", "exclude_dimensions"},
};

static const char *check(const void *config)
{
    const struct hf_moved moved = {.type = "spanmetrics",
                                   .keys = keys,
                                   .values = config,
                                   .count = KEY_COUNT,
                                   .exporter = METRICS_EXPORTER};
    return hf_moved_sentence(&moved);
}

static const struct hf_field fields[] = {
    HF_MOVED_FIELD("metrics_exporter", METRICS_EXPORTER),
    HF_MOVED_FIELD("latency_histogram_buckets", LATENCY_HISTOGRAM_BUCKETS),
    HF_MOVED_FIELD("dimensions", DIMENSIONS),
    HF_MOVED_FIELD("dimensions_cache_size", DIMENSIONS_CACHE_SIZE),
    HF_MOVED_FIELD("resource_attributes", RESOURCE_ATTRIBUTES),
    HF_MOVED_FIELD("resource_attributes_cache_size", RESOURCE_ATTRIBUTES_CACHE_SIZE),
    HF_MOVED_FIELD("aggregation_temporality", AGGREGATION_TEMPORALITY),
    HF_MOVED_FIELD("skip_sanitize_label", SKIP_SANITIZE_LABEL),
    HF_MOVED_FIELD("inherit_instrumentation_library_name", INHERIT_INSTRUMENTATION_LIBRARY_NAME),
    HF_MOVED_FIELD("attach_span_and_trace_id", ATTACH_SPAN_AND_TRACE_ID),
    HF_MOVED_FIELD("namespace", NAMESPACE),
    HF_MOVED_FIELD("histogram", HISTOGRAM),
    HF_MOVED_FIELD("exemplars", EXEMPLARS),
    HF_MOVED_FIELD("events", EVENTS),
    HF_MOVED_FIELD("metrics_flush_interval", METRICS_FLUSH_INTERVAL),
    HF_MOVED_FIELD("exclude_dimensions", EXCLUDE_DIMENSIONS),
    HF_FIELDS_END};

const struct hf_component hf_processor_spanmetrics = {
    .type = "spanmetrics",
    .help = "Refused: it has become the connector of that name; the message says what to write.",
    .kind = HF_PROCESSOR,
    .signals = HF_SIGNAL_BIT(HF_TRACES),
    .config_size = KEY_COUNT * sizeof(struct hf_value),
    .fields = fields,
    .check = check,
    .open = hf_moved_open,
    .processor = &hf_moved_ops,
};
