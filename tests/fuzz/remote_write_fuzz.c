/*
 * remote_write_fuzz: requests of Prometheus' remote write; the first byte chooses the version. Must
 * reach: hf_prom_remote_read() with read_symbols(), remote_keep_info(), remote_keep_family(),
 * write_sample(), write_exponential(), write_explicit(), put_exemplars_of().
 *
 * What is taken passes the scan; what is refused has a sentence.
 */
#include "check_built.h"
#include "prometheus/remote_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_builder builder;
    struct hf_prom_remote_result result;
    char error[HF_PROM_REMOTE_ERROR_MAX] = "";
    if (size == 0) {
        return 0;
    }
    const struct hf_prom_remote_options options = {
        .is_2 = data[0] % 2 == 1,
        .memory = {hf_prom_memory_new(8, 1024), hf_prom_memory_new(8, 1024)}};
    check(options.memory.targets != NULL && options.memory.families != NULL);
    hf_builder_init(&builder, HF_METRICS, (size_t)16 << 20);
    enum hf_status status =
        hf_prom_remote_read(hf_slice_of(data + 1, size - 1), &options, &builder, &result, error);
    check(status == HF_OK || status == HF_NOMEM || error[0] != '\0');
    check(status != HF_OK || (result.refused != 0) == (result.why[0] != '\0'));
    check_built(&builder, HF_METRICS);
    hf_prom_memory_free(options.memory.targets);
    hf_prom_memory_free(options.memory.families);
    return 0;
}
