/*
 * ch_points: one data point as the members of its row. Any thread; no state.
 */
#pragma once

#include "ch_config.h"
#include "pdata/json_write.h"
#include "pdata/walk.h"

/* CH_METRIC_COUNT: a kind that no table is for. */
enum ch_metric ch_point_kind(const struct hf_place *place);

/* The members, without the brackets. */
void ch_point_put(struct hf_json_writer *writer, const struct hf_place *place);
