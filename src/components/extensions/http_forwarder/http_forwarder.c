/*
 * http_forwarder: passes HTTP requests on to another server, with headers and credentials that
 * their senders do not have, and its answers back. It stores nothing: what cannot be passed on is
 * answered with 502.
 *
 * The server's threads copy a request; the forwarder's own thread sends it and answers it. Bodies
 * are decoded and redirects are followed, as by the Go collector.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "forward.h"
#include "support/probe/probe_inputs.h"
#include "support/probe/probe_server.h"
#include "support/settings/missing_ca.h"
#include "util/intake.h"
#include "util/time/clock.h"

#define STOP_GRACE_NS (HF_NS_PER_S / 2)
#define SAY_AGAIN_NS (60 * HF_NS_PER_S)

/* Scheme and host of the endpoint: the path is the request's. */
static void make_base(struct http_forwarder *forwarder)
{
    const char *endpoint = forwarder->config->egress.http.endpoint;
    endpoint = hf_http_unix_path(endpoint) != NULL ? "http://localhost" : endpoint;
    const char *host = strstr(endpoint, "://") + 3;
    size_t size = (size_t)(host - endpoint) + strcspn(host, "/?#");
    snprintf(forwarder->base, sizeof(forwarder->base), "%.*s", (int)size, endpoint);
    if (strlen(endpoint + size) > 1) {
        hf_node_log(forwarder->pages.node, HF_LOG_WARN,
                    "of egress::endpoint only %s is used: requests keep their own path",
                    forwarder->base);
    }
}

static enum hf_status open_forwarder(struct hf_node *node, const void *config, void **ret_self,
                                     char *reterr)
{
    struct http_forwarder *forwarder = calloc(1, sizeof(*forwarder));
    enum hf_status status = forwarder != NULL ? hf_loop_new(&forwarder->loop) : HF_NOMEM;
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the forwarder");
        free(forwarder);
        return status;
    }
    forwarder->config = config;
    forwarder->pages = (struct hf_page_server){.node = node,
                                               .config = &forwarder->config->ingress.http,
                                               .show = hf_forward_pass,
                                               .user = forwarder,
                                               .stop_grace_ns = STOP_GRACE_NS,
                                               .passes_on = true};
    make_base(forwarder);
    status = hf_page_server_open(&forwarder->pages, reterr);
    if (status != HF_OK) {
        hf_loop_free(forwarder->loop);
        free(forwarder);
        return status;
    }
    hf_log_limiter_init(&forwarder->said, SAY_AGAIN_NS);
    if (!forwarder->config->ingress.http.endpoint_written) {
        hf_node_log(node, HF_LOG_WARN,
                    "ingress::endpoint is not set: listening on %s, open to every network of this "
                    "machine; set localhost or one address to narrow it",
                    forwarder->config->ingress.http.endpoint);
    }
    *ret_self = forwarder;
    return HF_OK;
}

static void on_reload_failed(void *user, const char *why)
{
    const struct http_forwarder *forwarder = user;
    hf_node_log(forwarder->pages.node, HF_LOG_WARN,
                "reloading TLS files of egress failed; keeping the previous certificate: %s", why);
}

static enum hf_status open_client(struct http_forwarder *forwarder, char *reterr)
{
    const struct hf_http_client_config *http = &forwarder->config->egress.http;
    struct hf_http_client_options options = hf_http_client_options(http);
    size_t keys = 0;
    enum hf_status status =
        hf_auth_find_client(forwarder->pages.node, http->auth, &forwarder->auth, reterr);
    if (status != HF_OK) {
        return status;
    }
    (void)hf_auth_context_keys(&forwarder->auth, &keys);
    if (keys != 0) {
        snprintf(reterr, HF_ERROR_MAX,
                 "egress::auth: %s takes values of the client's metadata (from_context), which is "
                 "not kept here: the headers of a request are forwarded as they are",
                 http->auth->authenticator);
        return HF_INVALID;
    }
    options.loop = forwarder->loop;
    options.follow = HF_HTTP_FOLLOW_ALL;
    options.keeps_path = true;
    options.on_reload_failed = on_reload_failed;
    options.user = forwarder;
    hf_warn_of_missing_ca(forwarder->pages.node, &http->tls);
    return hf_http_client_new(&options, &forwarder->client, reterr);
}

