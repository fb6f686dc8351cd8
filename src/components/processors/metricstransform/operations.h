/*
 * operations: what a transform does with the points of one metric: labels that are added, renamed
 * or dropped, values that are scaled or change their type, points that become one.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/field.h>
#include <holdfast/status.h>

#include "pdata/merge_points.h"
#include "selection.h"

enum metricstransform_operation_kind {
    METRICSTRANSFORM_ADD_LABEL = 0,
    METRICSTRANSFORM_UPDATE_LABEL,
    METRICSTRANSFORM_DELETE_LABEL_VALUE,
    METRICSTRANSFORM_TOGGLE_SCALAR_DATA_TYPE,
    METRICSTRANSFORM_SCALE_VALUE,
    METRICSTRANSFORM_AGGREGATE_LABELS,
    METRICSTRANSFORM_AGGREGATE_LABEL_VALUES
};

struct metricstransform_operation {
    int64_t action;
    const char *label, *new_label, *new_value, *label_value;
    struct hf_string_list label_set, aggregated_values;
    int64_t aggregation_type;
    double scale;
    struct hf_struct_list value_actions;
};

extern const struct hf_field metricstransform_operation_fields[];

/* NULL, or one static sentence that names the key that is missing. */
const char *metricstransform_operation_check(const struct metricstransform_operation *operation);

/* What one request needs. */
struct metricstransform_work {
    struct hf_document *document;
    struct hf_arena scratch;
};

/*
 * `is_all`: the operation may change the whole metric; or else it is left out unless it is about
 * single points, which must be meant by `selection`. HF_NOMEM.
 */
HF_MUST_USE enum hf_status
metricstransform_operate(const struct metricstransform_operation *operation,
                         const struct metricstransform_selection *selection, bool is_all,
                         struct hf_message *metric, struct metricstransform_work *work);
