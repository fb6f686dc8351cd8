/*
 * routes: the table of `routing`, compiled: what each route asks, and the pipelines that it leads
 * to for each signal. Immutable once compiled; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/component.h>

#include "support/items/ottl_groups.h"

enum route_context {
    ROUTE_ANY = 0, /* to be found out: what the text's paths name, else the resource */
    ROUTE_RESOURCE,
    ROUTE_SPAN,
    ROUTE_METRIC,
    ROUTE_DATAPOINT,
    ROUTE_LOG,
    ROUTE_REQUEST
};

enum route_action { ROUTE_MOVE = 0, ROUTE_COPY };

struct route_config {
    int64_t context, action;
    const char *statement, *condition; /* NULL: not given */
    struct hf_string_list pipelines;
};

struct routing_config {
    int64_t error_mode;
    struct hf_string_list default_pipelines;
    struct hf_struct_list table; /* of struct route_config */
    bool match_once, match_once_given;
};

/* `request["key"] == "value"`: the texts are the configuration's. */
struct route_request {
    char *key; /* lower case */
    struct hf_slice value;
    bool is_unequal; /* != */
};

/* Pipelines behind the connector. */
struct route_targets {
    struct hf_pipeline **items;
    size_t count;
};

struct route {
    bool copies;
    bool is_request;
    struct route_request request;
    const struct hf_ottl *ottl; /* NULL: of a request */
    enum hf_path_context context;
    struct route_targets targets[HF_SIGNAL_COUNT];
};

struct routes {
    struct route *items;
    size_t count;
    struct route_targets rest[HF_SIGNAL_COUNT]; /* where what no route took goes */
    struct hf_ottl_groups groups;               /* the compiled texts */
    const char **keys;                          /* of requests */
    size_t key_count;
    enum hf_ottl_error_mode error_mode;
    /* As before `match_once` was always true: a resource goes by every route that it matches. */
    bool matches_all;
};

/* HF_INVALID with one sentence in `reterr` (HF_ERROR_MAX); HF_NOMEM. What was made is released by
 * routes_release() in any case. */
HF_MUST_USE enum hf_status routes_compile(struct routes *routes,
                                          const struct routing_config *config, char *reterr);
/* Finds the pipelines among those behind the node. HF_NOMEM; HF_INVALID likewise: one is not there.
 */
HF_MUST_USE enum hf_status routes_join(struct routes *routes, const struct routing_config *config,
                                       const struct hf_node *node, char *reterr);
void routes_release(struct routes *routes);
