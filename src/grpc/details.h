/*
 * details: the google.rpc.Status of grpc-status-details-bin, as far as it matters here: a RetryInfo
 * in it. Written and read without a protobuf library; what is unknown is skipped. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

/* Besides the message. */
#define HF_GRPC_DETAILS_ROOM 128

/*
 * A Status of `code` and `message` that asks to wait `retry_delay_ns`. `ret_bytes` has room for
 * HF_GRPC_DETAILS_ROOM more bytes than the message has. Returns the size.
 */
size_t hf_grpc_details_write(int code, struct hf_slice message, uint64_t retry_delay_ns,
                             uint8_t *ret_bytes);

/* True when there is a RetryInfo. Bytes that are no such message have none. */
HF_MUST_USE bool hf_grpc_details_retry(struct hf_slice details, uint64_t *ret_delay_ns);
