/*
 * repair: makes text of an Export request UTF-8 where it is not. Every maximal part that is no
 * beginning of a character becomes U+FFFD, as the Unicode standard recommends and browsers do.
 *
 * For the requests that hf_scan() has refused: a receiver repairs those that are good otherwise
 * rather than refusing them. Any thread; no state.
 */
#pragma once

#include <stdint.h>

#include <holdfast/batch.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

/*
 * Appends the repaired request to `out`; `ret_count` is the number of strings that were repaired,
 * 0: nothing was wrong with any, and nothing is appended. HF_INVALID: more is wrong than text: the
 * result would not pass hf_scan(). HF_TOO_LARGE, HF_NOMEM. `out` is as before then.
 */
HF_MUST_USE enum hf_status hf_repair(enum hf_signal signal, struct hf_slice raw,
                                     struct hf_bytes *out, uint64_t *ret_count);

/* One text, appended to `out`. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_repair_text(struct hf_slice text, struct hf_bytes *out);
