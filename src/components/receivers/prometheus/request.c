#include "request.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "support/confighttp.h"
#include "util/clock.h"

#define LOOK_EVERY_NS (10 * HF_NS_PER_S)
#define LITERAL(text) ((struct hf_slice){(const uint8_t *)(text), sizeof(text) - 1})

/* ---- accepted formats ---- */

static const struct {
    const char *name, *accept;
} protocols[] = {
    {"PrometheusProto", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
                        "encoding=delimited"},
    {"OpenMetricsText1.0.0", "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8"},
    {"OpenMetricsText0.0.1", "application/openmetrics-text;version=0.0.1"},
    {"PrometheusText1.0.0", "text/plain;version=1.0.0;escaping=allow-utf-8"},
    {"PrometheusText0.0.4", "text/plain;version=0.0.4"},
};

static const char *const protocols_default[] = {"OpenMetricsText1.0.0", "OpenMetricsText0.0.1",
                                                "PrometheusText1.0.0", "PrometheusText0.0.4"};
/* Protobuf is the only format that has native histograms. */
static const char *const protocols_native[] = {"PrometheusProto", "OpenMetricsText1.0.0",
                                               "OpenMetricsText0.0.1", "PrometheusText1.0.0",
                                               "PrometheusText0.0.4"};

static const char *accept_of(const char *name)
{
    for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
        if (strcmp(protocols[i].name, name) == 0) {
            return protocols[i].accept;
        }
    }
    return "";
}

static void make_accept(struct prom_job_state *job)
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
    size_t used = 0;
    for (size_t i = 0; i < count && i < 5; i++) {
        int size = snprintf(job->accept + used, sizeof(job->accept) - used, "%s;q=0.%zu,",
                            accept_of(names[i]), count + 1 - i);
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
static const char *read_secret(const struct prom_job_state *job, struct prom_secret *secret)
{
    char *text = NULL;
    char why[HF_ERROR_MAX];
    if (hf_file_watch_changed(&secret->file, hf_clock_coarse_ns(), LOOK_EVERY_NS)) {
        if (hf_file_watch_read(secret->file.path, &text, why) == HF_OK) {
            size_t size = strlen(text);
            while (size > 0 && (unsigned char)text[size - 1] <= ' ') {
                text[--size] = '\0';
            }
            free(secret->text);
            secret->text = text;
        } else {
            hf_node_log(job->receiver->node, HF_LOG_WARN, "job \"%s\": %s", job->config->job_name,
                        why);
        }
    }
    return secret->text != NULL ? secret->text : "";
}

static const char *text_or_file(const struct prom_job_state *job, const char *text,
                                struct prom_secret *secret)
{
    if (secret->file.path != NULL) {
        return read_secret(job, secret);
    }
    return text != NULL ? text : "";
}

static void put_base64(char *out, struct hf_slice bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t word = (uint32_t)bytes.data[i] << 16;
        word |= left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0;
        word |= left > 2 ? bytes.data[i + 2] : 0;
        *out++ = digits[word >> 18];
        *out++ = digits[word >> 12 & 63];
        *out++ = left > 1 ? digits[word >> 6 & 63] : '=';
        *out++ = left > 2 ? digits[word & 63] : '=';
    }
    *out = '\0';
}

static void put_basic(struct prom_request *request, struct prom_job_state *job)
{
    const struct prom_basic_auth *basic = job->config->http.basic_auth;
    char pair[700]; /* its base64 fits the header */
    size_t room = sizeof(request->authorization);
    int size =
        snprintf(pair, sizeof(pair), "%s:%s", text_or_file(job, basic->username, &job->username),
                 text_or_file(job, basic->password, &job->password));
    size = size < (int)sizeof(pair) ? size : (int)sizeof(pair) - 1;
    size_t used = (size_t)snprintf(request->authorization, room, "Basic ");
    put_base64(request->authorization + used, hf_slice_of(pair, (size_t)size));
}

