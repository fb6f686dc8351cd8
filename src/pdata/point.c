#include "point.h"

#include <string.h>

#include "metric_fields.h"
#include "wire_find.h"

bool hf_point_kind_of(const struct hf_message *data, enum hf_point_kind *ret_kind)
{
    switch (data != NULL ? hf_message_type(data)->index : HF_SCHEMA_MESSAGE_COUNT) {
    case HF_MESSAGE_GAUGE:
    case HF_MESSAGE_SUM:
        *ret_kind = HF_POINT_NUMBER;
        return true;
    case HF_MESSAGE_HISTOGRAM:
        *ret_kind = HF_POINT_HISTOGRAM;
        return true;
    case HF_MESSAGE_EXPONENTIAL_HISTOGRAM:
        *ret_kind = HF_POINT_EXPONENTIAL;
        return true;
    default:
        return false;
    }
}

/* ---- reading ---- */

static int32_t zigzag(uint64_t value)
{
    uint32_t small = (uint32_t)value;
    return (int32_t)(small >> 1 ^ (0u - (small & 1)));
}

static double as_double(uint64_t bits)
{
    return hf_message_as_double(bits);
}

/* A list of numbers, each its 64 bits. NULL in `ret_bits` without any. */
static bool read_list(struct hf_slice bytes, uint32_t number, enum hf_schema_wire wire,
                      struct hf_arena *arena, uint64_t **ret_bits, size_t *ret_count)
{
    struct hf_wire_numbers numbers = hf_wire_numbers(bytes, number, wire);
    uint64_t bits;
    size_t count = 0;
    while (hf_wire_next_number(&numbers, &bits)) {
        count++;
    }
    *ret_count = count;
    *ret_bits = NULL;
    if (count == 0) {
        return true;
    }
    *ret_bits = hf_arena_take(arena, count * sizeof(uint64_t));
    numbers = hf_wire_numbers(bytes, number, wire);
    for (size_t i = 0; *ret_bits != NULL && i < count; i++) {
        (*ret_bits)[i] = hf_wire_next_number(&numbers, &bits) ? bits : 0;
    }
    return *ret_bits != NULL;
}

static bool read_buckets(struct hf_slice bytes, struct hf_arena *arena,
                         struct hf_point_buckets *buckets)
{
    buckets->offset = zigzag(hf_wire_find_bits(bytes, HF_BUCKETS_OFFSET));
    return read_list(bytes, HF_BUCKETS_COUNTS, HF_WIRE_VARINT, arena, &buckets->counts,
                     &buckets->count);
}

static void read_number_field(struct hf_point *point, const struct hf_wire_field *field)
{
    switch (field->number) {
    case HF_NUMBER_DOUBLE:
        point->is_double = true;
        point->has_number = true;
        point->number = as_double(field->value);
        break;
    case HF_NUMBER_INT:
        point->is_double = false;
        point->has_number = true;
        point->integer = (int64_t)field->value;
        break;
    case HF_NUMBER_FLAGS:
        point->flags = (uint32_t)field->value;
        break;
    default:
        break;
    }
}

static void read_extreme(const struct hf_wire_field *field, bool *has, double *value)
{
    *has = true;
    *value = as_double(field->value);
}

static void read_histogram_field(struct hf_point *point, const struct hf_wire_field *field)
{
    switch (field->number) {
    case HF_HISTOGRAM_FLAGS:
        point->flags = (uint32_t)field->value;
        break;
    case HF_HISTOGRAM_MIN:
        read_extreme(field, &point->has_min, &point->min);
        break;
    case HF_HISTOGRAM_MAX:
        read_extreme(field, &point->has_max, &point->max);
        break;
    default:
        break;
    }
}

