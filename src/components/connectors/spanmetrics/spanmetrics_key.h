/*
 * spanmetrics_key: what tells series and resources apart, and the attributes that they get. All of
 * it is built in memory of the fold. HF_NOMEM. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "spanmetrics_fold.h"

/* What was read of a span. */
struct spanmetrics_span {
    struct hf_slice trace_id, span_id, state, name;
    int32_t kind, status;
    uint64_t start_ns, end_ns;
    uint64_t count; /* of spans that it stands for */
    bool is_adjusted, has_trace_id, has_events;
};

/* `fold->key`: the values of its dimensions as texts, as in the Go collector, so that 1 and "1" are
 * the same. */
HF_MUST_USE enum hf_status spanmetrics_key(struct spanmetrics_fold *fold,
                                           const struct spanmetrics_span *span,
                                           enum spanmetrics_metric metric,
                                           struct spanmetrics_values *outer);

/* `fold->attributes`: KeyValues in fields 1. */
HF_MUST_USE enum hf_status spanmetrics_attributes(struct spanmetrics_fold *fold,
                                                  const struct spanmetrics_span *span,
                                                  enum spanmetrics_metric metric,
                                                  struct spanmetrics_values *outer);
HF_MUST_USE enum hf_status spanmetrics_overflow_attributes(struct spanmetrics_fold *fold);

/* `fold->resource_key`, of the attributes that count in any order, and all of them in
 * `fold->attributes`. */
HF_MUST_USE enum hf_status spanmetrics_resource_key(struct spanmetrics_fold *fold,
                                                    struct hf_slice resource);
