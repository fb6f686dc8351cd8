/*
 * series: tells the series of data points apart: by the resource's attributes, the scope, the
 * metric's name, unit, kind, temporality and monotonicity, and the point's attributes, each set in
 * any order. Values are compared as they were encoded. Any thread, each with a memory of its own.
 */
#pragma once

#include <stdbool.h>

#include "util/hash.h"
#include "walk.h"

/* Of what many points share; zeroed before a document is walked. */
struct hf_series_memory {
    const struct hf_message *resource_group, *scope_group, *metric;
    struct hf_hash of_resource, of_scope, of_metric;
};

/* Of the set of attributes of a message; of nothing for NULL. */
struct hf_hash hf_series_attributes(struct hf_message *message);

/* Of the metric at that place, in its scope and resource, without its points. */
struct hf_hash hf_series_metric(struct hf_series_memory *memory, const struct hf_place *place);
/* Of the series to which the data point at that place belongs. */
struct hf_hash hf_series_point(struct hf_series_memory *memory, const struct hf_place *place);
