/*
 * frames: bytes that are appended to a file, each frame under a checksum of its own, and read again
 * as far as they are whole: a kill or a power cut damages only what was appended last. Numbers
 * stand in the byte order of the machine. A frame is never empty, so a tail of zeros, which some
 * file systems leave after a power cut, has none. No state; the caller's thread.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

#define HF_FRAME_HEAD_BYTES 8u
#define HF_FRAME_BYTES_MAX ((size_t)1 << 30)

/* The head of a frame of `first` and then `second`, which may be empty; the caller writes all three
 * in this order. */
void hf_frame_head(uint8_t ret_head[HF_FRAME_HEAD_BYTES], struct hf_slice first,
                   struct hf_slice second);

/* Reads the frame at the position of the file, without its head, in place of the content of
 * `frame`. HF_NOT_FOUND: there is none that is whole. HF_NOMEM. The position stays unless it is
 * HF_OK. */
HF_MUST_USE enum hf_status hf_frame_next(FILE *file, struct hf_bytes *frame);
