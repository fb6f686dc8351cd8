/*
 * wire_find: single fields of one message's bytes, for what only looks at a few and changes
 * nothing; message.h is for more. Any thread; no state, no allocation. Of malformed bytes what
 * stands before the fault is found.
 */
#pragma once

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "schema.h"
#include "wire.h"

/*
 * hf_wire_next(), inline for the fields that most are (tag and length in one byte each; a number of
 * 64 bits): for loops that many fields go through. `value` is not set when it is bytes.
 */
HF_MUST_USE static inline bool hf_wire_step(struct hf_wire *wire, struct hf_wire_field *ret_field)
{
    size_t left = hf_wire_left(*wire);
    const uint8_t *at = wire->at;
    const size_t head = 2;
    if (left >= head && (at[0] & 0x87) == HF_WIRE_BYTES && at[0] >= 8 && at[1] < 0x80 &&
        at[1] <= left - head) {
        size_t size = at[1];
        ret_field->number = at[0] >> 3;
        ret_field->wire = HF_WIRE_BYTES;
        ret_field->bytes = hf_slice_of(at + head, size);
        ret_field->whole = hf_slice_of(at, head + size);
        wire->at = at + head + size;
        return true;
    }
    if (left >= 1 + sizeof(ret_field->value) && (at[0] & 0x87) == HF_WIRE_64 && at[0] >= 8) {
        ret_field->number = at[0] >> 3;
        ret_field->wire = HF_WIRE_64;
        ret_field->bytes = HF_EMPTY_SLICE;
        memcpy(&ret_field->value, at + 1, sizeof(ret_field->value));
        ret_field->value = le64toh(ret_field->value);
        ret_field->whole = hf_slice_of(at, 1 + sizeof(ret_field->value));
        wire->at = at + 1 + sizeof(ret_field->value);
        return true;
    }
    return hf_wire_next(wire, ret_field);
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
