/*
 * json_fuzz: the first byte chooses signal and direction, the rest is the input.
 * Must reach: hf_json_to_proto, on_map_key, on_start_map, on_end_array, hf_json_put_*,
 * hf_json_read_*, hf_json_from_proto, look, put_list, put_packed, put_merged, put_mended,
 * hf_text_print.
 *
 * What is accepted as JSON passes the scan, can be written as JSON, and comes back the same.
 */
#include "check.h"
#include "pdata/json.h"
#include "pdata/scan.h"
#include "pdata/text.h"

#include <stdint.h>
#define OUTPUT_MAX (1u << 20)

static void read_json(enum hf_signal signal, struct hf_slice json)
{
    char error[HF_JSON_ERROR_MAX];
    struct hf_bytes first = {0};
    struct hf_bytes text = {0};
    struct hf_bytes second = {0};
    struct hf_scan scan;
    if (hf_json_to_proto(signal, json, OUTPUT_MAX, &first, error) == HF_OK) {
        struct hf_slice raw = hf_slice_of(first.data, first.size);
        check(first.size <= OUTPUT_MAX);
        check(hf_scan(signal, raw, &scan) == HF_OK);
        check(hf_json_from_proto(signal, raw, &text) == HF_OK);
        check(hf_json_to_proto(signal, hf_slice_of(text.data, text.size), 2 * OUTPUT_MAX, &second,
                               error) == HF_OK);
        text.size = 0;
        check(hf_json_from_proto(signal, hf_slice_of(second.data, second.size), &text) == HF_OK);
    }
    hf_bytes_release(&first);
    hf_bytes_release(&text);
    hf_bytes_release(&second);
}

static void write_json(enum hf_signal signal, struct hf_slice raw)
{
    struct hf_scan scan;
    struct hf_bytes text = {0};
    bool scanned = hf_scan(signal, raw, &scan) == HF_OK;
    bool written = hf_json_from_proto(signal, raw, &text) == HF_OK;
    check(written || !scanned);
    if (written) {
        /* Whatever it was, it is JSON now; ids of odd sizes are why it may be refused. */
        read_json(signal, hf_slice_of(text.data, text.size));
    }
    text.size = 0;
    check(hf_text_print(signal, raw, HF_TEXT_FULL, &text) == HF_OK);
    check(hf_text_print(signal, raw, HF_TEXT_LINES, &text) == HF_OK);
    hf_bytes_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    enum hf_signal signal = (enum hf_signal)(data[0] % (HF_LOGS + 1));
    struct hf_slice input = hf_slice_of(data + 1, size - 1);
    if (data[0] / (HF_LOGS + 1) % 2 == 0) {
        read_json(signal, input);
    } else {
        write_json(signal, input);
    }
    return 0;
}
