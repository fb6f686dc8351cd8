/*
 * table: 64-bit hashes and what they stand for. Two things of one hash are taken for the same, as
 * the Go collector does. Kept for reuse: zeroed at first, hf_prom_table_release() at last. Owned by
 * one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/status.h>

struct hf_prom_table_entry {
    uint64_t hash; /* 0: an empty place */
    void *value;
};

struct hf_prom_table {
    struct hf_prom_table_entry *entries;
    size_t capacity, count; /* the capacity is 0 or a power of two */
};

/*
 * The place of that hash, made with a NULL value when there was none; valid until the next call.
 * NULL: out of memory.
 */
struct hf_prom_table_entry *hf_prom_table_put(struct hf_prom_table *table, uint64_t hash,
                                              bool *ret_is_new);
/* NULL: it is not there. */
void *hf_prom_table_get(const struct hf_prom_table *table, uint64_t hash);
bool hf_prom_table_has(const struct hf_prom_table *table, uint64_t hash);
/* Empty again. A table that became much larger than it was used for shrinks. */
void hf_prom_table_clear(struct hf_prom_table *table);
void hf_prom_table_release(struct hf_prom_table *table);
