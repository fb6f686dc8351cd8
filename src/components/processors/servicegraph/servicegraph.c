/*
 * servicegraph: the processor that made metrics of the calls between services until it became a
 * connector.
 */
#include <stddef.h>

#include <holdfast/component.h>

#include "support/moved.h"

enum {
    METRICS_EXPORTER = 0,
    LATENCY_HISTOGRAM_BUCKETS,
    DIMENSIONS,
    STORE,
    CACHE_LOOP,
    STORE_EXPIRATION_LOOP,
    VIRTUAL_NODE_PEER_ATTRIBUTES,
    VIRTUAL_NODE_EXTRA_LABEL,
    METRICS_FLUSH_INTERVAL,
    KEY_COUNT
};

struct servicegraph_config {
    struct hf_value values[KEY_COUNT];
};

static const struct hf_moved_key keys[KEY_COUNT] = {
    [METRICS_EXPORTER] = {"metrics_exporter", NULL},
    [LATENCY_HISTOGRAM_BUCKETS] = {"latency_histogram_buckets", "latency_histogram_buckets"},
    [DIMENSIONS] = {"dimensions", "dimensions"},
    [STORE] = {"store", "store"},
    [CACHE_LOOP] = {"cache_loop", "cache_loop"},
    [STORE_EXPIRATION_LOOP] = {"store_expiration_loop", "store_expiration_loop"},
    [VIRTUAL_NODE_PEER_ATTRIBUTES] = {"virtual_node_peer_attributes",
                                      "virtual_node_peer_attributes"},
    [VIRTUAL_NODE_EXTRA_LABEL] = {"virtual_node_extra_label", "virtual_node_extra_label"},
    [METRICS_FLUSH_INTERVAL] = {"metrics_flush_interval", "metrics_flush_interval"},
};

static const char *check(const void *config)
{
    const struct servicegraph_config *old = config;
    const struct hf_moved moved = {.type = "servicegraph",
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
            offsetof(struct servicegraph_config, values) + (number) * sizeof(struct hf_value),     \
        .help = "Of the old processor; the message says where it belongs now."                     \
    }

static const struct hf_field fields[] = {
    OLD("metrics_exporter", METRICS_EXPORTER),
    OLD("latency_histogram_buckets", LATENCY_HISTOGRAM_BUCKETS),
    OLD("dimensions", DIMENSIONS),
    OLD("store", STORE),
    OLD("cache_loop", CACHE_LOOP),
    OLD("store_expiration_loop", STORE_EXPIRATION_LOOP),
    OLD("virtual_node_peer_attributes", VIRTUAL_NODE_PEER_ATTRIBUTES),
    OLD("virtual_node_extra_label", VIRTUAL_NODE_EXTRA_LABEL),
    OLD("metrics_flush_interval", METRICS_FLUSH_INTERVAL),
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

const struct hf_component hf_processor_servicegraph = {
    .type = "servicegraph",
    .help = "Refused: it has become the connector of that name; the message says what to write.",
    .kind = HF_PROCESSOR,
    .signals = HF_SIGNAL_BIT(HF_TRACES),
    .config_size = sizeof(struct servicegraph_config),
    .fields = fields,
    .check = check,
    .open = open_moved,
    .processor = &processor_ops,
};
