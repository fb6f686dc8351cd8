#include "walk.h"

#include <stddef.h>

enum {
    GROUPS = 1,       /* of a request: ResourceSpans and so on */
    RESOURCE = 1,     /* of those */
    SCOPE_GROUPS = 2, /* of those */
    SCOPE = 1,        /* of ScopeSpans and so on */
    ITEMS = 2,        /* of those: spans, metrics, log records */
    POINTS = 1,       /* of Gauge and so on */
    EVENTS = 11       /* of a span */
};

struct hf_message *hf_place_resource(const struct hf_place *place)
{
    return hf_message_one(place->resource_group, RESOURCE);
}

struct hf_message *hf_place_scope(const struct hf_place *place)
{
    return hf_message_one(place->scope_group, SCOPE);
}

struct hf_message *hf_place_data(struct hf_message *metric)
{
    static const uint8_t kinds[] = {5, 7, 9, 10, 11};
    for (size_t i = 0; i < sizeof(kinds); i++) {
        if (hf_message_has(metric, kinds[i])) {
            return hf_message_one(metric, kinds[i]);
        }
    }
    return NULL;
}

/* ---- all levels ---- */

/* Is anything left of those inside? */
static bool is_empty(struct hf_message *message, uint32_t number)
{
    return hf_message_first(message, number) == NULL;
}

/* Ends the visit of a message whose inside is the field `number`. */
static enum hf_visit leave(const struct hf_visitor *visitor, struct hf_message *message,
                           uint32_t number, enum hf_visit visit)
{
    if (visit != HF_VISIT_STOP && visitor->prune && is_empty(message, number)) {
        return HF_VISIT_DROP;
    }
    return visit == HF_VISIT_STOP ? visit : HF_VISIT_KEEP;
}

/* Shows every message of a field; `show` visits one with all that is inside. */
static enum hf_visit show_all(struct hf_visitor *visitor, struct hf_place *place,
                              struct hf_message *parent, uint32_t number, struct hf_message **level,
                              enum hf_visit (*show)(struct hf_visitor *visitor,
                                                    struct hf_place *place))
{
    enum hf_visit visit = HF_VISIT_KEEP;
    struct hf_message *child = hf_message_first(parent, number);
    while (child != NULL && visit != HF_VISIT_STOP) {
        *level = child;
        visit = show(visitor, place);
        if (visit == HF_VISIT_DROP) {
            hf_message_remove(child);
        }
        child = hf_message_next(child);
    }
    *level = NULL;
    return visit == HF_VISIT_STOP ? visit : HF_VISIT_KEEP;
}

static enum hf_visit show_event(struct hf_visitor *visitor, struct hf_place *place)
{
    enum hf_visit visit = visitor->event(visitor, place);
    place->event_index++;
    return visit;
}

static enum hf_visit show_item(struct hf_visitor *visitor, struct hf_place *place)
{
    enum hf_visit visit = visitor->item != NULL ? visitor->item(visitor, place) : HF_VISIT_KEEP;
    if (visit == HF_VISIT_KEEP && visitor->event != NULL &&
        hf_document_signal(place->document) == HF_TRACES) {
        place->event_index = 0;
        visit = show_all(visitor, place, place->item, EVENTS, &place->event, show_event);
    }
    return visit;
}

static enum hf_visit show_metric(struct hf_visitor *visitor, struct hf_place *place)
{
    place->data = hf_place_data(place->metric);
    enum hf_visit visit = visitor->metric != NULL ? visitor->metric(visitor, place) : HF_VISIT_KEEP;
    if (visit == HF_VISIT_KEEP) {
        place->data = hf_place_data(place->metric); /* the visitor may have changed its kind */
        visit = show_all(visitor, place, place->data, POINTS, &place->item, show_item);
        visit = leave(visitor, place->data, POINTS, visit);
    }
    place->data = NULL;
    return visit;
}

