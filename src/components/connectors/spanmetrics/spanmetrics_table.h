/*
 * spanmetrics_table: the series of each resource, and the order in which resources were used.
 * Owned by one thread.
 *
 * A series is found by its resource, its metric and its key, which are the values of its
 * dimensions. Walking goes by the order of their making, so that it may go on while others are
 * added.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "spanmetrics_dimensions.h"
#include "support/items/distribution.h"

struct spanmetrics_exemplar {
    uint8_t trace_id[16], span_id[8];
    double value;
};

struct spanmetrics_series {
    struct spanmetrics_series *next_in_bucket;
    struct spanmetrics_series *previous, *next; /* of the same metric and resource */
    struct spanmetrics_series *twin; /* calls and durations of the same key, once known */
    struct spanmetrics_resource *resource;
    struct hf_distribution *distribution; /* of durations */
    struct spanmetrics_exemplar *exemplars;
    uint64_t hash, count;       /* count: calls and events */
    uint64_t start_ns, seen_ns; /* Unix time */
    uint32_t key_size, attributes_size, exemplar_count;
    uint8_t metric; /* enum spanmetrics_metric */
    bool is_overflow;
    bool is_new;     /* a sum that was not passed on yet: it begins with 0 */
    uint8_t bytes[]; /* the key, then the attributes as KeyValues in fields 1 */
};

struct spanmetrics_series_list {
    struct spanmetrics_series *first, *last;
    struct spanmetrics_series *overflow;
    size_t count;
};

enum spanmetrics_eviction { SPANMETRICS_STAYS = 0, SPANMETRICS_EVICTED, SPANMETRICS_PASSED_ON };

struct spanmetrics_resource {
    struct spanmetrics_resource *next_in_bucket;
    struct spanmetrics_resource *previous, *next; /* of all, in the order of their making */
    struct spanmetrics_resource *older, *newer;   /* by use */
    struct spanmetrics_series_list metrics[SPANMETRICS_METRIC_COUNT];
    uint64_t hash, seen_ns;
    uint32_t key_size, attributes_size;
    uint8_t eviction; /* enum spanmetrics_eviction: evicted ones are not in the order of use */
    uint8_t bytes[];  /* the key, then the attributes as KeyValues in fields 1 */
};

struct spanmetrics_table {
    uint64_t hash_key;
    size_t resource_max, series_max, cardinality_max; /* cardinality_max 0: none */
    struct hf_distribution_form form;
    struct spanmetrics_resource *first, *last, *oldest, *newest;
    size_t resource_count, evicted_count, series_count;
    struct spanmetrics_resource **resources; /* buckets, as many as a power of two */
    struct spanmetrics_series **series;
    size_t resource_size, series_size;
};

/* A new one or that of before. HF_FULL: too many have been evicted since the last flush. HF_NOMEM.
 */
struct spanmetrics_new_resource {
    struct hf_slice key, attributes;
    uint64_t now_ns;
};
HF_MUST_USE enum hf_status spanmetrics_table_resource(struct spanmetrics_table *table,
                                                      const struct spanmetrics_new_resource *wanted,
                                                      struct spanmetrics_resource **ret_resource);

/* The series of that key, NULL: there is none. `hash` is of spanmetrics_table_hash(). */
uint64_t spanmetrics_table_hash(const struct spanmetrics_table *table,
                                const struct spanmetrics_resource *resource,
                                enum spanmetrics_metric metric, struct hf_slice key);
struct spanmetrics_series *spanmetrics_table_find(const struct spanmetrics_table *table,
                                                  const struct spanmetrics_resource *resource,
                                                  enum spanmetrics_metric metric,
                                                  struct hf_slice key, uint64_t hash);
/* Fetches what spanmetrics_table_find() will read: first the bucket, then, when that has come, the
 * first series in it. */
void spanmetrics_table_fetch_bucket(const struct spanmetrics_table *table, uint64_t hash);
void spanmetrics_table_fetch_series(const struct spanmetrics_table *table, uint64_t hash);
void spanmetrics_series_fetch(const struct spanmetrics_series *series);
/* Is there room for one more of this metric? If not, its overflow series counts. */
bool spanmetrics_table_has_room(const struct spanmetrics_table *table,
                                const struct spanmetrics_resource *resource,
                                enum spanmetrics_metric metric);

struct spanmetrics_new_series {
    enum spanmetrics_metric metric;
    struct hf_slice key, attributes;
    uint64_t hash, now_ns;
    bool is_overflow;
};
/* The key must not be there. HF_NOMEM. */
HF_MUST_USE enum hf_status spanmetrics_table_add(struct spanmetrics_table *table,
                                                 struct spanmetrics_resource *resource,
                                                 const struct spanmetrics_new_series *wanted,
                                                 struct spanmetrics_series **ret_series);

void spanmetrics_table_remove_series(struct spanmetrics_table *table,
                                     struct spanmetrics_series *series);
void spanmetrics_table_remove_resource(struct spanmetrics_table *table,
                                       struct spanmetrics_resource *resource);
/* Removes all; the limits and the form stay. */
void spanmetrics_table_clear(struct spanmetrics_table *table);
