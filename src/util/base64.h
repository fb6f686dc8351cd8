/*
 * base64: bytes as text and back (RFC 4648, 4 and 5). Any thread; no state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

/* What `size` bytes need at most, without a NUL. */
#define HF_BASE64_SIZE(size) (((size) + 2) / 3 * 4)
/* What `size` characters decode to at most. */
#define HF_BASE64_DECODED_SIZE(size) ((size) / 4 * 3 + 3)

/* Forms, as bits. None of them: + and /, padded. */
#define HF_BASE64_URL 1u         /* - and _ in place of + and / */
#define HF_BASE64_RAW 2u         /* without padding */
#define HF_BASE64_ANY_LETTERS 4u /* when decoding: + and -, / and _ are the same */
#define HF_BASE64_ANY_PADDING 8u /* when decoding: all the padding, or none */
#define HF_BASE64_LINES 16u      /* when decoding: CR and LF between the letters are skipped */
#define HF_BASE64_ANY (HF_BASE64_ANY_LETTERS | HF_BASE64_ANY_PADDING)

/* Writes it without a NUL, and returns its size. */
size_t hf_base64_encode(struct hf_slice bytes, unsigned form, char *room);
/* The same, padded. */
size_t hf_base64_print(struct hf_slice bytes, char *room);
/* False: not base64 of that form. Bits behind the last whole byte are ignored. */
HF_MUST_USE bool hf_base64_decode(struct hf_slice text, unsigned form, uint8_t *room,
                                  size_t *ret_size);
