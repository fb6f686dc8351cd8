/*
 * counters: the counters and gauges of the components, taken from the registry of self-metrics at
 * one moment and sorted by component. Owned by one thread.
 */
#pragma once

#include <stddef.h>

#include <holdfast/component.h>

#include "util/metrics/metrics.h"

#define HF_STATUS_COUNTERS_MAX 100000u

struct hf_status_counter {
    enum hf_kind kind;
    char *text;         /* the id, the name and the other labels behind each other */
    const char *id;     /* of the component */
    const char *name;   /* otelcol_receiver_accepted_spans */
    const char *labels; /* the others, as in the text format: transport="grpc" */
    double value;
};

struct hf_status_counters {
    struct hf_status_counter *items;
    size_t count, capacity;
    bool is_cut; /* some are missing: out of memory, or too many */
};

void hf_status_counters_take(struct hf_metrics *metrics, struct hf_status_counters *ret_counters);
void hf_status_counters_release(struct hf_status_counters *counters);

/* Those of one component, `ret_count` of them; NULL: none. */
const struct hf_status_counter *hf_status_counters_of(const struct hf_status_counters *counters,
                                                      enum hf_kind kind, const char *id,
                                                      size_t *ret_count);

/* The next of `labels`, with its escapes undone, in `ret_name` and `ret_value` (`room` bytes each,
 * cut). NULL: there is none; else what follows it. */
const char *hf_status_label(const char *labels, char *ret_name, char *ret_value, size_t room);
