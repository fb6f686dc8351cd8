/*
 * regex_expand: texts with references to the groups of a match, as Go's Regexp.Expand takes them:
 * `$1`, `$name`, `${name}`, `$$`. Any thread; no state.
 */
#pragma once

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "regex.h"
#include "util/compress/compress.h"

/*
 * Appends `text` with its references replaced. `groups` is what hf_regex_search() found: the whole
 * match first. A reference to a group that is not there or took no part is nothing. HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_regex_expand(const struct hf_regex *regex, struct hf_slice text,
                                           const struct hf_slice *groups, struct hf_bytes *out);

/*
 * Appends `text` with every match replaced by `replacement`, expanded, as Go's ReplaceAllString
 * does. HF_NOMEM; HF_INVALID: a match would take too many steps; `out` is unfinished then.
 */
HF_MUST_USE enum hf_status hf_regex_replace_all(const struct hf_regex *regex, struct hf_slice text,
                                                struct hf_slice replacement, struct hf_bytes *out);
