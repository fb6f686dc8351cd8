/*
 * text: the encodings of gRPC header values: percent signs for grpc-message, and the number and
 * unit of grpc-timeout. No state; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

/* Stops before the first byte that would not fit, never within an escape. Returns the size. */
size_t hf_grpc_percent_encode(struct hf_slice in, char *ret_text, size_t room);
/* Lenient: a broken escape stays as it is. The result is cut to fit and NUL-terminated. */
void hf_grpc_percent_decode(struct hf_slice in, char *ret_text, size_t room);

/* One to eight digits and one of H M S m u n. False for anything else. */
HF_MUST_USE bool hf_grpc_timeout_parse(struct hf_slice text, uint64_t *ret_ns);
/* In the finest unit that eight digits hold, rounded up. Returns the size, at most 9. */
size_t hf_grpc_timeout_write(uint64_t ns, char ret_text[10]);
