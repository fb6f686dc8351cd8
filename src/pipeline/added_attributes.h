/*
 * added_attributes: the attributes that all data of a receiver gets, which another one has started
 * (holdfast/subreceiver.h). The submitting thread; no state.
 */
#pragma once

#include <holdfast/batch.h>

#include "node/node.h"

/* The batch with those of the node in every resource that lacks them, or the batch itself; a
 * reference is the caller's. HF_NOMEM, HF_INVALID, HF_TOO_LARGE. */
HF_MUST_USE enum hf_status hf_added_attributes(const struct hf_node *node, struct hf_batch *batch,
                                               struct hf_batch **ret_batch);
