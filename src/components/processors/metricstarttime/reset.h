/*
 * reset: has a cumulative point begun again, and what it says beyond a reference. No state; any
 * thread.
 */
#pragma once

#include <stdbool.h>

#include "pdata/point.h"
#include "util/arena.h"

/* A value, a count or a bucket is lower than before, or the buckets are others. */
bool metricstarttime_is_reset(const struct hf_point *point, const struct hf_point *before);

/* Takes the reference away from the point. HF_NOMEM. */
HF_MUST_USE enum hf_status metricstarttime_subtract(struct hf_point *point,
                                                    const struct hf_point *reference,
                                                    struct hf_arena *arena);
