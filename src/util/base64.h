/*
 * base64: bytes as text (RFC 4648, 4). Any thread; no state.
 */
#pragma once

#include <holdfast/slice.h>

/* What `size` bytes need, without a NUL. */
#define HF_BASE64_SIZE(size) (((size) + 2) / 3 * 4)

/* Writes it, padded, without a NUL, and returns its size. */
size_t hf_base64_print(struct hf_slice bytes, char *room);
