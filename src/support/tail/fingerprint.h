/*
 * fingerprint: how a file is known again after it was moved or copied: by its first bytes, not by
 * its name. A fingerprint is the size and two hashes of those bytes, so that ten thousand of them
 * are small; the hashes of every shorter beginning come with one pass. Any thread; no state.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/slice.h>

struct hf_fingerprint {
    uint32_t size; /* 0: of an empty file, which is like no other */
    uint64_t hash[2];
};

/* Of `head`, whole. */
struct hf_fingerprint hf_fingerprint_of(struct hf_slice head);

/* Does the file that begins with `head` begin with what `fingerprint` was made of? */
bool hf_fingerprint_matches(const struct hf_fingerprint *fingerprint, struct hf_slice head);

static inline bool hf_fingerprint_equal(const struct hf_fingerprint *a,
                                        const struct hf_fingerprint *b)
{
    return a->size == b->size && a->hash[0] == b->hash[0] && a->hash[1] == b->hash[1];
}

/* The fingerprints of all beginnings of a head: prefixes[i] is that of its first i + 1 bytes. */
void hf_fingerprint_prefixes(struct hf_slice head, struct hf_fingerprint *prefixes);
