/*
 * batch: the unit that flows through pipelines: one Export request as the protobuf bytes that were
 * received, and what the receiver has found out about it. Immutable once made: a processor that
 * changes one makes a new one.
 *
 * `wire` is what is stored and forwarded; `raw` is the same request as plain protobuf. They are the
 * same bytes when `coding` is identity. Otherwise `raw` is lent by its decoder and is valid only
 * while hf_submit() runs; a batch read back from the queue has none until it is decoded.
 *
 * Shared by reference count; any thread may hold one.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "ref.h"
#include "slice.h"
#include "status.h"

/* The numbers are stored in queues: never renumber. */
enum hf_signal { HF_TRACES = 0, HF_METRICS, HF_LOGS, HF_PROFILES, HF_SIGNAL_COUNT };

#define HF_SIGNAL_BIT(signal) (1u << (signal))
/* The signals whose messages are stable: most components carry these. */
#define HF_ALL_SIGNALS                                                                             \
    (HF_SIGNAL_BIT(HF_TRACES) | HF_SIGNAL_BIT(HF_METRICS) | HF_SIGNAL_BIT(HF_LOGS))
/* Requests of profiles share tables, so they are never joined. */
#define HF_ALL_SIGNALS_AND_PROFILES (HF_ALL_SIGNALS | HF_SIGNAL_BIT(HF_PROFILES))

/* The numbers are stored in queues: never renumber. */
enum hf_coding {
    HF_IDENTITY = 0,
    HF_GZIP = 1,
    HF_ZSTD = 2,
    HF_SNAPPY_FRAMED = 3,
    HF_DEFLATE = 4, /* zlib format, RFC 1950 */
    HF_SNAPPY_BLOCK = 5,
    HF_CODING_COUNT
};

struct hf_batch {
    struct hf_ref ref; /* frees the batch and what `wire` points to */
    enum hf_signal signal;
    enum hf_coding coding; /* of `wire` */
    uint32_t items;        /* spans, data points, log records or samples */
    uint64_t received_ns;  /* Unix time of receipt */
    struct hf_slice wire;
    struct hf_slice raw;
    struct hf_slice meta; /* client metadata, see hf_meta_* in meta.h; may be empty */
    /* The tenant whose share of the queue's space it uses, as a hash (0: none), and the size of
     * that share in thousandths. A processor sets both for its pipeline; batches that the
     * processors behind it make of this one inherit them. */
    uint64_t tenant;
    uint32_t tenant_share;
};

/*
 * Makes a batch with room for `capacity` bytes of body behind it, in one allocation; `wire` points
 * to that room with size 0. `meta` is copied. Returns NULL when out of memory. Owned by the caller:
 * hf_ref_drop(&batch->ref).
 */
struct hf_batch *hf_batch_new(enum hf_signal signal, size_t capacity, struct hf_slice meta);

/* The room for the body of a batch made above, before it is shared: write here, then
 * hf_batch_seal(). */
uint8_t *hf_batch_room(struct hf_batch *batch);

/* Completes the batch: the body is the first `size` bytes of the room, identity coded, and has
 * `items` items. */
void hf_batch_seal(struct hf_batch *batch, size_t size, uint32_t items);

/*
 * Makes a batch around bytes that `owner` keeps alive (a reference is taken); `raw` is set only
 * when the coding is identity. NULL when out of memory.
 */
struct hf_batch *hf_batch_wrap(enum hf_signal signal, enum hf_coding coding, struct hf_slice wire,
                               struct hf_ref *owner, struct hf_slice meta);

/* "traces", "metrics", "logs", "profiles"; and the name of its items in counters: "spans",
 * "metric_points", "log_records", "profile_samples". */
const char *hf_signal_name(enum hf_signal signal);
const char *hf_signal_items_name(enum hf_signal signal);

/* "identity", "gzip", "zstd", "snappy", "deflate", "snappy": the content-coding's name. */
const char *hf_coding_name(enum hf_coding coding);
