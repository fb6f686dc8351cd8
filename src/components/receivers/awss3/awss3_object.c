#include "awss3_object.h"

#include <stdio.h>
#include <string.h>

#include "pdata/json.h"
#include "pdata/scan.h"
#include "util/compress/compress.h"

#define RAW_BYTES_MAX ((size_t)128 << 20) /* of a request, which is one record of the queue */

static bool ends(const char *key, size_t size, const char *end)
{
    size_t end_size = strlen(end);
    return size >= end_size && memcmp(key + size - end_size, end, end_size) == 0;
}

/* Removes the end of a compression from `size`. */
static enum hf_coding coding_of(const char *key, size_t *size)
{
    if (ends(key, *size, ".gz")) {
        *size -= 3;
        return HF_GZIP;
    }
    if (ends(key, *size, ".zst")) {
        *size -= 4;
        return HF_ZSTD;
    }
    return HF_IDENTITY;
}

static enum hf_status make_batch(enum hf_signal signal, struct hf_slice raw,
                                 struct hf_batch **ret_batch, char *reterr)
{
    struct hf_scan scan = {0};
    if (hf_scan(signal, raw, &scan) != HF_OK) {
        snprintf(reterr, 256, "it is no request of %s", hf_signal_name(signal));
        return HF_INVALID;
    }
    struct hf_batch *batch = hf_batch_new(signal, raw.size, HF_EMPTY_SLICE);
    if (batch == NULL) {
        return HF_NOMEM;
    }
    if (raw.size != 0) {
        memcpy(hf_batch_room(batch), raw.data, raw.size);
    }
    hf_batch_seal(batch, raw.size, scan.items);
    *ret_batch = batch;
    return HF_OK;
}

static enum hf_status read_plain(enum hf_signal signal, struct hf_slice plain, bool is_json,
                                 struct hf_batch **ret_batch, char *reterr)
{
    struct hf_bytes raw = {0};
    if (!is_json) {
        return make_batch(signal, plain, ret_batch, reterr);
    }
    enum hf_status status = hf_json_to_proto(signal, plain, RAW_BYTES_MAX, &raw, reterr);
    if (status == HF_OK) {
        status = make_batch(signal, hf_slice_of(raw.data, raw.size), ret_batch, reterr);
    }
    hf_bytes_release(&raw);
    return status;
}

enum hf_status awss3_object_read(const char *key, enum hf_signal signal, struct hf_slice content,
                                 struct hf_batch **ret_batch, char *reterr)
{
    size_t size = strlen(key);
    enum hf_coding coding = coding_of(key, &size);
    bool is_json = ends(key, size, ".json");
    struct hf_bytes decoded = {0};
    enum hf_status status = HF_OK;
    if (!is_json && !ends(key, size, ".binpb")) {
        return HF_UNSUPPORTED;
    }
    if (coding != HF_IDENTITY) {
        status = hf_decode(coding, content, RAW_BYTES_MAX, &decoded);
        content = hf_slice_of(decoded.data, decoded.size);
        snprintf(reterr, 256, "it does not decompress: %s", hf_status_row(status)->says);
    }
    if (status == HF_OK) {
        status = read_plain(signal, content, is_json, ret_batch, reterr);
    }
    hf_bytes_release(&decoded);
    return status;
}
