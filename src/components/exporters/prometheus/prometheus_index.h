/*
 * prometheus_index: series by a hash of theirs, with open addressing. It owns no series. Zeroed but
 * for `hash_of` at first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/status.h>

struct prometheus_series;

struct prometheus_index {
    uint64_t (*hash_of)(const struct prometheus_series *series);
    struct prometheus_series **slots; /* a power of two of them */
    size_t slot_count, count;
};

/* Steps through those that may have that hash: `at` starts as hash, and is for the next step. NULL:
 * no more. */
static inline struct prometheus_series *prometheus_index_next(const struct prometheus_index *index,
                                                              uint64_t *at)
{
    return index->slot_count != 0 ? index->slots[(*at)++ & (index->slot_count - 1)] : NULL;
}

/* Makes room for one more. HF_NOMEM. */
HF_MUST_USE enum hf_status prometheus_index_reserve(struct prometheus_index *index);
/* There is room. */
void prometheus_index_put(struct prometheus_index *index, struct prometheus_series *series);
/* It is there. */
void prometheus_index_remove(struct prometheus_index *index,
                             const struct prometheus_series *series);
void prometheus_index_clear(struct prometheus_index *index);
