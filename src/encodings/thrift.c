#include "thrift.h"

#include <string.h>

#define COMPACT_PROTOCOL 0x82u
#define COMPACT_VERSION 1u
#define BINARY_VERSION 0x80010000u

static uint64_t fail(struct hf_thrift *thrift)
{
    thrift->failed = true;
    thrift->at = thrift->end;
    return 0;
}

static size_t left(const struct hf_thrift *thrift)
{
    return (size_t)(thrift->end - thrift->at);
}

static uint8_t take_byte(struct hf_thrift *thrift)
{
    return thrift->at == thrift->end ? (uint8_t)fail(thrift) : *thrift->at++;
}

/* Big-endian, of `size` bytes. */
static uint64_t take_fixed(struct hf_thrift *thrift, size_t size)
{
    uint64_t value = 0;
    if (left(thrift) < size) {
        return fail(thrift);
    }
    for (size_t i = 0; i < size; i++) {
        value = value << 8 | *thrift->at++;
    }
    return value;
}

static uint64_t take_varint(struct hf_thrift *thrift)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = take_byte(thrift);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return thrift->failed ? 0 : value;
        }
    }
    return fail(thrift);
}

static int64_t take_zigzag(struct hf_thrift *thrift)
{
    uint64_t value = take_varint(thrift);
    return (int64_t)(value >> 1 ^ (0 - (value & 1)));
}

/* A size of bytes or a count of elements, each of at least one byte. */
static uint32_t take_size(struct hf_thrift *thrift)
{
    uint64_t size = thrift->is_compact ? take_varint(thrift) : take_fixed(thrift, 4);
    return size > left(thrift) ? (uint32_t)fail(thrift) : (uint32_t)size;
}

static enum hf_thrift_type type_of(struct hf_thrift *thrift, uint8_t number)
{
    static const uint8_t compact[] = {
        HF_THRIFT_STOP, HF_THRIFT_BOOL, HF_THRIFT_BOOL,   HF_THRIFT_BYTE,  HF_THRIFT_I16,
        HF_THRIFT_I32,  HF_THRIFT_I64,  HF_THRIFT_DOUBLE, HF_THRIFT_BYTES, HF_THRIFT_LIST,
        HF_THRIFT_SET,  HF_THRIFT_MAP,  HF_THRIFT_STRUCT};
    static const uint32_t binary = 1u << HF_THRIFT_STOP | 1u << HF_THRIFT_BOOL |
                                   1u << HF_THRIFT_BYTE | 1u << HF_THRIFT_DOUBLE |
                                   1u << HF_THRIFT_I16 | 1u << HF_THRIFT_I32 | 1u << HF_THRIFT_I64 |
                                   1u << HF_THRIFT_BYTES | 1u << HF_THRIFT_STRUCT |
                                   1u << HF_THRIFT_MAP | 1u << HF_THRIFT_SET | 1u << HF_THRIFT_LIST;
    if (thrift->is_compact && number < sizeof(compact)) {
        return (enum hf_thrift_type)compact[number];
    }
    if (!thrift->is_compact && number < 32 && (binary >> number & 1) != 0) {
        return (enum hf_thrift_type)number;
    }
    return (enum hf_thrift_type)fail(thrift);
}

static struct hf_thrift_field compact_field(struct hf_thrift *thrift, int16_t *last_id)
{
    uint8_t head = take_byte(thrift);
    uint8_t number = head & 0x0f;
    struct hf_thrift_field field = {.type = type_of(thrift, number)};
    if (field.type == HF_THRIFT_STOP) {
        return field;
    }
    field.id = head >> 4 != 0 ? (int16_t)(*last_id + (head >> 4)) : (int16_t)take_zigzag(thrift);
    *last_id = field.id;
    if (field.type == HF_THRIFT_BOOL) {
        thrift->has_bool = true;
        thrift->boolean = number == 1;
    }
    return field;
}

struct hf_thrift_field hf_thrift_field(struct hf_thrift *thrift, int16_t *last_id)
{
    struct hf_thrift_field field;
    if (thrift->is_compact) {
        field = compact_field(thrift, last_id);
    } else {
        field = (struct hf_thrift_field){.type = type_of(thrift, take_byte(thrift))};
        if (field.type != HF_THRIFT_STOP) {
            field.id = (int16_t)take_fixed(thrift, 2);
        }
    }
    return thrift->failed ? (struct hf_thrift_field){HF_THRIFT_STOP, 0} : field;
}

uint32_t hf_thrift_list(struct hf_thrift *thrift, enum hf_thrift_type *ret_type)
{
    uint8_t head = take_byte(thrift);
    *ret_type = type_of(thrift, thrift->is_compact ? head & 0x0f : head);
    if (!thrift->is_compact || head >> 4 == 15) {
        return take_size(thrift);
    }
    return head >> 4 > left(thrift) ? (uint32_t)fail(thrift) : head >> 4;
}

bool hf_thrift_bool(struct hf_thrift *thrift)
{
    if (thrift->has_bool) {
        thrift->has_bool = false;
        return thrift->boolean;
    }
    return take_byte(thrift) == 1;
}

int64_t hf_thrift_i16(struct hf_thrift *thrift)
{
    return thrift->is_compact ? take_zigzag(thrift) : (int16_t)take_fixed(thrift, 2);
}

int64_t hf_thrift_i32(struct hf_thrift *thrift)
{
    return thrift->is_compact ? take_zigzag(thrift) : (int32_t)take_fixed(thrift, 4);
}

