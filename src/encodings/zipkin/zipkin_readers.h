/*
 * zipkin_readers: the readers of the four formats.
 */
#pragma once

#include "zipkin_reading.h"

/* The four formats; each adds all spans of the text. */
HF_MUST_USE enum hf_status hf_zipkin_read_json(struct hf_zipkin_reading *reading,
                                               struct hf_slice text);
HF_MUST_USE enum hf_status hf_zipkin_read_proto(struct hf_zipkin_reading *reading,
                                                struct hf_slice text);
HF_MUST_USE enum hf_status hf_zipkin_read_v1_json(struct hf_zipkin_reading *reading,
                                                  struct hf_slice text);
HF_MUST_USE enum hf_status hf_zipkin_read_v1_thrift(struct hf_zipkin_reading *reading,
                                                    struct hf_slice text);
