/*
 * jaeger: spans in Jaeger's formats as OTLP: api_v2's protobuf, Thrift as clients send it over HTTP
 * and UDP, and single spans as they stand in records of Kafka. Any thread; no state.
 *
 * Spans of one process and scope share a resource and a scope. A request of many megabytes is
 * translated in pieces, so that it needs a bounded amount of memory beside its bytes.
 */
#pragma once

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "pdata/build.h"

enum hf_jaeger_format {
    HF_JAEGER_PROTO = 0,    /* a PostSpansRequest */
    HF_JAEGER_THRIFT_BATCH, /* a Batch in the binary protocol: thrift_http */
    HF_JAEGER_CALL_COMPACT, /* a call of the agent's emitBatch: a datagram */
    HF_JAEGER_CALL_BINARY,
    HF_JAEGER_SPAN_PROTO, /* one Span of api_v2 with its process; no bytes are no span */
    HF_JAEGER_SPAN_JSON,  /* the same in protobuf's JSON; {} is no span */
};

#define HF_JAEGER_ERROR_MAX 320

/*
 * Writes the spans into a builder of traces. HF_INVALID, or HF_TOO_LARGE when one span needs too
 * much memory, with a sentence in `reterr` (HF_JAEGER_ERROR_MAX). HF_NOMEM. On failure the builder
 * holds spans that are to be thrown away; of a call, that is one datagram, and of a single span it
 * is as before.
 */
HF_MUST_USE enum hf_status hf_jaeger_read(struct hf_slice text, enum hf_jaeger_format format,
                                          struct hf_builder *builder, char *reterr);
