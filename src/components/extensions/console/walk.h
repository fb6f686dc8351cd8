/*
 * walk: visits the spans, metrics or log records of OTLP/JSON trees with what they belong to. Any
 * thread; no state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json/json.h"

struct hf_console_item {
    const struct hf_json *item; /* the span, metric or log record */
    struct hf_slice service;    /* service.name of its resource; empty: none */
};

/* `signal` is "spans", "metrics" or "logRecords". `visit` returns false to end. */
void hf_console_walk(const struct hf_json *tree, const char *signal,
                     bool (*visit)(void *user, const struct hf_console_item *item), void *user);

/* A time of OTLP/JSON, which is text or a number; 0: none. */
uint64_t hf_console_nanoseconds(const struct hf_json *owner, const char *key);
/* A number of OTLP/JSON likewise. False: it is none. */
bool hf_console_otlp_number(const struct hf_json *value, double *ret_number);