static void read_exponential_field(struct hf_point *point, const struct hf_wire_field *field)
{
    switch (field->number) {
    case HF_EXPONENTIAL_SCALE:
        point->scale = zigzag(field->value);
        break;
    case HF_EXPONENTIAL_ZERO_COUNT:
        point->zero_count = field->value;
        break;
    case HF_EXPONENTIAL_FLAGS:
        point->flags = (uint32_t)field->value;
        break;
    case HF_EXPONENTIAL_MIN:
        read_extreme(field, &point->has_min, &point->min);
        break;
    case HF_EXPONENTIAL_MAX:
        read_extreme(field, &point->has_max, &point->max);
        break;
    case HF_EXPONENTIAL_ZERO_THRESHOLD:
        point->zero_threshold = as_double(field->value);
        break;
    default:
        break;
    }
}

static void read_field(struct hf_point *point, const struct hf_wire_field *field)
{
    if (field->number == HF_POINT_START) {
        point->start_ns = field->value;
    } else if (field->number == HF_POINT_TIME) {
        point->time_ns = field->value;
    } else if (point->kind == HF_POINT_NUMBER) {
        read_number_field(point, field);
    } else if (field->number == HF_POINT_COUNT) {
        point->count = field->value;
    } else if (field->number == HF_POINT_SUM) {
        read_extreme(field, &point->has_sum, &point->sum);
    } else if (point->kind == HF_POINT_HISTOGRAM) {
        read_histogram_field(point, field);
    } else if (point->kind == HF_POINT_SUMMARY) {
        point->flags = field->number == HF_SUMMARY_FLAGS ? (uint32_t)field->value : point->flags;
    } else {
        read_exponential_field(point, field);
    }
}

static bool read_lists(struct hf_slice bytes, struct hf_arena *arena, struct hf_point *point)
{
    uint64_t *bits = NULL;
    if (point->kind == HF_POINT_EXPONENTIAL) {
        return read_buckets(hf_wire_find_bytes(bytes, HF_EXPONENTIAL_POSITIVE), arena,
                            &point->positive) &&
               read_buckets(hf_wire_find_bytes(bytes, HF_EXPONENTIAL_NEGATIVE), arena,
                            &point->negative);
    }
    if (point->kind != HF_POINT_HISTOGRAM) {
        return true;
    }
    bool ok = read_list(bytes, HF_HISTOGRAM_COUNTS, HF_WIRE_64, arena, &point->counts,
                        &point->count_count) &&
              read_list(bytes, HF_HISTOGRAM_BOUNDS, HF_WIRE_64, arena, &bits, &point->bound_count);
    point->bounds = (double *)bits; /* in place: the same size */
    for (size_t i = 0; ok && i < point->bound_count; i++) {
        double bound = as_double(bits[i]);
        memcpy(&bits[i], &bound, sizeof(bound));
    }
    return ok;
}

enum hf_status hf_point_read(struct hf_slice bytes, enum hf_point_kind kind, struct hf_arena *arena,
                             struct hf_point *ret_point)
{
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field field;
    *ret_point = (struct hf_point){.kind = kind};
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_next(&wire, &field)) {
            return HF_CORRUPT;
        }
        if (field.wire != HF_WIRE_BYTES) {
            read_field(ret_point, &field);
        }
    }
    return read_lists(bytes, arena, ret_point) ? HF_OK : HF_NOMEM;
}

/* ---- writing ---- */

static void put_double(struct hf_wire_writer *writer, uint32_t number, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    hf_wire_put_fixed64(writer, number, bits);
}

static void put_optional(struct hf_wire_writer *writer, uint32_t number, bool has, double value)
{
    if (has) {
        put_double(writer, number, value);
    }
}

static void put_signed(struct hf_wire_writer *writer, uint32_t number, int32_t value)
{
    uint32_t sign = value < 0 ? UINT32_MAX : 0;
    if (value != 0) {
        hf_wire_put_varint(writer, number, (uint32_t)value << 1 ^ sign);
    }
}

static void put_list(struct hf_wire_writer *writer, uint32_t number, enum hf_schema_wire wire,
                     const void *items, size_t count)
{
    if (count == 0) {
        return;
    }
    struct hf_wire_message list = hf_wire_open(writer, number, count * sizeof(uint64_t));
    for (size_t i = 0; i < count; i++) {
        uint64_t bits;
        memcpy(&bits, (const uint8_t *)items + i * sizeof(bits), sizeof(bits));
        hf_wire_put_packed(writer, wire, bits);
    }
    hf_wire_close(writer, list);
}

