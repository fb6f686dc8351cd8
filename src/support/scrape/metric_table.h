/*
 * metric_table: the metrics and resource attributes of a receiver as tables, from which come the
 * definitions and the keys `metrics: {NAME: {enabled, attributes, aggregation_strategy}}` and
 * `resource_attributes: {NAME: {enabled}}`.
 *
 * A table of metrics is a macro that applies X(ID, name, unit, kind, on, help) to each. `kind` is
 * GAUGE, COUNTER (a monotonic sum) or UPDOWN (a sum that is not), all cumulative; `on` says whether
 * it is measured unless the user says otherwise: on, off. Of resource attributes it applies X(ID,
 * name, on, help). A struct hf_metric_choice for each metric and a struct hf_resource_choice for
 * each attribute stand in the receiver's configuration. What the receiver opens is in the scraper's
 * options (struct hf_metric_set), which joins points as the choices say (regroup.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/field.h>

#include "pdata/build_metrics.h"
#include "resource_filter.h"

enum hf_metric_kind { HF_KIND_GAUGE = 0, HF_KIND_COUNTER, HF_KIND_UPDOWN };

struct hf_metric_row {
    const char *name, *unit, *help;
    enum hf_metric_kind kind;
};

enum { HF_STRATEGY_SUM = 0, HF_STRATEGY_AVERAGE, HF_STRATEGY_MIN, HF_STRATEGY_MAX };
extern const char *const hf_metric_strategies[];

/* What the configuration says of a metric. */
struct hf_metric_choice {
    bool enabled;
    int64_t strategy;                 /* how points that become one are joined */
    struct hf_string_list attributes; /* of its points; without `items`: those that they have */
};

/* A table with its choices, of which both stay. */
struct hf_metric_set {
    const struct hf_metric_row *rows;
    const struct hf_metric_choice *choices;
    size_t count;
    uint64_t joined; /* a bit for each metric whose points the source itself joins */
};

#define HF_METRIC_ID(id, name_, unit_, kind_, on_, help_) id,
#define HF_METRIC_ROW(id, name_, unit_, kind_, on_, help_)                                         \
    [id] = {.name = (name_), .unit = (unit_), .help = (help_), .kind = HF_KIND_##kind_},
#define HF_METRIC_FIELD(id, name_, unit_, kind_, on_, help_)                                       \
    {.key = (name_),                                                                               \
     .type = HF_FIELD_STRUCT,                                                                      \
     .offset = sizeof(struct hf_metric_choice) * (size_t)(id),                                     \
     .inner = hf_metric_choice_##kind_##_##on_,                                                    \
     .help = (help_)},

#define HF_RESOURCE_ID(id, name_, on_, help_) id,
#define HF_RESOURCE_NAME(id, name_, on_, help_) [id] = (name_),
#define HF_RESOURCE_FIELD(id, name_, on_, help_)                                                   \
    {.key = (name_),                                                                               \
     .type = HF_FIELD_STRUCT,                                                                      \
     .offset = sizeof(struct hf_resource_choice) * (size_t)(id),                                   \
     .inner = hf_resource_choice_##on_,                                                            \
     .help = (help_)},

/* The two keys themselves, of a configuration `owner` that has in `at` the `struct hf_metric_choice
 * metrics[]` and the `struct hf_resource_choice resources[]`. */
#define HF_METRIC_TABLES(owner, at, metric_table, resource_table)                                  \
    {.key = "metrics",                                                                             \
     .type = HF_FIELD_STRUCT,                                                                      \
     .offset = offsetof(owner, at.metrics),                                                        \
     .inner = (metric_table),                                                                      \
     .help = "Which metrics are reported."},                                                       \
        {.key = "resource_attributes",                                                             \
         .type = HF_FIELD_STRUCT,                                                                  \
         .offset = offsetof(owner, at.resources),                                                  \
         .inner = (resource_table),                                                                \
         .help = "Which resource attributes are reported."},

/* {enabled: true, ...}, with that default; of a metric and of an event, which are all off. */
extern const struct hf_field hf_metric_choice_GAUGE_on[], hf_metric_choice_GAUGE_off[];
extern const struct hf_field hf_metric_choice_COUNTER_on[], hf_metric_choice_COUNTER_off[];
extern const struct hf_field hf_metric_choice_UPDOWN_on[], hf_metric_choice_UPDOWN_off[];
extern const struct hf_field hf_event_enabled_off[];

/* Opens the metric for its points, of the scope that is open. */
void hf_metric_open(struct hf_builder *builder, const struct hf_metric_row *row);
