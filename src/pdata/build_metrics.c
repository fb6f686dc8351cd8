#include "build_metrics.h"

#include <assert.h>

#include "build_internal.h"

enum {
    SCOPE_METRIC = 2, /* in ScopeMetrics */
    METRIC_NAME = 1,  /* in Metric */
    METRIC_DESCRIPTION = 2,
    METRIC_UNIT = 3,
    METRIC_GAUGE = 5,
    METRIC_SUM = 7,
    METRIC_HISTOGRAM = 9,
    METRIC_EXPONENTIAL = 10,
    METRIC_SUMMARY = 11,
    METRIC_METADATA = 12,
    DATA_POINT = 1, /* in all of them */
    DATA_TEMPORALITY = 2,
    SUM_IS_MONOTONIC = 3,
    POINT_START = 2, /* in all points */
    POINT_TIME = 3,
    NUMBER_DOUBLE = 4, /* in NumberDataPoint */
    NUMBER_EXEMPLAR = 5,
    NUMBER_INT = 6,
    NUMBER_ATTRIBUTES = 7,
    NUMBER_FLAGS = 8,
    COUNT = 4, /* in the three others */
    SUM = 5,
    HISTOGRAM_BUCKETS = 6, /* in HistogramDataPoint */
    HISTOGRAM_BOUNDS = 7,
    HISTOGRAM_EXEMPLAR = 8,
    HISTOGRAM_ATTRIBUTES = 9,
    HISTOGRAM_FLAGS = 10,
    HISTOGRAM_MIN = 11,
    HISTOGRAM_MAX = 12,
    EXPONENTIAL_ATTRIBUTES = 1, /* in ExponentialHistogramDataPoint */
    EXPONENTIAL_SCALE = 6,
    EXPONENTIAL_ZERO_COUNT = 7,
    EXPONENTIAL_POSITIVE = 8,
    EXPONENTIAL_NEGATIVE = 9,
    EXPONENTIAL_FLAGS = 10,
    EXPONENTIAL_EXEMPLAR = 11,
    EXPONENTIAL_MIN = 12,
    EXPONENTIAL_MAX = 13,
    EXPONENTIAL_ZERO_THRESHOLD = 14,
    BUCKETS_OFFSET = 1, /* in Buckets */
    BUCKETS_COUNTS = 2,
    SUMMARY_QUANTILE = 6, /* in SummaryDataPoint */
    SUMMARY_ATTRIBUTES = 7,
    SUMMARY_FLAGS = 8,
    QUANTILE_QUANTILE = 1, /* in ValueAtQuantile */
    QUANTILE_VALUE = 2,
    EXEMPLAR_TIME = 2, /* in Exemplar */
    EXEMPLAR_DOUBLE = 3,
    EXEMPLAR_SPAN_ID = 4,
    EXEMPLAR_TRACE_ID = 5,
    EXEMPLAR_INT = 6,
    EXEMPLAR_ATTRIBUTES = 7,
};

#define NUMBER_SIZE_EXPECTED 100u

static const uint32_t data_fields[] = {
    [HF_BUILD_GAUGE] = METRIC_GAUGE,         [HF_BUILD_SUM] = METRIC_SUM,
    [HF_BUILD_HISTOGRAM] = METRIC_HISTOGRAM, [HF_BUILD_EXPONENTIAL] = METRIC_EXPONENTIAL,
    [HF_BUILD_SUMMARY] = METRIC_SUMMARY,
};

static const uint32_t exemplar_fields[] = {
    [HF_BUILD_GAUGE] = NUMBER_EXEMPLAR,
    [HF_BUILD_SUM] = NUMBER_EXEMPLAR,
    [HF_BUILD_HISTOGRAM] = HISTOGRAM_EXEMPLAR,
    [HF_BUILD_EXPONENTIAL] = EXPONENTIAL_EXEMPLAR,
};

void hf_build_metric(struct hf_builder *builder, const struct hf_build_metric *metric)
{
    assert(builder->signal == HF_METRICS);
    hf_build_open_holder(builder, HF_BUILD_METRIC, SCOPE_METRIC);
    hf_build_put_text(builder, METRIC_NAME, metric->name);
    hf_build_put_text(builder, METRIC_DESCRIPTION, metric->description);
    hf_build_put_text(builder, METRIC_UNIT, metric->unit);
    if (metric->metadata.key.size != 0) {
        builder->attributes_field = METRIC_METADATA;
        hf_build_attribute_string(builder, metric->metadata.key, metric->metadata.value);
        builder->attributes_field = 0;
    }
    hf_build_open_holder(builder, HF_BUILD_DATA, data_fields[metric->kind]);
    if (metric->kind != HF_BUILD_GAUGE && metric->kind != HF_BUILD_SUMMARY) {
        hf_build_put_number(builder, DATA_TEMPORALITY, metric->temporality);
    }
    if (metric->kind == HF_BUILD_SUM) {
        hf_build_put_number(builder, SUM_IS_MONOTONIC, metric->is_monotonic);
    }
}

