/*
 * zipkin_out: one span of OTLP as a Zipkin span (zipkin_span.h), and the two forms that it is
 * written in. Owned by the call.
 */
#pragma once

#include "pdata/walk.h"
#include "util/compress/compress.h"
#include "zipkin_span.h"

/*
 * `times` of the span are nanoseconds: each form rounds them in its own way. False: it has no trace
 * id or no id, or one of zeros. Everything is in the memory of the document, which fails when that
 * runs out.
 */
HF_MUST_USE bool hf_zipkin_out_span(const struct hf_place *place, struct hf_slice default_service,
                                    struct hf_zipkin_span *ret_span);

void hf_zipkin_out_json(const struct hf_zipkin_span *span, struct hf_bytes *out, bool *failed);
void hf_zipkin_out_proto(const struct hf_zipkin_span *span, struct hf_bytes *out, bool *failed);
