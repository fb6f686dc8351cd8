/*
 * exposition_native: native histograms of protobuf: spans of buckets, with the counts as deltas or
 * as doubles, made dense.
 */
#include "exposition_protobuf.h"

#include <math.h>
#include <string.h>

static int64_t unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

struct side {
    uint32_t span, delta, count; /* numbers of its fields */
};

static const struct side positive = {HISTOGRAM_POSITIVE_SPAN, HISTOGRAM_POSITIVE_DELTA,
                                     HISTOGRAM_POSITIVE_COUNT};
static const struct side negative = {HISTOGRAM_NEGATIVE_SPAN, HISTOGRAM_NEGATIVE_DELTA,
                                     HISTOGRAM_NEGATIVE_COUNT};

struct span {
    int32_t offset;
    uint32_t length;
};

static bool read_span(struct hf_slice bytes, struct span *ret_span)
{
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field field;
    *ret_span = (struct span){0};
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_next(&wire, &field)) {
            return false;
        }
        int64_t value = field.number == 1 ? unzigzag(field.value) : (int64_t)field.value;
        if (value > HF_EXPO_BUCKETS_MAX || value < -(int64_t)HF_EXPO_BUCKETS_MAX) {
            return false;
        }
        if (field.number == 1) {
            ret_span->offset = (int32_t)value;
        } else if (field.number == 2) {
            ret_span->length = (uint32_t)value;
        }
    }
    return true;
}

/* Adds up the spans: where the buckets begin, and how many there are with the gaps. */
static bool measure(struct hf_slice body, const struct side *side, struct hf_expo_buckets *buckets)
{
    struct hf_wire wire = hf_wire_of(body);
    struct hf_wire_field field;
    bool is_first = true;
    *buckets = (struct hf_expo_buckets){0};
    while (!hf_wire_at_end(wire)) {
        struct span span;
        if (!hf_wire_next(&wire, &field)) {
            return false;
        }
        if (field.number != side->span || field.wire != HF_WIRE_BYTES) {
            continue;
        }
        if (!read_span(field.bytes, &span) || (!is_first && span.offset < 0)) {
            return false;
        }
        buckets->first = is_first ? span.offset : buckets->first;
        buckets->count += span.length + (is_first ? 0 : (size_t)span.offset);
        is_first = false;
        if (buckets->count > HF_EXPO_BUCKETS_MAX) {
            return false;
        }
    }
    return true;
}

/* The numbers of one packed or repeated field, one after another. */
struct numbers {
    struct hf_wire fields, packed;
    uint32_t number;
    bool is_fixed;
};

static bool next_number(struct numbers *numbers, uint64_t *ret_bits)
{
    for (;;) {
        struct hf_wire_field field;
        struct hf_slice bytes;
        if (!hf_wire_at_end(numbers->packed)) {
            if (!numbers->is_fixed) {
                return hf_wire_varint(&numbers->packed, ret_bits);
            }
            if (!hf_wire_take(&numbers->packed, sizeof(*ret_bits), &bytes)) {
                return false;
            }
            memcpy(ret_bits, bytes.data, sizeof(*ret_bits));
            return true;
        }
        if (hf_wire_at_end(numbers->fields) || !hf_wire_next(&numbers->fields, &field)) {
            return false;
        }
        if (field.number == numbers->number && field.wire == HF_WIRE_BYTES) {
            numbers->packed = hf_wire_of(field.bytes);
        } else if (field.number == numbers->number) {
            *ret_bits = field.value;
            return true;
        }
    }
}

/* A bucket's count: deltas of integers, or doubles as they are. */
static bool next_count(struct numbers *numbers, int64_t *running, uint64_t *ret_count)
{
    uint64_t bits;
    if (!next_number(numbers, &bits)) {
        return false;
    }
    if (numbers->is_fixed) {
        double count = hf_expo_bits(bits);
        *ret_count = count > 0 && count < 1e18 ? (uint64_t)count : 0;
        return true;
    }
    if (__builtin_add_overflow(*running, unzigzag(bits), running) || *running < 0) {
        return false;
    }
    *ret_count = (uint64_t)*running;
    return true;
}

static bool read_side(struct hf_expo_reader *reader, const struct hf_expo_family *family,
                      const struct side *side, struct hf_expo_buckets *ret_buckets)
{
    struct hf_wire wire = hf_wire_of(family->body);
    struct hf_wire_field field;
    struct numbers numbers = {.fields = wire,
                              .number = family->is_float ? side->count : side->delta,
                              .is_fixed = family->is_float};
    int64_t running = 0;
    size_t at = 0;
    bool is_first = true;
    if (!measure(family->body, side, ret_buckets)) {
        return false;
    }
    uint64_t *counts = hf_arena_take(reader->arena, (ret_buckets->count + 1) * sizeof(*counts));
    if (counts == NULL) {
        return false;
    }
    memset(counts, 0, (ret_buckets->count + 1) * sizeof(*counts));
    while (!hf_wire_at_end(wire)) {
        struct span span;
        if (!hf_wire_next(&wire, &field)) {
            return false;
        }
        if (field.number != side->span || field.wire != HF_WIRE_BYTES ||
            !read_span(field.bytes, &span)) {
            continue;
        }
        at += is_first ? 0 : (size_t)span.offset;
        is_first = false;
        for (uint32_t i = 0; i < span.length; i++) {
            if (!next_count(&numbers, &running, &counts[at++])) {
                return false;
            }
        }
    }
    ret_buckets->counts = counts;
    return true;
}

bool hf_expo_read_native(struct hf_expo_reader *reader, const struct hf_expo_family *family)
{
    struct hf_wire wire = hf_wire_of(family->body);
    struct hf_wire_field field;
    struct hf_expo_native *native = &reader->native;
    *native = (struct hf_expo_native){.sum = family->sum};
    native->count = family->count > 0 && family->count < 1.8e19 ? (uint64_t)family->count : 0;
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_next(&wire, &field)) {
            return false;
        }
        switch (field.number) {
        case HISTOGRAM_SCHEMA:
            native->schema = (int32_t)unzigzag(field.value);
            break;
        case HISTOGRAM_ZERO_THRESHOLD:
            native->zero_threshold = hf_expo_bits(field.value);
            break;
        case HISTOGRAM_ZERO_COUNT:
            native->zero_count = family->is_float ? native->zero_count : field.value;
            break;
        case HISTOGRAM_ZERO_COUNT_FLOAT:
            native->zero_count = (uint64_t)fmin(fmax(hf_expo_bits(field.value), 0), 1e18);
            break;
        case HISTOGRAM_EXEMPLAR:
            if (field.wire != HF_WIRE_BYTES || !hf_expo_read_exemplar(reader, field.bytes)) {
                return false;
            }
            break;
        default:
            break;
        }
    }
    if (native->schema < -4 || native->schema > 8 || !hf_expo_begin_series(reader, family) ||
        !read_side(reader, family, &positive, &native->positive) ||
        !read_side(reader, family, &negative, &native->negative)) {
        return false;
    }
    reader->name = family->name;
    return true;
}
