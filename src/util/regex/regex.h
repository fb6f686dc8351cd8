/*
 * regex: regular expressions over UTF-8 text, compiled once and matched by any thread.
 *
 * Patterns are written for RE2, as Go uses it, and run by PCRE2. They mean the same: `$` without
 * (?m) is the very end, a newline is "\n" alone, and unanchored patterns match anywhere. What RE2
 * refuses is refused (re2_gate.h). PCRE2 in turn refuses group names that begin with a digit or
 * have more than 32 characters. A match may take too many steps, which RE2 cannot need.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

struct hf_regex;

#define HF_REGEX_ERROR_MAX 256
#define HF_REGEX_GROUPS_MAX 64 /* capture groups of one pattern */

/*
 * HF_INVALID with what is wrong, and where, in `reterr` (HF_REGEX_ERROR_MAX bytes); HF_NOMEM. Free
 * with hf_regex_free().
 */
HF_MUST_USE enum hf_status hf_regex_new(const char *pattern, struct hf_regex **ret_regex,
                                        char *reterr);
void hf_regex_free(struct hf_regex *regex);

/* Capture groups, numbered from 1; at most HF_REGEX_GROUPS_MAX. */
size_t hf_regex_group_count(const struct hf_regex *regex);
/* The name of a group; NULL when it has none. The regex's. */
const char *hf_regex_group_name(const struct hf_regex *regex, size_t group);

/*
 * Does it match anywhere in `text`, and where from `start` on? HF_OK with `ret_found`; `ret_groups`
 * (NULL, or room for one more than there are groups) is the whole match first, then the groups: a
 * group that took no part has no data. HF_INVALID: it would take too many steps.
 */
HF_MUST_USE enum hf_status hf_regex_search(const struct hf_regex *regex, struct hf_slice text,
                                           size_t start, struct hf_slice *ret_groups,
                                           bool *ret_found);
HF_MUST_USE enum hf_status hf_regex_try(const struct hf_regex *regex, struct hf_slice text,
                                        bool *ret_found);

/* Does it match anywhere in `text`? One that would take too many steps does not. */
HF_MUST_USE bool hf_regex_matches(const struct hf_regex *regex, struct hf_slice text);

/*
 * The same, and what the groups matched: `ret_groups` has room for all of them, group 1 first;
 * slices into `text`, empty and without data for a group that took no part.
 */
HF_MUST_USE bool hf_regex_find(const struct hf_regex *regex, struct hf_slice text,
                               struct hf_slice *ret_groups);

struct hf_regex_range {
    size_t start, end; /* offsets into the text */
};

/*
 * Where the first match is that begins at `start` or behind; what stands before counts as context,
 * for `^` and `\b`. HF_NOT_FOUND: there is none. HF_FULL: it took too many steps to tell.
 */
HF_MUST_USE enum hf_status hf_regex_find_range(const struct hf_regex *regex, struct hf_slice text,
                                               size_t start, struct hf_regex_range *ret_range);
