#include "native.h"

#include <string.h>

#include "pdata/wire.h"

#define OFFSET_MAX (1 << 30) /* of the first bucket; no schema has as many */

static int64_t unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static double double_of(uint64_t bits)
{
    double number;
    memcpy(&number, &bits, sizeof(number));
    return number;
}

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
        int64_t most = field.number == 1 ? OFFSET_MAX : HF_EXPO_BUCKETS_MAX;
        if (value > most || value < -most) {
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
static bool measure(struct hf_slice body, const struct hf_prom_side *side,
                    struct hf_expo_buckets *buckets)
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
        double count = double_of(bits);
        *ret_count = count > 0 && count < 1e18 ? (uint64_t)count : 0;
        return true;
    }
    if (__builtin_add_overflow(*running, unzigzag(bits), running) || *running < 0) {
        return false;
    }
    *ret_count = (uint64_t)*running;
    return true;
}

/* Empty buckets at the ends say nothing. */
static void trim(struct hf_expo_buckets *buckets)
{
    while (buckets->count != 0 && buckets->counts[buckets->count - 1] == 0) {
        buckets->count--;
    }
    while (buckets->count != 0 && buckets->counts[0] == 0) {
        buckets->counts++;
        buckets->count--;
        buckets->first++;
    }
}

bool hf_prom_read_buckets(struct hf_slice histogram, const struct hf_prom_side *side, bool is_float,
                          struct hf_arena *arena, struct hf_expo_buckets *ret_buckets)
{
    struct hf_wire wire = hf_wire_of(histogram);
    struct hf_wire_field field;
    struct numbers numbers = {
        .fields = wire, .number = is_float ? side->count : side->delta, .is_fixed = is_float};
    int64_t running = 0;
    size_t at = 0;
    bool is_first = true;
    if (!measure(histogram, side, ret_buckets)) {
        return false;
    }
    uint64_t *counts = hf_arena_take(arena, (ret_buckets->count + 1) * sizeof(*counts));
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
    trim(ret_buckets);
    return true;
}
