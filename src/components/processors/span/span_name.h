/*
 * span_name: a span's name of its attributes, and attributes of its name. Rules are compiled once
 * and immutable after; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/field.h>
#include <holdfast/status.h>

#include "pdata/message.h"
#include "util/compress/compress.h"

struct hf_regex;

/*
 * The values of the attributes, joined, become the name when all are there. `text` is scratch.
 * HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_span_name_from(const struct hf_string_list *keys,
                                             const char *separator, struct hf_message *span,
                                             struct hf_bytes *text);

struct hf_span_rules {
    struct hf_regex **items;
    size_t count;
    bool break_after_match, keep_original_name;
};

/* Zeroed before, with its flags set. HF_INVALID with one sentence in `reterr` (HF_ERROR_MAX). */
HF_MUST_USE enum hf_status hf_span_rules_init(struct hf_span_rules *rules,
                                              const struct hf_string_list *patterns, char *reterr);
void hf_span_rules_release(struct hf_span_rules *rules);

/* NULL, or what is wrong with the patterns, valid until the thread's next call. */
const char *hf_span_rules_check(const struct hf_string_list *patterns);

/* Each rule works on the name that the one before it has left. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_span_rules_apply(const struct hf_span_rules *rules,
                                               struct hf_message *span, struct hf_bytes *text);
