#include <assert.h>
#include <strings.h>

#include "compress_internal.h"

static enum hf_status identity_decode(struct hf_slice in, size_t limit, struct hf_bytes *out)
{
    return in.size > limit - out->size ? HF_TOO_LARGE : hf_bytes_append(out, in);
}

static enum hf_status identity_encode(const struct codec_input *input, struct hf_bytes *out)
{
    enum hf_status status = hf_bytes_reserve(out, out->size + input->total);
    for (size_t i = 0; i < input->count && status == HF_OK; i++) {
        status = hf_bytes_append(out, input->pieces[i]);
    }
    return status;
}

static const struct {
    enum hf_status (*decode)(struct hf_slice in, size_t limit, struct hf_bytes *out);
    enum hf_status (*encode)(const struct codec_input *input, struct hf_bytes *out);
} codecs[HF_CODING_COUNT] = {
    [HF_IDENTITY] = {identity_decode, identity_encode},
    [HF_GZIP] = {hf_gzip_decode, hf_gzip_encode},
    [HF_ZSTD] = {hf_zstd_decode, hf_zstd_encode},
    [HF_SNAPPY_FRAMED] = {hf_snappy_framed_decode, hf_snappy_framed_encode},
    [HF_DEFLATE] = {hf_zlib_decode, hf_zlib_encode},
    [HF_SNAPPY_BLOCK] = {hf_snappy_decode, hf_snappy_encode},
};

static bool is_coding(enum hf_coding coding)
{
    return (unsigned)coding < HF_CODING_COUNT;
}

enum hf_status hf_decode_append(enum hf_coding coding, struct hf_slice in, size_t limit,
                                struct hf_bytes *out)
{
    if (!is_coding(coding)) {
        return HF_UNSUPPORTED;
    }
    size_t before = out->size;
    /* No buffer is larger than PTRDIFF_MAX, and codecs may add 1 to their limit. */
    size_t room = (size_t)PTRDIFF_MAX - 1 - before;
    enum hf_status status = codecs[coding].decode(in, before + (limit < room ? limit : room), out);
    if (status != HF_OK) {
        out->size = before;
    }
    return status;
}

enum hf_status hf_decode(enum hf_coding coding, struct hf_slice in, size_t limit,
                         struct hf_bytes *out)
{
    out->size = 0;
    return hf_decode_append(coding, in, limit, out);
}

enum hf_status hf_encode(enum hf_coding coding, int level, const struct hf_slice *pieces,
                         size_t count, struct hf_bytes *out)
{
    assert(is_coding(coding));
    struct codec_input input = {.pieces = pieces, .count = count, .level = level};
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].size > UINT32_MAX - input.total) {
            return HF_NOMEM; /* the codecs count in 32 bits; no body comes near */
        }
        input.total += pieces[i].size;
    }
    size_t before = out->size;
    enum hf_status status = codecs[coding].encode(&input, out);
    if (status != HF_OK) {
        out->size = before;
    }
    return status;
}

enum hf_status hf_coding_by_name(struct hf_slice name, enum hf_coding *ret_coding)
{
    static const struct {
        const char *name;
        enum hf_coding coding;
    } names[] = {
        {"", HF_IDENTITY},    {"identity", HF_IDENTITY},   {"gzip", HF_GZIP},
        {"x-gzip", HF_GZIP},  {"zstd", HF_ZSTD},           {"deflate", HF_DEFLATE},
        {"zlib", HF_DEFLATE}, {"snappy", HF_SNAPPY_BLOCK}, {"x-snappy-framed", HF_SNAPPY_FRAMED}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t size = strlen(names[i].name);
        if (size == name.size &&
            (size == 0 || strncasecmp(names[i].name, (const char *)name.data, size) == 0)) {
            *ret_coding = names[i].coding;
            return HF_OK;
        }
    }
    return HF_UNSUPPORTED;
}
