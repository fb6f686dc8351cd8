/*
 * loki_push: log records as one push request: streams by their labels, entries by time. Owned by
 * one thread: zeroed at first, loki_push_release() at last; its memory is kept between requests.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress.h"

struct loki_entry {
    uint32_t stream, order;
    uint64_t time_ns;
    size_t line_at, line_size; /* in `lines` */
};

struct loki_stream {
    size_t labels_at, labels_size; /* in `texts` */
    uint64_t hash;
};

struct loki_push {
    struct loki_entry *entries;
    size_t entry_count, entry_capacity;
    struct loki_stream *streams;
    size_t stream_count, stream_capacity;
    uint32_t *table; /* of hashes: number of the stream, plus 1 */
    size_t table_size;
    struct hf_bytes lines, texts;
};

void loki_push_begin(struct loki_push *push);

/* The stream of these labels as text, made when it is not there. HF_NOMEM. */
HF_MUST_USE enum hf_status loki_push_stream(struct loki_push *push, struct hf_slice labels,
                                            uint32_t *ret_stream);

/* An entry of what was appended to `lines` from `line_at` on. HF_NOMEM. */
HF_MUST_USE enum hf_status loki_push_entry(struct loki_push *push, uint32_t stream,
                                           uint64_t time_ns, size_t line_at);

/* Appends the PushRequest. Sorts the entries. HF_NOMEM. */
HF_MUST_USE enum hf_status loki_push_write(struct loki_push *push, struct hf_bytes *out);

void loki_push_release(struct loki_push *push);
