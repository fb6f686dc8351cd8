/*
 * json_value: single values as OTLP/JSON writes them, both ways: numbers, hex, base64, UTF-8. No
 * state; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/base64.h"

/* Bytes at the front that a JSON string may hold as they are: before a quote, a backslash or a
 * control character. */
size_t hf_json_plain_run(struct hf_slice text);
/* Likewise in a text that may stand in a page of HTML: before '<', '>' and '&', too. */
size_t hf_json_plain_html_run(struct hf_slice text);

/*
 * A JSON number, as text, of a whole value ("12", "-3", "1.5e3"). False when it is none, has a
 * fraction or does not fit.
 */
HF_MUST_USE bool hf_json_read_u64(struct hf_slice text, uint64_t *ret_value);
HF_MUST_USE bool hf_json_read_i64(struct hf_slice text, int64_t *ret_value);

#define HF_JSON_NUMBER_MAX 1100 /* no double needs more characters when written out in full */

/* A JSON number; false when it is none, too long or too large for a double. Names such as "NaN"
 * only when `names`. */
HF_MUST_USE bool hf_json_read_double(struct hf_slice text, bool names, double *ret_value);

#define HF_JSON_BASE64_ROOM(size) HF_BASE64_DECODED_SIZE(size)

/* Standard and URL-safe alphabet, padded or not. False: another byte, or a length that cannot be.
 */
HF_MUST_USE bool hf_json_read_base64(struct hf_slice text, uint8_t *room, size_t *ret_size);

#define HF_JSON_DIGITS_MAX 32 /* room for any number printed below */

/* All return what they wrote, without a NUL. */
size_t hf_json_print_u64(uint64_t value, char *room);
size_t hf_json_print_i64(int64_t value, char *room);
/* Few digits that read back as the same double; NaN and infinities as quoted names. */
size_t hf_json_print_double(double value, char *room);
size_t hf_json_print_base64(struct hf_slice bytes, char *room); /* 4 for each 3 or part of 3 */
