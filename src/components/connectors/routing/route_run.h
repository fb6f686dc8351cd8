/*
 * route_run: the routes, one after the other, over one request. Each is asked about what those
 * before have left; what it moves is taken out of the request.
 */
#pragma once

#include "routes.h"

/* The connector's. Immutable after opening. */
struct routing {
    struct routes routes;
    struct hf_ottl_errors *errors;
    struct hf_series *dropped[HF_SIGNAL_COUNT]; /* items that no route took; NULL: not counted */
};

/* See hf_connector_ops.connect. */
HF_MUST_USE enum hf_status routing_connect(void *self, struct hf_batch *batch,
                                           struct hf_onward *onward);
