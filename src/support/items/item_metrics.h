/*
 * item_metrics: metrics that a connector makes of items: how many spans, span events, metrics, data
 * points, log records or profiles there are, or the sum of an attribute of them; by conditions of
 * OTTL, with attributes, a delta point for each resource and request.
 *
 * What is common to the connectors `count` and `sum`. Immutable after compiling, except for the
 * errors of conditions, which are a meeting place; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/component.h>
#include <holdfast/field.h>

/* What is counted, in the order of the keys. */
enum hf_item_level {
    HF_ITEM_SPANS = 0,
    HF_ITEM_SPANEVENTS,
    HF_ITEM_METRICS,
    HF_ITEM_DATAPOINTS,
    HF_ITEM_LOGS,
    HF_ITEM_PROFILES,
    HF_ITEM_LEVEL_COUNT
};

/* "spans", "spanevents", ... */
extern const char *const hf_item_levels[HF_ITEM_LEVEL_COUNT];

struct hf_item_attribute_config {
    const char *key;
    struct hf_value default_value;
};

/* One metric; its name is the key of the map. */
struct hf_item_metric_config {
    const char *description;
    const char *source_attribute; /* of sums */
    struct hf_string_list conditions;
    struct hf_struct_list attributes; /* of struct hf_item_attribute_config */
};

struct hf_item_metrics_config {
    struct hf_struct_map levels[HF_ITEM_LEVEL_COUNT]; /* of struct hf_item_metric_config */
};

/* The keys of an attribute. */
extern const struct hf_field hf_item_attribute_fields[];

/* What the component wants. */
struct hf_item_metrics_rules {
    bool are_sums; /* of source_attribute, or else counts */
    /* Attributes are looked for in the item, its scope and its resource, with their types; or else
     * in the item alone, as text. */
    bool looks_outside;
    const char *scope; /* name of the instrumentation scope; "": none */
    /* Of a level that has no metrics of its own; NULL: none. */
    const char *default_names[HF_ITEM_LEVEL_COUNT], *default_descriptions[HF_ITEM_LEVEL_COUNT];
};

struct hf_item_metrics;

/* `rules` and `config` outlive it. HF_INVALID with one sentence in `reterr` (HF_ERROR_MAX);
 * HF_NOMEM. */
HF_MUST_USE enum hf_status hf_item_metrics_new(const struct hf_item_metrics_rules *rules,
                                               const struct hf_item_metrics_config *config,
                                               struct hf_item_metrics **ret_metrics, char *reterr);
void hf_item_metrics_free(struct hf_item_metrics *metrics);

/* The node whose outputs get the metrics, and whose log and counters the errors of conditions.
 * HF_NOMEM. */
HF_MUST_USE enum hf_status hf_item_metrics_join(struct hf_item_metrics *metrics,
                                                const struct hf_node *node);

/* ---- such a connector: its operations, of whose `self` this is ---- */

/* The thread's sentence, until the next call; NULL: it can be opened. */
const char *hf_item_metrics_check(const struct hf_item_metrics_rules *rules, const void *config);
/* open, close and connect of the component. */
HF_MUST_USE enum hf_status hf_item_metrics_open(const struct hf_item_metrics_rules *rules,
                                                const struct hf_node *node, const void *config,
                                                void **ret_self, char *reterr);
void hf_item_metrics_close(void *self);
HF_MUST_USE enum hf_status hf_item_metrics_connect(void *self, struct hf_batch *batch,
                                                   struct hf_onward *onward);

/* The key of a level, whose metrics have the keys `fields`. */
#define HF_ITEM_LEVEL_FIELD(level, name, fields, text)                                             \
    {                                                                                              \
        .key = (name), .type = HF_FIELD_STRUCT_MAP,                                                \
        .offset = offsetof(struct hf_item_metrics_config, levels[level]), .inner = (fields),       \
        .inner_size = sizeof(struct hf_item_metric_config), .help = (text)                         \
    }
