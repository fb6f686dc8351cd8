/*
 * spanmetrics: the processor that made metrics of spans until it became a connector.
 */
#include <stddef.h>

#include <holdfast/component.h>

#include "support/moved.h"

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

struct spanmetrics_config {
    struct hf_value values[KEY_COUNT];
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
    const struct spanmetrics_config *old = config;
    const struct hf_moved moved = {.type = "spanmetrics",
                                   .keys = keys,
                                   .values = old->values,
                                   .count = KEY_COUNT,
                                   .exporter = METRICS_EXPORTER};
    return hf_moved_sentence(&moved);
}

#define OLD(name, number)                                                                          \
    {                                                                                              \
        .key = name, .type = HF_FIELD_VALUE,                                                       \
        .offset =                                                                                  \
            offsetof(struct spanmetrics_config, values) + (number) * sizeof(struct hf_value),      \
        .help = "Of the old processor; the message says where it belongs now."                     \
    }

static const struct hf_field fields[] = {
    OLD("metrics_exporter", METRICS_EXPORTER),
    OLD("latency_histogram_buckets", LATENCY_HISTOGRAM_BUCKETS),
    OLD("dimensions", DIMENSIONS),
    OLD("dimensions_cache_size", DIMENSIONS_CACHE_SIZE),
    OLD("resource_attributes", RESOURCE_ATTRIBUTES),
    OLD("resource_attributes_cache_size", RESOURCE_ATTRIBUTES_CACHE_SIZE),
    OLD("aggregation_temporality", AGGREGATION_TEMPORALITY),
    OLD("skip_sanitize_label", SKIP_SANITIZE_LABEL),
    OLD("inherit_instrumentation_library_name", INHERIT_INSTRUMENTATION_LIBRARY_NAME),
    OLD("attach_span_and_trace_id", ATTACH_SPAN_AND_TRACE_ID),
    OLD("namespace", NAMESPACE),
    OLD("histogram", HISTOGRAM),
    OLD("exemplars", EXEMPLARS),
    OLD("events", EVENTS),
    OLD("metrics_flush_interval", METRICS_FLUSH_INTERVAL),
    OLD("exclude_dimensions", EXCLUDE_DIMENSIONS),
    HF_FIELDS_END};

static enum hf_status open_moved(struct hf_node *node, const void *config, void **ret_self,
                                 char *reterr)
{
    (void)node;
    (void)config;
    (void)ret_self;
    (void)reterr;
    return HF_UNSUPPORTED; /* no configuration of it passes its check */
}

static const struct hf_processor_ops processor_ops = {.process = NULL};

const struct hf_component hf_processor_spanmetrics = {
    .type = "spanmetrics",
    .help = "Refused: it has become the connector of that name; the message says what to write.",
    .kind = HF_PROCESSOR,
    .signals = HF_SIGNAL_BIT(HF_TRACES),
    .config_size = sizeof(struct spanmetrics_config),
    .fields = fields,
    .check = check,
    .open = open_moved,
    .processor = &processor_ops,
};
