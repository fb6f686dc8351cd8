/*
 * hash: 128 bits of bytes by XXH3, to tell many things apart without keeping them: two that differ
 * have the same hash by chance once in 2^64 pairs. It is no protection against someone who looks
 * for two such things. The values are stored in files: they stay the same. Any thread; no state.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/slice.h>

struct hf_hash {
    uint64_t low, high;
};

/* Of bytes, which may be none. */
struct hf_hash hf_hash_of(struct hf_slice bytes);
/* Of a key and its value: another one when they are cut elsewhere. */
struct hf_hash hf_hash_pair(struct hf_slice key, struct hf_slice value);
/* Of two in this order. */
struct hf_hash hf_hash_mix(struct hf_hash a, struct hf_hash b);
/* 64 bits alone. */
uint64_t hf_hash_64(struct hf_slice bytes);

/* Of a set: the same in any order. */
static inline struct hf_hash hf_hash_add(struct hf_hash a, struct hf_hash b)
{
    return (struct hf_hash){a.low + b.low, a.high + b.high};
}

static inline bool hf_hash_equal(struct hf_hash a, struct hf_hash b)
{
    return a.low == b.low && a.high == b.high;
}
