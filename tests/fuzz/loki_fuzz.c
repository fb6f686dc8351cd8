/*
 * loki_fuzz: push requests of Loki; the first byte chooses JSON or protobuf. Must reach:
 * hf_loki_read() with read_json_entry(), read_entry(), read_metadata(), hf_loki_labels_read() with
 * unescape().
 *
 * What is taken passes the scan; what is refused has a sentence.
 */
#include "check_built.h"
#include "encodings/loki/loki.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_builder builder;
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
    check_built(&builder, HF_LOGS);
    return 0;
}
