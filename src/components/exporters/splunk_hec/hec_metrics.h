/*
 * hec_metrics: the events of one data point: one for each of its values. Owned by one thread.
 */
#pragma once

#include "hec_events.h"
#include "pdata/walk.h"

/* HF_TOO_LARGE, HF_NOMEM. A point whose kind has no events is counted as left out. */
HF_MUST_USE enum hf_status hec_point_write(struct hec_events *events, const struct hf_place *place,
                                           struct hf_bytes *out);

/* The time of an event, in seconds with three digits; 0: none, Splunk sets it. */
void hec_put_time(struct hf_json_writer *writer, uint64_t time_ns);

/* Ends the event that began at `start`. HF_TOO_LARGE, HF_NOMEM. */
HF_MUST_USE enum hf_status hec_event_end(const struct hec_events *events,
                                         struct hf_json_writer *writer, size_t start);
