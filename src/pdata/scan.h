/*
 * scan: one pass over the protobuf bytes of an Export request: is it well formed, and what is in
 * it? No allocation.
 *
 * Well formed: every field of the OTLP messages has its wire type, every length fits, every string
 * is UTF-8, nesting is at most HF_SCAN_DEPTH_MAX, groups are refused, unknown fields are skipped
 * (framing checked). What passes can always be exported. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/batch.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

/*
 * Messages within each other: values of 330 maps or 490 lists, one in the other. JSON, text and
 * edits take the same. They walk down on the stack: json_out.c needs the most, a kilobyte a level.
 */
#define HF_SCAN_DEPTH_MAX 1000

struct hf_scan {
    uint32_t items;     /* spans, data points, log records */
    uint32_t resources; /* top-level elements */
};

/* HF_INVALID: not an Export request of that signal. `ret` is untouched then. */
HF_MUST_USE enum hf_status hf_scan(enum hf_signal signal, struct hf_slice raw, struct hf_scan *ret);

/* The same for the bytes of one AnyValue, where a request's scan has not looked: in the dictionary
 * of profiles. */
HF_MUST_USE bool hf_scan_value(struct hf_slice value);
