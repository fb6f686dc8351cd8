/*
 * times: times as documents have them. Any thread; no state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HF_BULK_TIME_MAX 48u

/* "2006-01-02T15:04:05.123456789Z" with all nine digits; with `is_short` without the zeros at the
 * end, as Go's JSON has it. Returns what it wrote, without a NUL. */
size_t hf_bulk_time_print(uint64_t time_ns, bool is_short, char room[HF_BULK_TIME_MAX]);

/* "1700000000123.456789": milliseconds and the rest of them. */
size_t hf_bulk_millis_print(uint64_t time_ns, char room[HF_BULK_TIME_MAX]);
