#include "hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

static struct hf_hash hash_of(XXH128_hash_t hash)
{
    return (struct hf_hash){.low = hash.low64, .high = hash.high64};
}

struct hf_hash hf_hash_of(struct hf_slice bytes)
{
    return hash_of(XXH3_128bits(bytes.data, bytes.size));
}

struct hf_hash hf_hash_pair(struct hf_slice key, struct hf_slice value)
{
    return hash_of(XXH3_128bits_withSeed(value.data, value.size, XXH3_64bits(key.data, key.size)));
}

struct hf_hash hf_hash_mix(struct hf_hash a, struct hf_hash b)
{
    const uint64_t both[4] = {a.low, a.high, b.low, b.high};
    return hash_of(XXH3_128bits(both, sizeof(both)));
}

uint64_t hf_hash_64(struct hf_slice bytes)
{
    return XXH3_64bits(bytes.data, bytes.size);
}
