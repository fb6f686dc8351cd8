#include "thread_clock.h"

#include <time.h>

#include "clock.h"

static uint64_t read_clock(clockid_t id)
{
    struct timespec now = {0};
    (void)clock_gettime(id, &now); /* fails only for an unknown id */
    return (uint64_t)now.tv_sec * HF_NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t hf_thread_clock_ns(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t hf_process_clock_ns(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}
