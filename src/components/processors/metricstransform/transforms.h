/*
 * transforms: renames, copies, joins and moves the metrics that a transform means, scope by scope.
 * Compiled once; any thread.
 */
#pragma once

#include <holdfast/field.h>
#include <holdfast/status.h>

#include "operations.h"
#include "pdata/walk.h"

enum metricstransform_action {
    METRICSTRANSFORM_UPDATE = 0,
    METRICSTRANSFORM_INSERT,
    METRICSTRANSFORM_COMBINE,
    METRICSTRANSFORM_GROUP
};

enum metricstransform_case {
    METRICSTRANSFORM_AS_IS = 0,
    METRICSTRANSFORM_LOWER,
    METRICSTRANSFORM_UPPER
};

struct metricstransform_config {
    const char *include, *new_name;
    int64_t match_type, action, aggregation_type, submatch_case;
    struct hf_string_map match_labels, group_resource_labels;
    struct hf_struct_list operations;
};

struct metricstransform_transform {
    const struct metricstransform_config *config;
    struct metricstransform_selection selection;
    struct metricstransform_operation *operations; /* with `{{version}}` replaced */
    char **texts;                                  /* what that made */
};

/* `name` is the key. HF_INVALID with one sentence in `reterr` (HF_ERROR_MAX); HF_NOMEM. What was
 * made is released in any case by the function below. */
HF_MUST_USE enum hf_status metricstransform_new(struct metricstransform_transform *transform,
                                                const struct metricstransform_config *config,
                                                const char *name, char *reterr);
void metricstransform_release(struct metricstransform_transform *transform);

/* Why metrics could not be combined; the node logs it. */
struct metricstransform_watch {
    void (*refused)(struct metricstransform_watch *watch, const char *why);
};

/* Transforms the metrics of the scope at that place. HF_NOMEM. */
HF_MUST_USE enum hf_status metricstransform_run(const struct metricstransform_transform *transform,
                                                const struct hf_place *place,
                                                struct metricstransform_work *work,
                                                struct metricstransform_watch *watch);
