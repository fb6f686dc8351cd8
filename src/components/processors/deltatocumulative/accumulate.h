/*
 * accumulate: adds a delta to what a series has come to. No state; any thread.
 */
#pragma once

#include "pdata/point.h"
#include "util/arena.h"

/* Adds `delta`, a point of the same kind whose lists may be changed, to `sum`, and takes over its
 * time. New lists are in the arena. HF_NOMEM. */
HF_MUST_USE enum hf_status deltatocumulative_add(struct hf_point *sum, struct hf_point *delta,
                                                 struct hf_arena *arena);
