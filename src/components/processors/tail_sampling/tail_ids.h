/*
 * tail_ids: a small table of numbers by hashes, made for one request at a time: which of its traces
 * has an id. The caller compares the ids. Owned by one thread; zeroed at first.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/status.h>

struct hf_sampling_tail_ids {
    uint32_t *slots; /* 0: empty */
    size_t size, room;
};

/* Empties it, with room for `count` numbers. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_sampling_tail_ids_reset(struct hf_sampling_tail_ids *ids,
                                                      size_t count);
void hf_sampling_tail_ids_release(struct hf_sampling_tail_ids *ids);

/* The first slot of a hash, and the next: one that is empty ends them, and takes a number that is
 * not there yet. */
static inline uint32_t *hf_sampling_tail_ids_at(const struct hf_sampling_tail_ids *ids,
                                                uint64_t hash)
{
    return &ids->slots[hash & (ids->size - 1)];
}

static inline uint32_t *hf_sampling_tail_ids_next(const struct hf_sampling_tail_ids *ids,
                                                  const uint32_t *slot)
{
    return &ids->slots[((size_t)(slot - ids->slots) + 1) & (ids->size - 1)];
}
