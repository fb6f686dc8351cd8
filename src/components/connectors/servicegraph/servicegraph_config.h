/*
 * servicegraph_config: the keys of servicegraph. Immutable; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/field.h>

struct servicegraph_config {
    struct hf_string_list latency_histogram_buckets, dimensions, virtual_node_peer_attributes,
        database_name_attributes;
    bool has_buckets, has_peer_attributes;
    int64_t exponential_histogram_max_size;
    struct {
        uint64_t ttl_ns;
        int64_t max_items;
    } store;
    uint64_t cache_loop_ns, store_expiration_loop_ns, metrics_flush_interval_ns,
        metrics_timestamp_offset_ns;
    bool virtual_node_extra_label;
    int64_t max_series;
};

extern const struct hf_field servicegraph_fields[];

/* NULL, or one sentence; the thread's, until the next call. */
const char *servicegraph_check(const void *config);

/* The lists with their defaults. */
struct hf_string_list servicegraph_peer_attributes(const struct servicegraph_config *config);
struct hf_string_list servicegraph_database_names(const struct servicegraph_config *config);

/* The bounds in seconds, malloc'd; the caller frees. NULL: out of memory. */
double *servicegraph_bounds(const struct servicegraph_config *config, size_t *ret_count);
