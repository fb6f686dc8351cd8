/*
 * compress_internal: the codecs, one file each, for src/util/compress only.
 *
 * Contexts are expensive to make, so each thread keeps its own until it ends.
 */
#pragma once

#include "compress.h"

struct libdeflate_decompressor;
struct isal_zstream;
struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

#define GZIP_LEVELS 3

struct codec_contexts {
    struct libdeflate_decompressor *inflate;
    struct isal_zstream *deflate;
    uint8_t *deflate_level[GZIP_LEVELS]; /* work space of levels 1 to 3 */
    struct ZSTD_CCtx_s *zstd_out;
    struct ZSTD_DCtx_s *zstd_in;
};

/* The contexts of this thread, made when first needed. NULL: out of memory. */
struct codec_contexts *hf_codec_contexts(void);

/* Each appends to `out`, so that its size never passes `limit`. Statuses as hf_decode(). */
enum hf_status hf_gzip_decode(struct hf_slice in, size_t limit, struct hf_bytes *out);
enum hf_status hf_zlib_decode(struct hf_slice in, size_t limit, struct hf_bytes *out);
enum hf_status hf_zstd_decode(struct hf_slice in, size_t limit, struct hf_bytes *out);
enum hf_status hf_snappy_decode(struct hf_slice in, size_t limit, struct hf_bytes *out);
enum hf_status hf_snappy_framed_decode(struct hf_slice in, size_t limit, struct hf_bytes *out);

/* compress_gzip.c: what is written to a stream that was begun. HF_NOMEM. */
extern const uint32_t hf_gzip_level_bytes[GZIP_LEVELS];
HF_MUST_USE enum hf_status hf_gzip_feed(struct isal_zstream *stream, struct hf_slice piece,
                                        struct hf_bytes *out);
HF_MUST_USE enum hf_status hf_gzip_end(struct isal_zstream *stream, struct hf_bytes *out);

/* `total` is the size of all pieces. */
struct codec_input {
    const struct hf_slice *pieces;
    size_t count, total;
    int level;
};
enum hf_status hf_gzip_encode(const struct codec_input *input, struct hf_bytes *out);
enum hf_status hf_zlib_encode(const struct codec_input *input, struct hf_bytes *out);
enum hf_status hf_zstd_encode(const struct codec_input *input, struct hf_bytes *out);
enum hf_status hf_snappy_encode(const struct codec_input *input, struct hf_bytes *out);
enum hf_status hf_snappy_framed_encode(const struct codec_input *input, struct hf_bytes *out);
