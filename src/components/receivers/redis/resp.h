/*
 * resp: replies of the Redis protocol (RESP 2) to commands that are answered with one text. Pure;
 * any thread.
 */
#pragma once

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

#define REDIS_REPLY_BYTES_MAX ((size_t)16 << 20)

/* Appends a command of `count` words. HF_NOMEM. */
HF_MUST_USE enum hf_status redis_command_write(const char *const *words, size_t count,
                                               struct hf_bytes *bytes);

struct redis_reply {
    bool is_error;
    struct hf_slice text; /* of the bytes that were read */
    size_t size;          /* of the whole reply */
};

/* HF_AGAIN: more bytes are needed. HF_INVALID: no reply of that kind. HF_TOO_LARGE: its text is
 * longer than REDIS_REPLY_BYTES_MAX. */
HF_MUST_USE enum hf_status redis_reply_read(struct hf_slice bytes, struct redis_reply *ret_reply);
