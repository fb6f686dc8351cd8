/*
 * jaeger_out: one span of OTLP as a Span of Jaeger's api_v2 with its process, as records of Kafka
 * hold it, and the two forms that it is written in. Owned by the call.
 *
 * The mapping is that of OpenTelemetry's specification, as the Go collector has it: kind, status,
 * state of the trace and scope become tags, events logs, the parent and the links references, and
 * the resource the process. Jaeger has no field for attributes of scopes and links, for states of
 * the traces of links, and for counts of what was dropped: they are left out.
 */
#pragma once

#include "jaeger_span.h"
#include "pdata/walk.h"
#include "util/compress/compress.h"

/* The process of the spans of one resource. In the memory of the document, as all that follows;
 * the document fails when that runs out. */
struct hf_jaeger_process hf_jaeger_out_process(const struct hf_place *place);

struct hf_jaeger_span hf_jaeger_out_span(const struct hf_place *place,
                                         const struct hf_jaeger_process *process);

/* Append it. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_jaeger_out_json(const struct hf_jaeger_span *span,
                                              struct hf_bytes *out);
HF_MUST_USE enum hf_status hf_jaeger_out_proto(const struct hf_jaeger_span *span,
                                               struct hf_bytes *out);
