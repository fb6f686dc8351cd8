/*
 * xray_fuzz: a datagram to the X-Ray daemon. Must reach: hf_xray_read(), the checks of segments
 * within segments, the stacks of exceptions, metadata written again as JSON.
 *
 * What is taken is a request that passes the scan; what is refused has a sentence.
 */
#include "check.h"
#include "encodings/xray.h"
#include "pdata/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[HF_XRAY_ERROR_MAX] = "";
    struct hf_builder builder;
    struct hf_scan scan;
    hf_builder_init(&builder, HF_TRACES, (size_t)256 << 20);
    enum hf_status status = hf_xray_read(hf_slice_of(data, size), &builder, error);
    check(status == HF_OK || status == HF_NOMEM || error[0] != '\0');
    check(hf_build_finish(&builder) == HF_OK);
    struct hf_batch *batch = hf_build_take(&builder);
    check((batch != NULL) == (status == HF_OK));
    if (batch != NULL) {
        check(hf_scan(HF_TRACES, batch->raw, &scan) == HF_OK && scan.items == batch->items);
        hf_ref_drop(&batch->ref);
    }
    hf_builder_release(&builder);
    return 0;
}
