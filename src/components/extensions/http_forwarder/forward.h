/*
 * forward: a request that is passed on, and its answer. hf_forward_pass() copies it on a thread of
 * the server and posts it to the forwarder's loop, which sends and answers it.
 */
#pragma once

#include "support/health/page_server.h"
#include "support/settings/confighttp.h"
#include "util/log/log_limiter.h"
#include "util/loop.h"

struct http_forwarder_ingress {
    struct hf_http_server_config http;
};

struct http_forwarder_egress {
    struct hf_http_client_config http;
    uint64_t timeout_ns; /* of a request; 0: none */
};

struct http_forwarder_config {
    struct http_forwarder_ingress ingress;
    struct http_forwarder_egress egress;
};

struct http_forwarder {
    const struct http_forwarder_config *config;
    struct hf_page_server pages;
    char base[HF_URL_MAX]; /* scheme and host of the endpoint */
    struct hf_auth_ref auth;
    struct hf_loop *loop;
    bool has_thread;
    uint64_t answers_bytes_max;
    struct hf_task stop;
    /* The loop's thread. */
    struct hf_http_client *client; /* NULL: it has stopped */
    uint64_t answers_bytes;        /* of all that are coming */
    struct hf_log_limiter said;
};

/* `show` of a page_server. `user` is the forwarder. */
void hf_forward_pass(void *user, struct hf_http_request *request);
