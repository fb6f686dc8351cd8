/*
 * compress_snappy: one block (what HTTP calls "snappy") and the framed stream (what gRPC calls so).
 *
 * The stream: a stream identifier, then chunks of one type byte, three bytes of length (little
 * endian), and content. Data chunks carry a masked CRC32C of their plain text and at most 64 KiB of
 * it.
 */
#include <stdlib.h>

#include "compress_internal.h"
#include "snappy_library.h"
#include "util/checksum.h"

#define CHUNK_PLAIN_MAX 65536u
#define CHUNK_HEADER 4u
#define CHUNK_CRC 4u
/* A copy element makes 64 bytes of 3. */
#define RATIO_MAX 22u

enum chunk_type {
    CHUNK_COMPRESSED = 0x00,
    CHUNK_PLAIN = 0x01,
    CHUNK_SKIPPABLE = 0x80, /* and above */
    CHUNK_IDENTIFIER = 0xff
};

static const uint8_t identifier[10] = {0xff, 6, 0, 0, 's', 'N', 'a', 'P', 'p', 'Y'};

static bool is_framed(struct hf_slice in)
{
    return in.size >= sizeof(identifier) && memcmp(in.data, identifier, sizeof(identifier)) == 0;
}

static enum hf_status decode_block(struct hf_slice in, size_t limit, struct hf_bytes *out)
{
    const struct hf_snappy_library *snappy = hf_snappy_library();
    size_t size;
    if (snappy == NULL) {
        return HF_AGAIN;
    }
    if (in.size == 0 ||
        snappy->uncompressed_length((const char *)in.data, in.size, &size) != SNAPPY_OK) {
        return HF_INVALID;
    }
    if (size > limit - out->size) {
        return HF_TOO_LARGE;
    }
    if (size / RATIO_MAX > in.size) {
        return HF_INVALID;
    }
    enum hf_status status = hf_bytes_reserve(out, out->size + size + 1);
    if (status != HF_OK) {
        return status;
    }
    if (snappy->uncompress((const char *)in.data, in.size, (char *)out->data + out->size, &size) !=
        SNAPPY_OK) {
        return HF_INVALID;
    }
    out->size += size;
    return HF_OK;
}

enum hf_status hf_snappy_decode(struct hf_slice in, size_t limit, struct hf_bytes *out)
{
    return is_framed(in) ? hf_snappy_framed_decode(in, limit, out) : decode_block(in, limit, out);
}

