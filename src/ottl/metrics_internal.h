/*
 * metrics_internal: OTLP's field numbers of metrics and points, for the files that edit them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "function.h"

enum {
    METRICS = 2, /* of ScopeMetrics */
    METRIC_NAME = 1,
    METRIC_DESCRIPTION = 2,
    METRIC_UNIT = 3,
    METRIC_GAUGE = 5,
    METRIC_SUM = 7,
    METRIC_HISTOGRAM = 9,
    POINTS = 1, /* of Gauge and so on */
    SUM_TEMPORALITY = 2,
    SUM_MONOTONIC = 3,
    POINT_START = 2, /* of every kind of point */
    POINT_TIME = 3,
    POINT_COUNT = 4, /* of all but number points */
    POINT_SUM = 5,
    NUMBER_DOUBLE = 4,
    NUMBER_EXEMPLARS = 5,
    NUMBER_INT = 6,
    NUMBER_ATTRIBUTES = 7,
    HISTOGRAM_COUNTS = 6,
    HISTOGRAM_BOUNDS = 7,
    HISTOGRAM_EXEMPLARS = 8,
    HISTOGRAM_ATTRIBUTES = 9,
    HISTOGRAM_FLAGS = 10,
    HISTOGRAM_MIN = 11,
    HISTOGRAM_MAX = 12,
    SUMMARY_QUANTILES = 6,
    EXEMPLAR_DOUBLE = 3,
    EXEMPLAR_INT = 6
};

/* enum hf_schema_index of the Gauge, Sum, ...; HF_SCHEMA_MESSAGE_COUNT: none. */
uint8_t hf_ottl_metric_kind(struct hf_message *data);

/* One more metric in this request; false when there were too many. */
bool hf_ottl_may_add_metric(struct hf_ottl_run *run);

/* A metric behind the others with the description of this one, and its name with a suffix. NULL:
 * `run->error`. */
struct hf_message *hf_ottl_add_metric(struct hf_ottl_run *run, struct hf_slice suffix,
                                      struct hf_slice unit);
/* A number point with the attributes and times of another. NULL: `run->error`. */
struct hf_message *hf_ottl_add_point(struct hf_ottl_run *run, struct hf_message *data,
                                     struct hf_message *like);
