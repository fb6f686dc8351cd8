/*
 * buckets: token buckets by key, with a bound on their number: the one that was used longest ago
 * makes room for another. A meeting place: any thread; a call takes a lock for a microsecond.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/status.h>

#include "util/hash.h"

struct rate_limiter_buckets;

/* How a bucket fills. */
struct rate_limiter_rate {
    double per_s, burst; /* tokens */
};

/* What is asked of one bucket. */
struct rate_limiter_demand {
    struct hf_hash key;
    const struct rate_limiter_rate *rate;
    double tokens;
};

/* NULL: out of memory. */
struct rate_limiter_buckets *rate_limiter_buckets_new(size_t keys_max);
void rate_limiter_buckets_free(struct rate_limiter_buckets *buckets);

/*
 * Takes all that is asked, or nothing: HF_LIMITED, and `ret_short` is the place of the demand that
 * was too much. A full bucket gives more than it holds, and owes it then: no request is too large
 * for ever. HF_NOMEM.
 */
HF_MUST_USE enum hf_status rate_limiter_buckets_take(struct rate_limiter_buckets *buckets,
                                                     const struct rate_limiter_demand *demands,
                                                     size_t count, uint64_t now_ns,
                                                     size_t *ret_short);
size_t rate_limiter_buckets_count(struct rate_limiter_buckets *buckets);