static enum hf_visit show_scope(struct hf_visitor *visitor, struct hf_place *place)
{
    enum hf_visit visit = visitor->scope != NULL ? visitor->scope(visitor, place) : HF_VISIT_KEEP;
    if (visit != HF_VISIT_KEEP) {
        return visit;
    }
    if (hf_document_signal(place->document) == HF_METRICS) {
        visit = show_all(visitor, place, place->scope_group, ITEMS, &place->metric, show_metric);
    } else {
        visit = show_all(visitor, place, place->scope_group, ITEMS, &place->item, show_item);
    }
    return leave(visitor, place->scope_group, ITEMS, visit);
}

static enum hf_visit show_resource(struct hf_visitor *visitor, struct hf_place *place)
{
    enum hf_visit visit =
        visitor->resource != NULL ? visitor->resource(visitor, place) : HF_VISIT_KEEP;
    if (visit != HF_VISIT_KEEP) {
        return visit;
    }
    visit = show_all(visitor, place, place->resource_group, SCOPE_GROUPS, &place->scope_group,
                     show_scope);
    return leave(visitor, place->resource_group, SCOPE_GROUPS, visit);
}

void hf_walk(struct hf_document *document, struct hf_visitor *visitor)
{
    struct hf_place place = {.document = document};
    show_all(visitor, &place, hf_document_root(document), GROUPS, &place.resource_group,
             show_resource);
}

enum hf_status hf_walk_batch(struct hf_batch *batch, struct hf_visitor *visitor,
                             const enum hf_status *status, struct hf_batch **ret_batch)
{
    struct hf_document *document = hf_document_borrow(batch->signal, batch->raw);
    if (document == NULL) {
        return HF_NOMEM;
    }
    hf_walk(document, visitor);
    enum hf_status made =
        *status == HF_OK ? hf_document_batch(document, batch, ret_batch) : *status;
    hf_document_return(document);
    return made;
}

/* ---- item by item ---- */

/* The next group of scopes, and the first of what it has. */
static bool next_scope_group(struct hf_place *place)
{
    place->scope_group = place->scope_group != NULL ? hf_message_next(place->scope_group) : NULL;
    while (place->scope_group == NULL) {
        place->resource_group = place->resource_group == NULL
                                    ? hf_message_first(hf_document_root(place->document), GROUPS)
                                    : hf_message_next(place->resource_group);
        if (place->resource_group == NULL) {
            return false;
        }
        place->scope_group = hf_message_first(place->resource_group, SCOPE_GROUPS);
    }
    return true;
}

static bool next_metric(struct hf_place *place)
{
    place->metric = place->metric != NULL ? hf_message_next(place->metric) : NULL;
    while (place->metric == NULL) {
        if (!next_scope_group(place)) {
            return false;
        }
        place->metric = hf_message_first(place->scope_group, ITEMS);
    }
    place->data = hf_place_data(place->metric);
    return true;
}

bool hf_place_next_item(struct hf_place *place)
{
    bool of_metrics = hf_document_signal(place->document) == HF_METRICS;
    place->event = NULL;
    place->event_index = 0;
    place->exemplar = NULL;
    place->item = place->item != NULL ? hf_message_next(place->item) : NULL;
    while (place->item == NULL) {
        if (of_metrics ? !next_metric(place) : !next_scope_group(place)) {
            return false;
        }
        place->item = of_metrics ? hf_message_first(place->data, POINTS)
                                 : hf_message_first(place->scope_group, ITEMS);
    }
    return true;
}

bool hf_place_next_event(struct hf_place *place)
{
    if (hf_document_signal(place->document) != HF_TRACES) {
        return false;
    }
    bool is_first = place->event == NULL;
    place->event = is_first ? hf_message_first(place->item, EVENTS) : hf_message_next(place->event);
    place->event_index = is_first ? 0 : place->event_index + 1;
    return place->event != NULL;
}
