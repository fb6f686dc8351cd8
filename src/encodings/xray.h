/*
 * xray: segment documents of AWS X-Ray as spans: a datagram to the X-Ray daemon is a line of
 * JSON that says what follows, and a segment with its subsegments. Owned by one thread.
 */
#pragma once

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "pdata/build_spans.h"

#define HF_XRAY_ERROR_MAX 256u

/* Adds the spans, in a resource of their own. HF_INVALID with a sentence in `reterr`
 * (HF_XRAY_ERROR_MAX): nothing of it is added. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_xray_read(struct hf_slice datagram, struct hf_builder *builder,
                                        char *reterr);
