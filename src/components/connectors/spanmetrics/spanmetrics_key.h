/*
 * spanmetrics_key: what tells series and resources apart, and the attributes that they get. All of
 * it is built in memory of the fold. HF_NOMEM. Owned by one thread.
 */
#pragma once

#include "spanmetrics_fold.h"

/* Behind what is in `fold->key`: the values of its dimensions as texts, as in the Go collector, so
 * that 1 and "1" are the same. */
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
