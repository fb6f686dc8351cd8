/*
 * item_series: the points of one resource while its items are counted: a number for each metric and
 * set of attribute values. As many as there are items at most. Owned by one thread: zeroed at
 * first, item_series_clear() for the next resource, item_series_release() at last.
 */
#pragma once

#include <stdint.h>

#include "item_metrics_internal.h"

struct item_series {
    const struct item_metric *metric;
    struct hf_slice *values; /* of its attributes: AnyValues of the document's memory */
    int64_t count;
    double sum;
};

struct item_series_table {
    struct item_series *items; /* in the order in which they came */
    size_t count, capacity;
    uint32_t *slots; /* hash table of indexes, plus 1 */
    size_t slot_count;
};

/* The series of that metric and these values (in the order of its attributes), which are copied to
 * `arena` when it is new. NULL: out of memory. */
struct item_series *item_series_need(struct item_series_table *table,
                                     const struct item_metric *metric,
                                     const struct hf_slice *values, struct hf_arena *arena);
void item_series_clear(struct item_series_table *table);
void item_series_release(struct item_series_table *table);
