/*
 * build_attributes: attributes of whatever a builder has open. The sizes are known before, so that
 * each is written in one go.
 */
#include "build.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "build_internal.h"

enum {
    PAIR_KEY = 1, /* in KeyValue */
    PAIR_VALUE = 2,
    ANY_STRING = 1, /* in AnyValue */
    ANY_BOOL = 2,
    ANY_INT = 3,
    ANY_DOUBLE = 4,
    ANY_BYTES = 7,
};

/* All field numbers here fit a tag of one byte. */
#define TAG_SIZE 1u
#define TAG(number, wire) ((uint8_t)((number) << 3 | (wire)))

/*
 * Writes everything of an attribute but its value, which has `value_size` bytes: room for them is
 * what is returned. NULL when memory has run out.
 */
static uint8_t *put_pair(struct hf_builder *builder, struct hf_slice key, size_t value_size)
{
    uint32_t field = builder->attributes_field;
    assert(field != 0 && "what was opened last has attributes");
    key = hf_build_good_text(builder, key, &builder->repaired_key);
    size_t pair_size = TAG_SIZE + hf_wire_varint_size(key.size) + key.size + TAG_SIZE +
                       hf_wire_varint_size(value_size) + value_size;
    uint8_t *room =
        hf_wire_room(&builder->writer, TAG_SIZE + hf_wire_varint_size(pair_size) + pair_size);
    if (room == NULL) {
        return NULL;
    }
    *room++ = TAG(field, HF_WIRE_BYTES);
    room = hf_wire_write_varint(room, pair_size);
    *room++ = TAG(PAIR_KEY, HF_WIRE_BYTES);
    room = hf_wire_write_varint(room, key.size);
    if (key.size != 0) {
        memcpy(room, key.data, key.size);
        room += key.size;
    }
    *room++ = TAG(PAIR_VALUE, HF_WIRE_BYTES);
    return hf_wire_write_varint(room, value_size);
}

static void put_bytes(struct hf_builder *builder, struct hf_slice key, uint8_t number,
                      struct hf_slice bytes)
{
    uint8_t *room = put_pair(builder, key, TAG_SIZE + hf_wire_varint_size(bytes.size) + bytes.size);
    if (room == NULL) {
        return;
    }
    *room++ = TAG(number, HF_WIRE_BYTES);
    room = hf_wire_write_varint(room, bytes.size);
    if (bytes.size != 0) {
        memcpy(room, bytes.data, bytes.size);
    }
}

static void put_varint(struct hf_builder *builder, struct hf_slice key, uint8_t number,
                       uint64_t value)
{
    uint8_t *room = put_pair(builder, key, TAG_SIZE + hf_wire_varint_size(value));
    if (room != NULL) {
        *room++ = TAG(number, HF_WIRE_VARINT);
        hf_wire_write_varint(room, value);
    }
}

void hf_build_attribute_string(struct hf_builder *builder, struct hf_slice key,
                               struct hf_slice text)
{
    put_bytes(builder, key, ANY_STRING, hf_build_good_text(builder, text, &builder->repaired_text));
}

void hf_build_attribute_bytes(struct hf_builder *builder, struct hf_slice key,
                              struct hf_slice bytes)
{
    put_bytes(builder, key, ANY_BYTES, bytes);
}

void hf_build_attribute_int(struct hf_builder *builder, struct hf_slice key, int64_t integer)
{
    put_varint(builder, key, ANY_INT, (uint64_t)integer);
}

void hf_build_attribute_bool(struct hf_builder *builder, struct hf_slice key, bool boolean)
{
    put_varint(builder, key, ANY_BOOL, boolean);
}

void hf_build_attribute_double(struct hf_builder *builder, struct hf_slice key, double number)
{
    uint8_t *room = put_pair(builder, key, TAG_SIZE + sizeof(uint64_t));
    uint64_t bits;
    if (room != NULL) {
        memcpy(&bits, &number, sizeof(bits));
        bits = htole64(bits);
        *room++ = TAG(ANY_DOUBLE, HF_WIRE_64);
        memcpy(room, &bits, sizeof(bits));
    }
}

void hf_build_attribute_value(struct hf_builder *builder, struct hf_slice key,
                              struct hf_slice value)
{
    uint8_t *room = put_pair(builder, key, value.size);
    if (room != NULL && value.size != 0) {
        memcpy(room, value.data, value.size);
    }
}
