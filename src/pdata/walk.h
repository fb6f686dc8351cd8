/*
 * walk: shows every resource, scope, metric and item of a document in turn, and where it stands;
 * the visitor reads, changes, keeps or drops it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/batch.h>
#include <holdfast/status.h>

#include "document.h"
#include "message.h"

/* Where an item stands. What is outside of the level that is visited is NULL. */
struct hf_place {
    struct hf_document *document;
    struct hf_message *resource_group; /* ResourceSpans, ResourceMetrics, ResourceLogs */
    struct hf_message *scope_group;    /* ScopeSpans, ... */
    struct hf_message *metric;
    struct hf_message *data;     /* Gauge, Sum, Histogram, ... of the metric */
    struct hf_message *item;     /* span, data point or log record */
    struct hf_message *event;    /* span event */
    struct hf_message *exemplar; /* of a data point */
    uint32_t event_index;
};

/* The Resource and InstrumentationScope; NULL when the request has none. */
struct hf_message *hf_place_resource(const struct hf_place *place);
struct hf_message *hf_place_scope(const struct hf_place *place);

/* The Gauge, Sum, ... of a metric; NULL when it has none. */
struct hf_message *hf_place_data(struct hf_message *metric);

enum hf_visit {
    HF_VISIT_KEEP = 0,
    HF_VISIT_SKIP, /* keep, and do not look inside */
    HF_VISIT_DROP, /* remove it with all that is inside */
    HF_VISIT_STOP  /* keep, and end the walk */
};

/* Embed in what the functions need. NULL: keep all of that level. A metric whose kind is not known
 * is shown with `data` NULL. */
struct hf_visitor {
    enum hf_visit (*resource)(struct hf_visitor *visitor, const struct hf_place *place);
    enum hf_visit (*scope)(struct hf_visitor *visitor, const struct hf_place *place);
    enum hf_visit (*metric)(struct hf_visitor *visitor, const struct hf_place *place);
    enum hf_visit (*item)(struct hf_visitor *visitor, const struct hf_place *place);
    enum hf_visit (*event)(struct hf_visitor *visitor, const struct hf_place *place);
    bool prune; /* what is empty after the visit of its inside is dropped as well */
};

/* Visits all of the document in its order. A visit may change the place that it gets. */
void hf_walk(struct hf_document *document, struct hf_visitor *visitor);

/*
 * The items one by one: starts as {.document = document}, ends with false. The item may be removed
 * before the next step.
 */
HF_MUST_USE bool hf_place_next_item(struct hf_place *place);

/* Steps the place through the span's events; starts with `event` NULL. */
HF_MUST_USE bool hf_place_next_event(struct hf_place *place);
