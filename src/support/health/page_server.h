/*
 * page_server: the HTTP server of an extension that shows pages, or passes requests on: it listens
 * from open on, checks credentials, and calls `show` for each request that may be answered. Embed
 * it, and set the members before its own. The main thread opens, starts, stops and closes it;
 * `show` runs on the server's threads, many at a time.
 */
#pragma once

#include <holdfast/node.h>

#include "http/server.h"
#include "support/settings/configauth.h"
#include "support/settings/confighttp_server.h"
#include "util/log/log_limiter.h"

struct hf_page_server {
    struct hf_node *node;
    const struct hf_http_server_config *config;
    /* Ends in one hf_http_answer(), now or later. */
    void (*show)(void *user, struct hf_http_request *request);
    void *user;
    uint64_t stop_grace_ns; /* for requests under way when the process ends */
    /* Bodies and connections are bounded by the configuration and the memory, and the target of a
     * request is kept. Otherwise 64 KiB and 256 connections are the most. */
    bool passes_on;
    /* Its own. */
    struct hf_http_server *server;
    struct hf_auth_ref auth;
    struct hf_log_limiter said;
    int listen_fd;
};

/* Listens. On failure `reterr` (HF_ERROR_MAX) is a sentence, as of start. Main thread, as all of
 * these. */
HF_MUST_USE enum hf_status hf_page_server_open(struct hf_page_server *pages, char *reterr);
/* Serves: all extensions are open by now. After a failure it is to be closed. */
HF_MUST_USE enum hf_status hf_page_server_start(struct hf_page_server *pages, char *reterr);
/* After a reload, requests under way have a second, and idle connections a moment. */
void hf_page_server_stop(struct hf_page_server *pages);
void hf_page_server_close(struct hf_page_server *pages);

/* An answer of text; `type` NULL: text/plain. Any thread. */
void hf_page_answer(struct hf_http_request *request, int status, const char *type,
                    struct hf_slice text);
