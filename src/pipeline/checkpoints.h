/*
 * checkpoints: where a receiver stands in what it reads, as the queues keep it: each value under
 * the receiver's id and the receiver's own name for it. Any thread; no state.
 */
#pragma once

#include <stddef.h>

#include <holdfast/node.h>

#include "wal/wal.h"

/*
 * The checkpoints of `options` with the names that queues have for them, in one piece of memory
 * that the caller frees; the values stay borrowed. NULL when there are none. HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_checkpoints_copy(const struct hf_node *node,
                                               const struct hf_submit_options *options,
                                               struct wal_checkpoint **ret_checkpoints);

/*
 * Calls `act` with each pipeline whose queue gets what is submitted to those `pipelines`: their
 * own, and those behind connectors that answer at once; until it fails, with what is returned then.
 * A pipeline that several connectors lead to comes several times.
 */
HF_MUST_USE enum hf_status
hf_pipelines_each_queue(struct hf_pipeline *const *pipelines, size_t count,
                        enum hf_status (*act)(void *user, struct hf_pipeline *), void *user);