static bool is_data(const struct hf_builder *builder, enum hf_build_metric_kind kind)
{
    return builder->level == HF_BUILD_DATA &&
           builder->holders[HF_BUILD_DATA].number == data_fields[kind];
}

static void open_point(struct hf_builder *builder, const struct hf_build_point *point,
                       size_t expected_size, uint32_t attributes_field, uint32_t flags_field)
{
    hf_build_open_item(builder, HF_BUILD_DATA, DATA_POINT, expected_size, attributes_field);
    hf_build_put_time(builder, POINT_START, point->start_ns);
    hf_build_put_time(builder, POINT_TIME, point->time_ns);
    hf_build_put_number(builder, flags_field, point->flags);
}

/* ---- numbers ---- */

static void open_number(struct hf_builder *builder, const struct hf_build_point *point)
{
    assert(is_data(builder, HF_BUILD_GAUGE) || is_data(builder, HF_BUILD_SUM));
    open_point(builder, point, NUMBER_SIZE_EXPECTED, NUMBER_ATTRIBUTES, NUMBER_FLAGS);
}

void hf_build_point_int(struct hf_builder *builder, const struct hf_build_point *point,
                        int64_t value)
{
    open_number(builder, point);
    if ((point->flags & HF_BUILD_NO_RECORDED_VALUE) == 0) {
        hf_wire_put_fixed64(&builder->writer, NUMBER_INT, (uint64_t)value);
    }
}

void hf_build_point_double(struct hf_builder *builder, const struct hf_build_point *point,
                           double value)
{
    open_number(builder, point);
    if ((point->flags & HF_BUILD_NO_RECORDED_VALUE) == 0) {
        hf_build_put_double(builder, NUMBER_DOUBLE, value);
    }
}

/* ---- histograms and summaries ---- */

/* A count of eight bytes, left out when it is 0. */
static void put_count(struct hf_builder *builder, uint32_t number, uint64_t count)
{
    hf_build_put_time(builder, number, count);
}

static void put_optional(struct hf_builder *builder, uint32_t number, bool is_there, double value)
{
    if (is_there) {
        hf_build_put_double(builder, number, value);
    }
}

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

void hf_build_point_histogram(struct hf_builder *builder,
                              const struct hf_build_histogram *histogram)
{
    struct hf_wire_writer *writer = &builder->writer;
    assert(is_data(builder, HF_BUILD_HISTOGRAM));
    size_t numbers = histogram->buckets != NULL ? 2 * histogram->bound_count + 1 : 0;
    open_point(builder, &histogram->point, NUMBER_SIZE_EXPECTED + 8 * numbers, HISTOGRAM_ATTRIBUTES,
               HISTOGRAM_FLAGS);
    put_count(builder, COUNT, histogram->count);
    put_optional(builder, SUM, histogram->has_sum, histogram->sum);
    put_optional(builder, HISTOGRAM_MIN, histogram->has_min, histogram->min);
    put_optional(builder, HISTOGRAM_MAX, histogram->has_max, histogram->max);
    if (histogram->buckets == NULL) {
        return;
    }
    struct hf_wire_message list =
        hf_wire_open(writer, HISTOGRAM_BUCKETS, 8 * (histogram->bound_count + 1));
    for (size_t i = 0; i <= histogram->bound_count; i++) {
        hf_wire_put_packed(writer, HF_WIRE_64, histogram->buckets[i]);
    }
    hf_wire_close(writer, list);
    if (histogram->bound_count != 0) {
        list = hf_wire_open(writer, HISTOGRAM_BOUNDS, 8 * histogram->bound_count);
        for (size_t i = 0; i < histogram->bound_count; i++) {
            hf_wire_put_packed(writer, HF_WIRE_64, bits_of(histogram->bounds[i]));
        }
        hf_wire_close(writer, list);
    }
}

static uint64_t zigzag(int32_t value)
{
    return ((uint32_t)value << 1) ^ (value < 0 ? UINT32_MAX : 0);
}

