/*
 * zipkin_fuzz: the first byte chooses the format and whether texts are parsed, the rest is the
 * body. Must reach: hf_zipkin_read() with its four readers, hf_zipkin_span_translate(),
 * hf_zipkin_v1_translate(), hf_zipkin_put_link(), hf_zipkin_put_event(), hf_json_list_next(),
 * hf_thrift_skip().
 *
 * What is taken is a request that passes the scan; what is refused has a sentence.
 */
#include "check_built.h"
#include "encodings/zipkin/zipkin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const struct hf_zipkin_options options = {.format = (enum hf_zipkin_format)(data[0] % 4),
                                              .parse_string_tags = data[0] / 4 % 2 != 0};
    char error[HF_ZIPKIN_ERROR_MAX];
    struct hf_builder builder;
    hf_builder_init(&builder, HF_TRACES, (size_t)256 << 20);
    enum hf_status status =
        hf_zipkin_read(hf_slice_of(data + 1, size - 1), &options, &builder, error);
    check(status == HF_OK || error[0] != '\0');
    check_built(&builder, HF_TRACES);
    return 0;
}
