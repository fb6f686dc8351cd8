/*
 * Bytes as each content coding: whatever they are, decoding ends with a status, within its limit
 * and without reading past their end; and what does decode survives being encoded and decoded
 * again.
 *
 * The first byte chooses the coding, the second the limit.
 *
 * Must reach: hf_decode_append, hf_gzip_decode, hf_zlib_decode, hf_zstd_decode, hf_snappy_decode,
 * hf_snappy_framed_decode, hf_encode, decode_data, reserve_frame.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/compress/compress.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    enum hf_coding coding = (enum hf_coding)(data[0] % HF_CODING_COUNT);
    size_t limit = (size_t)64 << data[1] % 12;
    struct hf_bytes plain = {0}, coded = {0}, again = {0};
    if (hf_decode(coding, hf_slice_of(data + 2, size - 2), limit, &plain) == HF_OK) {
        struct hf_slice text = hf_slice_of(plain.data, plain.size);
        if (plain.size > limit || hf_encode(coding, 0, &text, 1, &coded) != HF_OK ||
            hf_decode(coding, hf_slice_of(coded.data, coded.size), limit, &again) != HF_OK ||
            again.size != plain.size ||
            (again.size != 0 && memcmp(again.data, plain.data, again.size) != 0)) {
            abort();
        }
    }
    hf_bytes_release(&plain);
    hf_bytes_release(&coded);
    hf_bytes_release(&again);
    return 0;
}
