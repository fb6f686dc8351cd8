/*
 * split: cuts an Export request into requests of at most so many items, on wire bytes.
 *
 * Resource, scope and schema URLs (and unknown fields beside the items) are repeated in every part;
 * items keep their order and bytes. A metric's points are items: a metric may be cut between
 * points, its name and properties repeated.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/batch.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

/*
 * Appends to `out` the request of the items [first, first + count) of `raw`, which has passed
 * hf_scan(). HF_NOMEM, HF_INVALID.
 */
HF_MUST_USE enum hf_status hf_split(enum hf_signal signal, struct hf_slice raw, uint32_t first,
                                    uint32_t count, struct hf_bytes *out);

/* Some neighbouring items. */
struct hf_split_range {
    uint32_t first, count;
};

/* Likewise of the items of several ranges: at least one, ascending, without overlap. */
HF_MUST_USE enum hf_status hf_split_ranges(enum hf_signal signal, struct hf_slice raw,
                                           const struct hf_split_range *ranges, size_t count,
                                           struct hf_bytes *out);
