/*
 * gzip and zlib: read by libdeflate, the fastest there is for a text that is in memory as a whole,
 * written by ISA-L, which takes pieces and is three times as fast as libdeflate's level 1.
 */
#include <isa-l/igzip_lib.h>
#include <libdeflate.h>
#include <stdlib.h>

#include "compress_internal.h"
#include "util/vectors.h"

/* DEFLATE cannot do better: 258 bytes for two bits. */
#define RATIO_MAX 1032u
#define GUESS_RATIO 4u
#define OUT_LEAST 512u
#define INPUT_CHUNK (1u << 30)

typedef enum libdeflate_result libdeflate_decode(struct libdeflate_decompressor *decompressor,
                                                 const void *in, size_t in_size, void *out,
                                                 size_t out_size, size_t *ret_used,
                                                 size_t *ret_size);

const uint32_t hf_gzip_level_bytes[GZIP_LEVELS] = {ISAL_DEF_LVL1_DEFAULT, ISAL_DEF_LVL2_DEFAULT,
                                                   ISAL_DEF_LVL3_DEFAULT};

/* Room for more output, at least one byte, within the limit. */
static enum hf_status grow(struct hf_bytes *out, size_t wanted, size_t limit)
{
    if (wanted > limit) {
        wanted = limit;
    }
    return hf_bytes_reserve(out, wanted == 0 ? 1 : wanted);
}

/* libdeflate has no streaming: a text that does not fit is read again from its beginning into twice
 * the room. */
static enum hf_status decode_one(libdeflate_decode *decode, struct hf_slice in, size_t limit,
                                 struct hf_bytes *out, size_t *ret_used)
{
    struct codec_contexts *contexts = hf_codec_contexts();
    if (contexts != NULL && contexts->inflate == NULL) {
        contexts->inflate = libdeflate_alloc_decompressor();
    }
    if (contexts == NULL || contexts->inflate == NULL) {
        return HF_NOMEM;
    }
    for (;;) {
        size_t capacity = out->capacity < limit ? out->capacity : limit;
        size_t size = 0;
        enum libdeflate_result result =
            decode(contexts->inflate, in.data, in.size, out->data + out->size, capacity - out->size,
                   ret_used, &size);
        if (result == LIBDEFLATE_SUCCESS) {
            out->size += size;
            return HF_OK;
        }
        if (result != LIBDEFLATE_INSUFFICIENT_SPACE) {
            return HF_INVALID;
        }
        if (capacity >= limit) {
            return HF_TOO_LARGE;
        }
        enum hf_status status = grow(out, out->capacity * 2, limit);
        if (status != HF_OK) {
            return status;
        }
    }
}

static size_t most_of(struct hf_slice in)
{
    return in.size > SIZE_MAX / RATIO_MAX ? SIZE_MAX : in.size * RATIO_MAX;
}

static size_t add_capped(size_t a, size_t b)
{
    return a > SIZE_MAX - b ? SIZE_MAX : a + b;
}

/* The last four bytes are the sender's word for the size of the last member: believed as far as the
 * input can hold it. */
static size_t claimed_size(struct hf_slice in)
{
    const uint8_t *tail = in.data + in.size - 4;
    size_t claim =
        (size_t)tail[0] | (size_t)tail[1] << 8 | (size_t)tail[2] << 16 | (size_t)tail[3] << 24;
    size_t most = most_of(in);
    return claim < most ? claim : most;
}

enum hf_status hf_gzip_decode(struct hf_slice in, size_t limit, struct hf_bytes *out)
{
    if (in.size < 18) { /* header and trailer */
        return HF_INVALID;
    }
    enum hf_status status = grow(out, add_capped(out->size, claimed_size(in)), limit);
    while (status == HF_OK && in.size != 0) {
        size_t used = 0;
        status = decode_one(libdeflate_gzip_decompress_ex, in, limit, out, &used);
        in = hf_slice_of(in.data + used, in.size - used);
    }
    return status;
}

