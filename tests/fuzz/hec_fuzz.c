/*
 * hec_fuzz: bodies of Splunk's HTTP Event Collector; the first byte chooses events or raw lines.
 * Must reach: hf_hec_read() with take_log(), take_metric(), write_named(), hf_hec_members(),
 * hf_hec_value(), hf_hec_print(); hf_hec_read_raw().
 *
 * What is taken passes the scan; what is refused has a sentence and a code.
 */
#include "check_built.h"
#include "encodings/hec/hec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct hf_hec_options options = {.keys = {"source", "sourcetype", "index", "host"},
                                           .now_ns = 1};
    struct hf_builder logs, metrics;
    if (size == 0) {
        return 0;
    }
    struct hf_slice body = hf_slice_of(data + 1, size - 1);
    hf_builder_init(&logs, HF_LOGS, (size_t)64 << 20);
    hf_builder_init(&metrics, HF_METRICS, (size_t)64 << 20);
    if (data[0] % 4 < 2) {
        struct hf_hec_fault fault;
        enum hf_status status = hf_hec_read(body, &options, &logs, &metrics, &fault);
        check(status == HF_OK || status == HF_NOMEM ||
              (fault.code != HF_HEC_SUCCESS && fault.text[0] != '\0'));
    } else {
        const struct hf_hec_raw raw = {.host = body, .splits_lines = data[0] % 2 == 0};
        hf_hec_read_raw(body, &raw, &options, &logs);
    }
    check_built(&logs, HF_LOGS);
    check_built(&metrics, HF_METRICS);
    return 0;
}
