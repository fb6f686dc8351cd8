#include "request.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "oauth.h"
#include "support/settings/confighttp.h"
#include "util/base64.h"
#include "util/time/clock.h"

#define LOOK_EVERY_NS (10 * HF_NS_PER_S)
#define LITERAL(text) ((struct hf_slice){(const uint8_t *)(text), sizeof(text) - 1})

/* ---- accepted formats ---- */

static const struct {
    const char *name, *accept;
    bool has_escaping;
} protocols[] = {
    {"PrometheusProto",
     "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
     "encoding=delimited",
     false},
    {"OpenMetricsText1.0.0", "application/openmetrics-text;version=1.0.0", true},
    {"OpenMetricsText0.0.1", "application/openmetrics-text;version=0.0.1", false},
    {"PrometheusText1.0.0", "text/plain;version=1.0.0", true},
    {"PrometheusText0.0.4", "text/plain;version=0.0.4", false},
};

static const char *const protocols_default[] = {"OpenMetricsText1.0.0", "OpenMetricsText0.0.1",
                                                "PrometheusText1.0.0", "PrometheusText0.0.4"};
/* Protobuf is the only format that has native histograms. */
static const char *const protocols_native[] = {"PrometheusProto", "OpenMetricsText1.0.0",
                                               "OpenMetricsText0.0.1", "PrometheusText1.0.0",
                                               "PrometheusText0.0.4"};

static size_t find_protocol(const char *name)
{
    size_t i = 0;
    while (strcmp(protocols[i].name, name) != 0) {
        i++;
        assert(i < sizeof(protocols) / sizeof(protocols[0])); /* the keys have these choices */
    }
    return i;
}

void prom_request_accept(struct prom_job_state *job)
{
    const struct prom_global *global = &job->receiver->config->prometheus.global;
    const struct hf_string_list *own = &job->config->protocols;
    const struct hf_string_list *list = own->count != 0 ? own : &global->protocols;
    const char *const *names = list->items;
    size_t count = list->count;
    if (count == 0) {
        names = job->wants_native ? protocols_native : protocols_default;
        count = job->wants_native ? 5 : 4;
    }
    const char *escaping = prom_job_escaping(global, job->config);
    size_t used = 0;
    for (size_t i = 0; i < count && i < 5; i++) {
        size_t protocol = find_protocol(names[i]);
        bool has_escaping = protocols[protocol].has_escaping;
        int size = snprintf(job->accept + used, sizeof(job->accept) - used, "%s%s%s;q=0.%zu,",
                            protocols[protocol].accept, has_escaping ? ";escaping=" : "",
                            has_escaping ? escaping : "", count + 1 - i);
        used += (size_t)size;
        used = used < sizeof(job->accept) ? used : sizeof(job->accept) - 1;
    }
    snprintf(job->accept + used, sizeof(job->accept) - used, "*/*;q=0.1");
}

/* ---- credentials ---- */

static void watch(struct prom_secret *secret, const char *path)
{
    secret->file.path = path;
}

/* The text of a secret's file without the line's end; the last good one when it cannot be read. */
static const char *read_secret(const struct prom_client *client, struct prom_secret *secret)
{
    char *text = NULL;
    char why[HF_ERROR_MAX];
    if (hf_file_watch_changed(&secret->file, hf_clock_coarse_ns(), LOOK_EVERY_NS)) {
        if (hf_file_watch_read_secret(secret->file.path, &text, why) == HF_OK) {
            free(secret->text);
            secret->text = text;
        } else {
            hf_node_log(client->receiver->node, HF_LOG_WARN, "job \"%s\": %s", client->what, why);
        }
    }
    return secret->text != NULL ? secret->text : "";
}

static const char *text_or_file(const struct prom_client *client, const char *text,
                                struct prom_secret *secret)
{
    if (secret->file.path != NULL) {
        return read_secret(client, secret);
    }
    return text != NULL ? text : "";
}

static void put_basic(struct prom_request *request, struct prom_client *client)
{
    const struct prom_basic_auth *basic = client->http->basic_auth;
    char pair[700]; /* its base64 fits the header */
    size_t room = sizeof(request->authorization);
    int size = snprintf(pair, sizeof(pair), "%s:%s",
                        text_or_file(client, basic->username, &client->username),
                        text_or_file(client, basic->password, &client->password));
    size = size < (int)sizeof(pair) ? size : (int)sizeof(pair) - 1;
    size_t used = (size_t)snprintf(request->authorization, room, "Basic ");
    used += hf_base64_print(hf_slice_of(pair, (size_t)size), request->authorization + used);
    request->authorization[used] = '\0';
}

static bool put_authorization(struct prom_request *request, struct prom_client *client)
{
    const struct prom_http *http = client->http;
    const struct prom_authorization *authorization = http->authorization;
    if (client->oauth2 != NULL) {
        return hf_oauth2_copy(client->oauth2, request->authorization);
    }
    if (http->basic_auth != NULL) {
        put_basic(request, client);
        return true;
    }
    const char *token = http->bearer_token;
    const char *type = "Bearer";
    if (authorization != NULL) {
        token = authorization->credentials;
        type = authorization->type;
    }
    if (token == NULL && client->credentials.file.path == NULL) {
        return false;
    }
    snprintf(request->authorization, sizeof(request->authorization), "%s %s", type,
             text_or_file(client, token, &client->credentials));
    return true;
}

