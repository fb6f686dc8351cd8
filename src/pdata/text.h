/*
 * text: Export requests for people to read, as the Go collector's debug exporter words them. Any
 * thread; no state.
 *
 * Meant for eyes, not for parsing: the wording may change. Control characters other than tab and
 * newline become '?', so that telemetry cannot drive a terminal.
 */
#pragma once

#include <holdfast/batch.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

enum hf_text_detail {
    HF_TEXT_LINES, /* a line each resource, scope and item */
    HF_TEXT_FULL   /* every field */
};

/* Appends the text of a request that has passed hf_scan(). HF_NOMEM. Fields that no scan would pass
 * are left out. */
HF_MUST_USE enum hf_status hf_text_print(enum hf_signal signal, struct hf_slice raw,
                                         enum hf_text_detail detail, struct hf_bytes *out);
