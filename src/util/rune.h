/*
 * rune: one character of a UTF-8 text, read and written. Any thread; no state.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>

#define HF_RUNE_MAX 4u /* bytes */
#define HF_RUNE_BAD 0xfffdu

struct hf_rune {
    uint32_t code; /* HF_RUNE_BAD: no character of UTF-8 */
    size_t size;   /* 1 for a byte that is none; U+FFFD itself has 3 */
};

/* The character at `at`, which is below the size: by RFC 3629, so that overlong forms, surrogates
 * and what is above U+10FFFF are none. */
struct hf_rune hf_rune_at(struct hf_slice text, size_t at);

/* Writes a code point up to U+10FFFF, a surrogate in 3 bytes. Returns the number of bytes. */
size_t hf_rune_put(uint32_t code, uint8_t room[HF_RUNE_MAX]);
