#include "backoff.h"

#include <assert.h>

void hf_backoff_reset(struct hf_backoff *backoff)
{
    *backoff = (struct hf_backoff){0};
}

uint64_t hf_backoff_next(struct hf_backoff *backoff, const struct hf_retry_config *config,
                         uint64_t now_ns, uint64_t at_least_ns, double draw)
{
    assert(draw >= 0.0 && draw < 1.0);
    if (backoff->interval_ns == 0) {
        backoff->interval_ns = config->initial_interval_ns;
        backoff->failed_ns = now_ns;
    }
    double jitter = config->randomization_factor * (2.0 * draw - 1.0);
    uint64_t wait_ns = (uint64_t)((double)backoff->interval_ns * (1.0 + jitter));
    double grown_ns = (double)backoff->interval_ns * config->multiplier;
    backoff->interval_ns =
        grown_ns < (double)config->max_interval_ns ? (uint64_t)grown_ns : config->max_interval_ns;
    if (backoff->interval_ns == 0) {
        backoff->interval_ns = 1;
    }
    if (at_least_ns > HF_BACKOFF_ASKED_MAX_NS) {
        at_least_ns = HF_BACKOFF_ASKED_MAX_NS;
    }
    return wait_ns > at_least_ns ? wait_ns : at_least_ns;
}

bool hf_backoff_is_over(const struct hf_backoff *backoff, const struct hf_retry_config *config,
                        uint64_t now_ns)
{
    return backoff->interval_ns != 0 && config->max_elapsed_time_ns != 0 &&
           now_ns - backoff->failed_ns >= config->max_elapsed_time_ns;
}
