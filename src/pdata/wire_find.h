/*
 * wire_find: single fields of one message's bytes, for what only looks at a few and changes
 * nothing; message.h is for more. Any thread; no state, no allocation. Of malformed bytes what
 * stands before the fault is found.
 */
#pragma once

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "schema.h"
#include "wire.h"

/*
 * hf_wire_next(), inline for the fields that most are, with a tag of one byte: lengths of one or
 * two bytes, 64 bits, numbers of one byte. For loops that many fields go through.
 */
HF_MUST_USE static inline bool hf_wire_step(struct hf_wire *wire, struct hf_wire_field *ret_field)
{
    size_t left = hf_wire_left(*wire);
    const uint8_t *at = wire->at;
    const size_t head = 2, fixed = 1 + sizeof(uint64_t);
    if (left < head || at[0] < 8 || at[0] >= 0x80) {
        return hf_wire_next(wire, ret_field);
    }
    size_t size = head; /* of the field */
    uint64_t value = 0;
    struct hf_slice bytes = HF_EMPTY_SLICE;
    unsigned kind = at[0] & 7;
    if (kind == HF_WIRE_BYTES && at[1] < 0x80 && at[1] <= left - head) {
        bytes = hf_slice_of(at + head, at[1]);
        size += bytes.size;
    } else if (kind == HF_WIRE_BYTES && left > head && at[2] < 0x80 &&
               (size_t)(at[1] & 0x7f) + 128u * at[2] <= left - head - 1) {
        bytes = hf_slice_of(at + head + 1, (size_t)(at[1] & 0x7f) + 128u * at[2]);
        size += 1 + bytes.size;
    } else if (kind == HF_WIRE_64 && left >= fixed) {
        memcpy(&value, at + 1, sizeof(value));
        value = le64toh(value);
        size = fixed;
    } else if (kind == HF_WIRE_VARINT && at[1] < 0x80) {
        value = at[1];
    } else {
        return hf_wire_next(wire, ret_field);
    }
    ret_field->number = at[0] >> 3;
    ret_field->wire = (enum hf_schema_wire)kind;
    ret_field->value = value;
    ret_field->bytes = bytes;
    ret_field->whole = hf_slice_of(at, size);
    wire->at = at + size;
    return true;
}

/* Goes over fields of that number, below 16, which stand here in a row: attributes. What is not
 * plain (tag and length in one byte each) is left to be read. */
static inline void hf_wire_skip_row(struct hf_wire *wire, uint32_t number)
{
    const uint8_t tag = (uint8_t)(number << 3 | HF_WIRE_BYTES);
    const size_t head = 2;
    const uint8_t *at = wire->at;
    size_t left = hf_wire_left(*wire);
    while (left >= head && at[0] == tag && at[1] < 0x80 && at[1] <= left - head) {
        left -= head + at[1];
        at += head + at[1];
    }
    wire->at = at;
}

/* The last field of that number: what counts for one that is not repeated. False: there is none. */
HF_MUST_USE bool hf_wire_find(struct hf_slice message, uint32_t number,
                              struct hf_wire_field *ret_field);
/* Its content, or its bits; nothing and 0 when there is none, or one of another framing. */
struct hf_slice hf_wire_find_bytes(struct hf_slice message, uint32_t number);
uint64_t hf_wire_find_bits(struct hf_slice message, uint32_t number);

/* Is it well formed to its end? Fields inside fields are not looked at. */
HF_MUST_USE bool hf_wire_is_whole(struct hf_slice message);

/* Steps through the length-delimited fields of that number; starts as hf_wire_of(message). */
HF_MUST_USE bool hf_wire_each(struct hf_wire *wire, uint32_t number, struct hf_slice *ret_bytes);

/* Steps through the numbers of a list, packed or not. */
struct hf_wire_numbers {
    struct hf_wire message, packed;
    uint32_t number;
    enum hf_schema_wire kind; /* of one that is not packed */
};

struct hf_wire_numbers hf_wire_numbers(struct hf_slice message, uint32_t number,
                                       enum hf_schema_wire kind);
HF_MUST_USE bool hf_wire_next_number(struct hf_wire_numbers *numbers, uint64_t *ret_bits);
