/*
 * fnv: 64 bits of bytes by FNV-1a, for tables of our own and where another program computes the
 * same. A stranger who chooses the bytes chooses the hash: see support/state/table_hash.h. Any
 * thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>

#define HF_FNV_START UINT64_C(14695981039346656037)
#define HF_FNV_PRIME UINT64_C(1099511628211)

/* The hash of what `hash` is of, followed by these bytes. */
static inline uint64_t hf_fnv_add(uint64_t hash, struct hf_slice bytes)
{
    for (size_t i = 0; i < bytes.size; i++) {
        hash = (hash ^ bytes.data[i]) * HF_FNV_PRIME;
    }
    return hash;
}

static inline uint64_t hf_fnv(struct hf_slice bytes)
{
    return hf_fnv_add(HF_FNV_START, bytes);
}

/* For a table: the low bits depend on the high ones too. */
static inline uint64_t hf_fnv_folded(struct hf_slice bytes)
{
    uint64_t hash = hf_fnv(bytes);
    return hash ^ hash >> 32;
}
