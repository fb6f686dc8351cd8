#include "prw_native.h"

#include <stdbool.h>
#include <string.h>

#include "pdata/wire_find.h"

#define GAP_MAX 2 /* empty buckets that are told as such; more begin another span */
#define FLAG_NO_VALUE 1u

enum {
    POINT_COUNT = 4,
    POINT_SUM = 5,
    POINT_SCALE = 6,
    POINT_ZERO_COUNT = 7,
    POINT_POSITIVE = 8,
    POINT_NEGATIVE = 9,
    POINT_FLAGS = 10,
    POINT_ZERO_THRESHOLD = 14
};

enum {
    NATIVE_COUNT = 1,
    NATIVE_SUM = 3,
    NATIVE_SCHEMA = 4,
    NATIVE_ZERO_THRESHOLD = 5,
    NATIVE_ZERO_COUNT = 6,
    NATIVE_NEGATIVE_SPANS = 8,
    NATIVE_NEGATIVE_DELTAS = 9,
    NATIVE_POSITIVE_SPANS = 11,
    NATIVE_POSITIVE_DELTAS = 12,
    NATIVE_TIME = 15,
    NATIVE_START = 17
};

static uint64_t zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static uint64_t bits_of(double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof(bits));
    return bits;
}

/* Steps through the buckets that are not empty, merged to a coarser scale. */
struct buckets {
    struct hf_wire_numbers numbers;
    int64_t at; /* index of the next count, at the point's own scale */
    unsigned down;
    bool has_next;
    int64_t next_index;
    uint64_t next_count;
};

static bool step(struct buckets *buckets, int64_t *ret_index, uint64_t *ret_count)
{
    uint64_t count;
    bool any = buckets->has_next;
    *ret_index = buckets->next_index;
    *ret_count = buckets->next_count;
    buckets->has_next = false;
    while (hf_wire_next_number(&buckets->numbers, &count)) {
        /* OTLP's bucket i ends where Prometheus's bucket i + 1 does. */
        int64_t index = (buckets->at++ >> buckets->down) + 1;
        if (count == 0) {
            continue;
        }
        if (!any) {
            *ret_index = index;
            *ret_count = count;
            any = true;
        } else if (index == *ret_index) {
            *ret_count += count;
        } else {
            buckets->has_next = true;
            buckets->next_index = index;
            buckets->next_count = count;
            return true;
        }
    }
    return any;
}

static struct buckets buckets_of(struct hf_message *side, unsigned down)
{
    return (struct buckets){
        .numbers = hf_message_numbers(side, 2), .at = hf_message_i64(side, 1), .down = down};
}

static void put_span(struct hf_wire_writer *writer, uint32_t number, int64_t offset,
                     uint64_t length)
{
    struct hf_wire_message span = hf_wire_open(writer, number, 8);
    hf_wire_put_varint(writer, 1, zigzag(offset));
    hf_wire_put_varint(writer, 2, length);
    hf_wire_close(writer, span);
}

static void put_spans(struct hf_wire_writer *writer, uint32_t number, struct buckets buckets)
{
    int64_t index, last = 0, offset = 0;
    uint64_t count, length = 0;
    while (step(&buckets, &index, &count)) {
        int64_t gap = index - last - 1;
        if (length == 0) {
            offset = index;
        } else if (gap > GAP_MAX) {
            put_span(writer, number, offset, length);
            offset = gap;
            length = 0;
        } else {
            length += (uint64_t)gap;
        }
        length++;
        last = index;
    }
    if (length != 0) {
        put_span(writer, number, offset, length);
    }
}

static void put_delta(struct hf_wire_writer *writer, uint64_t count, uint64_t *last)
{
    hf_wire_put_packed(writer, HF_WIRE_VARINT, zigzag((int64_t)(count - *last)));
    *last = count;
}

static void put_deltas(struct hf_wire_writer *writer, uint32_t number, struct buckets buckets)
{
    int64_t index, last_index = 0;
    uint64_t count, last = 0;
    bool is_first = true;
    struct hf_wire_message packed = hf_wire_open(writer, number, 64);
    while (step(&buckets, &index, &count)) {
        int64_t gap = is_first ? 0 : index - last_index - 1;
        for (int64_t i = 0; i < gap && gap <= GAP_MAX; i++) {
            put_delta(writer, 0, &last);
        }
        put_delta(writer, count, &last);
        last_index = index;
        is_first = false;
    }
    hf_wire_close(writer, packed);
}

static void put_side(struct hf_wire_writer *writer, struct hf_message *side, unsigned down,
                     uint32_t spans, uint32_t deltas)
{
    if (side != NULL) {
        put_spans(writer, spans, buckets_of(side, down));
        put_deltas(writer, deltas, buckets_of(side, down));
    }
}

enum hf_status prw_native_write(struct hf_message *point, int64_t time_ms, int64_t start_ms,
                                struct hf_wire_writer *writer)
{
    const double zero_threshold = 1e-128;
    int64_t scale = hf_message_i64(point, POINT_SCALE);
    const unsigned down_max = 62;
    if (scale < PRW_SCALE_MIN) {
        return HF_INVALID;
    }
    unsigned down = scale > PRW_SCALE_MAX ? (unsigned)(scale - PRW_SCALE_MAX) : 0;
    down = down < down_max ? down : down_max;
    bool is_stale = (hf_message_u64(point, POINT_FLAGS) & FLAG_NO_VALUE) != 0;
    double threshold = hf_message_double(point, POINT_ZERO_THRESHOLD);
    hf_wire_put_varint(writer, NATIVE_COUNT, is_stale ? 0 : hf_message_u64(point, POINT_COUNT));
    hf_wire_put_fixed64(writer, NATIVE_SUM,
                        is_stale ? PRW_STALE_BITS : bits_of(hf_message_double(point, POINT_SUM)));
    hf_wire_put_varint(writer, NATIVE_SCHEMA,
                       zigzag(scale < PRW_SCALE_MAX ? scale : PRW_SCALE_MAX));
    hf_wire_put_fixed64(writer, NATIVE_ZERO_THRESHOLD,
                        bits_of(threshold > 0 ? threshold : zero_threshold));
    hf_wire_put_varint(writer, NATIVE_ZERO_COUNT,
                       is_stale ? 0 : hf_message_u64(point, POINT_ZERO_COUNT));
    if (!is_stale) {
        put_side(writer, hf_message_one(point, POINT_NEGATIVE), down, NATIVE_NEGATIVE_SPANS,
                 NATIVE_NEGATIVE_DELTAS);
        put_side(writer, hf_message_one(point, POINT_POSITIVE), down, NATIVE_POSITIVE_SPANS,
                 NATIVE_POSITIVE_DELTAS);
    }
    hf_wire_put_varint(writer, NATIVE_TIME, (uint64_t)time_ms);
    if (start_ms != 0) {
        hf_wire_put_varint(writer, NATIVE_START, (uint64_t)start_ms);
    }
    return hf_wire_status(writer);
}
