#include "zipkin.h"

#include "zipkin_readers.h"

#define SPAN_BYTES_MAX ((size_t)64 << 20) /* what one span needs, and those that wait before it */

enum hf_status hf_zipkin_read(struct hf_slice text, const struct hf_zipkin_options *options,
                              struct hf_builder *builder, char *reterr)
{
    static enum hf_status (*const readers[])(struct hf_zipkin_reading *, struct hf_slice) = {
        [HF_ZIPKIN_V2_JSON] = hf_zipkin_read_json,
        [HF_ZIPKIN_V2_PROTO] = hf_zipkin_read_proto,
        [HF_ZIPKIN_V1_JSON] = hf_zipkin_read_v1_json,
        [HF_ZIPKIN_V1_THRIFT] = hf_zipkin_read_v1_thrift,
    };
    struct hf_zipkin_reading reading = {.options = options,
                                        .builder = builder,
                                        .arena = {.limit = SPAN_BYTES_MAX},
                                        .reterr = reterr};
    reterr[0] = '\0';
    enum hf_status status = readers[options->format](&reading, text);
    if (status == HF_OK) {
        hf_zipkin_flush(&reading);
    }
    hf_bytes_release(&reading.spans);
    hf_arena_release(&reading.arena);
    return status;
}
