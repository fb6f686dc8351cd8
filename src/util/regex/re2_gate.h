/*
 * re2_gate: patterns of RE2, as Go's regexp package takes them, as patterns that mean the same to
 * PCRE2. What RE2 refuses is refused: look-around, back-references, possessive and atomic groups,
 * \K \G \R \h \X and other escapes, repeats beyond 1000. No state; any thread.
 */
#pragma once

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

/* Appends the pattern for PCRE2 to `out`. HF_INVALID with one sentence in `reterr`
 * (HF_REGEX_ERROR_MAX); HF_NOMEM. */
HF_MUST_USE enum hf_status hf_re2_translate(struct hf_slice pattern, struct hf_bytes *out,
                                            char *reterr);
