/*
 * buckets: what is calculated with the buckets of exponential histograms. Lists are changed in
 * place, or new ones are in an arena. No state; any thread.
 */
#pragma once

#include "point.h"

/* The buckets at a scale that is `times` lower, in place: each is 2^times of before. */
void hf_buckets_coarsen(struct hf_point_buckets *buckets, unsigned times);
/* Takes away the buckets up to that index; what they counted. */
uint64_t hf_buckets_trim(struct hf_point_buckets *buckets, double index);
/* The count of a bucket by its index; 0: there is none. */
uint64_t hf_buckets_at(const struct hf_point_buckets *buckets, int64_t index);

/* Where a pair of bucket lists begins and ends when their empty buckets are left out. */
struct hf_buckets_range {
    int64_t lower, upper; /* the upper one is behind */
};

/* Over both, which have the same scale. */
struct hf_buckets_range hf_buckets_range(const struct hf_point_buckets *a,
                                         const struct hf_point_buckets *b);

/* Adds `more`, of the same scale, to `sum`, whose list is new then. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_buckets_add(struct hf_point_buckets *sum,
                                          const struct hf_point_buckets *more,
                                          struct hf_arena *arena);
