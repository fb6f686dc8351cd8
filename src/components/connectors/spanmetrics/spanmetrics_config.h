/*
 * spanmetrics_config: the keys of spanmetrics, and what no single one can tell. Immutable; any
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/field.h>

struct spanmetrics_dimension_config {
    const char *name, *fallback, *glob;
    bool has_fallback;
};

struct spanmetrics_exponential_config {
    int64_t max_size;
};

struct spanmetrics_explicit_config {
    struct hf_string_list buckets;
};

enum spanmetrics_unit { SPANMETRICS_MS = 0, SPANMETRICS_S };

struct spanmetrics_config {
    struct hf_struct_list dimensions, calls_dimensions; /* of spanmetrics_dimension_config */
    struct hf_string_list exclude_dimensions;
    int64_t dimensions_cache_size, resource_metrics_cache_size;
    struct hf_string_list resource_metrics_key_attributes;
    int64_t is_delta; /* index of its choices: 0 cumulative, 1 delta */
    struct {
        bool disable;
        int64_t unit; /* enum spanmetrics_unit */
        const struct spanmetrics_exponential_config *exponential;
        const struct spanmetrics_explicit_config *explicit_;
        struct hf_struct_list dimensions;
    } histogram;
    uint64_t metrics_flush_interval_ns, metrics_expiration_ns, series_expiration_ns;
    int64_t metric_timestamp_cache_size;
    const char *namespace_;
    struct {
        bool enabled;
        int64_t max_per_data_point;
    } exemplars;
    struct {
        bool enabled;
        struct hf_struct_list dimensions;
    } events;
    struct hf_string_list include_instrumentation_scope;
    int64_t aggregation_cardinality_limit, max_series;
    bool add_resource_attributes, enable_metrics_sampling_method;
};

extern const struct hf_field spanmetrics_fields[];

/* NULL, or one sentence; the thread's, until the next call. */
const char *spanmetrics_check(const void *config);

/*
 * The bounds of the histogram in its unit, malloc'd; the caller frees. `ret_count` may be 0, and
 * the bounds NULL then. NULL with a count: out of memory.
 */
double *spanmetrics_bounds(const struct spanmetrics_config *config, size_t *ret_count);
