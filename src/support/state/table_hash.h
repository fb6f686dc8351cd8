/*
 * table_hash: a keyed hash of bytes for tables in memory: a sender that chooses the bytes does not
 * choose the buckets. With a fixed key it is the same in every process of a machine. Any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Fills `ret_key` with random bits; once per table. Never fails. */
void hf_table_hash_key(uint64_t *ret_key);

static inline uint64_t hf_table_hash_mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hf_table_hash(uint64_t key, const void *data, size_t size)
{
    const uint8_t *at = data;
    uint64_t parts[2] = {0, 0};
    uint64_t hash = key ^ UINT64_C(0x9e3779b97f4a7c15);
    size_t left = size;
    for (; left > sizeof(parts); left -= sizeof(parts), at += sizeof(parts)) {
        memcpy(parts, at, sizeof(parts));
        hash = hf_table_hash_mix(parts[0] ^ UINT64_C(0xa0761d6478bd642f), parts[1] ^ hash);
    }
    parts[0] = 0;
    parts[1] = 0;
    if (left > 0) {
        memcpy(parts, at, left);
    }
    hash = hf_table_hash_mix(parts[0] ^ UINT64_C(0xe7037ed1a0b428db), parts[1] ^ hash);
    return hf_table_hash_mix(hash ^ size, key | 1);
}