static void put(struct prom_request *request, struct hf_slice name, struct hf_slice value)
{
    if (request->header_count < PROM_HEADERS_MAX) {
        request->headers[request->header_count++] = (struct hf_header){name, value};
    }
}

void prom_request_fill(struct prom_request *request, struct prom_client *client, const char *accept,
                       uint64_t timeout_ns)
{
    const struct hf_struct_map *more = &client->http->headers;
    const struct prom_http_header *headers = more->items;
    snprintf(request->timeout, sizeof(request->timeout), "%.9g", (double)timeout_ns / 1e9);
    if (accept != NULL) {
        put(request, LITERAL("accept"), hf_slice_text(accept));
    }
    if (timeout_ns != 0) {
        put(request, LITERAL("x-prometheus-scrape-timeout-seconds"),
            hf_slice_text(request->timeout));
    }
    if (put_authorization(request, client)) {
        put(request, LITERAL("authorization"), hf_slice_text(request->authorization));
    }
    for (size_t i = 0; i < more->count; i++) {
        for (size_t k = 0; k < headers[i].values.count; k++) {
            put(request, hf_slice_text(more->keys[i]), hf_slice_text(headers[i].values.items[k]));
        }
        for (size_t k = 0; k < headers[i].secrets.count; k++) {
            put(request, hf_slice_text(more->keys[i]), hf_slice_text(headers[i].secrets.items[k]));
        }
    }
}

/* ---- the client ---- */

static void on_reload_failed(void *user, const char *why)
{
    const struct prom_client *client = user;
    hf_node_log(client->receiver->node, HF_LOG_WARN,
                "job \"%s\": reloading TLS files failed; keeping the previous certificate: %s",
                client->what, why);
}

static enum hf_status open_oauth2(const struct prom_client_options *options,
                                  struct prom_client *client, char *reterr)
{
    client->oauth2_config = prom_oauth2_of(options->http->oauth2);
    snprintf(client->oauth2_what, sizeof(client->oauth2_what), "job \"%.100s\": ", options->what);
    const struct hf_oauth2_options tokens = {.config = &client->oauth2_config,
                                             .node = options->receiver->node,
                                             .what = client->oauth2_what};
    enum hf_status status = hf_oauth2_new(&tokens, &client->oauth2, reterr);
    return status == HF_OK ? hf_oauth2_start(client->oauth2, reterr) : status;
}

void prom_client_wait(struct prom_client *client, uint64_t due_ns)
{
    if (client->oauth2 != NULL) {
        hf_oauth2_wait(client->oauth2, due_ns);
    }
}

void prom_client_answered(struct prom_client *client, int code)
{
    if (client->oauth2 != NULL && code == 401) {
        hf_oauth2_refused(client->oauth2);
    }
}

enum hf_status prom_client_open(const struct prom_client_options *options,
                                struct prom_client *ret_client, char *reterr)
{
    const struct prom_http *http = options->http;
    const struct prom_basic_auth *basic = http->basic_auth;
    char user_agent[HF_USER_AGENT_MAX];
    hf_user_agent(user_agent);
    *ret_client = (struct prom_client){.receiver = options->receiver,
                                       .what = options->what,
                                       .http = http,
                                       .tls = prom_tls_of(&http->tls)};
    watch(&ret_client->username, basic != NULL ? basic->username_file : NULL);
    watch(&ret_client->password, basic != NULL ? basic->password_file : NULL);
    watch(&ret_client->credentials, http->authorization != NULL
                                        ? http->authorization->credentials_file
                                        : http->bearer_token_file);
    const struct hf_http_client_options client = {
        .loop = options->receiver->loop,
        .tls = &ret_client->tls,
        .user_agent = user_agent,
        .proxy_url = http->proxy_url,
        .no_proxy = http->no_proxy,
        .no_environment = !http->proxy_from_environment,
        .max_idle_conns = 1000,
        .accept_gzip = options->accept_gzip,
        .response_bytes_max = options->response_bytes_max,
        .follow = http->follow_redirects ? HF_HTTP_FOLLOW_ALL : HF_HTTP_FOLLOW_NONE,
        .on_reload_failed = on_reload_failed,
        .user = ret_client,
    };
    enum hf_status status = hf_http_client_new(&client, &ret_client->client, reterr);
    return status == HF_OK && http->oauth2 != NULL ? open_oauth2(options, ret_client, reterr)
                                                   : status;
}

void prom_client_close(struct prom_client *client)
{
    if (client->client != NULL) {
        hf_http_client_free(client->client);
        client->client = NULL;
    }
    hf_oauth2_free(client->oauth2);
    client->oauth2 = NULL;
    free(client->username.text);
    free(client->password.text);
    free(client->credentials.text);
    client->username.text = client->password.text = client->credentials.text = NULL;
}
