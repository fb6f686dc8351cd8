/*
 * server: a request on its way through the console: who it is from (host, credentials, for changes
 * origin and token), what it asks for, who makes the answer, and the headers that every answer has.
 *
 * Requests arrive on the HTTP server's thread. Live pages are made there, slow ones by the worker,
 * events by the sampler's thread; `struct hf_console` is immutable between start and stop, and what
 * it points to has locks of its own.
 */
#pragma once

#include "access.h"
#include "assets.h"
#include "events.h"
#include "history.h"
#include "http/server.h"
#include "sampler.h"
#include "support/ingress/ingress_auth.h"
#include "support/settings/configauth.h"
#include "worker.h"

struct hf_console {
    struct hf_node *node;
    struct hf_http_server *http;
    struct hf_console_access access;
    struct hf_console_assets assets;
    struct hf_console_events events;
    struct hf_console_history *history;
    struct hf_console_sampler *sampler;
    struct hf_console_worker *worker;
    struct hf_auth_ref auth;
    struct hf_ingress_wanted wanted; /* of clients: nothing */
    bool is_encrypted;
};

/* For struct hf_http_server_options; `user` is the console. */
enum hf_status hf_console_on_headers(void *user, struct hf_http_request *http);
void hf_console_on_request(void *user, struct hf_http_request *http, enum hf_status fault);

/* For the worker's options. */
void hf_console_run(void *user, struct hf_console_request *request);
void hf_console_refuse(void *user, struct hf_console_request *request);

/* For the sampler's options: events for those who wait. */
void hf_console_on_snapshot(void *user, struct hf_console_snapshot *snapshot);
void hf_console_on_last_snapshot(void *user);
