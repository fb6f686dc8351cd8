/*
 * servicegraph: the processor that made metrics of the calls between services until it became a
 * connector.
 */
#include "support/settings/moved.h"

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
    const struct hf_moved moved = {.type = "servicegraph",
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
    HF_MOVED_FIELD("store", STORE),
    HF_MOVED_FIELD("cache_loop", CACHE_LOOP),
    HF_MOVED_FIELD("store_expiration_loop", STORE_EXPIRATION_LOOP),
    HF_MOVED_FIELD("virtual_node_peer_attributes", VIRTUAL_NODE_PEER_ATTRIBUTES),
    HF_MOVED_FIELD("virtual_node_extra_label", VIRTUAL_NODE_EXTRA_LABEL),
    HF_MOVED_FIELD("metrics_flush_interval", METRICS_FLUSH_INTERVAL),
    HF_FIELDS_END};

const struct hf_component hf_processor_servicegraph = {
    .type = "servicegraph",
    .help = "Refused: it has become the connector of that name; the message says what to write.",
    .kind = HF_PROCESSOR,
    .signals = HF_SIGNAL_BIT(HF_TRACES),
    .config_size = KEY_COUNT * sizeof(struct hf_value),
    .fields = fields,
    .check = check,
    .open = hf_moved_open,
    .processor = &hf_moved_ops,
};
