/*
 * lines: cuts the bytes of a file into entries: at newlines, or where a pattern says that an entry
 * begins or ends; at most so many bytes each. Immutable once made; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "encoding.h"

struct hf_regex;

struct hf_lines {
    const struct hf_encoding *encoding;
    struct hf_regex *start, *end; /* at most one; NULL both: newlines. Its group 1 is the match. */
    bool omit_pattern;            /* the match is left out */
    bool keep_leading, keep_trailing; /* white space */
    bool truncates; /* what is past `bytes_max` is dropped, instead of being further entries */
    size_t bytes_max;
};

/* Compiles a pattern as Go's (?m) with its match as group 1. As hf_regex_new(). */
HF_MUST_USE enum hf_status hf_lines_pattern(const char *pattern, struct hf_regex **ret_regex,
                                            char *reterr);

struct hf_line {
    struct hf_slice text; /* into the bytes; trimmed; may be empty */
    size_t used;          /* bytes that the entry takes, from the beginning */
};

/*
 * The first entry of `bytes`. False: more bytes are needed. With `at_end` nothing more comes: what
 * is there is the entry, however it ends. `ret_skipping` becomes true when the rest of a truncated
 * entry follows and is to be dropped; it is true for the next call then.
 */
HF_MUST_USE bool hf_lines_next(const struct hf_lines *lines, struct hf_slice bytes, bool at_end,
                               bool *skipping, struct hf_line *ret_line);
