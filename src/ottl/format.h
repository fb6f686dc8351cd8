/*
 * format: texts by the verbs of Go's fmt.Sprintf: flags, widths, precisions, indexes of arguments,
 * and what it prints for mistakes ("%!d(string=x)"). Any thread; no state.
 */
#pragma once

#include <stddef.h>

#include <holdfast/slice.h>

#include "util/compress/compress.h"
#include "value.h"

/* One argument. `text`: what it is as a text, for those that have no verbs of their own (maps,
 * lists, times, ids). */
struct hf_format_argument {
    struct hf_ottl_value value;
    struct hf_slice text;
};

/* Appends the text to `out`. HF_NOMEM; HF_FULL: it would have more than HF_FORMAT_MAX_BYTES. */
#define HF_FORMAT_MAX_BYTES (4u << 20)
HF_MUST_USE enum hf_status hf_ottl_format(struct hf_slice format,
                                          const struct hf_format_argument *arguments, size_t count,
                                          struct hf_bytes *out);
