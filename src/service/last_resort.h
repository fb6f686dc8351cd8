/*
 * last_resort: ends the process when its stop takes too long, whatever a thread is blocked in: what
 * was acknowledged is on disk, as at a SIGKILL. A timer's signal; no thread.
 */
#pragma once

#include <stdint.h>

/* Main thread, once: without a timer the stop may take longer. */
void hf_last_resort_prepare(void);
/* Ends the process with exit code 0 in `in_ns`; the first time counts. Async-signal-safe. */
void hf_last_resort_arm(uint64_t in_ns);
/* Now, without freeing anything that a thread may still use. */
_Noreturn void hf_last_resort_exit(int code);
