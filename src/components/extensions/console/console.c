/*
 * console: the web console: pages that show the pipelines, queues, records and dead letters of the
 * process, made by the process itself. server.h tells how a request becomes an answer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "server.h"
#include "support/ingress/http_admission.h"
#include "support/probe/probe_inputs.h"
#include "support/settings/confighttp_server.h"
#include "support/state/state_file.h"
#include "util/log/log_limiter.h"
#include "util/time/clock.h"

#define CONNECTIONS_MAX 64
#define SAY_AGAIN_NS (60 * HF_NS_PER_S)
#define SUCCEEDED_GRACE_NS HF_NS_PER_S

struct console_config {
    struct hf_http_server_config http;
    struct hf_string_list hosts;
};

struct console {
    struct hf_console shared; /* first: what requests are served from */
    const struct console_config *config;
    struct hf_log_limiter said;
    int listen_fd;
};

static enum hf_status open_history(struct console *console)
{
    char *path = NULL;
    bool is_kept = false;
    enum hf_status status = hf_state_file_path(console->shared.node, &path);
    if (status != HF_OK) {
        return status;
    }
    status = hf_console_history_open(path, &console->shared.history, &is_kept);
    if (status == HF_OK && path != NULL && !is_kept) {
        hf_node_log(console->shared.node, HF_LOG_WARN,
                    "%s cannot be used; the history of queues begins with this start", path);
    }
    free(path);
    return status;
}

static void release(struct console *console)
{
    hf_console_history_close(console->shared.history);
    hf_console_assets_release(&console->shared.assets);
    hf_console_events_release(&console->shared.events);
    hf_log_limiter_release(&console->said);
    if (console->listen_fd >= 0) {
        close(console->listen_fd);
    }
    free(console);
}

static enum hf_status prepare(struct console *console, char *reterr)
{
    struct hf_console *shared = &console->shared;
    const struct console_config *config = console->config;
    enum hf_status status =
        hf_console_access_init(&shared->access, config->http.endpoint, &config->hosts);
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "the system gives no random bytes for the console's tokens");
        return status;
    }
    status = hf_auth_find_server(shared->node, config->http.auth, &shared->auth, reterr);
    if (status != HF_OK) {
        return status;
    }
    status = hf_console_assets_init(&shared->assets);
    if (status == HF_OK) {
        status = open_history(console);
    }
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the console");
        return status;
    }
    return hf_node_listen_mode(shared->node, config->http.endpoint, config->http.mode,
                               &console->listen_fd, reterr);
}

static enum hf_status open_console(struct hf_node *node, const void *config, void **ret_self,
                                   char *reterr)
{
    struct console *console = calloc(1, sizeof(*console));
    if (console == NULL) {
        return HF_NOMEM;
    }
    console->shared.node = node;
    console->config = config;
    console->listen_fd = -1;
    console->shared.wanted.node = node;
    console->shared.is_encrypted = console->config->http.tls != NULL;
    hf_console_events_init(&console->shared.events);
    hf_log_limiter_init(&console->said, SAY_AGAIN_NS);
    enum hf_status status = prepare(console, reterr);
    if (status != HF_OK) {
        release(console);
        return status;
    }
    *ret_self = console;
    return HF_OK;
}

static void on_error(void *user, const char *peer, const char *what)
{
    struct console *console = user;
    if (peer == NULL) {
        hf_node_log(console->shared.node, HF_LOG_WARN,
                    "reloading TLS files failed; keeping the previous certificate: %s", what);
    } else if (hf_log_limiter_allows(&console->said, peer, what, hf_clock_coarse_ns())) {
        hf_node_log(console->shared.node, HF_LOG_WARN, "%s: %s", peer, what);
    }
}

static void on_end(void *user)
{
    const struct console *console = user;
    hf_node_release(console->shared.node);
}

static enum hf_status start_threads(struct console *console)
{
    struct hf_console *shared = &console->shared;
    enum hf_status status = hf_console_sampler_new(
        &(struct hf_console_sampler_options){.node = shared->node,
                                             .on_snapshot = hf_console_on_snapshot,
                                             .on_end = hf_console_on_last_snapshot,
                                             .user = shared},
        &shared->sampler);
    if (status != HF_OK) {
        return status;
    }
    return hf_console_worker_new(&(struct hf_console_worker_options){.node = shared->node,
                                                                     .run = hf_console_run,
                                                                     .refuse = hf_console_refuse,
                                                                     .user = shared},
                                 &shared->worker);
}