/* The loop's thread: what is under way ends, and what comes later is refused. */
static void stop_client(struct hf_task *task)
{
    struct http_forwarder *forwarder = HF_CONTAINER(task, struct http_forwarder, stop);
    hf_http_client_free(forwarder->client);
    forwarder->client = NULL;
}

static enum hf_status start_forwarder(void *self, char *reterr)
{
    struct http_forwarder *forwarder = self;
    forwarder->stop.run = stop_client;
    forwarder->answers_bytes_max = hf_intake_total(hf_node_memory(forwarder->pages.node));
    enum hf_status status = open_client(forwarder, reterr);
    if (status == HF_OK) {
        status = hf_loop_start_thread(forwarder->loop, "hf-forwarder");
        forwarder->has_thread = status == HF_OK;
    }
    if (status == HF_OK) {
        status = hf_page_server_start(&forwarder->pages, reterr);
    }
    return status;
}

static void stop_forwarder(void *self)
{
    struct http_forwarder *forwarder = self;
    hf_page_server_stop(&forwarder->pages);
    hf_loop_post(forwarder->loop, &forwarder->stop);
}

static void close_forwarder(void *self)
{
    struct http_forwarder *forwarder = self;
    hf_page_server_close(&forwarder->pages);
    if (forwarder->has_thread) {
        hf_loop_join(forwarder->loop);
    }
    stop_client(&forwarder->stop);
    hf_loop_free(forwarder->loop);
    hf_log_limiter_release(&forwarder->said);
    free(forwarder);
}

static const char *check_config(const void *from)
{
    const struct http_forwarder_config *config = from;
    const char *endpoint = config->egress.http.endpoint;
    if (endpoint == NULL || endpoint[0] == '\0') {
        return "egress::endpoint is required: the server to which requests are forwarded";
    }
    const char *wrong = hf_http_server_check(&config->ingress.http);
    return wrong != NULL ? wrong : hf_http_client_check(&config->egress.http);
}

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct http_forwarder_config *config = from;
    hf_probe_http_server(probe, &config->ingress.http);
    hf_probe_http_client(probe, &config->egress.http, NULL);
}

static const struct hf_field ingress_fields[] = {
    HF_HTTP_SERVER_FIELDS(struct http_forwarder_ingress, http, ":6060"),
    HF_FIELDS_END,
};

static const struct hf_field egress_fields[] = {
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct http_forwarder_egress, http.endpoint),
     .validate = hf_http_client_expect_endpoint,
     .help = "http://host:port, https://host:port or unix:///path. Required. Requests keep their "
             "path and query; a path here is not used."},
    {.key = "timeout",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct http_forwarder_egress, timeout_ns),
     .default_text = "10s",
     .help = "For a request and its answer; 0: none."},
    HF_HTTP_CLIENT_FIELDS(struct http_forwarder_egress, http),
    HF_HTTP_COMPRESSION_FIELDS(struct http_forwarder_egress, http, "none"),
    HF_FIELDS_END,
};

static const struct hf_field fields[] = {
    {.key = "ingress",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct http_forwarder_config, ingress),
     .inner = ingress_fields,
     .help = "The server that takes requests."},
    {.key = "egress",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct http_forwarder_config, egress),
     .inner = egress_fields,
     .help = "The server to which they are forwarded. Redirects are followed; an answer may have "
             "64 MiB."},
    HF_FIELDS_END,
};

const struct hf_component hf_extension_http_forwarder = {
    .type = "http_forwarder",
    .help = "Forwards HTTP requests to another server, with headers and credentials added. Stores "
            "nothing: what cannot be forwarded is answered with 502.",
    .kind = HF_EXTENSION,
    .config_size = sizeof(struct http_forwarder_config),
    .fields = fields,
    .check = check_config,
    .probe = probe_outside,
    .open = open_forwarder,
    .start = start_forwarder,
    .stop = stop_forwarder,
    .close = close_forwarder,
};
