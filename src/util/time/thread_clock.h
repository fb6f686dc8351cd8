/*
 * thread_clock: the processor time that the calling thread or the whole process has had. Any
 * thread; they never fail.
 */
#pragma once

#include <stdint.h>

/* Nanoseconds, since the thread began. */
uint64_t hf_thread_clock_ns(void);
/* Nanoseconds of all threads, also of those that have ended. */
uint64_t hf_process_clock_ns(void);
