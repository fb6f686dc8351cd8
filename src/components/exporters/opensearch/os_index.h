/*
 * os_index: the index of a document: a pattern with attributes in it, and a date. Any thread; no
 * state.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "os_config.h"
#include "util/compress/compress.h"

/* yyyy, yy, MM, dd, HH, mm, ss and - . _ + only. */
bool os_time_format_is_good(const char *format);

struct os_index_input {
    const struct os_index *index;
    const char *prefix, *dataset, *namespace; /* when there is no pattern */
    struct hf_slice item, scope, resource;
    uint32_t item_attributes; /* their field number */
    uint64_t received_ns;
};

/* Appends it. HF_NOMEM. */
HF_MUST_USE enum hf_status os_index_make(const struct os_index_input *input, struct hf_bytes *out);