static void put_buckets(struct hf_wire_writer *writer, uint32_t number,
                        const struct hf_point_buckets *buckets)
{
    if (buckets->count == 0 && buckets->offset == 0) {
        return;
    }
    struct hf_wire_message inner = hf_wire_open(writer, number, buckets->count * 2 + 8);
    put_signed(writer, HF_BUCKETS_OFFSET, buckets->offset);
    put_list(writer, HF_BUCKETS_COUNTS, HF_WIRE_VARINT, buckets->counts, buckets->count);
    hf_wire_close(writer, inner);
}

static void put_fixed(struct hf_wire_writer *writer, uint32_t number, uint64_t value)
{
    if (value != 0) {
        hf_wire_put_fixed64(writer, number, value);
    }
}

static void put_flags(struct hf_wire_writer *writer, uint32_t number, uint32_t flags)
{
    if (flags != 0) {
        hf_wire_put_varint(writer, number, flags);
    }
}

static void write_exponential(const struct hf_point *point, struct hf_wire_writer *writer)
{
    put_signed(writer, HF_EXPONENTIAL_SCALE, point->scale);
    put_fixed(writer, HF_EXPONENTIAL_ZERO_COUNT, point->zero_count);
    put_buckets(writer, HF_EXPONENTIAL_POSITIVE, &point->positive);
    put_buckets(writer, HF_EXPONENTIAL_NEGATIVE, &point->negative);
    put_flags(writer, HF_EXPONENTIAL_FLAGS, point->flags);
    put_optional(writer, HF_EXPONENTIAL_MIN, point->has_min, point->min);
    put_optional(writer, HF_EXPONENTIAL_MAX, point->has_max, point->max);
    put_optional(writer, HF_EXPONENTIAL_ZERO_THRESHOLD, point->zero_threshold != 0,
                 point->zero_threshold);
}

void hf_point_write(const struct hf_point *point, struct hf_wire_writer *writer)
{
    put_fixed(writer, HF_POINT_START, point->start_ns);
    put_fixed(writer, HF_POINT_TIME, point->time_ns);
    if (point->kind == HF_POINT_NUMBER) {
        if (point->has_number && point->is_double) {
            put_double(writer, HF_NUMBER_DOUBLE, point->number);
        } else if (point->has_number) {
            hf_wire_put_fixed64(writer, HF_NUMBER_INT, (uint64_t)point->integer);
        }
        put_flags(writer, HF_NUMBER_FLAGS, point->flags);
        return;
    }
    put_fixed(writer, HF_POINT_COUNT, point->count);
    put_optional(writer, HF_POINT_SUM, point->has_sum, point->sum);
    if (point->kind == HF_POINT_EXPONENTIAL) {
        write_exponential(point, writer);
        return;
    }
    if (point->kind == HF_POINT_SUMMARY) {
        put_flags(writer, HF_SUMMARY_FLAGS, point->flags);
        return;
    }
    put_list(writer, HF_HISTOGRAM_COUNTS, HF_WIRE_64, point->counts, point->count_count);
    put_list(writer, HF_HISTOGRAM_BOUNDS, HF_WIRE_64, point->bounds, point->bound_count);
    put_flags(writer, HF_HISTOGRAM_FLAGS, point->flags);
    put_optional(writer, HF_HISTOGRAM_MIN, point->has_min, point->min);
    put_optional(writer, HF_HISTOGRAM_MAX, point->has_max, point->max);
}

/* ---- into a message ---- */

static void set_optional(struct hf_message *message, uint32_t number, bool has, double value)
{
    if (has) {
        hf_message_set_double(message, number, value);
    } else if (hf_message_has(message, number)) {
        hf_message_clear(message, number);
    }
}

static void set_bits(struct hf_message *message, uint32_t number, uint64_t value)
{
    if (hf_message_u64(message, number) != value) {
        hf_message_set_u64(message, number, value);
    }
}

