/*
 * hex: bytes as hexadecimal digits, and back. Any thread; no state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

/* The value of a digit in either case; -1: it is none. */
static inline int hf_hex_digit(int byte)
{
    return byte >= '0' && byte <= '9'   ? byte - '0'
           : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
           : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
                                        : -1;
}

/* Two digits per byte, into text.size / 2 bytes. False: something else, or an odd number. */
HF_MUST_USE bool hf_hex_read(struct hf_slice text, uint8_t *ret_bytes);
/* Two lower-case digits per byte, without a NUL. Returns 2 * bytes.size. */
size_t hf_hex_write(struct hf_slice bytes, char *ret_text);
