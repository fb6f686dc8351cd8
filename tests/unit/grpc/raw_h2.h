/*
 * raw_h2: HTTP/2 frames by hand, for peers that behave as no library would, and a reader for what
 * comes back. Blocking sockets with a time-out; every function ends the test on failure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nghttp2/nghttp2.h>

#define RAW_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

struct raw_bytes {
    uint8_t data[256 * 1024];
    size_t size;
};

static inline void raw_put(struct raw_bytes *bytes, const void *data, size_t size)
{
    assert_true(size <= sizeof(bytes->data) - bytes->size);
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

static inline void raw_frame(struct raw_bytes *bytes, uint8_t type, uint8_t flags, uint32_t stream,
                             const void *payload, size_t size)
{
    const uint8_t head[9] = {(uint8_t)(size >> 16),
                             (uint8_t)(size >> 8),
                             (uint8_t)size,
                             type,
                             flags,
                             (uint8_t)(stream >> 24),
                             (uint8_t)(stream >> 16),
                             (uint8_t)(stream >> 8),
                             (uint8_t)stream};
    raw_put(bytes, head, sizeof(head));
    if (size != 0) {
        raw_put(bytes, payload, size);
    }
}

static inline void raw_hpack_number(struct raw_bytes *block, size_t number)
{
    uint8_t byte = number < 127 ? (uint8_t)number : 127;
    raw_put(block, &byte, 1);
    if (number >= 127) {
        for (number -= 127; number > 127; number >>= 7) {
            byte = (uint8_t)(number | 128);
            raw_put(block, &byte, 1);
        }
        byte = (uint8_t)number;
        raw_put(block, &byte, 1);
    }
}

/* A literal that is never indexed. */
static inline void raw_header(struct raw_bytes *block, const char *name, const char *value)
{
    raw_put(block, "\x10", 1);
    raw_hpack_number(block, strlen(name));
    raw_put(block, name, strlen(name));
    raw_hpack_number(block, strlen(value));
    raw_put(block, value, strlen(value));
}

/* `text`: "name: value" lines, a new line after each. */
static inline void raw_headers(struct raw_bytes *bytes, uint32_t stream, uint8_t flags,
                               const char *text)
{
    struct raw_bytes *block = calloc(1, sizeof(*block));
    assert_non_null(block);
    while (text[0] != '\0') {
        char name[256] = "", value[40000] = "";
        const char *end = strchr(text, '\n');
        const char *colon = strstr(text + 1, ": ");
        assert_true(end != NULL && colon != NULL && colon < end);
        assert_true((size_t)(end - colon - 2) < sizeof(value));
        memcpy(name, text, (size_t)(colon - text));
        memcpy(value, colon + 2, (size_t)(end - colon - 2));
        raw_header(block, name, value);
        text = end + 1;
    }
    /* Frames of 16 KiB are always taken, larger ones only after SETTINGS. */
    size_t first = block->size < 16384 ? block->size : 16384;
    bool whole = first == block->size;
    raw_frame(bytes, NGHTTP2_HEADERS, whole ? flags : (uint8_t)(flags & ~NGHTTP2_FLAG_END_HEADERS),
              stream, block->data, first);
    if (!whole) {
        raw_frame(bytes, NGHTTP2_CONTINUATION, flags & NGHTTP2_FLAG_END_HEADERS, stream,
                  block->data + first, block->size - first);
    }
    free(block);
}

/* A gRPC message in one DATA frame. */
static inline void raw_message(struct raw_bytes *bytes, uint32_t stream, uint8_t flags,
                               uint8_t compressed, const void *data, size_t size)
{
    struct raw_bytes *payload = calloc(1, sizeof(*payload));
    assert_non_null(payload);
    const uint8_t prefix[5] = {compressed, (uint8_t)(size >> 24), (uint8_t)(size >> 16),
                               (uint8_t)(size >> 8), (uint8_t)size};
    raw_put(payload, prefix, 5);
    raw_put(payload, data, size);
    raw_frame(bytes, NGHTTP2_DATA, flags, stream, payload->data, payload->size);
    free(payload);
}

static inline void raw_send(int fd, const struct raw_bytes *bytes)
{
    for (size_t at = 0; at < bytes->size;) {
        ssize_t sent = send(fd, bytes->data + at, bytes->size - at, MSG_NOSIGNAL);
        if (sent <= 0) {
            return; /* the peer has had enough: what it said before tells */
        }
        at += (size_t)sent;
    }
}

/* ---- reading ---- */

struct raw_reader {
    int fd;
    uint8_t payload[1 << 20];
    nghttp2_hd_inflater *inflater;
    /* The last frame. */
    size_t size;
    uint8_t type, flags;
    uint32_t stream;
    char headers[8192]; /* of a HEADERS frame: "name: value\n" each */
};

static inline struct raw_reader *raw_reader_new(int fd)
{
    struct raw_reader *reader = calloc(1, sizeof(*reader));
    assert_non_null(reader);
    reader->fd = fd;
    assert_int_equal(nghttp2_hd_inflate_new(&reader->inflater), 0);
    struct timeval patience = {.tv_sec = 20};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return reader;
}

static inline void raw_reader_free(struct raw_reader *reader)
{
    nghttp2_hd_inflate_del(reader->inflater);
    close(reader->fd);
    free(reader);
}

static inline bool raw_read_all(int fd, void *room, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t got = recv(fd, (uint8_t *)room + at, size - at, 0);
        if (got <= 0) {
            return false;
        }
        at += (size_t)got;
    }
    return true;
}

static inline void raw_inflate(struct raw_reader *reader)
{
    size_t used = 0;
    const uint8_t *in = reader->payload;
    size_t left = reader->size;
    reader->headers[0] = '\0';
    for (;;) {
        nghttp2_nv nv;
        int flags = 0;
        ssize_t taken = nghttp2_hd_inflate_hd2(reader->inflater, &nv, &flags, in, left, 1);
        assert_true(taken >= 0);
        in += taken;
        left -= (size_t)taken;
        if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
            int written = snprintf(reader->headers + used, sizeof(reader->headers) - used,
                                   "%s: %s\n", (const char *)nv.name, (const char *)nv.value);
            assert_true(written > 0);
            used += (size_t)written;
            assert_true(used < sizeof(reader->headers));
        }
        if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) {
            nghttp2_hd_inflate_end_headers(reader->inflater);
            return;
        }
        assert_true(left > 0 || (flags & NGHTTP2_HD_INFLATE_EMIT) != 0);
    }
}

/* False at the end of the connection. */
static inline bool raw_next(struct raw_reader *reader)
{
    uint8_t head[9];
    if (!raw_read_all(reader->fd, head, sizeof(head))) {
        return false;
    }
    reader->size = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
    reader->type = head[3];
    reader->flags = head[4];
    reader->stream = (uint32_t)head[5] << 24 | (uint32_t)head[6] << 16 | (uint32_t)head[7] << 8 |
                     (uint32_t)head[8];
    assert_true(reader->size <= sizeof(reader->payload));
    if (!raw_read_all(reader->fd, reader->payload, reader->size)) {
        return false;
    }
    if (reader->type == NGHTTP2_HEADERS) {
        raw_inflate(reader);
    }
    return true;
}

/* The next frame of that type; false when the connection ends before. */
static inline bool raw_find(struct raw_reader *reader, uint8_t type)
{
    while (raw_next(reader)) {
        if (reader->type == type) {
            return true;
        }
    }
    return false;
}

static inline uint32_t raw_word(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
           (uint32_t)bytes[3];
}