static void set_list(struct hf_message *message, uint32_t number, const void *items, size_t count)
{
    if (count > 0) {
        hf_message_set_numbers(message, number, items, count);
    } else if (hf_message_has(message, number)) {
        hf_message_clear(message, number);
    }
}

static void set_buckets(struct hf_message *message, uint32_t number,
                        const struct hf_point_buckets *buckets)
{
    if (buckets->count == 0 && hf_message_one(message, number) == NULL) {
        return;
    }
    struct hf_message *inner = hf_message_need(message, number);
    if (inner != NULL) {
        hf_message_set_i64(inner, HF_BUCKETS_OFFSET, buckets->offset);
        set_list(inner, HF_BUCKETS_COUNTS, buckets->counts, buckets->count);
    }
}

static void set_exponential(const struct hf_point *point, struct hf_message *message)
{
    hf_message_set_i64(message, HF_EXPONENTIAL_SCALE, point->scale);
    set_bits(message, HF_EXPONENTIAL_ZERO_COUNT, point->zero_count);
    set_buckets(message, HF_EXPONENTIAL_POSITIVE, &point->positive);
    set_buckets(message, HF_EXPONENTIAL_NEGATIVE, &point->negative);
    set_bits(message, HF_EXPONENTIAL_FLAGS, point->flags);
    set_optional(message, HF_EXPONENTIAL_MIN, point->has_min, point->min);
    set_optional(message, HF_EXPONENTIAL_MAX, point->has_max, point->max);
    if (hf_message_double(message, HF_EXPONENTIAL_ZERO_THRESHOLD) != point->zero_threshold) {
        hf_message_set_double(message, HF_EXPONENTIAL_ZERO_THRESHOLD, point->zero_threshold);
    }
}

void hf_point_set(const struct hf_point *point, struct hf_message *message)
{
    set_bits(message, HF_POINT_START, point->start_ns);
    set_bits(message, HF_POINT_TIME, point->time_ns);
    if (point->kind == HF_POINT_NUMBER) {
        if (point->has_number && point->is_double) {
            hf_message_set_double(message, HF_NUMBER_DOUBLE, point->number);
        } else if (point->has_number) {
            hf_message_set_i64(message, HF_NUMBER_INT, point->integer);
        }
        set_bits(message, HF_NUMBER_FLAGS, point->flags);
        return;
    }
    set_bits(message, HF_POINT_COUNT, point->count);
    set_optional(message, HF_POINT_SUM, point->has_sum, point->sum);
    if (point->kind == HF_POINT_SUMMARY) {
        set_bits(message, HF_SUMMARY_FLAGS, point->flags);
        return;
    }
    if (point->kind == HF_POINT_EXPONENTIAL) {
        set_exponential(point, message);
        return;
    }
    set_list(message, HF_HISTOGRAM_COUNTS, point->counts, point->count_count);
    set_list(message, HF_HISTOGRAM_BOUNDS, point->bounds, point->bound_count);
    set_bits(message, HF_HISTOGRAM_FLAGS, point->flags);
    set_optional(message, HF_HISTOGRAM_MIN, point->has_min, point->min);
    set_optional(message, HF_HISTOGRAM_MAX, point->has_max, point->max);
}

static bool own(struct hf_arena *arena, void **list, size_t count)
{
    if (count == 0) {
        *list = NULL;
        return true;
    }
    void *copy = hf_arena_take(arena, count * sizeof(uint64_t));
    if (copy != NULL) {
        memcpy(copy, *list, count * sizeof(uint64_t));
        *list = copy;
    }
    return copy != NULL;
}

enum hf_status hf_point_own(struct hf_point *point, struct hf_arena *arena)
{
    void *counts = point->counts, *bounds = point->bounds;
    void *positive = point->positive.counts, *negative = point->negative.counts;
    bool ok = own(arena, &counts, point->count_count) && own(arena, &bounds, point->bound_count) &&
              own(arena, &positive, point->positive.count) &&
              own(arena, &negative, point->negative.count);
    if (!ok) {
        return HF_NOMEM;
    }
    point->counts = counts;
    point->bounds = bounds;
    point->positive.counts = positive;
    point->negative.counts = negative;
    return HF_OK;
}
