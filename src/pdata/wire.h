/*
 * wire: protobuf's framing, read by a cursor that carries its end and written into a growing
 * buffer.
 *
 * Nothing here knows a message. Reading never passes the end and never allocates; slices that it
 * yields point into what is read. Groups (wire types 3 and 4), field number 0 and varints of more
 * than 64 bits are refused; varints with needless zero bytes are allowed, as every decoder allows
 * them. A cursor and a writer are owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "schema.h"
#include "util/compress/compress.h"
#include "wire_varint.h"

#define HF_WIRE_NUMBER_MAX 536870911u /* 2^29 - 1, protobuf's largest field number */
#define HF_WIRE_VARINT_MAX 10u        /* bytes */

/* ---- reading ---- */

struct hf_wire {
    const uint8_t *at, *end;
};

static inline struct hf_wire hf_wire_of(struct hf_slice bytes)
{
    /* NULL plus nothing is not defined in C. */
    return (struct hf_wire){bytes.data, bytes.size == 0 ? bytes.data : bytes.data + bytes.size};
}

static inline bool hf_wire_at_end(struct hf_wire wire)
{
    return wire.at == wire.end;
}

static inline size_t hf_wire_left(struct hf_wire wire)
{
    return (size_t)(wire.end - wire.at);
}

struct hf_wire_number {
    const uint8_t *next; /* behind the varint; NULL: cut short, or more than 64 bits */
    uint64_t value;
};

/* The varint at `at`, of any size. By value, so that a caller's cursor stays in registers. */
struct hf_wire_number hf_wire_long_varint(struct hf_wire wire);

HF_MUST_USE static inline bool hf_wire_varint(struct hf_wire *wire, uint64_t *ret_value)
{
    if (wire->at != wire->end && *wire->at < 0x80) {
        *ret_value = *wire->at++;
        return true;
    }
    struct hf_wire_number number = hf_wire_long_varint(*wire);
    if (number.next == NULL) {
        return false;
    }
    wire->at = number.next;
    *ret_value = number.value;
    return true;
}

HF_MUST_USE static inline bool hf_wire_take(struct hf_wire *wire, uint64_t size,
                                            struct hf_slice *ret_bytes)
{
    if (size > hf_wire_left(*wire)) {
        return false;
    }
    *ret_bytes = hf_slice_of(wire->at, (size_t)size);
    wire->at = size == 0 ? wire->at : wire->at + size;
    return true;
}

/* A length and as many bytes. */
HF_MUST_USE static inline bool hf_wire_bytes(struct hf_wire *wire, struct hf_slice *ret_bytes)
{
    uint64_t size;
    return hf_wire_varint(wire, &size) && hf_wire_take(wire, size, ret_bytes);
}

/* One field with its value. */
struct hf_wire_field {
    uint32_t number;
    enum hf_schema_wire wire;
    uint64_t value;        /* VARINT, 64, 32: the bits */
    struct hf_slice bytes; /* BYTES: the content */
    struct hf_slice whole; /* tag, length and all: to copy it as it is */
};

/* The next field. False: it is malformed or cut short; at the end too: ask hf_wire_at_end() first.
 */
HF_MUST_USE bool hf_wire_next(struct hf_wire *wire, struct hf_wire_field *ret_field);

/* ---- writing ---- */

/*
 * Appends to `out`. When memory runs out the writer notes it and ignores what follows: ask
 * hf_wire_status() once at the end. Starts as {.out = bytes}.
 */
struct hf_wire_writer {
    struct hf_bytes *out; /* borrowed */
    bool failed;
};

HF_MUST_USE static inline enum hf_status hf_wire_status(const struct hf_wire_writer *writer)
{
    return writer->failed ? HF_NOMEM : HF_OK;
}

/* Room for `size` more bytes at the end, which the caller fills; NULL when memory has run out. */
uint8_t *hf_wire_room(struct hf_wire_writer *writer, size_t size);
void hf_wire_put_raw(struct hf_wire_writer *writer, struct hf_slice bytes);
void hf_wire_put_varint(struct hf_wire_writer *writer, uint32_t number, uint64_t value);
void hf_wire_put_fixed64(struct hf_wire_writer *writer, uint32_t number, uint64_t value);
void hf_wire_put_fixed32(struct hf_wire_writer *writer, uint32_t number, uint32_t value);
/* One number of a packed list, which has no tag. */
void hf_wire_put_packed(struct hf_wire_writer *writer, enum hf_schema_wire kind, uint64_t bits);
void hf_wire_put_bytes(struct hf_wire_writer *writer, uint32_t number, struct hf_slice bytes);

/*
 * A message inside, whose size is known only when it is written: open it, put its fields, close it.
 * The length gets the room that `expected_size` needs; a size that needs another room moves the
 * content when it is closed. Opened messages nest.
 */
struct hf_wire_message {
    size_t start; /* of the content, in the buffer */
    size_t room;  /* bytes kept for the length */
};

struct hf_wire_message hf_wire_open(struct hf_wire_writer *writer, uint32_t number,
                                    size_t expected_size);
void hf_wire_close(struct hf_wire_writer *writer, struct hf_wire_message message);
