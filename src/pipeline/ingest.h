/*
 * ingest: hf_submit() of holdfast/node.h, and the same for some of the pipelines.
 */
#pragma once

#include <stddef.h>

#include "node/node.h"

/* To those pipelines alone, which are among the node's; the array is borrowed for the call. Not
 * counted as intake. Any thread. */
void hf_submit_to(struct hf_node *node, struct hf_pipeline *const *pipelines, size_t count,
                  struct hf_batch *batch, struct hf_reply *reply);

/* Likewise into one pipeline, at its processor of that number; the number of its processors: at its
 * queue. For tests of a configuration. */
void hf_submit_at(struct hf_node *node, struct hf_pipeline *pipeline, size_t first,
                  struct hf_batch *batch, struct hf_reply *reply);
