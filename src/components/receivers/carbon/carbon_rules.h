/*
 * carbon_rules: how a path becomes a name and attributes by regular expressions (`parser::config`).
 * Immutable once made.
 */
#pragma once

#include <holdfast/field.h>
#include <holdfast/status.h>

#include "encodings/carbon.h"
#include "util/compress/compress.h"
#include "util/regex/regex.h"

struct carbon_rule_config {
    const char *pattern, *name_prefix;
    struct hf_string_map labels;
    int64_t type; /* 0: gauge, 1: cumulative */
};

struct carbon_rule;

struct carbon_rules {
    struct carbon_rule *items;
    size_t count;
    const char *separator;
};

/* `configs` (struct carbon_rule_config) and `separator` are borrowed. HF_INVALID with a sentence in
 * `reterr` (HF_ERROR_MAX). HF_NOMEM. Release it in any case. */
HF_MUST_USE enum hf_status carbon_rules_init(struct carbon_rules *rules,
                                             const struct hf_struct_list *configs,
                                             const char *separator, char *reterr);
void carbon_rules_release(struct carbon_rules *rules);

/* The first rule that matches; without one the path is plaintext. A name that is made is in `room`.
 * NULL, or what is wrong. */
const char *carbon_rules_apply(const struct carbon_rules *rules, struct hf_slice path,
                               struct hf_bytes *room, struct hf_carbon_path *ret_path,
                               bool *ret_cumulative);
