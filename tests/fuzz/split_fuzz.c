/*
 * Must reach hf_split(), for every signal and level. The first byte is the signal, the second where
 * to cut. The two parts of a request that a scan lets pass must pass too and have its items between
 * them; whatever else comes must not be read beyond its end.
 */
#include <stdlib.h>

#include "pdata/scan.h"
#include "pdata/split.h"

static uint32_t items_of(enum hf_signal signal, const struct hf_bytes *part)
{
    struct hf_scan scan;
    if (hf_scan(signal, hf_slice_of(part->data, part->size), &scan) != HF_OK) {
        abort();
    }
    return scan.items;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_bytes first = {0};
    struct hf_bytes rest = {0};
    struct hf_scan scan;
    if (size < 2) {
        return 0;
    }
    enum hf_signal signal = (enum hf_signal)(data[0] % (HF_LOGS + 1));
    uint32_t at = data[1];
    struct hf_slice raw = {data + 2, size - 2};
    bool is_good = hf_scan(signal, raw, &scan) == HF_OK;
    enum hf_status status = hf_split(signal, raw, 0, at, &first);
    if (status == HF_OK) {
        status = hf_split(signal, raw, at, UINT32_MAX, &rest);
    }
    if (is_good) {
        uint32_t expected = scan.items < at ? scan.items : at;
        if (status != HF_OK || items_of(signal, &first) != expected ||
            items_of(signal, &rest) != scan.items - expected) {
            abort();
        }
    }
    hf_bytes_release(&first);
    hf_bytes_release(&rest);
    return 0;
}
