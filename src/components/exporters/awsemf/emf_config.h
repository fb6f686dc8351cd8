/*
 * emf_config: the keys of the exporter, and what is made of them at its opening. Immutable after
 * that.
 */
#pragma once

#include <holdfast/field.h>
#include <holdfast/node.h>

#include "support/items/resource_conversion.h"
#include "support/settings/configaws.h"
#include "util/regex/regex.h"

enum emf_rollup { EMF_ROLLUP_ZERO_AND_SINGLE = 0, EMF_ROLLUP_SINGLE, EMF_ROLLUP_NONE };
enum emf_destination { EMF_TO_CLOUDWATCH = 0, EMF_TO_STDOUT };

struct emf_config {
    struct hf_aws_config aws;
    const char *group, *stream, *namespace;
    int64_t rollup, destination, version; /* version: 0 is "1", 1 is "0" */
    int64_t log_retention;
    struct hf_string_map tags;
    struct hf_string_list parse_json;
    struct hf_struct_list declarations; /* struct emf_declaration_config */
    struct hf_struct_list descriptors;  /* struct emf_descriptor */
    struct hf_resource_conversion resource;
    bool retain_initial, eks_fargate, detailed;
};

struct emf_matcher_config {
    struct hf_string_list label_names;
    const char *separator, *regex;
};

struct emf_declaration_config {
    struct hf_value dimensions; /* a list of lists of names */
    struct hf_string_list name_selectors;
    struct hf_struct_list label_matchers; /* struct emf_matcher_config */
};

struct emf_descriptor {
    const char *metric_name, *unit;
    bool overwrite;
};

extern const struct hf_field emf_fields[];
const char *emf_check(const void *config);

/* ---- as it is used ---- */

struct emf_dimensions {
    const char **names; /* sorted, each once */
    size_t count;
};

struct emf_declaration {
    const struct emf_declaration_config *config;
    struct emf_dimensions *sets;
    size_t set_count;
    struct hf_regex **names, **labels; /* as many as selectors, and as label matchers */
};

struct emf_rules {
    struct emf_declaration *declarations;
    size_t count;
};

/* Declarations that are of no use are left out with a warning, as in the Go collector. HF_INVALID
 * with a sentence in `reterr` (HF_ERROR_MAX); HF_NOMEM. To be released then too. `node` NULL: no
 * warnings. */
HF_MUST_USE enum hf_status emf_rules_make(struct emf_rules *rules, const struct emf_config *config,
                                          const struct hf_node *node, char *reterr);
void emf_rules_release(struct emf_rules *rules);

/* The unit that CloudWatch knows, of a metric. */
struct hf_slice emf_unit(const struct emf_config *config, struct hf_slice metric,
                         struct hf_slice unit);
