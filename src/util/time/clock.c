#include "clock.h"

#include <stdatomic.h>
#include <time.h>

static _Atomic uint64_t skipped_ns;

static uint64_t read_clock(clockid_t id)
{
    struct timespec now = {0};

    (void)clock_gettime(id, &now); /* fails only for an unknown id */
    return (uint64_t)now.tv_sec * HF_NS_PER_S + (uint64_t)now.tv_nsec +
           atomic_load_explicit(&skipped_ns, memory_order_relaxed);
}

uint64_t hf_clock_monotonic_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t hf_clock_coarse_ns(void)
{
    return read_clock(CLOCK_MONOTONIC_COARSE);
}

uint64_t hf_clock_unix_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

void hf_clock_skip(uint64_t ns)
{
    atomic_fetch_add(&skipped_ns, ns);
}
