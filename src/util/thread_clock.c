#include "thread_clock.h"

#include <time.h>

#include "clock.h"

uint64_t hf_thread_clock_ns(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now); /* fails only for an unknown id */
    return (uint64_t)now.tv_sec * HF_NS_PER_S + (uint64_t)now.tv_nsec;
}
