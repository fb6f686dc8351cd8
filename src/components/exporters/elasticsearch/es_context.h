/*
 * es_context: what the forms of documents share while a request is built: the item's place, its
 * route, and what is made once for all items of a resource or scope. Owned by the delivery's
 * thread.
 */
#pragma once

#include "bulk/bulk.h"
#include "bulk/fields.h"
#include "bulk/walk.h"
#include "es_config.h"
#include "es_route.h"
#include "util/arena.h"
#include "util/compress/compress.h"

struct es_context {
    const struct es_config *config;
    enum hf_signal signal;
    struct hf_bulk *bulk;
    struct hf_bulk_walk walk;
    enum es_mode request_mode, mode; /* of the request, of the scope */
    struct es_special resource_special, scope_special;
    struct es_route route, event_route;
    bool has_group_route; /* `route` is that of the scope, for items with no attribute of theirs */
    /* Of the resource and the scope, as JSON; mode otel. */
    struct hf_bytes resource_json, scope_json, stream_json;
    /* Of the resource and the scope, as fields; other modes. */
    struct hf_bulk_fields base, work;
    struct hf_arena base_arena, work_arena;
    struct hf_bytes text; /* for values that are made */
};

/* "traces", "metrics", "logs": the type of the data stream. */
const char *es_stream_type(enum hf_signal signal);

/* Chooses the route of the current item, into `route`. False: it has none; the item was left out
 * or the status of the bulk tells. */
HF_MUST_USE bool es_context_route(struct es_context *context, enum hf_signal signal,
                                  const struct es_special *special, struct es_route *route);

/* Begins a document of the current item with that route. */
void es_context_begin(struct es_context *context, const struct es_route *route,
                      const struct es_special *special, uint32_t part);

/* The span events of otel are logs of their own; part numbers begin at 1. */

/* Memory of one request ends; the rest is kept. */
void es_context_rewind(struct es_context *context);
void es_context_release(struct es_context *context);
