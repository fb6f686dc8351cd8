/*
 * shards: the queues of a pipeline that has several, `service::pipelines::ID::shards`
 * (docs/decisions/shards.md). The first one is the pipeline's own, so a pipeline that gets more
 * keeps what is queued; the others are called "traces~1" and so on (config/config.h), and have the
 * same readers.
 *
 * What has a place in a queue - checkpoints of receivers, records with names - goes into the first
 * one, which is there whatever the number of shards: it needs no second look when that changes.
 *
 * Immutable after start, but for the counter; any thread.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>

#include <holdfast/batch.h>

#include "config/config.h"
#include "node/node.h"

#define HF_SHARD_ID_BYTES_MAX (WAL_NAME_BYTES_MAX + 1u)

struct hf_shards {
    enum hf_shard_by by;
    atomic_uint next; /* of round_robin */
    size_t count;
    struct hf_pipeline *queues[HF_SHARDS_MAX];
};

/* With the first one. NULL: out of memory; free() ends it. */
struct hf_shards *hf_shards_new(struct hf_pipeline *first, enum hf_shard_by by);

/* Queues beside the first that the pipeline has or had: at most so many are opened. Main thread. */
size_t hf_shards_count_further(struct hf_storage *store, const struct hf_config_pipeline *from);

/* What one queue gets of a request. */
struct hf_shard_part {
    const struct hf_pipeline *pipeline;
    struct hf_batch *batch; /* a reference */
};

struct hf_shard_parts {
    size_t count;
    struct hf_shard_part items[HF_SHARDS_MAX];
};

/* Which queues a request with items goes to: all of its items, each once. Released by the caller,
 * whatever it says. HF_NOMEM, HF_INVALID, HF_TOO_LARGE: it cannot be divided. */
HF_MUST_USE enum hf_status hf_shards_divide(struct hf_shards *shards, struct hf_batch *batch,
                                            struct hf_shard_parts *ret_parts);
void hf_shard_parts_release(struct hf_shard_parts *parts);
