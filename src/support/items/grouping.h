/*
 * grouping: moves the items of one document into resources that have the items' grouping
 * attributes, and joins resources, scopes and metrics that are the same. Owned by one thread.
 */
#pragma once

#include <stdint.h>

#include <holdfast/field.h>
#include <holdfast/status.h>

#include "pdata/document.h"

struct hf_grouping_counts {
    uint64_t grouped, not_grouped; /* items */
    uint64_t groups;               /* resources that are there afterwards */
};

/* HF_NOMEM: the document is of no use then. */
HF_MUST_USE enum hf_status hf_group(struct hf_document *document, const struct hf_string_list *keys,
                                    struct hf_grouping_counts *ret_counts);