enum hf_status hf_zlib_decode(struct hf_slice in, size_t limit, struct hf_bytes *out)
{
    if (in.size < 6) {
        return HF_INVALID;
    }
    size_t guess = in.size > SIZE_MAX / GUESS_RATIO ? SIZE_MAX : in.size * GUESS_RATIO;
    enum hf_status status = grow(out, add_capped(out->size, guess + OUT_LEAST), limit);
    size_t used = 0;
    if (status == HF_OK) {
        status = decode_one(libdeflate_zlib_decompress_ex, in, limit, out, &used);
    }
    return status == HF_OK && used != in.size ? HF_INVALID : status;
}

/* 0: the default, 1; what is above 3 is 3, the most ISA-L does. */
static struct isal_zstream *begin(int level)
{
    struct codec_contexts *contexts = hf_codec_contexts();
    if (contexts == NULL) {
        return NULL;
    }
    unsigned number = level < 1 ? 1 : level > GZIP_LEVELS ? GZIP_LEVELS : (unsigned)level;
    uint8_t **buffer = &contexts->deflate_level[number - 1];
    /* Zeroed, because ISA-L's wide reads look at more of it than it has written. */
    if (*buffer == NULL) {
        *buffer = calloc(1, hf_gzip_level_bytes[number - 1]);
    }
    if (contexts->deflate == NULL) {
        contexts->deflate = calloc(1, sizeof(*contexts->deflate));
    }
    if (*buffer == NULL || contexts->deflate == NULL) {
        return NULL;
    }
    isal_deflate_init(contexts->deflate);
    contexts->deflate->level = number;
    contexts->deflate->level_buf = *buffer;
    contexts->deflate->level_buf_size = hf_gzip_level_bytes[number - 1];
    return contexts->deflate;
}

/* Runs until the input given is taken and, at the end of the stream, all is written. */
static enum hf_status run(struct isal_zstream *stream, struct hf_bytes *out)
{
    do {
        if (out->capacity - out->size < OUT_LEAST) {
            enum hf_status status = hf_bytes_reserve(out, out->capacity * 2 + OUT_LEAST);
            if (status != HF_OK) {
                return status;
            }
        }
        size_t room = out->capacity - out->size;
        stream->next_out = out->data + out->size;
        stream->avail_out = room > INPUT_CHUNK ? INPUT_CHUNK : (uint32_t)room;
        uint32_t before = stream->avail_out;
        int result = isal_deflate(stream);
        hf_vectors_clear();
        if (result != COMP_OK) {
            return HF_NOMEM;
        }
        out->size += before - stream->avail_out;
    } while (stream->avail_in != 0 ||
             (stream->end_of_stream && stream->internal_state.state != ZSTATE_END));
    return HF_OK;
}

enum hf_status hf_gzip_feed(struct isal_zstream *stream, struct hf_slice piece,
                            struct hf_bytes *out)
{
    enum hf_status status = HF_OK;
    while (piece.size != 0 && status == HF_OK) {
        uint32_t size = piece.size > INPUT_CHUNK ? INPUT_CHUNK : (uint32_t)piece.size;
        stream->next_in = (uint8_t *)(uintptr_t)piece.data; /* ISA-L only reads */
        stream->avail_in = size;
        status = run(stream, out);
        piece = hf_slice_of(piece.data + size, piece.size - size);
    }
    return status;
}

enum hf_status hf_gzip_end(struct isal_zstream *stream, struct hf_bytes *out)
{
    stream->end_of_stream = 1;
    stream->avail_in = 0;
    return run(stream, out);
}

static enum hf_status encode(const struct codec_input *input, uint16_t format, struct hf_bytes *out)
{
    struct isal_zstream *stream = begin(input->level);
    if (stream == NULL) {
        return HF_NOMEM;
    }
    stream->gzip_flag = format;
    enum hf_status status = hf_bytes_reserve(out, out->size + input->total / 4 + OUT_LEAST);
    for (size_t i = 0; i < input->count && status == HF_OK; i++) {
        status = hf_gzip_feed(stream, input->pieces[i], out);
    }
    return status == HF_OK ? hf_gzip_end(stream, out) : status;
}

enum hf_status hf_gzip_encode(const struct codec_input *input, struct hf_bytes *out)
{
    return encode(input, IGZIP_GZIP, out);
}

enum hf_status hf_zlib_encode(const struct codec_input *input, struct hf_bytes *out)
{
    return encode(input, IGZIP_ZLIB, out);
}
