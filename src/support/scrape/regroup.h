/*
 * regroup: points of a scrape with fewer attributes, as the keys `attributes` and
 * `aggregation_strategy` of a metric say. Points that are the same without the other attributes
 * become one.
 *
 * Made on the main thread; used by the scraper's alone.
 */
#pragma once

#include <stddef.h>

#include <holdfast/batch.h>
#include <holdfast/node.h>
#include <holdfast/status.h>

#include "metric_table.h"

struct hf_regroup;

/* NULL in `ret_regroup`: all points stay as they are. `node` is told of attributes that no point
 * of their metric has. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_regroup_new(const struct hf_metric_set *sets, size_t count,
                                          struct hf_node *node, struct hf_regroup **ret_regroup);
void hf_regroup_free(struct hf_regroup *regroup);

/* Takes the reference of `batch` over and gives one of what it becomes; NULL with HF_NOMEM. */
HF_MUST_USE enum hf_status hf_regroup_take(struct hf_regroup *regroup, struct hf_batch *batch,
                                           struct hf_batch **ret_batch);
