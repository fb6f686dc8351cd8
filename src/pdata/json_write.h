/*
 * json_write: JSON text, written token by token straight into a buffer: for documents that
 * exporters make of views, without a tree between. Owned by one thread.
 *
 * The writer sets the commas. Text is taken to be UTF-8, as hf_scan() has seen to. When memory runs
 * out the writer notes it and ignores what follows: ask hf_json_write_status() once at the end.
 * Starts as {.out = bytes}.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

struct hf_json;

struct hf_json_writer {
    struct hf_bytes *out; /* borrowed */
    bool failed;
    bool behind_value; /* the next key or value needs a comma */
    bool html;         /* '<', '>' and '&' of texts and keys are escaped, too, as Go does it */
};

HF_MUST_USE static inline enum hf_status hf_json_write_status(const struct hf_json_writer *writer)
{
    return writer->failed ? HF_NOMEM : HF_OK;
}

/* Room for `size` more bytes, which the caller fills and then adds to `out->size`; NULL when memory
 * has run out. */
static inline uint8_t *hf_json_write_room(struct hf_json_writer *writer, size_t size)
{
    struct hf_bytes *out = writer->out;
    if (__builtin_expect(out->capacity - out->size < size, 0)) {
        if (writer->failed || size > PTRDIFF_MAX - out->size ||
            hf_bytes_reserve(out, out->size + size) != HF_OK) {
            writer->failed = true;
            return NULL;
        }
    }
    return out->data + out->size;
}

/* Bytes as they are, commas and all; what follows needs no comma. */
static inline void hf_json_write_bytes(struct hf_json_writer *writer, const void *bytes,
                                       size_t size)
{
    uint8_t *room = hf_json_write_room(writer, size);
    if (room != NULL && size != 0) {
        memcpy(room, bytes, size);
        writer->out->size += size;
    }
    writer->behind_value = false;
}

static inline void hf_json_write_comma(struct hf_json_writer *writer)
{
    if (writer->behind_value) {
        hf_json_write_bytes(writer, ",", 1);
    }
}

/* '{' or '['; '}' or ']'. */
static inline void hf_json_write_open(struct hf_json_writer *writer, char bracket)
{
    hf_json_write_comma(writer);
    hf_json_write_bytes(writer, &bracket, 1);
}

static inline void hf_json_write_close(struct hf_json_writer *writer, char bracket)
{
    hf_json_write_bytes(writer, &bracket, 1);
    writer->behind_value = true;
}

/* Any text as a key. */
void hf_json_write_key(struct hf_json_writer *writer, struct hf_slice key);

/* A literal that needs no escapes as a key: its size is known to the compiler. */
#define HF_JSON_WRITE_KEY(writer, name)                                                            \
    hf_json_write_literal_key((writer), ",\"" name "\":", sizeof(name) + 3)

static inline void hf_json_write_literal_key(struct hf_json_writer *writer, const char *with_comma,
                                             size_t size)
{
    size_t skip = writer->behind_value ? 0 : 1;
    hf_json_write_bytes(writer, with_comma + skip, size - skip);
}

/* A value that is JSON already. */
static inline void hf_json_write_made(struct hf_json_writer *writer, struct hf_slice json)
{
    hf_json_write_comma(writer);
    hf_json_write_bytes(writer, json.data, json.size);
    writer->behind_value = true;
}

void hf_json_write_text(struct hf_json_writer *writer, struct hf_slice text);
void hf_json_write_hex(struct hf_json_writer *writer, struct hf_slice bytes);
void hf_json_write_base64(struct hf_json_writer *writer, struct hf_slice bytes);
void hf_json_write_u64(struct hf_json_writer *writer, uint64_t value);
void hf_json_write_i64(struct hf_json_writer *writer, int64_t value);
void hf_json_write_bool(struct hf_json_writer *writer, bool value);
void hf_json_write_null(struct hf_json_writer *writer);
/* With a point or an exponent, so that a reader takes it for a float: 1.0. Null for NaN and the
 * infinities, which JSON has not. */
void hf_json_write_double(struct hf_json_writer *writer, double value);

/* A value as it was read; a number without a fraction has no point. */
void hf_json_write_value(struct hf_json_writer *writer, const struct hf_json *value);

/* How an AnyValue is written. */
struct hf_json_any_style {
    bool bytes_as_hex; /* else base64 */
    bool maps_as_text; /* a map is its text as hf_any_text() has it, in quotes */
};

/* An AnyValue's bytes; null when it is empty. Keys of a map as they come, repeats included. */
void hf_json_write_any(struct hf_json_writer *writer, struct hf_slice value,
                       const struct hf_json_any_style *style);
