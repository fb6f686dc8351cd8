/*
 * jaeger_readers: the readers of the formats.
 */
#pragma once

#include "encodings/thrift.h"
#include "jaeger_reading.h"

/* A PostSpansRequest of api_v2. */
HF_MUST_USE enum hf_status hf_jaeger_read_proto(struct hf_jaeger_reading *reading,
                                                struct hf_slice text);
/* A Span of api_v2 that is alone; and one in protobuf's JSON. */
HF_MUST_USE enum hf_status hf_jaeger_read_span(struct hf_jaeger_reading *reading,
                                               struct hf_slice text);
HF_MUST_USE enum hf_status hf_jaeger_read_json(struct hf_jaeger_reading *reading,
                                               struct hf_slice text);
/* A Batch. */
HF_MUST_USE enum hf_status hf_jaeger_read_thrift(struct hf_jaeger_reading *reading,
                                                 struct hf_thrift thrift);
/* A call of emitBatch. */
HF_MUST_USE enum hf_status hf_jaeger_read_call(struct hf_jaeger_reading *reading,
                                               struct hf_thrift thrift);
