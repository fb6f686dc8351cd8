/*
 * id_memory: the ids that were put last, at most `limit`. Starts as {.limit = n}. Owned by one
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace_id.h"

struct hf_id_memory {
    size_t limit, count, at;
    struct hf_id_entry *entries;
    uint32_t *buckets; /* numbers of entries, plus 1 */
    size_t size;
};

/* Out of memory it is not remembered. */
void hf_id_memory_put(struct hf_id_memory *memory, const uint8_t *id);
bool hf_id_memory_has(const struct hf_id_memory *memory, const uint8_t *id);
void hf_id_memory_release(struct hf_id_memory *memory);
