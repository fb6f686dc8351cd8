/*
 * combine: makes one metric of those that a transform means.
 */
#pragma once

#include "transforms.h"

/*
 * Moves the metric's points that are meant to a metric of that scope: the metric itself when all
 * are, or else a new one of the same description. NULL: out of memory.
 */
struct hf_message *metricstransform_take(const struct metricstransform_selection *selection,
                                         struct hf_message *metric, struct hf_message *scope_group);

/* `ret_metric` stays as it is when there is nothing to combine, or when it cannot be: the watch
 * learns why. HF_NOMEM. */
HF_MUST_USE enum hf_status
metricstransform_combine(const struct metricstransform_transform *transform,
                         const struct hf_place *place, struct metricstransform_work *work,
                         struct metricstransform_watch *watch, struct hf_message **ret_metric);
