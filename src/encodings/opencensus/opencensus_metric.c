/*
 * opencensus_metric: a metric of OpenCensus as one of OTLP.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "opencensus_parts.h"
#include "pdata/build_metrics.h"

enum { METRIC_DESCRIPTOR = 1, METRIC_SERIES = 2, SERIES_START = 1, SERIES_VALUES = 2 };
enum { SERIES_POINTS = 3, DESCRIPTOR_NAME = 1, DESCRIPTOR_TEXT = 2, DESCRIPTOR_UNIT = 3 };
enum { DESCRIPTOR_TYPE = 4, DESCRIPTOR_KEYS = 5, POINT_TIME = 1, POINT_INT = 2, POINT_DOUBLE = 3 };
enum { POINT_DISTRIBUTION = 4, POINT_SUMMARY = 5, COUNT = 1, SUM = 2, OPTIONS = 4, BUCKETS = 5 };
enum { SUMMARY_SNAPSHOT = 3, SNAPSHOT_VALUES = 3, BUCKET_EXEMPLAR = 2 };
enum { EXEMPLAR_VALUE = 1, EXEMPLAR_TIME = 2, EXEMPLAR_TEXTS = 3 };
/* Types of the descriptor; GAUGE_DISTRIBUTION (3) has no form in OTLP. */
enum {
    GAUGE_INT = 1,
    GAUGE_DOUBLE,
    GAUGE_DISTRIBUTION,
    SUM_INT,
    SUM_DOUBLE,
    DISTRIBUTION,
    SUMMARY
};

struct point {
    struct census_work *work;
    struct hf_slice descriptor, series, message;
    uint64_t type;
    struct hf_build_point made;
};

/* Label keys of the descriptor with the values of the series. */
static void put_labels(const struct point *point)
{
    struct hf_wire keys = hf_wire_of(point->descriptor), values = hf_wire_of(point->series);
    struct hf_slice key, value;
    while (hf_wire_each(&keys, DESCRIPTOR_KEYS, &key) &&
           hf_wire_each(&values, SERIES_VALUES, &value)) {
        struct hf_slice name = hf_wire_find_bytes(key, 1);
        if (hf_wire_find_bits(value, 2) != 0 && name.size != 0) {
            hf_build_attribute_string(point->work->builder, name, hf_wire_find_bytes(value, 1));
        }
    }
}

/* ---- distributions ---- */

static size_t count_fields(struct hf_slice message, uint32_t number)
{
    struct hf_wire wire = hf_wire_of(message);
    struct hf_slice field;
    size_t count = 0;
    while (hf_wire_each(&wire, number, &field)) {
        count++;
    }
    return count;
}

static void put_exemplars(struct hf_builder *builder, struct hf_slice distribution)
{
    struct hf_wire buckets = hf_wire_of(distribution);
    struct hf_slice bucket, text;
    struct hf_wire_field exemplar;
    while (hf_wire_each(&buckets, BUCKETS, &bucket)) {
        if (!hf_wire_find(bucket, BUCKET_EXEMPLAR, &exemplar)) {
            continue;
        }
        struct hf_wire texts = hf_wire_of(exemplar.bytes);
        const struct hf_build_exemplar made = {
            .time_ns = census_time(exemplar.bytes, EXEMPLAR_TIME),
            .is_double = true,
            .number = census_double(exemplar.bytes, EXEMPLAR_VALUE),
        };
        hf_build_exemplar(builder, &made);
        while (hf_wire_each(&texts, EXEMPLAR_TEXTS, &text)) {
            hf_build_attribute_string(builder, hf_wire_find_bytes(text, 1),
                                      hf_wire_find_bytes(text, 2));
        }
        hf_build_end(builder);
    }
}

static void fill_buckets(struct hf_slice distribution, struct hf_slice limits, double *bounds,
                         uint64_t *counts)
{
    struct hf_wire_numbers numbers = hf_wire_numbers(limits, 1, HF_WIRE_64);
    struct hf_wire wire = hf_wire_of(distribution);
    struct hf_slice bucket;
    uint64_t bits;
    for (size_t i = 0; hf_wire_next_number(&numbers, &bits); i++) {
        memcpy(&bounds[i], &bits, sizeof(bits));
    }
    for (size_t i = 0; hf_wire_each(&wire, BUCKETS, &bucket); i++) {
        counts[i] = hf_wire_find_bits(bucket, 1);
    }
}

