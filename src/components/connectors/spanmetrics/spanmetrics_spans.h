/*
 * spanmetrics_spans: the series of the spans of a scope, and what is to be added to them
 * (`fold->touches`). Spans are looked at in blocks, so that memory is fetched ahead.
 */
#pragma once

#include <holdfast/status.h>

#include "spanmetrics_fold.h"

/* `group`: a ScopeSpans of the resource that the fold stands at. */
HF_MUST_USE enum hf_status spanmetrics_spans(struct spanmetrics_fold *fold, struct hf_slice group);
