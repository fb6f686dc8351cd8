#include "es_points.h"

#include <math.h>

#include "bulk/walk.h"
#include "pdata/wire_find.h"

enum { TEMPORALITY_CUMULATIVE = 2 };
/* Fields of the kinds of points that have the same number. */
enum { START_TIME = 2, TIME = 3, NUMBER_DOUBLE = 4, NUMBER_INT = 6, COUNT = 4, SUM = 5 };

static double double_of(uint64_t bits)
{
    double number;
    memcpy(&number, &bits, sizeof(number));
    return number;
}

uint64_t es_point_time(const struct es_point *point)
{
    return hf_wire_find_bits(point->bytes, TIME);
}

uint64_t es_point_start(const struct es_point *point)
{
    return hf_wire_find_bits(point->bytes, START_TIME);
}

static bool is_number(const struct es_point *point)
{
    return point->kind == HF_BULK_GAUGE || point->kind == HF_BULK_SUM;
}

uint64_t es_point_count(const struct es_point *point)
{
    return is_number(point) ? 1 : hf_wire_find_bits(point->bytes, COUNT);
}

/* The value of a number; of both kinds the last one counts. False: there is none. */
static bool find_number(struct hf_slice point, bool *ret_is_int, uint64_t *ret_bits)
{
    struct hf_wire wire = hf_wire_of(point);
    struct hf_wire_field field;
    bool is_there = false;
    while (!hf_wire_at_end(wire) && hf_wire_next(&wire, &field)) {
        if (field.number == NUMBER_DOUBLE || field.number == NUMBER_INT) {
            *ret_is_int = field.number == NUMBER_INT;
            *ret_bits = field.value;
            is_there = true;
        }
    }
    return is_there;
}

static size_t count_numbers(struct hf_slice point, uint32_t number, enum hf_schema_wire kind)
{
    struct hf_wire_numbers numbers = hf_wire_numbers(point, number, kind);
    uint64_t bits;
    size_t count = 0;
    while (hf_wire_next_number(&numbers, &bits)) {
        count++;
    }
    return count;
}

#define BUCKETS_MAX 4096u

enum { EXPONENTIAL_SCALE = 6, EXPONENTIAL_ZERO = 7, POSITIVE = 8, NEGATIVE = 9 };
enum { SIDE_OFFSET = 1, SIDE_COUNTS = 2 };

static bool has_too_many_buckets(struct hf_slice point)
{
    for (uint32_t side = POSITIVE; side <= NEGATIVE; side++) {
        struct hf_slice buckets = hf_wire_find_bytes(point, side);
        if (count_numbers(buckets, SIDE_COUNTS, HF_WIRE_VARINT) > BUCKETS_MAX) {
            return true;
        }
    }
    return false;
}

enum { HISTOGRAM_COUNTS = 6, HISTOGRAM_BOUNDS = 7 };

const char *es_point_check(const struct es_point *point)
{
    bool is_int;
    uint64_t bits;
    bool is_histogram = point->kind == HF_BULK_HISTOGRAM || point->kind == HF_BULK_EXPONENTIAL;
    if (is_number(point)) {
        return find_number(point->bytes, &is_int, &bits) ? NULL : "the data point has no value";
    }
    if (is_histogram && hf_wire_find_bits(point->data, 2) == TEMPORALITY_CUMULATIVE) {
        return "cumulative histograms have no form in Elasticsearch: make them delta, as by the "
               "processor cumulativetodelta";
    }
    if (point->kind == HF_BULK_HISTOGRAM && !point->wants_aggregate) {
        size_t bounds = count_numbers(point->bytes, HISTOGRAM_BOUNDS, HF_WIRE_64);
        if (bounds == 0 ||
            count_numbers(point->bytes, HISTOGRAM_COUNTS, HF_WIRE_64) != bounds + 1) {
            return "the histogram has no buckets, or not one more than bounds";
        }
    }
    if (point->kind == HF_BULK_EXPONENTIAL && has_too_many_buckets(point->bytes)) {
        return "the exponential histogram has more than 4096 buckets on a side";
    }
    return NULL;
}

const char *es_point_template(const struct es_point *point)
{
    bool is_int = false;
    uint64_t bits;
    if (is_number(point)) {
        bool is_counter = point->kind == HF_BULK_SUM && hf_wire_find_bits(point->data, 3) != 0 &&
                          hf_wire_find_bits(point->data, 2) == TEMPORALITY_CUMULATIVE;
        (void)find_number(point->bytes, &is_int, &bits);
        if (is_counter) {
            return is_int ? "counter_long" : "counter_double";
        }
        return is_int ? "gauge_long" : "gauge_double";
    }
    return point->kind == HF_BULK_SUMMARY || point->wants_aggregate ? "summary" : "histogram";
}

/* ---- forms ---- */

static void put_number(const struct es_point *point, struct hf_json_writer *writer)
{
    bool is_int = false;
    uint64_t bits = 0;
    (void)find_number(point->bytes, &is_int, &bits);
    if (is_int) {
        hf_json_write_i64(writer, (int64_t)bits);
    } else {
        double value = double_of(bits);
        hf_json_write_double(writer, isfinite(value) ? value : 0);
    }
}

