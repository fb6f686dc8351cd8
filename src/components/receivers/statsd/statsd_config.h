/*
 * statsd_config: the keys of the statsd receiver, and what becomes of timers and histograms by
 * them.
 */
#pragma once

#include <holdfast/field.h>

#include "encodings/statsd.h"
#include "util/regex/regex.h"

enum statsd_observer {
    STATSD_NONE = 0, /* the type is in no mapping: dropped */
    STATSD_AS_GAUGE,
    STATSD_AS_SUMMARY,
    STATSD_AS_HISTOGRAM
};

enum statsd_counter { STATSD_INT = 0, STATSD_FLOAT, STATSD_STOCHASTIC };

struct statsd_buckets_config {
    const char *pattern;
    struct hf_value bounds;
};

struct statsd_mapping_config {
    int64_t type, observer;
    int64_t size_max;
    struct hf_struct_list buckets; /* struct statsd_buckets_config */
    struct hf_value percentiles;
};

struct statsd_config {
    const char *endpoint;
    int64_t transport;
    uint64_t interval_ns;
    bool by_ip, ignores_host, adds_type, simple_tags, is_monotonic;
    int64_t counter;
    struct hf_struct_list mappings; /* struct statsd_mapping_config */
    const char *mode;
    uint64_t socket_buffer_bytes;
};

extern const struct hf_field statsd_fields[];
const char *statsd_check(const void *config);

bool statsd_is_stream(const struct statsd_config *config);
bool statsd_is_unix(const struct statsd_config *config);

/* ---- as the store needs it ---- */

struct statsd_bounds {
    struct hf_regex *pattern;
    double *bounds; /* ascending */
    size_t count;
};

/* What becomes of one type. */
struct statsd_rule {
    enum statsd_observer observer;
    uint32_t size_max; /* buckets of exponential histograms */
    struct statsd_bounds *bounds;
    size_t bounds_count;
    double *percentiles;
    size_t percentile_count;
};

struct statsd_rules {
    struct statsd_rule timing, histogram;
};

/* HF_INVALID with a sentence in `reterr` (HF_ERROR_MAX). HF_NOMEM. Release it in any case. */
HF_MUST_USE enum hf_status statsd_rules_init(struct statsd_rules *rules,
                                             const struct statsd_config *config, char *reterr);
void statsd_rules_release(struct statsd_rules *rules);
