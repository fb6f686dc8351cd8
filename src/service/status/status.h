/*
 * status: the command `status` of the control protocol: everything that the console, `holdfast top`
 * and scripts show of the process, as one JSON text. docs/control.md describes it.
 *
 * Numbers are as they are now; rates are the reader's, from two answers. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "pipeline/graph.h"
#include "reloads.h"
#include "service/service.h"

/* The version of all JSON answers. Members are added without a new one. */
#define HF_STATUS_PROTOCOL 1

struct hf_status_source {
    const struct hf_host *host;
    const struct hf_graph *graph; /* NULL: none runs, as in the middle of a reload */
    struct hf_reloads *reloads;
    uint64_t started_ns; /* Unix time */
    uint64_t uptime_ns;
    bool is_ephemeral;
};

/* `words` are "status", and the sections that are wanted: none is all of them. HF_EXIT_USAGE, with
 * a sentence to `out`: no such section. */
enum hf_exit hf_status_command(const struct hf_status_source *source, int count, char *const *words,
                               FILE *out);
