#include "ch_points.h"

#include "ch_values.h"
#include "pdata/metric_fields.h"
#include "pdata/schema_index.h"
#include "pdata/wire_find.h"

enum { SCHEMA_URL = 3, SCOPE_NAME = 1, SCOPE_VERSION = 2, SCOPE_DROPPED = 4 };
enum { EXEMPLAR_TIME = 2, EXEMPLAR_DOUBLE = 3, EXEMPLAR_SPAN = 4, EXEMPLAR_TRACE = 5 };
enum { EXEMPLAR_INT = 6, QUANTILE = 1, QUANTILE_VALUE = 2 };
enum { TRACE_ID_SIZE = 16, SPAN_ID_SIZE = 8 };

/* Where a kind of points keeps what several have. 0: it has none. */
struct fields {
    uint32_t flags, exemplars, min, max;
};

static const struct fields fields_of[CH_METRIC_COUNT] = {
    [CH_GAUGE] = {HF_NUMBER_FLAGS, HF_NUMBER_EXEMPLARS, 0, 0},
    [CH_SUM] = {HF_NUMBER_FLAGS, HF_NUMBER_EXEMPLARS, 0, 0},
    [CH_HISTOGRAM] = {HF_HISTOGRAM_FLAGS, HF_HISTOGRAM_EXEMPLARS, HF_HISTOGRAM_MIN,
                      HF_HISTOGRAM_MAX},
    [CH_EXPONENTIAL] = {HF_EXPONENTIAL_FLAGS, HF_EXPONENTIAL_EXEMPLARS, HF_EXPONENTIAL_MIN,
                        HF_EXPONENTIAL_MAX},
    [CH_SUMMARY] = {HF_SUMMARY_FLAGS, 0, 0, 0},
};

enum ch_metric ch_point_kind(const struct hf_place *place)
{
    switch (place->data != NULL ? hf_message_type(place->data)->index : 0) {
    case HF_MESSAGE_GAUGE:
        return CH_GAUGE;
    case HF_MESSAGE_SUM:
        return CH_SUM;
    case HF_MESSAGE_HISTOGRAM:
        return CH_HISTOGRAM;
    case HF_MESSAGE_EXPONENTIAL_HISTOGRAM:
        return CH_EXPONENTIAL;
    case HF_MESSAGE_SUMMARY:
        return CH_SUMMARY;
    default:
        return CH_METRIC_COUNT;
    }
}

static void put_text(struct hf_json_writer *writer, const char *key, struct hf_message *message,
                     uint32_t number)
{
    hf_json_write_key(writer, hf_slice_text(key));
    hf_json_write_text(writer,
                       message != NULL ? hf_message_bytes(message, number) : HF_EMPTY_SLICE);
}

static void put_count(struct hf_json_writer *writer, const char *key, uint64_t value)
{
    hf_json_write_key(writer, hf_slice_text(key));
    hf_json_write_u64(writer, value);
}

static void put_integer(struct hf_json_writer *writer, const char *key, int64_t value)
{
    hf_json_write_key(writer, hf_slice_text(key));
    hf_json_write_i64(writer, value);
}

static void put_double(struct hf_json_writer *writer, const char *key, double value)
{
    hf_json_write_key(writer, hf_slice_text(key));
    ch_put_double(writer, value);
}