int64_t hf_thrift_i64(struct hf_thrift *thrift)
{
    return thrift->is_compact ? take_zigzag(thrift) : (int64_t)take_fixed(thrift, 8);
}

double hf_thrift_double(struct hf_thrift *thrift)
{
    uint64_t bits = take_fixed(thrift, 8);
    double number;
    /* The compact protocol has doubles in little-endian order. */
    bits = thrift->is_compact ? __builtin_bswap64(bits) : bits;
    memcpy(&number, &bits, sizeof(number));
    return number;
}

struct hf_slice hf_thrift_bytes(struct hf_thrift *thrift)
{
    uint32_t size = take_size(thrift);
    struct hf_slice bytes = hf_slice_of(thrift->at, size);
    thrift->at = size == 0 ? thrift->at : thrift->at + size;
    return bytes;
}

static void skip(struct hf_thrift *thrift, enum hf_thrift_type type, unsigned depth);

static void skip_struct(struct hf_thrift *thrift, unsigned depth)
{
    int16_t last_id = 0;
    struct hf_thrift_field field = hf_thrift_field(thrift, &last_id);
    while (field.type != HF_THRIFT_STOP) {
        skip(thrift, field.type, depth);
        field = hf_thrift_field(thrift, &last_id);
    }
}

static void skip_list(struct hf_thrift *thrift, unsigned depth)
{
    enum hf_thrift_type type;
    uint32_t count = hf_thrift_list(thrift, &type);
    for (uint32_t i = 0; i < count && !thrift->failed; i++) {
        skip(thrift, type, depth);
    }
}

static void skip_map(struct hf_thrift *thrift, unsigned depth)
{
    enum hf_thrift_type key = HF_THRIFT_STOP, value = HF_THRIFT_STOP;
    uint32_t count;
    if (thrift->is_compact) {
        count = take_size(thrift);
        uint8_t types = count == 0 ? 0 : take_byte(thrift);
        key = type_of(thrift, types >> 4);
        value = type_of(thrift, types & 0x0f);
    } else {
        key = type_of(thrift, take_byte(thrift));
        value = type_of(thrift, take_byte(thrift));
        count = take_size(thrift);
    }
    for (uint32_t i = 0; i < count && !thrift->failed; i++) {
        skip(thrift, key, depth);
        skip(thrift, value, depth);
    }
}

static void skip(struct hf_thrift *thrift, enum hf_thrift_type type, unsigned depth)
{
    if (depth >= HF_THRIFT_DEPTH_MAX) {
        fail(thrift);
        return;
    }
    switch (type) {
    case HF_THRIFT_BOOL:
        (void)hf_thrift_bool(thrift);
        break;
    case HF_THRIFT_BYTE:
        (void)take_byte(thrift);
        break;
    case HF_THRIFT_I16:
        (void)hf_thrift_i16(thrift);
        break;
    case HF_THRIFT_I32:
        (void)hf_thrift_i32(thrift);
        break;
    case HF_THRIFT_I64:
        (void)hf_thrift_i64(thrift);
        break;
    case HF_THRIFT_DOUBLE:
        (void)hf_thrift_double(thrift);
        break;
    case HF_THRIFT_BYTES:
        (void)hf_thrift_bytes(thrift);
        break;
    case HF_THRIFT_STRUCT:
        skip_struct(thrift, depth + 1);
        break;
    case HF_THRIFT_MAP:
        skip_map(thrift, depth + 1);
        break;
    case HF_THRIFT_SET:
    case HF_THRIFT_LIST:
        skip_list(thrift, depth + 1);
        break;
    case HF_THRIFT_STOP:
        fail(thrift); /* as the type of an element */
        break;
    }
}

void hf_thrift_skip(struct hf_thrift *thrift, enum hf_thrift_type type)
{
    skip(thrift, type, 0);
}

static struct hf_thrift_message compact_message(struct hf_thrift *thrift)
{
    struct hf_thrift_message message = {0};
    uint8_t protocol = take_byte(thrift);
    uint8_t head = take_byte(thrift);
    if (protocol != COMPACT_PROTOCOL || (head & 0x1f) != COMPACT_VERSION) {
        fail(thrift);
    }
    message.kind = head >> 5;
    message.sequence = (int32_t)take_varint(thrift);
    message.name = hf_thrift_bytes(thrift);
    return message;
}

/* With a version word in front, as strict writers do, or without. */
static struct hf_thrift_message binary_message(struct hf_thrift *thrift)
{
    struct hf_thrift_message message = {0};
    bool is_strict = thrift->at != thrift->end && *thrift->at >= 0x80;
    if (is_strict) {
        uint32_t word = (uint32_t)take_fixed(thrift, 4);
        message.kind = (uint8_t)word;
        if ((word & 0xffff0000u) != BINARY_VERSION) {
            fail(thrift);
        }
    }
    message.name = hf_thrift_bytes(thrift);
    if (!is_strict) {
        message.kind = take_byte(thrift);
    }
    message.sequence = (int32_t)take_fixed(thrift, 4);
    return message;
}

struct hf_thrift_message hf_thrift_message(struct hf_thrift *thrift)
{
    struct hf_thrift_message message =
        thrift->is_compact ? compact_message(thrift) : binary_message(thrift);
    if (message.name.size > 256) {
        fail(thrift);
    }
    return message;
}
