/*
 * time_layout: times as text, read and written by a layout: strptime directives as Go's collectors
 * translate them, Go's own reference time, or a count since the epoch. Immutable once made; any
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

struct hf_time_layout;

struct hf_time_layout_options {
    const char *layout;
    const char *type;     /* "strptime", "gotime", "epoch"; NULL: strptime */
    const char *location; /* IANA name; NULL: UTC when the layout ends in Z, else the machine's */
};

/* HF_INVALID: `reterr` (HF_ERROR_MAX) says what is wrong. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_time_layout_new(const struct hf_time_layout_options *options,
                                              struct hf_time_layout **ret_layout, char *reterr);
void hf_time_layout_free(struct hf_time_layout *layout);

/* Unix nanoseconds. False: the text is no such time, or beyond what they hold. A text without a
 * year is of this year, or of the last one when it would lie more than a week ahead. */
HF_MUST_USE bool hf_time_layout_parse(const struct hf_time_layout *layout, struct hf_slice text,
                                      int64_t *ret_ns);
/* The same, and how far its zone is ahead of UTC: what the text says, else the location's. Of a
 * layout that is no epoch. */
HF_MUST_USE bool hf_time_layout_read(const struct hf_time_layout *layout, struct hf_slice text,
                                     int64_t *ret_ns, int32_t *ret_offset_s);
/* Appends a time in a zone that is so far ahead of UTC, by a layout that is no epoch. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_time_layout_write(const struct hf_time_layout *layout,
                                                int64_t unix_ns, int32_t offset_s,
                                                struct hf_bytes *out);

/* Is it a count since the epoch, which numbers can be too? */
bool hf_time_layout_is_epoch(const struct hf_time_layout *layout);
HF_MUST_USE bool hf_time_layout_of_integer(const struct hf_time_layout *layout, int64_t value,
                                           int64_t *ret_ns);
HF_MUST_USE bool hf_time_layout_of_double(const struct hf_time_layout *layout, double value,
                                          int64_t *ret_ns);

/* RFC 3339 with any fraction: what most logs have, read without a layout. */
HF_MUST_USE bool hf_time_rfc3339(struct hf_slice text, int64_t *ret_ns);

/* Year, month, day, ... of a time in a zone that is so far ahead of UTC, and its nanoseconds. */
struct tm hf_time_fields(int64_t unix_ns, int32_t offset_s, int64_t *ret_ns);
/* How far the machine's zone is ahead of UTC at that moment. */
int32_t hf_time_local_offset_s(int64_t unix_s);