static void put_buckets(struct hf_builder *builder, uint32_t number,
                        const struct hf_build_buckets *buckets)
{
    struct hf_wire_writer *writer = &builder->writer;
    if (buckets->count == 0 && buckets->offset == 0) {
        return;
    }
    struct hf_wire_message message = hf_wire_open(writer, number, buckets->count + 8);
    hf_build_put_number(builder, BUCKETS_OFFSET, zigzag(buckets->offset));
    if (buckets->count != 0) {
        struct hf_wire_message list = hf_wire_open(writer, BUCKETS_COUNTS, buckets->count);
        for (size_t i = 0; i < buckets->count; i++) {
            hf_wire_put_packed(writer, HF_WIRE_VARINT, buckets->counts[i]);
        }
        hf_wire_close(writer, list);
    }
    hf_wire_close(writer, message);
}

void hf_build_point_exponential(struct hf_builder *builder,
                                const struct hf_build_exponential *exponential)
{
    assert(is_data(builder, HF_BUILD_EXPONENTIAL));
    size_t counts = exponential->positive.count + exponential->negative.count;
    open_point(builder, &exponential->point, NUMBER_SIZE_EXPECTED + counts, EXPONENTIAL_ATTRIBUTES,
               EXPONENTIAL_FLAGS);
    put_count(builder, COUNT, exponential->count);
    put_optional(builder, SUM, exponential->has_sum, exponential->sum);
    hf_build_put_number(builder, EXPONENTIAL_SCALE, zigzag(exponential->scale));
    put_count(builder, EXPONENTIAL_ZERO_COUNT, exponential->zero_count);
    put_buckets(builder, EXPONENTIAL_POSITIVE, &exponential->positive);
    put_buckets(builder, EXPONENTIAL_NEGATIVE, &exponential->negative);
    put_optional(builder, EXPONENTIAL_MIN, exponential->has_min, exponential->min);
    put_optional(builder, EXPONENTIAL_MAX, exponential->has_max, exponential->max);
    put_optional(builder, EXPONENTIAL_ZERO_THRESHOLD, exponential->zero_threshold != 0,
                 exponential->zero_threshold);
}

void hf_build_point_summary(struct hf_builder *builder, const struct hf_build_summary *summary)
{
    struct hf_wire_writer *writer = &builder->writer;
    assert(is_data(builder, HF_BUILD_SUMMARY));
    open_point(builder, &summary->point, NUMBER_SIZE_EXPECTED + 20 * summary->quantile_count,
               SUMMARY_ATTRIBUTES, SUMMARY_FLAGS);
    put_count(builder, COUNT, summary->count);
    put_optional(builder, SUM, summary->sum != 0, summary->sum);
    for (size_t i = 0; i < summary->quantile_count; i++) {
        const struct hf_build_quantile *quantile = &summary->quantiles[i];
        struct hf_wire_message message = hf_wire_open(writer, SUMMARY_QUANTILE, 20);
        put_optional(builder, QUANTILE_QUANTILE, quantile->quantile != 0, quantile->quantile);
        put_optional(builder, QUANTILE_VALUE, bits_of(quantile->value) != 0, quantile->value);
        hf_wire_close(writer, message);
    }
}

void hf_build_exemplar(struct hf_builder *builder, const struct hf_build_exemplar *exemplar)
{
    assert(exemplar->trace_id.size == 0 || exemplar->trace_id.size == 16);
    assert(exemplar->span_id.size == 0 || exemplar->span_id.size == 8);
    uint32_t field = 0;
    for (unsigned kind = 0; kind < sizeof(exemplar_fields) / sizeof(exemplar_fields[0]); kind++) {
        field = is_data(builder, (enum hf_build_metric_kind)kind) ? exemplar_fields[kind] : field;
    }
    assert(field != 0 && "summaries have no exemplars");
    hf_build_open_part(builder, field, EXEMPLAR_ATTRIBUTES);
    hf_build_put_time(builder, EXEMPLAR_TIME, exemplar->time_ns);
    if (exemplar->is_double) {
        hf_build_put_double(builder, EXEMPLAR_DOUBLE, exemplar->number);
    } else {
        hf_wire_put_fixed64(&builder->writer, EXEMPLAR_INT, (uint64_t)exemplar->integer);
    }
    hf_build_put_bytes(builder, EXEMPLAR_SPAN_ID, exemplar->span_id);
    hf_build_put_bytes(builder, EXEMPLAR_TRACE_ID, exemplar->trace_id);
}
