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

/* What the bytes of a point say, without a look into its attributes. */
struct prometheus_glance {
    struct hf_hash attributes; /* of their bytes as they stand */
    bool is_stale;
    bool is_number;                /* without exemplars: `value` is all of it */
    struct prometheus_value value; /* of a number */
};

/* False: the bytes are malformed. */
HF_MUST_USE bool prometheus_point_glance(struct hf_message *point,
                                         struct prometheus_glance *ret_glance);
