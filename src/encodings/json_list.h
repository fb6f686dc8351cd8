/*
 * json_list: the elements of a JSON list one by one, as text, so that a long list is never a tree
 * as a whole. Brackets and strings are followed, no more: what reads an element checks it. No
 * state; any thread.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/slice.h>

enum hf_json_list_step {
    HF_JSON_LIST_ELEMENT = 0,
    HF_JSON_LIST_END,
    HF_JSON_LIST_BROKEN, /* no list, or not closed, or something behind it */
};

struct hf_json_list {
    struct hf_slice rest;
    bool is_begun;
};

/* {.rest = text} at first. */
enum hf_json_list_step hf_json_list_next(struct hf_json_list *list, struct hf_slice *ret_element);
