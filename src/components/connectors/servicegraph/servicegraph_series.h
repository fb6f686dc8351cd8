/*
 * servicegraph_series: the requests between services, counted and timed, and how they become
 * metrics under the Go collector's names. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/batch.h>
#include <holdfast/status.h>

#include "servicegraph_config.h"
#include "servicegraph_edges.h"
#include "support/items/distribution.h"

struct servicegraph_series {
    struct servicegraph_series *next_in_bucket, *previous, *next;
    struct hf_distribution *seconds[SERVICEGRAPH_SIDES];
    uint64_t hash, count, failed_count;
    uint64_t start_ns, updated_ns; /* Unix time */
    uint32_t key_size, attributes_size;
    bool is_overflow;
    uint8_t bytes[]; /* the key, then the attributes as KeyValues in fields 1 */
};

struct servicegraph_table {
    uint64_t hash_key;
    const struct servicegraph_config *config;
    struct hf_distribution_form form, wanted_form; /* of what is there; of what the keys say */
    double *bounds, *old_bounds;                   /* owned */
    struct servicegraph_series **buckets;
    size_t size, count;
    struct servicegraph_series *first, *last, *overflow;
    struct hf_bytes key, attributes; /* kept as memory only */

    /* The flush that is on its way. */
    struct hf_builder builder;
    uint64_t flush_ns;
    size_t metric;                      /* where it stands */
    struct servicegraph_series *series; /* NULL: at the beginning of `metric` */
};

/* Starts zeroed; HF_NOMEM. */
HF_MUST_USE enum hf_status servicegraph_table_init(struct servicegraph_table *table,
                                                   const struct servicegraph_config *config);
void servicegraph_table_release(struct servicegraph_table *table);
void servicegraph_table_clear(struct servicegraph_table *table);

/* Counts an edge that is complete. HF_NOMEM: it is not counted. */
HF_MUST_USE enum hf_status servicegraph_table_count(struct servicegraph_table *table,
                                                    const struct servicegraph_edge *edge,
                                                    uint64_t now_ns);

/* As the operations of support/state/aggregator.h. */
void servicegraph_flush_begin(struct servicegraph_table *table, uint64_t unix_ns);
HF_MUST_USE enum hf_status servicegraph_flush_next(struct servicegraph_table *table,
                                                   struct hf_batch **ret_batch);
/* Forgets series without a request since. Not while a flush is on its way. */
void servicegraph_table_expire(struct servicegraph_table *table, uint64_t before_ns);

void servicegraph_table_save(const struct servicegraph_table *table,
                             struct hf_state_writer *writer);
/* With the form of before. */
void servicegraph_table_load(struct servicegraph_table *table, struct hf_state_reader *reader);
