/*
 * metric_fields: OTLP's field numbers of metrics and their points, for what reads and changes them
 * by message.h.
 */
#pragma once

enum {
    HF_SCOPE_METRICS_METRICS = 2,
    HF_METRIC_NAME = 1,
    HF_METRIC_DESCRIPTION = 2,
    HF_METRIC_UNIT = 3,
    HF_METRIC_GAUGE = 5,
    HF_METRIC_SUM = 7,
    HF_METRIC_HISTOGRAM = 9,
    HF_METRIC_EXPONENTIAL = 10,
    HF_METRIC_SUMMARY = 11,
    HF_DATA_POINTS = 1,      /* of Gauge, Sum, ... */
    HF_DATA_TEMPORALITY = 2, /* of Sum, Histogram, ExponentialHistogram */
    HF_SUM_IS_MONOTONIC = 3,
    HF_TEMPORALITY_DELTA = 1,
    HF_TEMPORALITY_CUMULATIVE = 2,
    HF_POINT_START = 2, /* of every kind of point */
    HF_POINT_TIME = 3,
    HF_POINT_COUNT = 4, /* of all but number points */
    HF_POINT_SUM = 5,
    HF_POINT_NO_RECORDED_VALUE = 1, /* in the flags */
    HF_NUMBER_DOUBLE = 4,
    HF_NUMBER_EXEMPLARS = 5,
    HF_NUMBER_INT = 6,
    HF_NUMBER_FLAGS = 8,
    HF_HISTOGRAM_COUNTS = 6,
    HF_HISTOGRAM_BOUNDS = 7,
    HF_HISTOGRAM_EXEMPLARS = 8,
    HF_HISTOGRAM_FLAGS = 10,
    HF_HISTOGRAM_MIN = 11,
    HF_HISTOGRAM_MAX = 12,
    HF_EXPONENTIAL_SCALE = 6,
    HF_EXPONENTIAL_ZERO_COUNT = 7,
    HF_EXPONENTIAL_POSITIVE = 8,
    HF_EXPONENTIAL_NEGATIVE = 9,
    HF_EXPONENTIAL_FLAGS = 10,
    HF_EXPONENTIAL_EXEMPLARS = 11,
    HF_EXPONENTIAL_MIN = 12,
    HF_EXPONENTIAL_MAX = 13,
    HF_EXPONENTIAL_ZERO_THRESHOLD = 14,
    HF_BUCKETS_OFFSET = 1,
    HF_BUCKETS_COUNTS = 2,
    HF_SUMMARY_QUANTILES = 6,
    HF_SUMMARY_FLAGS = 8
};