static void put_common(struct hf_json_writer *writer, const struct hf_place *place)
{
    struct hf_message *scope = hf_place_scope(place), *resource = hf_place_resource(place);
    HF_JSON_WRITE_KEY(writer, "ResourceAttributes");
    ch_put_attributes(writer, resource, false);
    put_text(writer, "ResourceSchemaUrl", place->resource_group, SCHEMA_URL);
    put_text(writer, "ScopeName", scope, SCOPE_NAME);
    put_text(writer, "ScopeVersion", scope, SCOPE_VERSION);
    HF_JSON_WRITE_KEY(writer, "ScopeAttributes");
    ch_put_attributes(writer, scope, false);
    put_count(writer, "ScopeDroppedAttrCount",
              scope != NULL ? hf_message_u64(scope, SCOPE_DROPPED) : 0);
    put_text(writer, "ScopeSchemaUrl", place->scope_group, SCHEMA_URL);
    HF_JSON_WRITE_KEY(writer, "ServiceName");
    ch_put_service(writer, resource);
    put_text(writer, "MetricName", place->metric, HF_METRIC_NAME);
    put_text(writer, "MetricDescription", place->metric, HF_METRIC_DESCRIPTION);
    put_text(writer, "MetricUnit", place->metric, HF_METRIC_UNIT);
    HF_JSON_WRITE_KEY(writer, "Attributes");
    ch_put_attributes(writer, place->item, false);
    HF_JSON_WRITE_KEY(writer, "StartTimeUnix");
    ch_put_time(writer, hf_message_u64(place->item, HF_POINT_START));
    HF_JSON_WRITE_KEY(writer, "TimeUnix");
    ch_put_time(writer, hf_message_u64(place->item, HF_POINT_TIME));
}

/* A number with two forms; without one it is 0. */
static double number_of(struct hf_message *message, uint32_t as_double, uint32_t as_int)
{
    return hf_message_has(message, as_int) ? (double)hf_message_i64(message, as_int)
                                           : hf_message_double(message, as_double);
}

/* Of an exemplar: an id that is not there is zeros, as the Go collector has it. */
static void put_whole_id(struct hf_json_writer *writer, struct hf_slice id, size_t size)
{
    static const uint8_t zeros[TRACE_ID_SIZE];
    hf_json_write_hex(writer, id.size == size ? id : hf_slice_of(zeros, size));
}

enum exemplar_column { FILTERED = 0, TIME, VALUE, SPAN, TRACE, COLUMN_COUNT };

static void put_exemplar_value(struct hf_json_writer *writer, struct hf_message *exemplar,
                               enum exemplar_column column)
{
    switch (column) {
    case FILTERED:
        ch_put_attributes(writer, exemplar, false);
        break;
    case TIME:
        ch_put_time(writer, hf_message_u64(exemplar, EXEMPLAR_TIME));
        break;
    case VALUE:
        ch_put_double(writer, number_of(exemplar, EXEMPLAR_DOUBLE, EXEMPLAR_INT));
        break;
    case SPAN:
        put_whole_id(writer, hf_message_bytes(exemplar, EXEMPLAR_SPAN), SPAN_ID_SIZE);
        break;
    default:
        put_whole_id(writer, hf_message_bytes(exemplar, EXEMPLAR_TRACE), TRACE_ID_SIZE);
    }
}

static void put_exemplars(struct hf_json_writer *writer, struct hf_message *point, uint32_t number)
{
    static const char *const keys[COLUMN_COUNT] = {"Exemplars.FilteredAttributes",
                                                   "Exemplars.TimeUnix", "Exemplars.Value",
                                                   "Exemplars.SpanId", "Exemplars.TraceId"};
    for (int column = FILTERED; column < COLUMN_COUNT; column++) {
        hf_json_write_key(writer, hf_slice_text(keys[column]));
        hf_json_write_open(writer, '[');
        for (struct hf_message *one = hf_message_first(point, number); one != NULL;
             one = hf_message_next(one)) {
            put_exemplar_value(writer, one, (enum exemplar_column)column);
        }
        hf_json_write_close(writer, ']');
    }
}

static void put_counts(struct hf_json_writer *writer, const char *key, struct hf_message *owner,
                       uint32_t number)
{
    uint64_t bits;
    hf_json_write_key(writer, hf_slice_text(key));
    hf_json_write_open(writer, '[');
    if (owner != NULL) {
        struct hf_wire_numbers numbers = hf_message_numbers(owner, number);
        while (hf_wire_next_number(&numbers, &bits)) {
            hf_json_write_u64(writer, bits);
        }
    }
    hf_json_write_close(writer, ']');
}

