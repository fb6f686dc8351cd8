/*
 * wire_varint: protobuf's numbers of variable size, written into room that is there. Any thread; no
 * state.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The bytes that a varint takes. */
static inline size_t hf_wire_varint_size(uint64_t value)
{
    unsigned bits = 64u - (unsigned)__builtin_clzll(value | 1);
    return (bits + 6u) / 7u;
}

/* Writes a varint into room that is there, and returns what follows it. */
static inline uint8_t *hf_wire_write_varint(uint8_t *room, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) {
        *room++ = (uint8_t)(value | 0x80);
    }
    *room++ = (uint8_t)value;
    return room;
}
