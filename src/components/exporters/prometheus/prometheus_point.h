/*
 * prometheus_point: reads the value of one data point. Any thread; no state.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/status.h>

#include "pdata/message.h"
#include "prometheus_table.h"

/* Of a NumberDataPoint, HistogramDataPoint or SummaryDataPoint. The value is the caller's to free
 * or to hand on. HF_NOMEM. */
HF_MUST_USE enum hf_status prometheus_point_read(struct hf_message *point, bool with_exemplars,
                                                 struct prometheus_value *ret_value);

/* Has it the flag that says that no value was recorded? */
bool prometheus_point_is_stale(struct hf_message *point);
