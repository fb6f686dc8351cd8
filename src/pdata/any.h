/*
 * any: one AnyValue on its wire bytes, which have passed hf_scan(). Any thread; no state.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

enum hf_any_type {
    HF_ANY_EMPTY = 0,
    HF_ANY_STRING,
    HF_ANY_BOOL,
    HF_ANY_INT,
    HF_ANY_DOUBLE,
    HF_ANY_ARRAY,
    HF_ANY_MAP,
    HF_ANY_BYTES,
};

struct hf_any {
    enum hf_any_type type;
    struct hf_slice bytes; /* STRING, BYTES: the content; ARRAY, MAP: the message's bytes */
    int64_t integer;       /* INT; BOOL: 0 or 1 */
    double number;         /* DOUBLE */
};

/* The value of an AnyValue's bytes; EMPTY when there is none, or none of these kinds. */
struct hf_any hf_any_read(struct hf_slice value);

/*
 * Appends the value as text, as the Go collector writes it: numbers in decimal, doubles in few
 * digits, bytes as base64, lists and maps as JSON with sorted keys, nothing for an empty one. Where
 * the Go collector gives up (NaN and infinities) it is their names, quoted in lists and maps.
 * HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_any_text(struct hf_slice value, struct hf_bytes *out);

/* Are two values the same, type and content? The pairs of a map may stand in any order. Both have
 * passed hf_scan() or come from a configuration, so that their depth has a limit. */
bool hf_any_equal(const struct hf_any *a, const struct hf_any *b);
