/*
 * lb_route: which endpoint an item goes to: the identifier that `routing_key` takes from it, made
 * of the same bytes as by the Go collector, looked up in the ring.
 *
 * Owned by the thread of the delivery: zeroed at first, lb_router_release() at last.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/field.h>
#include <holdfast/status.h>

#include "lb_ring.h"
#include "pdata/walk.h"
#include "util/compress/compress.h"

enum lb_key {
    LB_KEY_DEFAULT = 0, /* traces: the trace id; logs and metrics: the service */
    LB_KEY_TRACE_ID,
    LB_KEY_SERVICE,
    LB_KEY_RESOURCE,
    LB_KEY_METRIC,
    LB_KEY_STREAM_ID,
    LB_KEY_ATTRIBUTES
};

/* NULL when that signal can be routed by that key, else what is wrong in one sentence. */
const char *lb_route_check(enum lb_key key, enum hf_signal signal);

/* The endpoint of a trace within one scope, when the first span of it decides. */
struct lb_seen {
    uint8_t trace_id[16];
    uint32_t endpoint;
    uint32_t round; /* of the router; another one: an empty place */
};

struct lb_router {
    enum lb_key key;
    struct hf_string_list attributes;
    const struct lb_ring *ring; /* not empty */
    uint64_t random;
    /* The rest is the router's. */
    enum hf_signal signal;
    struct hf_bytes text; /* the identifier: what the resource and scope give, then the item's */
    size_t scope_size;
    const struct hf_message *resource_group, *scope_group, *metric;
    bool is_complete; /* resource and scope have all attributes */
    bool has_endpoint;
    uint32_t endpoint;
    uint8_t last_id[16];
    struct lb_seen *seen; /* hash table */
    size_t seen_capacity, seen_count;
    uint32_t round;
};

/* Before the first item of a document. */
void lb_route_begin(struct lb_router *router, enum hf_signal signal);
/* HF_NOMEM. */
HF_MUST_USE enum hf_status lb_route_item(struct lb_router *router, const struct hf_place *place,
                                         uint32_t *ret_endpoint);
void lb_router_release(struct lb_router *router);
