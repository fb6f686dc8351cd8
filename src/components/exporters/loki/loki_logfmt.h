/*
 * loki_logfmt: a log record as pairs, key=value. Any thread; no state.
 */
#pragma once

#include <holdfast/status.h>

#include "loki_labels.h"
#include "pdata/walk.h"
#include "util/compress/compress.h"

/* Appends the record as pairs on one line. HF_NOMEM. */
HF_MUST_USE enum hf_status loki_logfmt_write(const struct hf_place *place,
                                             const struct loki_labels *labels,
                                             struct hf_bytes *out);

/* Is this text pairs already, one "key=value" at least? A plain sentence is not. */
bool loki_is_logfmt(struct hf_slice text);
