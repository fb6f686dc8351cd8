/*
 * glob: patterns of whole texts for replace_match, as the Go collector's: `*` and `?` take any
 * character, `[a-z]` and `[!a]` one of some, `{a,b}` one of several patterns, `\` the next
 * character as it is. Compiled to regular expressions. No state; any thread.
 */
#pragma once

#include <holdfast/slice.h>
#include <holdfast/status.h>

struct hf_regex;

/* HF_INVALID with what is wrong in `reterr` (HF_REGEX_ERROR_MAX); HF_NOMEM. */
HF_MUST_USE enum hf_status hf_ottl_glob_new(struct hf_slice pattern, struct hf_regex **ret_regex,
                                            char *reterr);
/* Likewise, but `*` and `?` do not take `separator`; `**` takes it. */
HF_MUST_USE enum hf_status hf_ottl_glob_new_separated(struct hf_slice pattern, char separator,
                                                      struct hf_regex **ret_regex, char *reterr);
/* A pattern of RE2, which is not a C string. */
HF_MUST_USE enum hf_status hf_ottl_regex_new(struct hf_slice pattern, struct hf_regex **ret_regex,
                                             char *reterr);