static void put_aggregate(const struct es_point *point, struct hf_json_writer *writer)
{
    hf_json_write_open(writer, '{');
    HF_JSON_WRITE_KEY(writer, "sum");
    hf_json_write_double(writer, double_of(hf_wire_find_bits(point->bytes, SUM)));
    HF_JSON_WRITE_KEY(writer, "value_count");
    hf_json_write_u64(writer, es_point_count(point));
    hf_json_write_close(writer, '}');
}

/* The value that stands for a bucket: the middle, half of the first bound, the last bound. */
static double value_of_bucket(size_t bucket, double before, double bound, bool is_last)
{
    if (is_last) {
        return before;
    }
    if (bucket == 0) {
        return bound > 0 ? bound / 2 : bound;
    }
    return before + (bound - before) / 2.0;
}

/* The counts that are not zero, or their values. */
static void put_buckets(struct hf_slice point, bool values, struct hf_json_writer *writer)
{
    struct hf_wire_numbers counts = hf_wire_numbers(point, HISTOGRAM_COUNTS, HF_WIRE_64);
    struct hf_wire_numbers bounds = hf_wire_numbers(point, HISTOGRAM_BOUNDS, HF_WIRE_64);
    uint64_t count, bits = 0;
    double before = 0, bound = 0;
    hf_json_write_open(writer, '[');
    for (size_t i = 0; hf_wire_next_number(&counts, &count); i++) {
        before = bound;
        bool is_last = !hf_wire_next_number(&bounds, &bits);
        bound = is_last ? bound : double_of(bits);
        if (count != 0 && values) {
            hf_json_write_double(writer, value_of_bucket(i, before, bound, is_last));
        } else if (count != 0) {
            hf_json_write_u64(writer, count);
        }
    }
    hf_json_write_close(writer, ']');
}

/* ---- exponential histograms ---- */

static int32_t zigzag(uint64_t bits)
{
    return (int32_t)((uint32_t)bits >> 1) ^ -(int32_t)(bits & 1);
}

static double lower_bound(int64_t index, int32_t scale)
{
    if (scale <= 0) {
        int shift = -scale < 12 ? -scale : 12;
        double power = ldexp((double)index, shift);
        return power > 1100 ? INFINITY : power < -1100 ? 0 : ldexp(1, (int)power);
    }
    double factor = ldexp(M_LN2, -scale);
    return 2.0 * exp(((double)index - ldexp(1, scale)) * factor);
}

struct side {
    struct hf_slice buckets;
    int32_t offset, scale;
    double sign;
};

static void put_side_bucket(const struct side *side, int64_t index, uint64_t count, bool values,
                            struct hf_json_writer *writer)
{
    if (count == 0) {
        return;
    }
    if (!values) {
        hf_json_write_u64(writer, count);
        return;
    }
    double low = lower_bound(side->offset + index, side->scale);
    double high = lower_bound(side->offset + index + 1, side->scale);
    hf_json_write_double(writer, side->sign * (low + (high - low) / 2));
}

/* From small to large: the negative side backwards. */
static void put_side(const struct side *side, bool values, struct hf_json_writer *writer)
{
    struct hf_wire_numbers numbers = hf_wire_numbers(side->buckets, SIDE_COUNTS, HF_WIRE_VARINT);
    uint64_t counts[BUCKETS_MAX];
    size_t count = 0;
    while (count < BUCKETS_MAX && hf_wire_next_number(&numbers, &counts[count])) {
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        size_t index = side->sign < 0 ? count - 1 - i : i;
        put_side_bucket(side, (int64_t)index, counts[index], values, writer);
    }
}

static void put_exponential(const struct es_point *point, bool values,
                            struct hf_json_writer *writer)
{
    int32_t scale = zigzag(hf_wire_find_bits(point->bytes, EXPONENTIAL_SCALE));
    uint64_t zeros = hf_wire_find_bits(point->bytes, EXPONENTIAL_ZERO);
    struct side sides[] = {
        {.buckets = hf_wire_find_bytes(point->bytes, NEGATIVE), .scale = scale, .sign = -1},
        {.buckets = hf_wire_find_bytes(point->bytes, POSITIVE), .scale = scale, .sign = 1}};
    hf_json_write_open(writer, '[');
    for (int i = 0; i < 2; i++) {
        sides[i].offset = zigzag(hf_wire_find_bits(sides[i].buckets, SIDE_OFFSET));
        put_side(&sides[i], values, writer);
        if (i == 0 && zeros != 0 && values) {
            hf_json_write_double(writer, 0);
        } else if (i == 0 && zeros != 0) {
            hf_json_write_u64(writer, zeros);
        }
    }
    hf_json_write_close(writer, ']');
}

static void put_histogram(const struct es_point *point, struct hf_json_writer *writer)
{
    hf_json_write_open(writer, '{');
    for (int values = 0; values < 2; values++) {
        hf_json_write_key(writer, hf_slice_text(values ? "values" : "counts"));
        if (point->kind == HF_BULK_HISTOGRAM) {
            put_buckets(point->bytes, values, writer);
        } else {
            put_exponential(point, values, writer);
        }
    }
    hf_json_write_close(writer, '}');
}

void es_point_write(const struct es_point *point, struct hf_json_writer *writer)
{
    if (is_number(point)) {
        put_number(point, writer);
    } else if (point->kind == HF_BULK_SUMMARY || point->wants_aggregate) {
        put_aggregate(point, writer);
    } else {
        put_histogram(point, writer);
    }
}