static bool put_authorization(struct prom_request *request, struct prom_job_state *job)
{
    const struct prom_http *http = &job->config->http;
    const struct prom_authorization *authorization = http->authorization;
    if (http->basic_auth != NULL) {
        put_basic(request, job);
        return true;
    }
    const char *token = http->bearer_token;
    const char *type = "Bearer";
    if (authorization != NULL) {
        token = authorization->credentials;
        type = authorization->type;
    }
    if (token == NULL && job->credentials.file.path == NULL) {
        return false;
    }
    snprintf(request->authorization, sizeof(request->authorization), "%s %s", type,
             text_or_file(job, token, &job->credentials));
    return true;
}

static void put(struct prom_request *request, struct hf_slice name, struct hf_slice value)
{
    if (request->header_count < PROM_HEADERS_MAX) {
        request->headers[request->header_count++] = (struct hf_header){name, value};
    }
}

void prom_request_fill(struct prom_request *request, struct prom_job_state *job,
                       uint64_t timeout_ns)
{
    const struct hf_struct_map *more = &job->config->http.headers;
    const struct prom_http_header *headers = more->items;
    snprintf(request->timeout, sizeof(request->timeout), "%.9g", (double)timeout_ns / 1e9);
    put(request, LITERAL("accept"), hf_slice_text(job->accept));
    put(request, LITERAL("x-prometheus-scrape-timeout-seconds"), hf_slice_text(request->timeout));
    if (put_authorization(request, job)) {
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

/* "TLS12" as "1.2" */
static const char *version_of(const char *name)
{
    static const struct {
        const char *name, *version;
    } versions[] = {{"TLS10", "1.0"}, {"TLS11", "1.1"}, {"TLS12", "1.2"}, {"TLS13", "1.3"}};
    for (size_t i = 0; name != NULL && i < sizeof(versions) / sizeof(versions[0]); i++) {
        if (strcmp(versions[i].name, name) == 0) {
            return versions[i].version;
        }
    }
    return NULL;
}

static struct hf_tls_config tls_of(const struct prom_tls *tls)
{
    return (struct hf_tls_config){
        .ca_file = tls->ca_file,
        .ca_pem = tls->ca,
        .cert_file = tls->cert_file,
        .cert_pem = tls->cert,
        .key_file = tls->key_file,
        .key_pem = tls->key,
        .min_version = version_of(tls->min_version),
        .max_version = version_of(tls->max_version),
        .insecure_skip_verify = tls->insecure_skip_verify,
        .server_name_override = tls->server_name,
    };
}

static void on_reload_failed(void *user, const char *why)
{
    const struct prom_job_state *job = user;
    hf_node_log(job->receiver->node, HF_LOG_WARN,
                "job \"%s\": reloading TLS files failed; keeping the previous certificate: %s",
                job->config->job_name, why);
}

enum hf_status prom_request_open(struct prom_job_state *job, char *reterr)
{
    const struct prom_http *http = &job->config->http;
    const struct prom_basic_auth *basic = http->basic_auth;
    char user_agent[HF_USER_AGENT_MAX];
    hf_user_agent(user_agent);
    watch(&job->username, basic != NULL ? basic->username_file : NULL);
    watch(&job->password, basic != NULL ? basic->password_file : NULL);
    watch(&job->credentials, http->authorization != NULL ? http->authorization->credentials_file
                                                         : http->bearer_token_file);
    make_accept(job);
    job->tls = tls_of(&http->tls);
    const struct hf_http_client_options options = {
        .loop = job->receiver->loop,
        .tls = &job->tls,
        .user_agent = user_agent,
        .proxy_url = http->proxy_url,
        .max_idle_conns = 1000,
        .accept_gzip = job->config->enable_compression,
        .response_bytes_max = job->limits.body_size + 1,
        .follow = http->follow_redirects ? HF_HTTP_FOLLOW_ALL : HF_HTTP_FOLLOW_NONE,
        .on_reload_failed = on_reload_failed,
        .user = job,
    };
    return hf_http_client_new(&options, &job->client, reterr);
}

void prom_request_close(struct prom_job_state *job)
{
    if (job->client != NULL) {
        hf_http_client_free(job->client);
    }
    free(job->username.text);
    free(job->password.text);
    free(job->credentials.text);
}
