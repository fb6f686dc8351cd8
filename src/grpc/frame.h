/*
 * frame: the five bytes before each gRPC message: a flag and the size of what follows.
 *
 * They may come split over any number of DATA frames, so they are collected by feeding. Owned by
 * one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#define HF_GRPC_PREFIX_BYTES 5u

/* Zeroed before the first byte. */
struct hf_grpc_prefix {
    uint8_t bytes[HF_GRPC_PREFIX_BYTES];
    uint8_t have;
    bool compressed; /* from here on: valid once it is whole */
    uint32_t size;
};

/*
 * Takes what belongs to the prefix from the front of `*data`. HF_OK: whole, and `*data` is at the
 * message. HF_AGAIN: all was taken and more is needed. HF_INVALID: the flag is neither 0 nor 1.
 */
HF_MUST_USE enum hf_status hf_grpc_prefix_feed(struct hf_grpc_prefix *prefix,
                                               struct hf_slice *data);
bool hf_grpc_prefix_is_whole(const struct hf_grpc_prefix *prefix);

void hf_grpc_prefix_write(uint8_t ret_bytes[HF_GRPC_PREFIX_BYTES], bool compressed, uint32_t size);
