/*
 * jaeger_readers: the readers of the two families of formats.
 */
#pragma once

#include "jaeger_reading.h"
#include "thrift.h"

/* A PostSpansRequest of api_v2. */
HF_MUST_USE enum hf_status hf_jaeger_read_proto(struct hf_jaeger_reading *reading,
                                                struct hf_slice text);
/* A Batch. */
HF_MUST_USE enum hf_status hf_jaeger_read_thrift(struct hf_jaeger_reading *reading,
                                                 struct hf_thrift thrift);
/* A call of emitBatch. */
HF_MUST_USE enum hf_status hf_jaeger_read_call(struct hf_jaeger_reading *reading,
                                               struct hf_thrift thrift);
