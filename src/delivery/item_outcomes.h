/*
 * item_outcomes: takes a request apart when the backend has answered for each item. The delivery's
 * loop.
 */
#pragma once

#include "delivery_internal.h"

/* Some items of the request, as a request of their own, with what is said of them. */
struct item_outcome_part {
    struct export_request *request;
    struct hf_outcome outcome;
    uint32_t group; /* as in struct hf_item_outcome */
};

/* First what was delivered, then what is to be sent again, then what never is: these are of one
 * record each, as dead letters have to be. */
struct item_outcomes {
    struct item_outcome_part *items;
    size_t count;
};

/* Every item of the request is in one part. HF_NOMEM, or another status when a record cannot be
 * split: nothing was made. The request itself is to be freed after. */
HF_MUST_USE enum hf_status hf_item_outcomes_make(const struct export_request *request,
                                                 const struct hf_outcome *outcome,
                                                 struct item_outcomes *ret_parts);
void hf_item_outcomes_release(struct item_outcomes *parts);
