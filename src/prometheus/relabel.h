/*
 * relabel: rules that change, keep or drop the labels of targets and series, as Prometheus'
 * relabel_configs and metric_relabel_configs.
 *
 * Rules are made once and immutable then; applying them needs memory for the texts that they make.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/field.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "labels.h"
#include "util/arena.h"

enum hf_relabel_action {
    HF_RELABEL_REPLACE = 0,
    HF_RELABEL_KEEP,
    HF_RELABEL_DROP,
    HF_RELABEL_KEEP_EQUAL,
    HF_RELABEL_DROP_EQUAL,
    HF_RELABEL_HASHMOD,
    HF_RELABEL_LABELMAP,
    HF_RELABEL_LABELDROP,
    HF_RELABEL_LABELKEEP,
    HF_RELABEL_LOWERCASE,
    HF_RELABEL_UPPERCASE
};

/* A rule as it is configured. */
struct hf_relabel_config {
    struct hf_string_list source_labels;
    const char *separator, *regex, *target_label, *replacement;
    int64_t modulus;
    int64_t action; /* enum hf_relabel_action */
};

extern const struct hf_field hf_relabel_fields[];

/* NULL, or a sentence about what is missing or too much in the rule. */
const char *hf_relabel_check(const struct hf_relabel_config *config);

struct hf_relabel; /* a list of rules */

#define HF_RELABEL_ERROR_MAX 320

/* `configs` is borrowed until free. HF_INVALID with a sentence in `reterr` (HF_RELABEL_ERROR_MAX);
 * HF_NOMEM. No rules: `ret_rules` is NULL, which keeps everything as it is. */
HF_MUST_USE enum hf_status hf_relabel_new(const struct hf_struct_list *configs,
                                          struct hf_relabel **ret_rules, char *reterr);
void hf_relabel_free(struct hf_relabel *rules);

enum hf_relabel_verdict { HF_RELABEL_KEPT = 0, HF_RELABEL_DROPPED, HF_RELABEL_NO_MEMORY };

/* The texts that it makes are in `arena`. NO_MEMORY: there was none, or the labels became too many.
 */
HF_MUST_USE enum hf_relabel_verdict hf_relabel_apply(const struct hf_relabel *rules,
                                                     struct hf_prom_labels *labels,
                                                     struct hf_arena *arena);