static uint32_t masked_crc(const uint8_t *data, size_t size)
{
    uint32_t crc = hf_crc32c(0, data, size);
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static uint32_t read_le(const uint8_t *data, size_t size)
{
    uint32_t value = 0;
    for (size_t i = 0; i < size; i++) {
        value |= (uint32_t)data[i] << (8 * i);
    }
    return value;
}

static enum hf_status decode_data(enum chunk_type type, struct hf_slice content, size_t limit,
                                  struct hf_bytes *out)
{
    if (content.size < CHUNK_CRC) {
        return HF_INVALID;
    }
    uint32_t crc = read_le(content.data, CHUNK_CRC);
    struct hf_slice data = hf_slice_of(content.data + CHUNK_CRC, content.size - CHUNK_CRC);
    size_t before = out->size;
    enum hf_status status;
    if (type == CHUNK_COMPRESSED) {
        status = decode_block(data, limit, out);
    } else if (data.size > limit - out->size) {
        status = HF_TOO_LARGE;
    } else {
        status = hf_bytes_append(out, data);
    }
    if (status != HF_OK) {
        return status;
    }
    size_t size = out->size - before;
    bool good = size <= CHUNK_PLAIN_MAX && (size == 0 || out->data != NULL) &&
                masked_crc(size == 0 ? identifier : out->data + before, size) == crc;
    return good ? HF_OK : HF_INVALID;
}

enum hf_status hf_snappy_framed_decode(struct hf_slice in, size_t limit, struct hf_bytes *out)
{
    if (!is_framed(in)) {
        return HF_INVALID;
    }
    enum hf_status status = HF_OK;
    while (in.size != 0 && status == HF_OK) {
        if (in.size < CHUNK_HEADER) {
            return HF_INVALID;
        }
        size_t size = read_le(in.data + 1, 3);
        if (size > in.size - CHUNK_HEADER) {
            return HF_INVALID;
        }
        struct hf_slice content = hf_slice_of(in.data + CHUNK_HEADER, size);
        enum chunk_type type = in.data[0];
        if (type == CHUNK_IDENTIFIER) {
            status = is_framed(in) && size == 6 ? HF_OK : HF_INVALID;
        } else if (type == CHUNK_COMPRESSED || type == CHUNK_PLAIN) {
            status = decode_data(type, content, limit, out);
        } else if (type < CHUNK_SKIPPABLE) {
            status = HF_INVALID;
        }
        in = hf_slice_of(content.data + size, in.size - CHUNK_HEADER - size);
    }
    return status;
}

/* Snappy wants its text in one piece. Copies only when there are several; *ret_copy is to be freed.
 */
static enum hf_status join(const struct codec_input *input, struct hf_slice *ret_text,
                           uint8_t **ret_copy)
{
    *ret_copy = NULL;
    if (input->count <= 1) {
        *ret_text = input->count == 1 ? input->pieces[0] : HF_EMPTY_SLICE;
        return HF_OK;
    }
    uint8_t *copy = malloc(input->total + 1);
    if (copy == NULL) {
        return HF_NOMEM;
    }
    size_t size = 0;
    for (size_t i = 0; i < input->count; i++) {
        if (input->pieces[i].size != 0) {
            memcpy(copy + size, input->pieces[i].data, input->pieces[i].size);
            size += input->pieces[i].size;
        }
    }
    *ret_text = hf_slice_of(copy, size);
    *ret_copy = copy;
    return HF_OK;
}

static enum hf_status encode_block(struct hf_slice text, struct hf_bytes *out)
{
    const struct hf_snappy_library *snappy = hf_snappy_library();
    if (snappy == NULL) {
        return HF_AGAIN;
    }
    size_t size = snappy->max_compressed_length(text.size);
    enum hf_status status = hf_bytes_reserve(out, out->size + size);
    if (status != HF_OK) {
        return status;
    }
    const char *data = text.size == 0 ? "" : (const char *)text.data;
    if (snappy->compress(data, text.size, (char *)out->data + out->size, &size) != SNAPPY_OK) {
        return HF_NOMEM;
    }
    out->size += size;
    return HF_OK;
}

static enum hf_status encode_chunks(struct hf_slice text, struct hf_bytes *out)
{
    enum hf_status status = hf_bytes_append(out, hf_slice_of(identifier, sizeof(identifier)));
    while (text.size != 0 && status == HF_OK) {
        size_t size = text.size < CHUNK_PLAIN_MAX ? text.size : CHUNK_PLAIN_MAX;
        size_t start = out->size;
        uint8_t head[CHUNK_HEADER + CHUNK_CRC] = {CHUNK_COMPRESSED};
        status = hf_bytes_append(out, hf_slice_of(head, sizeof(head)));
        if (status == HF_OK) {
            status = encode_block(hf_slice_of(text.data, size), out);
        }
        if (status == HF_OK) {
            size_t length = out->size - start - CHUNK_HEADER;
            uint32_t crc = masked_crc(text.data, size);
            for (unsigned i = 0; i < 3; i++) {
                out->data[start + 1 + i] = (uint8_t)(length >> (8 * i));
            }
            for (unsigned i = 0; i < CHUNK_CRC; i++) {
                out->data[start + CHUNK_HEADER + i] = (uint8_t)(crc >> (8 * i));
            }
        }
        text = hf_slice_of(text.data + size, text.size - size);
    }
    return status;
}

enum hf_status hf_snappy_encode(const struct codec_input *input, struct hf_bytes *out)
{
    struct hf_slice text;
    uint8_t *copy;
    enum hf_status status = join(input, &text, &copy);
    if (status == HF_OK) {
        status = encode_block(text, out);
    }
    free(copy);
    return status;
}

enum hf_status hf_snappy_framed_encode(const struct codec_input *input, struct hf_bytes *out)
{
    struct hf_slice text;
    uint8_t *copy;
    enum hf_status status = join(input, &text, &copy);
    if (status == HF_OK) {
        status = encode_chunks(text, out);
    }
    free(copy);
    return status;
}
