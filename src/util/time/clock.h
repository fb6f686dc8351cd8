/*
 * clock: the two clocks, in nanoseconds. Any thread; they never fail.
 */
#pragma once

#include <stdint.h>

#define HF_NS_PER_S UINT64_C(1000000000)
#define HF_NS_PER_MS UINT64_C(1000000)

/* Since some moment before the start; never steps back. For waits, deadlines and durations. */
uint64_t hf_clock_monotonic_ns(void);
/* The same to a few milliseconds, for a tenth of the price. */
uint64_t hf_clock_coarse_ns(void);
/* Unix time. It can step: use it only for times that people or other machines read. */
uint64_t hf_clock_unix_ns(void);

/* All three go on from so much later: for tests of configurations, whose time is their own. Loops
 * that wait have to be woken. */
void hf_clock_skip(uint64_t ns);
