/*
 * where: `--where`: an OTTL condition that chooses spans, data points and log records. Owned by one
 * thread.
 */
#pragma once

#include <holdfast/batch.h>

#include "util/compress/compress.h"

struct hf_where;

/*
 * Compiles the text for each signal that has what it uses. `text` is borrowed. HF_INVALID: for
 * none; `reterr` (HF_ERROR_MAX) says why, as one line. HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_where_new(const char *text, struct hf_where **ret_where,
                                        char *reterr);
/* NULL is nothing. */
void hf_where_free(struct hf_where *where);

/*
 * Appends the request `raw` (which passed hf_scan()) with the items that the condition is true for,
 * and counts them: 0, and nothing is appended, when there are none. An item at which it fails is
 * not chosen. `where` NULL: all. HF_INVALID, HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_where_choose(struct hf_where *where, enum hf_signal signal,
                                           struct hf_slice raw, struct hf_bytes *out,
                                           uint32_t *ret_items);
