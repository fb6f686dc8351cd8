#include "wire.h"

#include <assert.h>
#include <endian.h>

struct hf_wire_number hf_wire_long_varint(struct hf_wire wire)
{
    const struct hf_wire_number refused = {NULL, 0};
    uint64_t value = 0;
    for (unsigned i = 0; i < HF_WIRE_VARINT_MAX && wire.at != wire.end; i++) {
        uint8_t byte = *wire.at++;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            /* The tenth byte has room for the 64th bit alone. */
            bool fits = i < HF_WIRE_VARINT_MAX - 1 || byte <= 1;
            return fits ? (struct hf_wire_number){wire.at, value} : refused;
        }
    }
    return refused;
}

static bool take_fixed(struct hf_wire *wire, size_t size, uint64_t *ret_value)
{
    struct hf_slice bytes;
    uint64_t value = 0;
    if (!hf_wire_take(wire, size, &bytes)) {
        return false;
    }
    memcpy(&value, bytes.data, size);
    *ret_value = le64toh(value);
    return true;
}

static bool take_value(struct hf_wire *wire, struct hf_wire_field *field)
{
    switch (field->wire) {
    case HF_WIRE_VARINT:
        return hf_wire_varint(wire, &field->value);
    case HF_WIRE_64:
        return take_fixed(wire, 8, &field->value);
    case HF_WIRE_BYTES:
        return hf_wire_bytes(wire, &field->bytes);
    case HF_WIRE_32:
        return take_fixed(wire, 4, &field->value);
    }
    return false;
}

bool hf_wire_next(struct hf_wire *wire, struct hf_wire_field *ret_field)
{
    struct hf_wire at = *wire;
    uint64_t tag;
    if (!hf_wire_varint(&at, &tag) || tag >> 3 == 0 || tag >> 3 > HF_WIRE_NUMBER_MAX) {
        return false;
    }
    struct hf_wire_field field = {.number = (uint32_t)(tag >> 3),
                                  .wire = (enum hf_schema_wire)(tag & 7)};
    if (!take_value(&at, &field)) {
        return false;
    }
    field.whole = hf_slice_of(wire->at, (size_t)(at.at - wire->at));
    *wire = at;
    *ret_field = field;
    return true;
}

uint8_t *hf_wire_room(struct hf_wire_writer *writer, size_t size)
{
    struct hf_bytes *out = writer->out;
    if (writer->failed) {
        return NULL;
    }
    if (size > out->capacity - out->size) {
        if (size > PTRDIFF_MAX - out->size || hf_bytes_reserve(out, out->size + size) != HF_OK) {
            writer->failed = true;
            return NULL;
        }
    }
    uint8_t *room = out->data + out->size;
    out->size += size;
    return room;
}

void hf_wire_put_raw(struct hf_wire_writer *writer, struct hf_slice bytes)
{
    uint8_t *room = bytes.size == 0 ? NULL : hf_wire_room(writer, bytes.size);
    if (room != NULL) {
        memcpy(room, bytes.data, bytes.size);
    }
}

/* A tag, and behind it room for `size` bytes. */
static uint8_t *put_tag(struct hf_wire_writer *writer, uint32_t number, enum hf_schema_wire wire,
                        size_t size)
{
    assert(number >= 1 && number <= HF_WIRE_NUMBER_MAX);
    uint64_t tag = (uint64_t)number << 3 | (uint64_t)wire;
    uint8_t *room = hf_wire_room(writer, hf_wire_varint_size(tag) + size);
    return room == NULL ? NULL : hf_wire_write_varint(room, tag);
}

void hf_wire_put_varint(struct hf_wire_writer *writer, uint32_t number, uint64_t value)
{
    uint8_t *room = put_tag(writer, number, HF_WIRE_VARINT, hf_wire_varint_size(value));
    if (room != NULL) {
        hf_wire_write_varint(room, value);
    }
}

void hf_wire_put_fixed64(struct hf_wire_writer *writer, uint32_t number, uint64_t value)
{
    uint8_t *room = put_tag(writer, number, HF_WIRE_64, 8);
    if (room != NULL) {
        value = htole64(value);
        memcpy(room, &value, 8);
    }
}

void hf_wire_put_fixed32(struct hf_wire_writer *writer, uint32_t number, uint32_t value)
{
    uint8_t *room = put_tag(writer, number, HF_WIRE_32, 4);
    if (room != NULL) {
        value = htole32(value);
        memcpy(room, &value, 4);
    }
}

void hf_wire_put_packed(struct hf_wire_writer *writer, enum hf_schema_wire kind, uint64_t bits)
{
    size_t size = kind == HF_WIRE_VARINT ? hf_wire_varint_size(bits) : kind == HF_WIRE_64 ? 8 : 4;
    uint8_t *room = hf_wire_room(writer, size);
    if (room == NULL) {
        return;
    }
    if (kind == HF_WIRE_VARINT) {
        hf_wire_write_varint(room, bits);
    } else {
        bits = htole64(bits);
        memcpy(room, &bits, size);
    }
}

void hf_wire_put_bytes(struct hf_wire_writer *writer, uint32_t number, struct hf_slice bytes)
{
    size_t length_size = hf_wire_varint_size(bytes.size);
    uint8_t *room = put_tag(writer, number, HF_WIRE_BYTES, length_size + bytes.size);
    if (room != NULL) {
        room = hf_wire_write_varint(room, bytes.size);
        if (bytes.size != 0) {
            memcpy(room, bytes.data, bytes.size);
        }
    }
}

struct hf_wire_message hf_wire_open(struct hf_wire_writer *writer, uint32_t number,
                                    size_t expected_size)
{
    struct hf_wire_message message = {.room = hf_wire_varint_size(expected_size)};
    put_tag(writer, number, HF_WIRE_BYTES, message.room);
    message.start = writer->out->size;
    return message;
}

void hf_wire_close(struct hf_wire_writer *writer, struct hf_wire_message message)
{
    struct hf_bytes *out = writer->out;
    if (writer->failed) {
        return;
    }
    assert(message.start >= message.room && message.start <= out->size);
    size_t size = out->size - message.start;
    size_t room = hf_wire_varint_size(size);
    size_t length_at = message.start - message.room;
    if (room != message.room) {
        if (room > message.room && hf_wire_room(writer, room - message.room) == NULL) {
            return;
        }
        memmove(out->data + length_at + room, out->data + message.start, size);
        out->size = length_at + room + size;
    }
    hf_wire_write_varint(out->data + length_at, size);
}
