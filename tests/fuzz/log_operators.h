/*
 * log_operators: what fuzz targets of log operators give a pipeline: it counts what is emitted, and
 * a failure has a reason.
 */
#pragma once

#include <stdlib.h>

#include "logs/pipeline.h"

static size_t emitted;

static void emit(void *user, struct hf_log_entry *entry)
{
    (void)user;
    (void)entry;
    emitted++;
}

static void failed(void *user, const char *operator_id, const char *why, bool quiet)
{
    (void)user;
    (void)operator_id;
    (void)quiet;
    if (why[0] == '\0') {
        abort();
    }
}

static const struct hf_log_pipeline_ops ops = {.emit = emit, .failed = failed};
