/*
 * meta: the client metadata that travels with a batch, as one small block of bytes.
 *
 * A sequence of entries: 1 byte kind, varint key size, key, varint value size, value. Kinds: 'p'
 * peer address ("10.0.0.7:51234" or "unix"), 'a' an attribute of the authenticated client, 'h' a
 * request header or gRPC metadata (key in lower case; a header that came twice is two entries).
 * Only what a component asked for is kept. The block is written once on receipt and is immutable
 * after; any thread.
 */
#pragma once

#include "slice.h"
#include "status.h"

#define HF_META_BYTES_MAX 4096 /* a block never grows beyond; further entries are refused */

enum hf_meta_kind { HF_META_PEER = 'p', HF_META_AUTH = 'a', HF_META_HEADER = 'h' };

struct hf_meta_writer {
    uint8_t bytes[HF_META_BYTES_MAX];
    size_t size; /* starts at 0 */
};

/* HF_TOO_LARGE, with nothing written, when the block would pass its maximum. */
HF_MUST_USE enum hf_status hf_meta_add(struct hf_meta_writer *writer, enum hf_meta_kind kind,
                                       struct hf_slice key, struct hf_slice value);

struct hf_meta_entry {
    enum hf_meta_kind kind;
    struct hf_slice key, value; /* into the block */
};

/*
 * Steps through a block: `*cursor` starts at 0. Returns false at the end, and at a malformed entry
 * (a block read back from disk has passed its checksum, so that is the end as well).
 */
HF_MUST_USE bool hf_meta_next(struct hf_slice meta, size_t *cursor,
                              struct hf_meta_entry *ret_entry);

/* The first entry of that kind and key (the key compares case-insensitively). False when there is
 * none. */
HF_MUST_USE bool hf_meta_find(struct hf_slice meta, enum hf_meta_kind kind, const char *key,
                              struct hf_slice *ret_value);
