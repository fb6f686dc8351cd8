/*
 * filter_list: a list of {strict: text} and {regexp: pattern} of the configuration, and whether a
 * text is among them.
 *
 * Made on the main thread; used by one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/field.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

/* {strict: text} or {regexp: pattern that matches somewhere}. */
struct hf_filter_list_config {
    const char *strict, *regexp;
};
extern const struct hf_field hf_filter_list_fields[];

struct hf_filter_list_item;

/* Zeroed: empty. */
struct hf_filter_list {
    struct hf_filter_list_item *items;
    size_t count;
};

/* Of struct hf_filter_list_config, whose texts stay. HF_INVALID with a sentence in `reterr`
 * (HF_ERROR_MAX); HF_NOMEM; release it in any case. */
HF_MUST_USE enum hf_status hf_filter_list_make(struct hf_filter_list *list,
                                               const struct hf_struct_list *from, char *reterr);
void hf_filter_list_release(struct hf_filter_list *list);

HF_MUST_USE bool hf_filter_list_has(const struct hf_filter_list *list, struct hf_slice text);
