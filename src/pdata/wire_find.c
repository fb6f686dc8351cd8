#include "wire_find.h"

bool hf_wire_find(struct hf_slice message, uint32_t number, struct hf_wire_field *ret_field)
{
    struct hf_wire wire = hf_wire_of(message);
    struct hf_wire_field field;
    bool found = false;
    while (!hf_wire_at_end(wire) && hf_wire_step(&wire, &field)) {
        if (field.number == number) {
            *ret_field = field;
            found = true;
        }
    }
    return found;
}

struct hf_slice hf_wire_find_bytes(struct hf_slice message, uint32_t number)
{
    struct hf_wire_field field;
    return hf_wire_find(message, number, &field) && field.wire == HF_WIRE_BYTES ? field.bytes
                                                                                : HF_EMPTY_SLICE;
}

uint64_t hf_wire_find_bits(struct hf_slice message, uint32_t number)
{
    struct hf_wire_field field;
    return hf_wire_find(message, number, &field) && field.wire != HF_WIRE_BYTES ? field.value : 0;
}

bool hf_wire_is_whole(struct hf_slice message)
{
    struct hf_wire wire = hf_wire_of(message);
    struct hf_wire_field field;
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_next(&wire, &field)) {
            return false;
        }
    }
    return true;
}

bool hf_wire_each(struct hf_wire *wire, uint32_t number, struct hf_slice *ret_bytes)
{
    struct hf_wire_field field;
    while (!hf_wire_at_end(*wire) && hf_wire_step(wire, &field)) {
        if (field.number == number && field.wire == HF_WIRE_BYTES) {
            *ret_bytes = field.bytes;
            return true;
        }
    }
    return false;
}

struct hf_wire_numbers hf_wire_numbers(struct hf_slice message, uint32_t number,
                                       enum hf_schema_wire kind)
{
    return (struct hf_wire_numbers){.message = hf_wire_of(message), .number = number, .kind = kind};
}

static bool next_packed(struct hf_wire *packed, enum hf_schema_wire kind, uint64_t *ret_bits)
{
    struct hf_slice bytes;
    uint64_t bits = 0;
    if (kind == HF_WIRE_VARINT) {
        return hf_wire_varint(packed, ret_bits);
    }
    if (!hf_wire_take(packed, kind == HF_WIRE_64 ? 8 : 4, &bytes)) {
        return false;
    }
    for (size_t i = bytes.size; i > 0; i--) {
        bits = bits << 8 | bytes.data[i - 1];
    }
    *ret_bits = bits;
    return true;
}

bool hf_wire_next_number(struct hf_wire_numbers *numbers, uint64_t *ret_bits)
{
    struct hf_wire_field field;
    while (hf_wire_at_end(numbers->packed) ||
           !next_packed(&numbers->packed, numbers->kind, ret_bits)) {
        if (hf_wire_at_end(numbers->message) || !hf_wire_next(&numbers->message, &field)) {
            return false;
        }
        if (field.number != numbers->number) {
            continue;
        }
        if (field.wire == numbers->kind) {
            *ret_bits = field.value;
            return true;
        }
        if (field.wire == HF_WIRE_BYTES) {
            numbers->packed = hf_wire_of(field.bytes);
        }
    }
    return true;
}
