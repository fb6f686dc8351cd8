#include "jaeger.h"

#include "jaeger_readers.h"

#define SPAN_BYTES_MAX ((size_t)64 << 20) /* what one span needs, and those that wait before it */

enum hf_status hf_jaeger_read(struct hf_slice text, enum hf_jaeger_format format,
                              struct hf_builder *builder, char *reterr)
{
    struct hf_jaeger_reading reading = {.builder = builder,
                                        .lasting = {.limit = SPAN_BYTES_MAX},
                                        .arena = {.limit = SPAN_BYTES_MAX},
                                        .is_whole = format >= HF_JAEGER_CALL_COMPACT,
                                        .is_record = format >= HF_JAEGER_SPAN_PROTO,
                                        .reterr = reterr};
    enum hf_status status = HF_OK;
    reterr[0] = '\0';
    if (format == HF_JAEGER_PROTO) {
        status = hf_jaeger_read_proto(&reading, text);
    } else if (format == HF_JAEGER_THRIFT_BATCH) {
        status = hf_jaeger_read_thrift(&reading, hf_thrift_of(text, false));
    } else if (format == HF_JAEGER_SPAN_PROTO) {
        status = hf_jaeger_read_span(&reading, text);
    } else if (format == HF_JAEGER_SPAN_JSON) {
        status = hf_jaeger_read_json(&reading, text);
    } else {
        status =
            hf_jaeger_read_call(&reading, hf_thrift_of(text, format == HF_JAEGER_CALL_COMPACT));
    }
    if (status == HF_OK) {
        hf_jaeger_flush(&reading);
    }
    hf_bytes_release(&reading.spans);
    hf_arena_release(&reading.arena);
    hf_arena_release(&reading.lasting);
    return status;
}
