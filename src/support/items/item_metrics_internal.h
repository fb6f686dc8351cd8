/*
 * item_metrics_internal: the compiled metrics, for the files of item_metrics only.
 */
#pragma once

#include "item_metrics.h"
#include "ottl_groups.h"
#include "util/arena.h"

struct item_attribute {
    struct hf_slice key;
    bool has_default;
    struct hf_slice preset; /* the bytes of an AnyValue */
};

/* One metric. */
struct item_metric {
    struct hf_slice name, description, source;
    const struct hf_ottl *conditions; /* NULL: all items */
    struct item_attribute *attributes;
    size_t attribute_count;
};

struct item_metric_list {
    struct item_metric *items;
    size_t count;
};

struct hf_item_metrics {
    const struct hf_item_metrics_rules *rules;
    const struct hf_node *node;
    struct item_metric_list levels[HF_ITEM_LEVEL_COUNT];
    struct hf_ottl_groups groups;
    struct hf_ottl_errors *errors;
    struct hf_arena arena;
};
