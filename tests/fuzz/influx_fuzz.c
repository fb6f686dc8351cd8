/*
 * influx_fuzz: InfluxDB's line protocol. Must reach: hf_influx_read() with read_tags(),
 * read_string(), unescape(), add_parts_1(), add_parts_2(), add_bounds_2(), write_histogram(),
 * write_summary().
 *
 * What is taken passes the scan; what is refused has a sentence.
 */
#include "check_built.h"
#include "encodings/influx/influx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_builder builder;
    struct hf_influx_result result;
    char error[HF_INFLUX_ERROR_MAX] = "";
    const struct hf_influx_options options = {.unit_ns = 1000000, .now_ns = 1};
    hf_builder_init(&builder, HF_METRICS, (size_t)64 << 20);
    enum hf_status status =
        hf_influx_read(hf_slice_of(data, size), &options, &builder, &result, error);
    check(status == HF_OK || status == HF_NOMEM || error[0] != '\0');
    check((result.refused != 0) == (result.why[0] != '\0'));
    check_built(&builder, HF_METRICS);
    return 0;
}
