/*
 * prw_points: the data points of a metrics request as series. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/field.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "prw_labels.h"
#include "prw_series.h"
#include "support/items/resource_conversion.h"

struct prw_options {
    const char *name_space;
    struct hf_string_map external_labels; /* names as they are sent */
    const struct hf_resource_conversion *resource_labels;
    bool target_info, created_metric, metadata, scope_info;
    bool suffixes; /* of names: the unit, `_total`, `_ratio` */
    bool as_is;    /* other characters of names stay */
};

struct prw_points {
    const struct prw_options *options;
    struct prw_series *series;
    uint64_t received_ns; /* the time of a point that has none */
    /* Points that have no form in the protocol, and why the first of them has none. */
    uint64_t left_out;
    char why[256];
    /* of the point at hand */
    struct prw_labels base, labels;
    struct hf_bytes name;
};

/* Adds every point of the request to `series`, which has begun. HF_CORRUPT, HF_NOMEM. */
HF_MUST_USE enum hf_status prw_points_add(struct prw_points *points, struct hf_slice raw);

void prw_points_release(struct prw_points *points);