static void put_histogram(struct hf_json_writer *writer, struct hf_message *point)
{
    struct hf_wire_numbers bounds = hf_message_numbers(point, HF_HISTOGRAM_BOUNDS);
    uint64_t bits;
    put_counts(writer, "BucketCounts", point, HF_HISTOGRAM_COUNTS);
    HF_JSON_WRITE_KEY(writer, "ExplicitBounds");
    hf_json_write_open(writer, '[');
    while (hf_wire_next_number(&bounds, &bits)) {
        ch_put_double(writer, hf_message_as_double(bits));
    }
    hf_json_write_close(writer, ']');
}

static void put_exponential(struct hf_json_writer *writer, struct hf_message *point)
{
    struct hf_message *positive = hf_message_one(point, HF_EXPONENTIAL_POSITIVE);
    struct hf_message *negative = hf_message_one(point, HF_EXPONENTIAL_NEGATIVE);
    put_integer(writer, "Scale", hf_message_i64(point, HF_EXPONENTIAL_SCALE));
    put_count(writer, "ZeroCount", hf_message_u64(point, HF_EXPONENTIAL_ZERO_COUNT));
    put_integer(writer, "PositiveOffset",
                positive != NULL ? hf_message_i64(positive, HF_BUCKETS_OFFSET) : 0);
    put_counts(writer, "PositiveBucketCounts", positive, HF_BUCKETS_COUNTS);
    put_integer(writer, "NegativeOffset",
                negative != NULL ? hf_message_i64(negative, HF_BUCKETS_OFFSET) : 0);
    put_counts(writer, "NegativeBucketCounts", negative, HF_BUCKETS_COUNTS);
}

static void put_quantiles(struct hf_json_writer *writer, struct hf_message *point)
{
    static const struct {
        const char *key;
        uint32_t number;
    } columns[] = {{"ValueAtQuantiles.Quantile", QUANTILE},
                   {"ValueAtQuantiles.Value", QUANTILE_VALUE}};
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        hf_json_write_key(writer, hf_slice_text(columns[i].key));
        hf_json_write_open(writer, '[');
        for (struct hf_message *one = hf_message_first(point, HF_SUMMARY_QUANTILES); one != NULL;
             one = hf_message_next(one)) {
            ch_put_double(writer, hf_message_double(one, columns[i].number));
        }
        hf_json_write_close(writer, ']');
    }
}

static void put_kind(struct hf_json_writer *writer, const struct hf_place *place,
                     enum ch_metric kind)
{
    struct hf_message *point = place->item;
    if (kind == CH_GAUGE || kind == CH_SUM) {
        put_double(writer, "Value", number_of(point, HF_NUMBER_DOUBLE, HF_NUMBER_INT));
        return;
    }
    put_count(writer, "Count", hf_message_u64(point, HF_POINT_COUNT));
    put_double(writer, "Sum", hf_message_double(point, HF_POINT_SUM));
    if (kind == CH_HISTOGRAM) {
        put_histogram(writer, point);
    } else if (kind == CH_EXPONENTIAL) {
        put_exponential(writer, point);
    } else {
        put_quantiles(writer, point);
    }
}

void ch_point_put(struct hf_json_writer *writer, const struct hf_place *place)
{
    enum ch_metric kind = ch_point_kind(place);
    const struct fields *fields = &fields_of[kind];
    struct hf_message *point = place->item;
    put_common(writer, place);
    put_count(writer, "Flags", hf_message_u64(point, fields->flags));
    put_kind(writer, place, kind);
    if (fields->min != 0) {
        put_double(writer, "Min", hf_message_double(point, fields->min));
        put_double(writer, "Max", hf_message_double(point, fields->max));
    }
    if (kind == CH_SUM || kind == CH_HISTOGRAM || kind == CH_EXPONENTIAL) {
        put_integer(writer, "AggregationTemporality",
                    hf_message_i64(place->data, HF_DATA_TEMPORALITY));
    }
    if (kind == CH_SUM) {
        HF_JSON_WRITE_KEY(writer, "IsMonotonic");
        hf_json_write_bool(writer, hf_message_i64(place->data, HF_SUM_IS_MONOTONIC) != 0);
    }
    if (fields->exemplars != 0) {
        put_exemplars(writer, point, fields->exemplars);
    }
}
