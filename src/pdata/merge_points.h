/*
 * merge_points: makes one data point of those of a metric that have the same attributes and time:
 * what is left to do when attributes were removed or made equal.
 *
 * Points of a delta must have the same start too, histograms the same bounds, exponential ones the
 * same scale and offsets. Histograms are always summed. Owned by the document's thread.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "message.h"
#include "util/arena.h"

enum hf_merge {
    HF_MERGE_SUM = 0,
    HF_MERGE_MAX,
    HF_MERGE_MIN,
    HF_MERGE_MEAN,
    HF_MERGE_MEDIAN,
    HF_MERGE_COUNT,
    HF_MERGE_KINDS
};

/* "sum", "max", "min", "mean", "median", "count", for field tables. */
extern const char *const hf_merge_names[];
HF_MUST_USE bool hf_merge_find(struct hf_slice name, enum hf_merge *ret_merge);

/* Do two points belong together? */
bool hf_merge_belong_together(struct hf_message *data, struct hf_message *a, struct hf_message *b);

/*
 * Merges the points of a Gauge, Sum, Histogram or ExponentialHistogram; the first of each group
 * keeps its place, the others go. A Summary stays as it is. `scratch` is for the work alone.
 * HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_merge_points(struct hf_message *data, enum hf_merge by,
                                           struct hf_arena *scratch);
