/*
 * opencensus_fuzz: messages of the OpenCensus agent's protocol; the first byte chooses spans or
 * metrics. Must reach: hf_opencensus_read() with put_node(), put_labels(), put_event(), put_link(),
 * put_distribution(), put_summary().
 *
 * What is taken passes the scan; what is refused has a sentence.
 */
#include "check_built.h"
#include "encodings/opencensus/opencensus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_builder builder;
    struct hf_bytes kept = {0};
    char error[HF_OPENCENSUS_ERROR_MAX] = "";
    if (size == 0) {
        return 0;
    }
    enum hf_signal signal = data[0] % 2 == 0 ? HF_TRACES : HF_METRICS;
    struct hf_slice message = hf_slice_of(data + 1, size - 1);
    hf_builder_init(&builder, signal, (size_t)64 << 20);
    enum hf_status status = hf_opencensus_read(message, &kept, &builder, error);
    if (status == HF_OK) {
        status = hf_opencensus_read(message, &kept, &builder, error); /* of the same stream */
    }
    check(status == HF_OK || status == HF_NOMEM || error[0] != '\0');
    check(kept.size <= HF_OPENCENSUS_KEPT_MAX);
    check_built(&builder, signal);
    hf_bytes_release(&kept);
    return 0;
}
