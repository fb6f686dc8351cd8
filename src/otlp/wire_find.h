/*
 * wire_find: single fields of one message's bytes, for what only looks at a few and changes
 * nothing; message.h is for more. Any thread; no state, no allocation. Of malformed bytes what
 * stands before the fault is found.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "schema.h"
#include "wire.h"

/* The last field of that number: what counts for one that is not repeated. False: there is none. */
HF_MUST_USE bool hf_wire_find(struct hf_slice message, uint32_t number,
                              struct hf_wire_field *ret_field);
/* Its content, or its bits; nothing and 0 when there is none, or one of another framing. */
struct hf_slice hf_wire_find_bytes(struct hf_slice message, uint32_t number);
uint64_t hf_wire_find_bits(struct hf_slice message, uint32_t number);

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
