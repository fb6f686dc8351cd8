/*
 * metric_table: the metrics and resource attributes of a receiver as tables, from which come the
 * definitions and the keys `metrics: {NAME: {enabled}}` and `resource_attributes: {NAME:
 * {enabled}}`.
 *
 * A table of metrics is a macro that applies X(ID, name, unit, kind, on, help) to each. `kind` is
 * GAUGE, COUNTER (a monotonic sum) or UPDOWN (a sum that is not), all cumulative; `on` says whether
 * it is measured unless the user says otherwise: on, off. Of resource attributes it applies X(ID,
 * name, on, help). A `bool` for each metric and a struct hf_resource_choice for each attribute
 * stand in the receiver's configuration.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/field.h>

#include "pdata/build_metrics.h"
#include "resource_filter.h"

enum hf_metric_kind { HF_METRIC_GAUGE = 0, HF_METRIC_COUNTER, HF_METRIC_UPDOWN };

struct hf_metric_row {
    const char *name, *unit, *help;
    enum hf_metric_kind kind;
};

#define HF_METRIC_ID(id, name_, unit_, kind_, on_, help_) id,
#define HF_METRIC_ROW(id, name_, unit_, kind_, on_, help_)                                         \
    [id] = {.name = (name_), .unit = (unit_), .help = (help_), .kind = HF_METRIC_##kind_},
#define HF_METRIC_FIELD(id, name_, unit_, kind_, on_, help_)                                       \
    {.key = (name_),                                                                               \
     .type = HF_FIELD_STRUCT,                                                                      \
     .offset = sizeof(bool) * (size_t)(id),                                                        \
     .inner = hf_metric_enabled_##on_,                                                             \
     .help = (help_)},

#define HF_RESOURCE_ID(id, name_, on_, help_) id,
#define HF_RESOURCE_NAME(id, name_, on_, help_) [id] = (name_),
#define HF_RESOURCE_FIELD(id, name_, on_, help_)                                                   \
    {.key = (name_),                                                                               \
     .type = HF_FIELD_STRUCT,                                                                      \
     .offset = sizeof(struct hf_resource_choice) * (size_t)(id),                                   \
     .inner = hf_resource_choice_##on_,                                                            \
     .help = (help_)},

/* The two keys themselves, of a configuration `owner` that has in `at` the `bool metrics[]` and the
 * `struct hf_resource_choice resources[]`. */
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

/* {enabled: true}, with that default; of a metric and of an event, which are all off. */
extern const struct hf_field hf_metric_enabled_on[];
extern const struct hf_field hf_metric_enabled_off[];
extern const struct hf_field hf_event_enabled_off[];

/* Opens the metric for its points, of the scope that is open. */
void hf_metric_open(struct hf_builder *builder, const struct hf_metric_row *row);
