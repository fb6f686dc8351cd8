/*
 * gather_internal: what is gathered of a scrape. For src/prometheus/gather*.c only. All of it lives
 * in the gatherer's arena.
 */
#pragma once

#include <math.h>

#include "gather.h"

/* What TYPE, HELP and UNIT say of a family. */
struct gather_meta {
    struct hf_slice family, help, unit;
    enum hf_expo_type type;
    unsigned generation;
};

struct gather_pair {
    double bound, value; /* a bucket or a quantile */
    uint32_t from;       /* the sample of the value */
};

/* One point. */
struct gather_group {
    struct gather_group *next;
    const struct hf_prom_label *labels; /* those that become attributes */
    size_t label_count;
    int64_t time_ms;
    double value, count, sum, created_s;
    bool has_value, has_count, has_sum, has_created;
    uint32_t value_from, count_from, sum_from, created_from; /* the samples that have given them */
    struct gather_pair *pairs;
    uint32_t pair_count, pair_capacity;
    const struct hf_expo_native *native;
    struct hf_expo_exemplar *exemplars;
    size_t exemplar_count, exemplar_capacity;
};

enum gather_kind {
    GATHER_GAUGE = 0, /* what has no type, too */
    GATHER_SUM,
    GATHER_HISTOGRAM,
    GATHER_SUMMARY,
    GATHER_NATIVE,
};

struct gather_family {
    struct gather_family *next;
    uint64_t id; /* mixed into the hashes of its groups */
    struct hf_slice name;
    const struct gather_meta *meta;
    enum gather_kind kind;
    bool is_monotonic;
    bool is_other; /* a type that OTLP does not have, such as gaugehistogram */
    struct gather_group *groups, *last_group;
    uint64_t last_hash; /* of the group that was used last */
    struct gather_group *used_last;
    size_t group_count;
};

struct gather_scope {
    struct gather_scope *next;
    struct hf_slice name, version;
    uint64_t hash; /* of its labels; 0: none */
    const struct hf_prom_label *attributes;
    size_t attribute_count;
    struct gather_family *families, *last_family;
};

struct gather_resource {
    struct gather_resource *next;
    struct hf_slice job, instance;
    struct hf_prom_label *info; /* of target_info; the last one counts */
    size_t info_count;
    struct gather_scope *scopes;
};

/* ---- for src/prometheus/gather*.c and replay*.c ---- */

/* Does it become a point? */
static inline bool hf_prom_gather_is_point(const struct gather_family *family,
                                           const struct gather_group *group)
{
    bool is_number = family->kind == GATHER_GAUGE || family->kind == GATHER_SUM;
    return family->kind == GATHER_NATIVE || (is_number ? group->has_value : group->has_count);
}

/* How many of a histogram's sorted pairs are bounds: +Inf is none. */
static inline size_t hf_prom_gather_bounds(const struct gather_group *group)
{
    size_t count = group->pair_count;
    bool has_infinite =
        count > 0 && isinf(group->pairs[count - 1].bound) && group->pairs[count - 1].bound > 0;
    return has_infinite ? count - 1 : count;
}

/* A count, which Prometheus has as a double; NaN and negative ones are 0. */
static inline uint64_t hf_prom_gather_count(double value)
{
    return value > 0 ? value < 1.8e19 ? (uint64_t)value : UINT64_MAX : 0;
}

struct gather_family_key {
    struct hf_slice name; /* of the series' metric */
    bool is_native;
    struct gather_scope *scope;
};

/* Zeroed memory until the scrape's end; NULL, which is noted: there is none. */
void *hf_prom_gather_take(struct hf_prom_gather *gather, size_t size);

/* The family of that metric, made when there was none; NULL: no memory. */
struct gather_family *hf_prom_gather_family(struct hf_prom_gather *gather,
                                            const struct gather_family_key *key);
