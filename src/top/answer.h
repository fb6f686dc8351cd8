/*
 * answer: one answer to `status`, as a tree, and how it is read. Owned by one thread.
 */
#pragma once

#include "top.h"
#include "json/json.h"

struct hf_top_answer {
    struct hf_arena arena;
    const struct hf_json *root;
};

HF_MUST_USE enum hf_status hf_top_answer_read(struct hf_slice text,
                                              struct hf_top_answer **ret_answer);
/* NULL is nothing. */
void hf_top_answer_free(struct hf_top_answer *answer);

/* The number at the end of a way of keys, such as "queued.items"; -1: there is none. */
double hf_top_number(const struct hf_json *value, const char *way);
/* The text of a member; "" when there is none. Ends with a NUL. */
const char *hf_top_text(const struct hf_json *value, const char *key);
/* The entry of the list `key` in which `kind` (NULL: any) and `id` are those. NULL: none. */
const struct hf_json *hf_top_find(const struct hf_json *root, const char *key, const char *kind,
                                  const char *id);
