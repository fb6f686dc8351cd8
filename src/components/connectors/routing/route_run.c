#include "route_run.h"

#include <stdio.h>
#include <stdlib.h>

#include "pdata/document.h"
#include "pdata/parts.h"
#include "route_request.h"
#include "util/metrics/metrics.h"

/* One request on its way through the routes. */
struct pass {
    struct hf_visitor visitor;
    const struct routing *routing;
    const struct route *route; /* the one that is asked */
    size_t route_index;
    struct hf_batch *batch;
    struct hf_onward *onward;
    struct hf_document *document;
    struct hf_ottl_run run;
    struct hf_parts parts;     /* one for each route that took items */
    struct hf_message **taken; /* resources, metrics or items that the route matched */
    size_t taken_count, taken_capacity;
    enum hf_status status;
};

/* ---- asking ---- */

static void note_error(struct pass *pass)
{
    const struct hf_ottl *ottl = pass->route->ottl;
    const char *text = hf_ottl_condition_count(ottl) > 0 ? hf_ottl_condition_text(ottl, 0)
                                                         : hf_ottl_statement_text(ottl, 0);
    enum hf_ottl_error_mode mode = pass->routing->routes.error_mode;
    hf_ottl_errors_meet(pass->routing->errors, text, pass->run.error, mode == HF_OTTL_SILENT);
    if (mode == HF_OTTL_PROPAGATE) {
        pass->status = HF_INVALID;
    }
}

/* Does the route match this place? An error counts as no. */
static bool matches(struct pass *pass, const struct hf_place *place)
{
    const struct hf_ottl *ottl = pass->route->ottl;
    bool is_match = false, failed = false;
    hf_ottl_enter(&pass->run, place);
    if (hf_ottl_condition_count(ottl) > 0) {
        enum hf_ottl_verdict verdict = hf_ottl_test(ottl, 0, &pass->run);
        is_match = verdict == HF_OTTL_TRUE;
        failed = verdict == HF_OTTL_ERROR;
    } else {
        enum hf_status status = hf_ottl_execute(ottl, 0, &pass->run, &is_match);
        failed = status != HF_OK;
        is_match = is_match && !failed;
    }
    if (pass->run.no_memory) {
        pass->status = HF_NOMEM;
    } else if (failed) {
        note_error(pass);
    }
    return is_match && pass->status == HF_OK;
}

static void take(struct pass *pass, struct hf_message *message)
{
    if (pass->taken_count == pass->taken_capacity) {
        size_t capacity = 2 * pass->taken_capacity + 64;
        struct hf_message **taken =
            reallocarray(pass->taken, capacity, sizeof(struct hf_message *));
        if (taken == NULL) {
            pass->status = HF_NOMEM;
            return;
        }
        pass->taken = taken;
        pass->taken_capacity = capacity;
    }
    pass->taken[pass->taken_count++] = message;
}

static enum hf_visit judge(struct pass *pass, const struct hf_place *place,
                           struct hf_message *message)
{
    if (matches(pass, place)) {
        take(pass, message);
    } else if (pass->status == HF_OK) {
        return HF_VISIT_SKIP;
    }
    return pass->status == HF_OK ? HF_VISIT_KEEP : HF_VISIT_STOP;
}

static enum hf_visit see_resource(struct hf_visitor *visitor, const struct hf_place *place)
{
    return judge(HF_CONTAINER(visitor, struct pass, visitor), place, place->resource_group);
}

static enum hf_visit see_metric(struct hf_visitor *visitor, const struct hf_place *place)
{
    return judge(HF_CONTAINER(visitor, struct pass, visitor), place, place->metric);
}

/* All that is visited goes by the route. */
static enum hf_visit put_item(struct hf_visitor *visitor, const struct hf_place *place)
{
    struct pass *pass = HF_CONTAINER(visitor, struct pass, visitor);
    const struct hf_slice key = hf_slice_of(&pass->route_index, sizeof(pass->route_index));
    pass->status = hf_parts_put(&pass->parts, place, key);
    return pass->status == HF_OK ? HF_VISIT_KEEP : HF_VISIT_STOP;
}

static enum hf_visit judge_item(struct hf_visitor *visitor, const struct hf_place *place)
{
    struct pass *pass = HF_CONTAINER(visitor, struct pass, visitor);
    enum hf_visit visit = judge(pass, place, place->item);
    return visit == HF_VISIT_KEEP ? put_item(visitor, place) : visit;
}

/* False: the signal has no such level. */
static bool set_visitor(struct pass *pass)
{
    static const enum hf_signal signals[HF_PATH_CONTEXT_COUNT] = {
        [HF_PATH_SPAN] = HF_TRACES,
        [HF_PATH_METRIC] = HF_METRICS,
        [HF_PATH_DATAPOINT] = HF_METRICS,
        [HF_PATH_LOG] = HF_LOGS,
    };
    enum hf_path_context context = pass->route->context;
    pass->visitor = (struct hf_visitor){.item = put_item};
    if (context == HF_PATH_RESOURCE) {
        pass->visitor.resource = see_resource;
        return true;
    }
    if (context == HF_PATH_METRIC) {
        pass->visitor.metric = see_metric;
    } else {
        pass->visitor.item = judge_item;
    }
    return signals[context] == pass->batch->signal;
}

