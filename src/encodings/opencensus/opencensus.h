/*
 * opencensus: the export requests of the OpenCensus agent's protocol, the predecessor of OTLP, as
 * OTLP spans and metrics. A request's node and resource hold for those behind it on the same stream
 * until others are told. Any thread; no state.
 */
#pragma once

#include "pdata/build.h"

#define HF_OPENCENSUS_ERROR_MAX 160
#define HF_OPENCENSUS_KEPT_MAX 65536u /* of a node and a resource */

/*
 * Appends the spans or points, by the builder's signal, and changes `kept`, which is empty at
 * first. HF_INVALID, with a sentence in `reterr` (HF_OPENCENSUS_ERROR_MAX): malformed, the first
 * message of a stream without a node, a distribution with bounds and buckets that do not fit each
 * other; the builder may have a part of it. HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_opencensus_read(struct hf_slice request, struct hf_bytes *kept,
                                              struct hf_builder *builder, char *reterr);
