/*
 * delta: what a cumulative data point says beyond the one before it. No state; any thread.
 */
#pragma once

#include "pdata/point.h"
#include "util/arena.h"

enum cumulativetodelta_verdict {
    CUMULATIVETODELTA_OK = 0,
    CUMULATIVETODELTA_RESET,           /* it counts from zero again: to be dropped */
    CUMULATIVETODELTA_BUCKET_MISMATCH, /* other buckets than before: to be dropped */
    CUMULATIVETODELTA_NO_MEMORY
};

/*
 * Makes of `point` the difference to `before`, a point of the same kind whose lists may be changed;
 * the start becomes the time of `before`. New lists are in the arena. When it is to be dropped
 * `point` may be half-made.
 */
enum cumulativetodelta_verdict
cumulativetodelta_subtract(struct hf_point *point, struct hf_point *before, struct hf_arena *arena);
