/*
 * latest: the latest data point of each series, with its metric, scope and resource as they came.
 * Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/status.h>

#include "pdata/series.h"
#include "support/state/interval.h"

struct interval_latest;

/* NULL: out of memory. */
struct interval_latest *interval_latest_new(size_t bytes_max);
void interval_latest_free(struct interval_latest *latest);

/* Keeps the point at that place, unless there is one of its series that is not older. HF_NOMEM:
 * nothing has changed. */
HF_MUST_USE enum hf_status interval_latest_put(struct interval_latest *latest,
                                               struct hf_series_memory *memory,
                                               const struct hf_place *place);
bool interval_latest_is_full(const struct interval_latest *latest);

/* Appends all points as batches, and forgets them. HF_NOMEM: they are kept. */
HF_MUST_USE enum hf_status interval_latest_flush(struct interval_latest *latest,
                                                 struct hf_interval_list *list);
