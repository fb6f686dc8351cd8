/*
 * stub_status: the page of nginx's module of that name, and its numbers as metrics. Pure; any
 * thread.
 */
#pragma once

#include "support/scrape/metric_points.h"

#define NGINX_METRICS(X)                                                                           \
    X(NGINX_ACCEPTED, "nginx.connections_accepted", "connections", COUNTER, on,                    \
      "Connections of clients that were accepted.")                                                \
    X(NGINX_CURRENT, "nginx.connections_current", "connections", UPDOWN, on,                       \
      "Connections of clients by their state.")                                                    \
    X(NGINX_HANDLED, "nginx.connections_handled", "connections", COUNTER, on,                      \
      "Connections that were handled: fewer than accepted when a limit was reached.")              \
    X(NGINX_REQUESTS, "nginx.requests", "requests", COUNTER, on, "Requests of clients.")

enum { NGINX_METRICS(HF_METRIC_ID) NGINX_METRIC_COUNT };

extern const struct hf_metric_row nginx_rows[];

struct stub_status {
    int64_t active, accepted, handled, requests, reading, writing, waiting;
};

/* False: it is no such page. */
HF_MUST_USE bool stub_status_read(struct hf_slice page, struct stub_status *ret_status);
void stub_status_add(const struct stub_status *status, struct hf_points *points);
