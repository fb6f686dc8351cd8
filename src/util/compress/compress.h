/*
 * compress: the content codings of OTLP, in and out, each within a stated limit.
 *
 * Decoders read several members or frames (gzip, zstd, snappy framed) one after another, as their
 * formats allow, and stop at the limit while still reading: a decompression bomb costs `limit`
 * bytes and no more. Bytes behind the last member or frame are an error. No state is shared
 * (contexts are kept per thread): any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/batch.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

/* A growing buffer that its user keeps for reuse: zeroed at first, hf_bytes_release() at last. */
struct hf_bytes {
    uint8_t *data;
    size_t size, capacity;
};

/* Reserves `capacity` bytes in total; keeps the content. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_bytes_reserve(struct hf_bytes *bytes, size_t capacity);
HF_MUST_USE enum hf_status hf_bytes_append(struct hf_bytes *bytes, struct hf_slice more);
void hf_bytes_release(struct hf_bytes *bytes);

/*
 * Decodes the whole of `in` into `out` (its size is set, capacity reused). HF_INVALID for bytes
 * that are not that coding or end too early, HF_TOO_LARGE past `limit`, HF_NOMEM, HF_UNSUPPORTED
 * for a number that is no coding, HF_AGAIN where libsnappy is wanted and not installed.
 * HF_SNAPPY_BLOCK also takes the framed format when its stream header is there.
 */
HF_MUST_USE enum hf_status hf_decode(enum hf_coding coding, struct hf_slice in, size_t limit,
                                     struct hf_bytes *out);

/* Appends to `out`; `limit` is for the bytes added. On failure `out` keeps its
 * size. */
HF_MUST_USE enum hf_status hf_decode_append(enum hf_coding coding, struct hf_slice in, size_t limit,
                                            struct hf_bytes *out);

/* Encodes the pieces, taken as one text, and appends to `out`. `level` 0: the default (gzip 1, zstd
 * 1). HF_NOMEM; HF_AGAIN where libsnappy is wanted and not installed. */
HF_MUST_USE enum hf_status hf_encode(enum hf_coding coding, int level,
                                     const struct hf_slice *pieces, size_t count,
                                     struct hf_bytes *out);

/* By the content-coding's name as a header gives it ("", "identity", "gzip", "zstd", "snappy",
 * "deflate", "zlib"); HF_UNSUPPORTED. */
HF_MUST_USE enum hf_status hf_coding_by_name(struct hf_slice name, enum hf_coding *ret_coding);
