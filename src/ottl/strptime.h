/*
 * strptime: times by layouts of strptime's directives, as the Go collector knows them. No state;
 * any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress.h"

/* NULL for a layout that is good, else one sentence. */
const char *hf_strptime_check(struct hf_slice layout);

enum hf_strptime_zone { HF_ZONE_LOCAL = 0, HF_ZONE_UTC };

struct hf_strptime_result {
    int64_t unix_ns;
    int32_t offset_s;
};

/* A text without a year is of this year, or of the last one. False: the text is no such time, or
 * beyond what 64 bits of nanoseconds hold. `zone`: of a text that names none. */
HF_MUST_USE bool hf_strptime_read(struct hf_slice layout, struct hf_slice text,
                                  enum hf_strptime_zone zone,
                                  struct hf_strptime_result *ret_result);

/* Appends the time in its own zone. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_strptime_write(struct hf_slice layout, int64_t unix_ns,
                                             int32_t offset_s, struct hf_bytes *out);

/* Year, month, day, ... of a time in its own zone. */
struct tm hf_strptime_fields(int64_t unix_ns, int32_t offset_s, int64_t *ret_ns);
/* East of UTC, of the system's zone at that moment. */
int32_t hf_strptime_local_offset(int64_t unix_s);
