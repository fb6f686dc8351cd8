/*
 * body: Export requests with run-unique numbers in them, made once and renumbered for each send.
 *
 * Item i of request r has the number r * items + i. It stands in the span id of spans and log
 * records and in as_int of data points, so that the sink can tell what arrived. Spans are about 395
 * bytes with eight attributes, as real ones are.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/batch.h>

#include "util/compress/compress.h"

struct storm_body {
    struct hf_bytes bytes;
    size_t *places; /* where each item's number stands */
    uint32_t items;
    uint32_t trace_spans; /* of spans: so many in a row are a new trace; 0: the traces of the body
                             are those of each request */
    uint32_t trace_requests; /* the spans of a trace are spread over so many requests in a row,
                                whose spans are shared by as many traces; 0: they are not */
    uint32_t span_names;     /* of spans: so many names in turn; 0: one */
    uint32_t pod_names;      /* so many k8s.pod.name of requests in turn; 0: one */
    size_t pod_place;        /* where the end of k8s.pod.name stands */
};

/* Makes a request of `items`; `seed` varies the texts. False: out of memory. */
bool storm_body_make(struct storm_body *body, enum hf_signal signal, uint32_t items, uint64_t seed);
/* The same with spans whose status is an error, which tail sampling keeps; of another signal all
 * items are as above. */
bool storm_body_make_failed(struct storm_body *body, enum hf_signal signal, uint32_t items,
                            uint64_t seed);
/* Writes the numbers of request `request` into it. */
void storm_body_number(struct storm_body *body, uint64_t request);
void storm_body_release(struct storm_body *body);

/*
 * Calls `visit` with each item's number in a plain request that any Holdfast may have shaped.
 * Returns the number of items; -1: it is not well formed.
 */
int64_t storm_body_read(enum hf_signal signal, struct hf_slice raw,
                        void (*visit)(void *user, uint64_t number), void *user);
