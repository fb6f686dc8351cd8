/*
 * match_internal: compiled criteria, for the files that compile and apply them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "match.h"
#include "pdata/any.h"
#include "util/arena.h"

struct hf_regex;

/* A text or a pattern. */
struct hf_match_text_rule {
    struct hf_slice text;
    struct hf_regex *regex; /* NULL: strict */
};

struct hf_match_text_set {
    struct hf_match_text_rule *rules;
    size_t count; /* 0: not asked for */
};

struct hf_match_attribute_rule {
    struct hf_slice key;
    bool any; /* value */
    struct hf_any value;
    struct hf_match_text_rule text; /* with a pattern: instead of `value` */
};

struct hf_match_attribute_set {
    struct hf_match_attribute_rule *rules;
    size_t count;
};

struct hf_match_library_rule {
    struct hf_match_text_rule name, version;
    bool any_version;
};

struct hf_match {
    const struct hf_match_config *config;
    struct hf_match_text_set services, span_names, span_kinds;
    struct hf_match_text_set log_bodies, log_severity_texts, metric_names;
    struct hf_match_attribute_set attributes, resources;
    struct hf_match_library_rule *libraries;
    size_t library_count;
    struct hf_arena arena; /* of the values */
};

/* By number, as in the Go collector's configuration. */
#define HF_SPAN_KIND_COUNT 6u
extern const char *const hf_span_kind_names[HF_SPAN_KIND_COUNT];
