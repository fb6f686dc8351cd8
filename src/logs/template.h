/*
 * template: texts with any number of EXPR(...) in them, and sets of them that become attributes and
 * resource attributes of entries. Immutable once made; one thread at a time gives the entry.
 */
#pragma once

#include "entry.h"
#include "pipeline.h"

struct hf_log_template;

/* `text` is borrowed until free. HF_INVALID: `reterr` (HF_LOG_ERROR_MAX) says what is wrong with an
 * expression. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_log_template_new(const char *text, struct hf_log_template **ret,
                                               char *reterr);
void hf_log_template_free(struct hf_log_template *made);
/* Is there no expression in it? */
bool hf_log_template_is_fixed(const struct hf_log_template *made);
/* The text for that entry, in its arena or borrowed. HF_INVALID: an expression fails or gives no
 * text, `reterr` (HF_LOG_ERROR_MAX) says why. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_log_template_render(const struct hf_log_template *made,
                                                  struct hf_log_entry *entry,
                                                  struct hf_slice *ret_text, char *reterr);

/* The keys `attributes` and `resource` of receivers. Zeroed at first, hf_log_labels_release() at
 * last, also after a failure. */
struct hf_log_labels {
    struct hf_log_label *items;
    size_t count;
};

/* Both maps are borrowed until release. As hf_log_template_new(). */
HF_MUST_USE enum hf_status hf_log_labels_init(struct hf_log_labels *labels,
                                              const struct hf_string_map *attributes,
                                              const struct hf_string_map *resource, char *reterr);
void hf_log_labels_release(struct hf_log_labels *labels);
/* Sets them all; one that fails is left out, the others are set. As hf_log_template_render(). */
HF_MUST_USE enum hf_status hf_log_labels_set(const struct hf_log_labels *labels,
                                             struct hf_log_entry *entry, char *reterr);
