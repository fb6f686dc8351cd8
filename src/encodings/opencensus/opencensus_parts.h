/*
 * opencensus_parts: what spans and metrics of OpenCensus have in common. For
 * src/encodings/opencensus only.
 */
#pragma once

#include "opencensus.h"
#include "pdata/wire_find.h"

struct census_work {
    struct hf_builder *builder;
    struct hf_slice node, resource; /* that hold for the request; nothing: none */
    struct hf_bytes text;           /* for what is put together */
    char *reterr;
};

/* google.protobuf.Timestamp at that field of the message; 0: not told, or before 1970. */
uint64_t census_time(struct hf_slice message, uint32_t number);
double census_double(struct hf_slice message, uint32_t number);
/* HF_INVALID, with its sentence. */
enum hf_status census_malformed(struct census_work *work);

HF_MUST_USE enum hf_status census_span(struct census_work *work, struct hf_slice span);
HF_MUST_USE enum hf_status census_metric(struct census_work *work, struct hf_slice metric);
