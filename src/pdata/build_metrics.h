/*
 * build_metrics: metrics and their data points for a builder; see build.h for the rules.
 *
 * hf_build_metric() opens a metric of the scope that is open, then come its points: each is opened,
 * gets its attributes and exemplars, and is ended with hf_build_end().
 */
#pragma once

#include "build.h"

enum hf_build_metric_kind {
    HF_BUILD_GAUGE = 0,
    HF_BUILD_SUM,
    HF_BUILD_HISTOGRAM,
    HF_BUILD_EXPONENTIAL,
    HF_BUILD_SUMMARY
};

/* The numbers of the protocol. */
enum hf_build_temporality {
    HF_BUILD_NO_TEMPORALITY = 0,
    HF_BUILD_DELTA = 1,
    HF_BUILD_CUMULATIVE = 2
};

struct hf_build_metric {
    struct hf_slice name, description, unit;
    enum hf_build_metric_kind kind;
    enum hf_build_temporality temporality; /* SUM, HISTOGRAM, EXPONENTIAL */
    bool is_monotonic;                     /* SUM */
    struct {
        struct hf_slice key, value;
    } metadata; /* one pair; an empty key: none */
};

void hf_build_metric(struct hf_builder *builder, const struct hf_build_metric *metric);

/* What all points have. */
struct hf_build_point {
    uint64_t start_ns, time_ns; /* start 0: not known */
    uint32_t flags;
};

#define HF_BUILD_NO_RECORDED_VALUE 1u /* in flags: a staleness marker; its value is left out */

/* A point of a gauge or a sum. */
void hf_build_point_int(struct hf_builder *builder, const struct hf_build_point *point,
                        int64_t value);
void hf_build_point_double(struct hf_builder *builder, const struct hf_build_point *point,
                           double value);

struct hf_build_histogram {
    struct hf_build_point point;
    uint64_t count;
    bool has_sum, has_min, has_max;
    double sum, min, max;
    const uint64_t *buckets; /* `bound_count` + 1 of them; NULL: none, and no bounds */
    const double *bounds;
    size_t bound_count;
};

void hf_build_point_histogram(struct hf_builder *builder,
                              const struct hf_build_histogram *histogram);

struct hf_build_buckets {
    int32_t offset;
    const uint64_t *counts;
    size_t count;
};

struct hf_build_exponential {
    struct hf_build_point point;
    uint64_t count, zero_count;
    bool has_sum, has_min, has_max;
    double sum, min, max;
    int32_t scale;
    double zero_threshold;
    struct hf_build_buckets positive, negative;
};

void hf_build_point_exponential(struct hf_builder *builder,
                                const struct hf_build_exponential *exponential);

struct hf_build_quantile {
    double quantile, value;
};

struct hf_build_summary {
    struct hf_build_point point;
    uint64_t count;
    double sum;
    const struct hf_build_quantile *quantiles;
    size_t quantile_count;
};

void hf_build_point_summary(struct hf_builder *builder, const struct hf_build_summary *summary);

struct hf_build_exemplar {
    uint64_t time_ns;
    bool is_double;
    int64_t integer;
    double number;
    struct hf_slice trace_id, span_id; /* 16 and 8 bytes, or empty */
};

/* Opens an exemplar of the open point; attributes may follow, then hf_build_end(). */
void hf_build_exemplar(struct hf_builder *builder, const struct hf_build_exemplar *exemplar);
