/*
 * hec_body: cuts a body of events into the texts of its objects: one after another, or in one list.
 * Any thread; no state but the caller's.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/slice.h>

struct hf_hec_body {
    struct hf_slice rest;
    bool is_begun, is_list;
};

enum hf_hec_cut {
    HF_HEC_CUT_EVENT = 0,
    HF_HEC_CUT_END,
    HF_HEC_CUT_BAD, /* neither an object nor the end is there */
};

/* Begin with `rest` as all of the body and the others as zeros. The text of an event is a whole
 * object by its brackets and strings; what reads it checks it. */
enum hf_hec_cut hf_hec_cut(struct hf_hec_body *body, struct hf_slice *ret_event);