static void stop_threads(struct console *console)
{
    hf_console_worker_stop(console->shared.worker);
    hf_console_sampler_stop(console->shared.sampler);
}

static enum hf_status start_server(struct console *console, char *reterr)
{
    struct hf_http_server_options options = hf_http_server_options(&console->config->http);
    options.listen_fd = console->listen_fd;
    options.body_bytes_max = HF_CONSOLE_FORM_BYTES_MAX;
    options.buffered_bytes_max = 8 * HF_CONSOLE_FORM_BYTES_MAX;
    options.connections_max = CONNECTIONS_MAX;
    options.idle_timeout_s = 60;
    options.on_headers = hf_console_on_headers;
    options.on_request = hf_console_on_request;
    options.on_gone = hf_http_admission_gone;
    options.on_error = on_error;
    options.on_end = on_end;
    options.user = console;
    console->listen_fd = -1;
    hf_node_hold(console->shared.node);
    enum hf_status status = hf_http_server_new(&options, &console->shared.http, reterr);
    if (status != HF_OK) {
        hf_node_release(console->shared.node);
    }
    return status;
}

static enum hf_status start_console(void *self, char *reterr)
{
    struct console *console = self;
    enum hf_status status = start_threads(console);
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "the console cannot start its threads");
    } else {
        status = start_server(console, reterr);
    }
    if (status != HF_OK) {
        stop_threads(console);
        return status;
    }
    hf_node_log_keys(console->shared.node, HF_LOG_INFO, "Starting console extension",
                     HF_LOG_KEYS(HF_LOG_TEXT("endpoint", console->config->http.endpoint)));
    return HF_OK;
}

static void stop_console(void *self)
{
    struct console *console = self;
    stop_threads(console);
    if (console->shared.http != NULL) {
        bool succeeded = hf_node_is_succeeded(console->shared.node);
        hf_http_server_stop(console->shared.http, succeeded ? SUCCEEDED_GRACE_NS : 0);
    }
}

static void close_console(void *self)
{
    struct console *console = self;
    hf_http_server_free(console->shared.http);
    hf_console_worker_free(console->shared.worker);
    hf_console_sampler_free(console->shared.sampler);
    release(console);
}

static const char *check_config(const void *from)
{
    const struct console_config *config = from;
    const struct hf_http_server_config *http = &config->http;
    bool has_mtls = http->tls != NULL && http->tls->client_ca_file != NULL;
    if (!hf_console_is_loopback(http->endpoint) && http->auth == NULL && !has_mtls) {
        return "endpoint is reached from other machines, and the console shows and changes what is "
               "in the queues: set auth (basicauth, bearertokenauth or oidc) or "
               "tls::client_ca_file, or listen on localhost";
    }
    if (http->cors != NULL && http->cors->allowed_origins.count != 0) {
        return "cors: no other site may use the console; leave it out";
    }
    return hf_http_server_check(http);
}

#define AT(member) offsetof(struct console_config, member)

static const struct hf_field fields[] = {
    HF_HTTP_SERVER_BASE_FIELDS(struct console_config, http, "localhost:13144"),
    {.key = "hosts",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(hosts),
     .help = "Names by which browsers may ask for the console, beside localhost, addresses, the "
             "machine's name and the endpoint's host."},
    {.key = "auth",
     .type = HF_FIELD_OPTIONAL,
     .offset = AT(http.auth),
     .inner = hf_auth_server_fields,
     .inner_size = sizeof(struct hf_auth_config),
     .help = "Who may use it; needed when the endpoint is not loopback, unless "
             "tls::client_ca_file asks for certificates."},
    {.key = "mode",
     .type = HF_FIELD_STRING,
     .offset = AT(http.mode),
     .validate = hf_server_expect_mode,
     .help = HF_SERVER_MODE_HELP},
    HF_FIELDS_END,
};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct console_config *config = from;
    hf_probe_http_server(probe, &config->http);
}

const struct hf_component hf_extension_console = {
    .type = "console",
    .help = "Web console: pipelines, queues, records and dead letters, live.",
    .kind = HF_EXTENSION,
    .config_size = sizeof(struct console_config),
    .fields = fields,
    .check = check_config,
    .probe = probe_outside,
    .open = open_console,
    .start = start_console,
    .stop = stop_console,
    .close = close_console,
};
