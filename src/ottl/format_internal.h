/*
 * format_internal: what the two files of format share: one directive, and how a value is printed by
 * it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "format.h"

/* One directive: %+08.3f */
struct hf_format_spec {
    bool plus, minus, sharp, space, zero, has_width, has_precision;
    size_t width, precision;
    uint32_t verb; /* a character */
};

/* A text being made. */
struct hf_format_out {
    struct hf_bytes *bytes;
    enum hf_status status; /* of the first that failed */
};

void hf_format_put(struct hf_format_out *out, struct hf_slice text);
void hf_format_put_rune(struct hf_format_out *out, uint32_t code);

/* By the verb, or as a mistake: "%!d(string=x)". */
void hf_format_value(struct hf_format_out *out, const struct hf_format_spec *spec,
                     const struct hf_format_argument *argument);
/* What Go calls the type. */
const char *hf_format_type(const struct hf_format_argument *argument);
