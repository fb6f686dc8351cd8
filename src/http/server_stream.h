/*
 * server_stream: a body of an answer that is made while it is sent, at the pace of the client.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Embed it. */
struct hf_http_stream {
    /* A pool thread: writes at most `size` bytes, and returns how many; 0: the body ends, negative:
     * it cannot be made, and the connection ends within it. */
    ssize_t (*read)(struct hf_http_stream *stream, uint8_t *out, size_t size);
    /* Any thread, once: read to its end, or not. */
    void (*free)(struct hf_http_stream *stream);
};
