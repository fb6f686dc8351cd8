/*
 * prw_native: an exponential histogram's point as a native histogram. No state; any thread.
 */
#pragma once

#include <stdint.h>

#include <holdfast/status.h>

#include "pdata/message.h"
#include "pdata/wire.h"

#define PRW_SCALE_MIN (-4)
#define PRW_SCALE_MAX 8 /* finer ones are merged down to it */

#define PRW_STALE_BITS 0x7FF0000000000002u

/* Appends the content of a Histogram; `start_ms`, of version 2: 0: it has none. HF_INVALID: its
 * scale is below PRW_SCALE_MIN. HF_NOMEM. */
HF_MUST_USE enum hf_status prw_native_write(struct hf_message *point, int64_t time_ms,
                                            int64_t start_ms, struct hf_wire_writer *writer);
