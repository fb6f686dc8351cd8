/*
 * remote_memory: texts by the hash of a key, kept from one request to the next: what target_info
 * says of a target, what metadata says of a family. Of those that share a place, the one that was
 * used least recently makes room, so that it never grows past its limit. Two keys of one hash are
 * taken for the same.
 *
 * A meeting place: any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/arena.h"

struct hf_prom_memory;

/* `entries` is a multiple of 8. A text of more than `text_max` bytes is not kept. NULL: out of
 * memory. */
struct hf_prom_memory *hf_prom_memory_new(size_t entries, size_t text_max);
void hf_prom_memory_free(struct hf_prom_memory *memory);

/* Replaces what was kept for the key. */
void hf_prom_memory_put(struct hf_prom_memory *memory, uint64_t key, struct hf_slice text);

/* A copy in the arena; empty: nothing is known. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_prom_memory_get(struct hf_prom_memory *memory, uint64_t key,
                                              struct hf_arena *arena, struct hf_slice *ret_text);
