/*
 * text: the encodings of gRPC header values: base64 for `-bin`, percent signs for grpc-message, and
 * the number and unit of grpc-timeout. No state; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

/* Room for the base64 of `size` bytes, and for what `size` characters decode to. */
#define HF_GRPC_BASE64_ROOM(size) (((size) + 2) / 3 * 4)
#define HF_GRPC_BASE64_DECODED_ROOM(size) ((size) / 4 * 3 + 3)

/* Without padding, as gRPC emits it. Returns the size written. */
size_t hf_grpc_base64_encode(struct hf_slice in, char *ret_text);
/* Padded or not. False when it is not base64. */
HF_MUST_USE bool hf_grpc_base64_decode(struct hf_slice text, uint8_t *ret_bytes, size_t *ret_size);

/* Stops before the first byte that would not fit, never within an escape. Returns the size. */
size_t hf_grpc_percent_encode(struct hf_slice in, char *ret_text, size_t room);
/* Lenient: a broken escape stays as it is. The result is cut to fit and NUL-terminated. */
void hf_grpc_percent_decode(struct hf_slice in, char *ret_text, size_t room);

/* One to eight digits and one of H M S m u n. False for anything else. */
HF_MUST_USE bool hf_grpc_timeout_parse(struct hf_slice text, uint64_t *ret_ns);
/* In the finest unit that eight digits hold, rounded up. Returns the size, at most 9. */
size_t hf_grpc_timeout_write(uint64_t ns, char ret_text[10]);
