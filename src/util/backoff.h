/*
 * backoff: how long to wait before a failed send is repeated.
 *
 * The wait is the current interval, spread by jitter so that a fleet that failed together does not
 * come back together; the interval then grows up to its maximum. The caller brings the clock and
 * the dice. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/delivery_config.h"

/*
 * The longest wait that a backend may ask for. Its word can be a date, which a clock that is wrong
 * on either side turns into years.
 */
#define HF_BACKOFF_ASKED_MAX_NS UINT64_C(3600000000000)

struct hf_backoff {
    uint64_t interval_ns; /* of the next wait, before its spread; 0: nothing has failed yet */
    uint64_t failed_ns;   /* monotonic time of the first failure in this row */
};

/* Success: the next failure begins a new row. */
void hf_backoff_reset(struct hf_backoff *backoff);

/*
 * Counts a failure at `now_ns` and returns how long to wait: never less than `at_least_ns` (the
 * backend's word, up to HF_BACKOFF_ASKED_MAX_NS). `draw` is uniform in [0, 1).
 */
uint64_t hf_backoff_next(struct hf_backoff *backoff, const struct hf_retry_config *config,
                         uint64_t now_ns, uint64_t at_least_ns, double draw);

/* Has max_elapsed_time passed since the first failure of this row? Never when it is 0. */
bool hf_backoff_is_over(const struct hf_backoff *backoff, const struct hf_retry_config *config,
                        uint64_t now_ns);
