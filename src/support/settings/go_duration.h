/*
 * go_duration: a duration as Go writes it, for lists of them, which have no field type of their
 * own. No state; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/status.h>

/* "1m30s", "1.5ms", "-2us", "0"; a bare integer is nanoseconds. False: the text is none, or it does
 * not fit. */
HF_MUST_USE bool hf_go_duration(const char *text, int64_t *ret_ns);
