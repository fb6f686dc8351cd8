/*
 * zipkin: spans in Zipkin's formats as OTLP: v2 in JSON and protobuf, v1 in JSON and Thrift.
 *
 * Spans of one service and scope share a resource and a scope. A request of many megabytes is
 * translated in pieces, so that it needs a bounded amount of memory beside its bytes: the same
 * resource may then be written more than once. Any thread; no state.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "pdata/build.h"

enum hf_zipkin_format {
    HF_ZIPKIN_V2_JSON = 0,
    HF_ZIPKIN_V2_PROTO,
    HF_ZIPKIN_V1_JSON,
    HF_ZIPKIN_V1_THRIFT,
};

struct hf_zipkin_options {
    enum hf_zipkin_format format;
    /* Texts of tags that look like a number, true or false become such values; not of Thrift, which
     * has types. */
    bool parse_string_tags;
};

#define HF_ZIPKIN_ERROR_MAX 320

/*
 * Writes the spans into a builder of traces. HF_INVALID with a sentence in `reterr`
 * (HF_ZIPKIN_ERROR_MAX): what is wrong and in which span; HF_TOO_LARGE likewise: one span needs too
 * much memory. HF_NOMEM. On failure the builder holds spans that are to be thrown away.
 */
HF_MUST_USE enum hf_status hf_zipkin_read(struct hf_slice text,
                                          const struct hf_zipkin_options *options,
                                          struct hf_builder *builder, char *reterr);