static enum hf_status put_distribution(const struct point *point)
{
    struct census_work *work = point->work;
    struct hf_slice value = hf_wire_find_bytes(point->message, POINT_DISTRIBUTION);
    struct hf_slice limits = hf_wire_find_bytes(hf_wire_find_bytes(value, OPTIONS), 1);
    struct hf_wire_numbers numbers = hf_wire_numbers(limits, 1, HF_WIRE_64);
    size_t bound_count = 0, bucket_count = count_fields(value, BUCKETS);
    uint64_t bits;
    while (hf_wire_next_number(&numbers, &bits)) {
        bound_count++;
    }
    if (bucket_count != 0 && bucket_count != bound_count + 1) {
        snprintf(work->reterr, HF_OPENCENSUS_ERROR_MAX,
                 "a distribution has %zu bounds and %zu buckets", bound_count, bucket_count);
        return HF_INVALID;
    }
    double *bounds = malloc((bound_count + 1) * sizeof(*bounds));
    uint64_t *counts = malloc((bucket_count + 1) * sizeof(*counts));
    if (bounds == NULL || counts == NULL) {
        free(bounds);
        free(counts);
        return HF_NOMEM;
    }
    fill_buckets(value, limits, bounds, counts);
    const struct hf_build_histogram made = {
        .point = point->made,
        .count = hf_wire_find_bits(value, COUNT),
        .has_sum = true,
        .sum = census_double(value, SUM),
        .buckets = bucket_count != 0 ? counts : NULL,
        .bounds = bounds,
        .bound_count = bucket_count != 0 ? bound_count : 0,
    };
    hf_build_point_histogram(work->builder, &made);
    put_labels(point);
    put_exemplars(work->builder, value);
    hf_build_end(work->builder);
    free(bounds);
    free(counts);
    return HF_OK;
}

/* ---- summaries ---- */

static enum hf_status put_summary(const struct point *point)
{
    struct census_work *work = point->work;
    struct hf_slice value = hf_wire_find_bytes(point->message, POINT_SUMMARY);
    struct hf_slice snapshot = hf_wire_find_bytes(value, SUMMARY_SNAPSHOT);
    struct hf_wire wire = hf_wire_of(snapshot);
    struct hf_slice one;
    size_t count = count_fields(snapshot, SNAPSHOT_VALUES), at = 0;
    struct hf_build_quantile *quantiles = calloc(count + 1, sizeof(*quantiles));
    if (quantiles == NULL) {
        return HF_NOMEM;
    }
    while (at < count && hf_wire_each(&wire, SNAPSHOT_VALUES, &one)) {
        quantiles[at++] =
            (struct hf_build_quantile){census_double(one, 1) / 100, census_double(one, 2)};
    }
    const struct hf_build_summary made = {
        .point = point->made,
        .count = hf_wire_find_bits(hf_wire_find_bytes(value, COUNT), 1),
        .sum = census_double(hf_wire_find_bytes(value, SUM), 1),
        .quantiles = quantiles,
        .quantile_count = count,
    };
    hf_build_point_summary(work->builder, &made);
    put_labels(point);
    hf_build_end(work->builder);
    free(quantiles);
    return HF_OK;
}

/* ---- points ---- */

static enum hf_status put_point(const struct point *point)
{
    struct hf_builder *builder = point->work->builder;
    if (point->type == DISTRIBUTION) {
        return put_distribution(point);
    }
    if (point->type == SUMMARY) {
        return put_summary(point);
    }
    if (point->type == GAUGE_INT || point->type == SUM_INT) {
        hf_build_point_int(builder, &point->made,
                           (int64_t)hf_wire_find_bits(point->message, POINT_INT));
    } else {
        hf_build_point_double(builder, &point->made, census_double(point->message, POINT_DOUBLE));
    }
    put_labels(point);
    hf_build_end(builder);
    return HF_OK;
}

static enum hf_status put_series(struct point *point)
{
    struct hf_wire points = hf_wire_of(point->series);
    enum hf_status status = hf_wire_is_whole(point->series) ? HF_OK : census_malformed(point->work);
    while (status == HF_OK && hf_wire_each(&points, SERIES_POINTS, &point->message)) {
        point->made = (struct hf_build_point){.start_ns = census_time(point->series, SERIES_START),
                                              .time_ns = census_time(point->message, POINT_TIME)};
        status =
            hf_wire_is_whole(point->message) ? put_point(point) : census_malformed(point->work);
    }
    return status;
}

enum hf_status census_metric(struct census_work *work, struct hf_slice metric)
{
    struct point point = {.work = work,
                          .descriptor = hf_wire_find_bytes(metric, METRIC_DESCRIPTOR)};
    struct hf_wire series = hf_wire_of(metric);
    enum hf_status status = HF_OK;
    point.type = hf_wire_find_bits(point.descriptor, DESCRIPTOR_TYPE);
    bool is_gauge = point.type == GAUGE_INT || point.type == GAUGE_DOUBLE;
    if (point.type == 0 || point.type == GAUGE_DISTRIBUTION || point.type > SUMMARY) {
        snprintf(work->reterr, HF_OPENCENSUS_ERROR_MAX,
                 "a metric is of a type that OTLP does not have: %llu",
                 (unsigned long long)point.type);
        return HF_INVALID;
    }
    const struct hf_build_metric made = {
        .name = hf_wire_find_bytes(point.descriptor, DESCRIPTOR_NAME),
        .description = hf_wire_find_bytes(point.descriptor, DESCRIPTOR_TEXT),
        .unit = hf_wire_find_bytes(point.descriptor, DESCRIPTOR_UNIT),
        .kind = is_gauge                     ? HF_BUILD_GAUGE
                : point.type == DISTRIBUTION ? HF_BUILD_HISTOGRAM
                : point.type == SUMMARY      ? HF_BUILD_SUMMARY
                                             : HF_BUILD_SUM,
        .temporality = HF_BUILD_CUMULATIVE,
        .is_monotonic = true,
    };
    hf_build_metric(work->builder, &made);
    while (status == HF_OK && hf_wire_each(&series, METRIC_SERIES, &point.series)) {
        status = put_series(&point);
    }
    return status;
}
