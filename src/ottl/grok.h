/*
 * grok: patterns that are made of named patterns, as Logstash has them: "%{IP:client.ip}
 * %{INT:status:int}" becomes one regular expression. Immutable once made; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

struct hf_grok;
struct hf_regex;

enum hf_grok_type {
    HF_GROK_STRING = 0,
    HF_GROK_INT,
    HF_GROK_DOUBLE,
    HF_GROK_BOOL,
    HF_GROK_UNKNOWN
};

/* Patterns beside the library, which come first: each "NAME=PATTERN". */
struct hf_grok_definitions {
    const struct hf_slice *items;
    size_t count;
};

/*
 * With `only_named`, %{IP} without a name captures nothing; else it captures under "IP". HF_INVALID
 * with one sentence in `reterr` (HF_ERROR_MAX): a name that there is not, a pattern that refers to
 * itself, a bad expression. HF_NOMEM. Free with hf_grok_free().
 */
HF_MUST_USE enum hf_status hf_grok_new(struct hf_slice pattern, bool only_named,
                                       const struct hf_grok_definitions *definitions,
                                       struct hf_grok **ret_grok, char *reterr);
void hf_grok_free(struct hf_grok *grok);

const struct hf_regex *hf_grok_regex(const struct hf_grok *grok);
/* What a capture group of the expression is called; NULL: it has no name. */
const char *hf_grok_name(const struct hf_grok *grok, size_t group, enum hf_grok_type *ret_type);
bool hf_grok_has_names(const struct hf_grok *grok);

/* ---- grok_library.c ---- */

/* The pattern of that name; NULL: there is none. */
const char *hf_grok_library(struct hf_slice name);
