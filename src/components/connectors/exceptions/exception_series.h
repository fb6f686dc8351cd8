/*
 * exception_series: the cumulative counts of `exceptions`, one for each set of attribute values,
 * with a limit on their number and bytes: what comes beyond is counted in one series for all the
 * rest.
 *
 * Counts are added in two steps, so that a request can be given again when memory has run out:
 * first they are pending, then they are added or forgotten. Owned by the connector's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#define EXCEPTION_SERIES_NONE UINT32_MAX

struct exception_series {
    uint8_t *key; /* values in a row, see exception_key_next(); NULL: of all the rest */
    size_t key_size;
    uint64_t count, pending;
    uint32_t next_touched;   /* with pending ones; EXCEPTION_SERIES_NONE: the last */
    uint32_t first_exemplar; /* of the pending ones: the walk's own */
};

struct exception_table {
    size_t series_max;
    size_t key_bytes;
    struct exception_series *items; /* the first one is that of all the rest */
    size_t count, capacity;
    uint32_t *slots;
    size_t slot_count;
    uint32_t touched; /* the series with pending counts, as a list */
};

HF_MUST_USE enum hf_status exception_table_init(struct exception_table *table, size_t series_max);
void exception_table_release(struct exception_table *table);

/* Adds a pending one to the series of that key; `ret_series`: its index. HF_NOMEM. */
HF_MUST_USE enum hf_status exception_table_add(struct exception_table *table, struct hf_slice key,
                                               uint32_t *ret_series);
/* Adds the pending ones to the counts, or forgets them. */
void exception_table_settle(struct exception_table *table, bool adds);

/* Is this the first one that goes into the series of all the rest? */
bool exception_table_overflows(const struct exception_table *table);
