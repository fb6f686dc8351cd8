/*
 * thread_clock: the processor time that the calling thread has had. Any thread; it never fails.
 */
#pragma once

#include <stdint.h>

/* Nanoseconds, since the thread began. */
uint64_t hf_thread_clock_ns(void);
