#include "fingerprint.h"

/* FNV-1a with its own prime, and with another odd multiplier: together 128 bits. */
#define START UINT64_C(0xcbf29ce484222325)
#define PRIME_0 UINT64_C(0x100000001b3)
#define PRIME_1 UINT64_C(0x9e3779b97f4a7c15)

static inline void step(struct hf_fingerprint *now, uint8_t byte)
{
    now->hash[0] = (now->hash[0] ^ byte) * PRIME_0;
    now->hash[1] = (now->hash[1] ^ byte) * PRIME_1;
    now->hash[1] ^= now->hash[1] >> 29;
    now->size++;
}

static struct hf_fingerprint first_bytes(struct hf_slice head, size_t size)
{
    struct hf_fingerprint now = {.hash = {START, START}};
    for (size_t i = 0; i < size; i++) {
        step(&now, head.data[i]);
    }
    return now;
}

struct hf_fingerprint hf_fingerprint_of(struct hf_slice head)
{
    return first_bytes(head, head.size);
}

bool hf_fingerprint_matches(const struct hf_fingerprint *fingerprint, struct hf_slice head)
{
    if (fingerprint->size == 0 || fingerprint->size > head.size) {
        return false;
    }
    struct hf_fingerprint now = first_bytes(head, fingerprint->size);
    return hf_fingerprint_equal(fingerprint, &now);
}

void hf_fingerprint_prefixes(struct hf_slice head, struct hf_fingerprint *prefixes)
{
    struct hf_fingerprint now = {.hash = {START, START}};
    for (size_t i = 0; i < head.size; i++) {
        step(&now, head.data[i]);
        prefixes[i] = now;
    }
}
