/*
 * top: what `holdfast top` shows: rows of pipelines, queues and exporters, made of answers to
 * `status` (docs/control.md), with rates from one answer to the next.
 *
 * Rows borrow from the newest answer, until the next one is taken. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "series.h"

enum hf_top_part { HF_TOP_PIPELINES = 0, HF_TOP_QUEUES, HF_TOP_EXPORTERS, HF_TOP_PART_COUNT };

/* A number below 0 is not known. */
struct hf_top_row {
    char name[128];   /* a pipeline, "deadletter:otlp", an exporter */
    char detail[512]; /* what leads where, or what went wrong; "": nothing to say */
    char state[24];   /* a word; "" of a queue that is well */
    bool is_bad;
    double in_per_s, out_per_s; /* items */
    double queued_items, queued_records, oldest_s;
    double disk_bytes, disk_max_bytes, segments;
    double commit_s;                  /* mean, of those since the answer before */
    double until_full_s;              /* at the present rate, nothing delivered */
    double dead_items, in_flight;     /* of exporters */
    const struct hf_top_series *rate; /* the items that come in or go out; NULL: none */
};

struct hf_top_rows {
    struct hf_top_row *items;
    size_t count, capacity;
};

struct hf_top_process {
    char version[32], directory[512], why[256]; /* `why` it is not ready; "": it is */
    bool is_draining, is_degraded;
    double pid, uptime_s, resident_bytes, cpu_share; /* the last: of one core */
    double in_per_s, out_per_s, queued_items, dead_items;
};

struct hf_top {
    struct hf_top_process process;
    struct hf_top_rows parts[HF_TOP_PART_COUNT];
    double time_s;     /* Unix time of the newest answer; 0: there was none */
    double interval_s; /* since the one before; 0: no rate is known */
    struct hf_top_series *series;
    struct hf_top_answer *now, *before;
};

/* Zero at first. Takes an answer (borrowed). HF_INVALID: it is none of this protocol; HF_NOMEM. The
 * rows of before stay then. */
HF_MUST_USE enum hf_status hf_top_take(struct hf_top *top, struct hf_slice text);
void hf_top_release(struct hf_top *top);
