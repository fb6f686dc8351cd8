/*
 * hec_events: an Export request as events of the HTTP Event Collector. Owned by one thread.
 */
#pragma once

#include <holdfast/batch.h>
#include <holdfast/status.h>

#include "hec_config.h"
#include "hec_fields.h"
#include "util/compress/compress.h"

struct hec_events {
    const struct hec_config *config;
    struct hec_metadata_keys keys;
    struct hec_fields fields;
    struct hf_bytes name; /* of a field of a metric */
    /* Of the last request: items that have no event, and why the first of them has none. */
    uint64_t left_out;
    const char *why;
};

/* Appends the events to `out`. HF_TOO_LARGE: one of them is larger than max_event_size. HF_CORRUPT,
 * HF_NOMEM. */
HF_MUST_USE enum hf_status hec_events_write(struct hec_events *events, enum hf_signal signal,
                                            struct hf_slice raw, struct hf_bytes *out);

void hec_events_release(struct hec_events *events);