/* ---- passing on ---- */

static void pass_on(struct pass *pass, struct hf_batch *made, const struct route_targets *to)
{
    if (made != NULL && pass->status == HF_OK && to->count > 0) {
        pass->status = hf_pass_on(pass->onward, made, to->items, to->count);
    }
    if (made != NULL) {
        hf_ref_drop(&made->ref);
    }
}

/* What is left, to those pipelines. */
static void pass_rest(struct pass *pass, const struct route_targets *to)
{
    struct hf_batch *made = NULL;
    pass->status = hf_document_batch(pass->document, pass->batch, &made);
    pass_on(pass, made, to);
}

static void remove_taken(struct pass *pass)
{
    for (size_t i = 0; i < pass->taken_count; i++) {
        hf_message_remove(pass->taken[i]);
    }
    pass->taken_count = 0;
    hf_document_prune(pass->document);
}

/* The part that the route has put its items into: the last one, when it has put any. */
static void pass_part(struct pass *pass, size_t parts_before)
{
    struct hf_batch *made = NULL;
    if (pass->parts.count > parts_before) {
        pass->status =
            hf_parts_batch(&pass->parts, pass->document, parts_before, pass->batch, &made);
    }
    pass_on(pass, made, &pass->route->targets[pass->batch->signal]);
}

/* Several routes may have taken the same resource when all of them are asked. */
static void forget_repeats(struct pass *pass, size_t before)
{
    size_t kept = before;
    for (size_t i = before; i < pass->taken_count; i++) {
        bool is_there = false;
        for (size_t k = 0; k < before && !is_there; k++) {
            is_there = pass->taken[k] == pass->taken[i];
        }
        if (!is_there) {
            pass->taken[kept++] = pass->taken[i];
        }
    }
    pass->taken_count = kept;
}

static void run_route(struct pass *pass)
{
    const struct routes *routes = &pass->routing->routes;
    size_t parts_before = pass->parts.count, taken_before = pass->taken_count;
    if (!set_visitor(pass)) {
        return;
    }
    hf_walk(pass->document, &pass->visitor);
    if (pass->status == HF_OK) {
        pass_part(pass, parts_before);
    }
    if (routes->matches_all) {
        forget_repeats(pass, taken_before);
    } else if (pass->route->copies) {
        pass->taken_count = 0;
    } else if (pass->taken_count > 0) {
        remove_taken(pass);
    }
}

/* True: the route has moved all that was left. */
static bool run_request_route(struct pass *pass)
{
    if (!route_request_matches(&pass->route->request, pass->batch->meta)) {
        return false;
    }
    pass_rest(pass, &pass->route->targets[pass->batch->signal]);
    return !pass->route->copies;
}

static uint32_t items_left(struct pass *pass)
{
    return hf_document_is_changed(pass->document) ? hf_document_items(pass->document)
                                                  : pass->batch->items;
}

static void run_routes(struct pass *pass)
{
    const struct routing *routing = pass->routing;
    enum hf_signal signal = pass->batch->signal;
    bool is_moved = false;
    for (size_t i = 0; i < routing->routes.count && pass->status == HF_OK && !is_moved; i++) {
        pass->route = &routing->routes.items[i];
        pass->route_index = i;
        if (pass->route->targets[signal].count == 0) {
            continue; /* it is for another signal */
        }
        if (pass->route->is_request) {
            is_moved = run_request_route(pass);
        } else {
            run_route(pass);
        }
        is_moved = is_moved || items_left(pass) == 0;
    }
    if (pass->taken_count > 0) {
        remove_taken(pass);
    }
    if (pass->status != HF_OK || is_moved) {
        return;
    }
    uint32_t left = items_left(pass);
    pass_rest(pass, &routing->routes.rest[signal]);
    if (routing->routes.rest[signal].count == 0 && routing->dropped[signal] != NULL) {
        hf_series_add(routing->dropped[signal], left);
    }
}

enum hf_status routing_connect(void *self, struct hf_batch *batch, struct hf_onward *onward)
{
    const struct routing *routing = self;
    struct pass pass = {.routing = routing,
                        .batch = batch,
                        .onward = onward,
                        .parts.limit = (uint32_t)routing->routes.count};
    pass.document = hf_document_borrow(batch->signal, batch->raw);
    if (pass.document == NULL) {
        return HF_NOMEM;
    }
    hf_ottl_begin(&pass.run, pass.document);
    run_routes(&pass);
    enum hf_status failed = hf_document_status(pass.document);
    hf_ottl_end(&pass.run);
    hf_parts_release(&pass.parts);
    free(pass.taken);
    hf_document_return(pass.document);
    return pass.status != HF_OK ? pass.status : failed;
}
