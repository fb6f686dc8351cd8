/*
 * native: the buckets of native histograms as protobuf tells them, spans of buckets with counts as
 * deltas or as doubles, made dense. Any thread; no state.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "exposition.h"
#include "util/arena.h"

/* One side of a histogram: the numbers of its fields. */
struct hf_prom_side {
    uint32_t span, delta, count;
};

/* `is_float`: the counts are doubles. Empty buckets at the ends are left out. False: malformed, a
 * count below 0, more than HF_EXPO_BUCKETS_MAX, or out of memory. */
HF_MUST_USE bool hf_prom_read_buckets(struct hf_slice histogram, const struct hf_prom_side *side,
                                      bool is_float, struct hf_arena *arena,
                                      struct hf_expo_buckets *ret_buckets);
