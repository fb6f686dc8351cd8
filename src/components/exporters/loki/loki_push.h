/*
 * loki_push: log records as one push request: streams by their labels, entries by time. Owned by
 * one thread: zeroed at first, loki_push_release() at last; its memory is kept between requests.
 *
 *     loki_push_begin(push);
 *     status = loki_push_stream(push, labels, &stream);
 *     loki_push_open(push, stream, time_ns);
 *     ... append the line to push->lines ...
 *     status = loki_push_close(push);
 *     status = loki_push_write(push, out);
 *
 * An entry is written once, with its frame, and copied in its place at the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "pdata/wire.h"
#include "util/compress/compress.h"

struct loki_entry {
    uint32_t stream, next; /* the second: the number of the next one there, plus 1; 0: none */
    uint64_t time_ns;
    size_t at, size; /* in `lines`, frame and all */
};

/* An entry while its stream is sorted. */
struct loki_timed {
    uint64_t time_ns, order;
};

struct loki_stream {
    size_t labels_at, labels_size; /* in `texts` */
    uint64_t hash;
    uint32_t first, last; /* entries, plus 1; 0: none */
    size_t count, size;   /* of all its entries */
    bool is_disordered;   /* an entry is older than the one before */
};

struct loki_push {
    struct loki_entry *entries;
    struct loki_timed *sorted; /* the entries of one stream that is disordered */
    size_t entry_count, entry_capacity, sorted_capacity;
    struct loki_stream *streams;
    size_t stream_count, stream_capacity;
    uint32_t *table; /* of hashes: number of the stream, plus 1 */
    size_t table_size;
    struct hf_bytes lines, texts;
    struct loki_entry open; /* the entry that is written now */
    struct hf_wire_writer writer;
    struct hf_wire_message entry, line;
    size_t line_expected; /* as long as the last line */
};

void loki_push_begin(struct loki_push *push);

/* The stream of these labels as text, made when it is not there. HF_NOMEM. */
HF_MUST_USE enum hf_status loki_push_stream(struct loki_push *push, struct hf_slice labels,
                                            uint32_t *ret_stream);

/* An entry, whose line is what is appended to `lines` until it is closed. HF_NOMEM: it is none. */
void loki_push_open(struct loki_push *push, uint32_t stream, uint64_t time_ns);
HF_MUST_USE enum hf_status loki_push_close(struct loki_push *push);

/* Appends the PushRequest. HF_NOMEM. */
HF_MUST_USE enum hf_status loki_push_write(struct loki_push *push, struct hf_bytes *out);

void loki_push_release(struct loki_push *push);
