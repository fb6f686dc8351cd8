/*
 * loki_fuzz: push requests of Loki; the first byte chooses JSON or protobuf. Must reach:
 * hf_loki_read() with read_json_entry(), read_entry(), read_metadata(), hf_loki_labels_read() with
 * unescape().
 *
 * What is taken passes the scan; what is refused has a sentence.
 */
#include <stdlib.h>

#include "encodings/loki.h"
#include "pdata/scan.h"

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_builder builder;
    struct hf_scan scan;
    char error[HF_LOKI_ERROR_MAX] = "";
    if (size == 0) {
        return 0;
    }
    const struct hf_loki_options options = {
        .is_json = data[0] % 2 == 1, .keep_timestamp = data[0] % 4 < 2, .now_ns = 1};
    hf_builder_init(&builder, HF_LOGS, (size_t)64 << 20);
    enum hf_status status =
        hf_loki_read(hf_slice_of(data + 1, size - 1), &options, &builder, error);
    check(status == HF_OK || status == HF_NOMEM || error[0] != '\0');
    check(hf_build_finish(&builder) == HF_OK);
    for (struct hf_batch *batch = hf_build_take(&builder); batch != NULL;
         batch = hf_build_take(&builder)) {
        check(hf_scan(HF_LOGS, batch->raw, &scan) == HF_OK);
        hf_ref_drop(&batch->ref);
    }
    hf_builder_release(&builder);
    return 0;
}
