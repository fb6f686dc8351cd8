/*
 * jaeger_fuzz: the first byte chooses the format, the rest is the body or datagram. Must reach:
 * hf_jaeger_read() with its readers of protobuf, batches, calls and single spans in protobuf and
 * JSON, hf_jaeger_span_translate(), hf_jaeger_tags_status(), hf_thrift_message(), hf_thrift_skip().
 *
 * What is taken is a request that passes the scan; what is refused has a sentence, and a datagram
 * or single span that is refused leaves nothing behind.
 */
#include "check_built.h"
#include "encodings/jaeger/jaeger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    enum hf_jaeger_format format = (enum hf_jaeger_format)(data[0] % 6);
    char error[HF_JAEGER_ERROR_MAX];
    struct hf_builder builder;
    hf_builder_init(&builder, HF_TRACES, (size_t)256 << 20);
    enum hf_status status =
        hf_jaeger_read(hf_slice_of(data + 1, size - 1), format, &builder, error);
    check(status == HF_OK || error[0] != '\0');
    check(status == HF_OK || format < HF_JAEGER_CALL_COMPACT || hf_build_items(&builder) == 0);
    check_built(&builder, HF_TRACES);
    return 0;
}
