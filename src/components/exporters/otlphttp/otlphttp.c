/*
 * otlphttp: exports over OTLP/HTTP, as protobuf or JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/utsname.h>

#include <holdfast/component.h>

#include "http/client.h"
#include "pdata/payload.h"
#include "pdata/response.h"
#include "support/verdict.h"
#include "support/wrong_endpoint.h"
#include "util/compress.h"
#include "util/header_list.h"
#include "util/proxy.h"
#include "util/tls.h"
#include "util/validators.h"

#define URL_MAX 2048

enum encoding { ENCODING_PROTO = 0, ENCODING_JSON };

struct otlphttp_config {
    const char *endpoint;
    const char *signal_endpoints[HF_SIGNAL_COUNT];
    int64_t encoding;
    const char *compression;
    struct compression_params {
        int64_t level;
    } compression_params;
    bool forward_gzip;
    struct hf_tls_config tls;
    struct hf_string_map headers;
    const char *proxy_url;
    const struct auth_config {
        const char *authenticator;
    } * auth;
    int64_t max_idle_conns, max_conns_per_host;
    uint64_t idle_conn_timeout_ns;
    bool disable_keep_alives;
};

struct exporter {
    struct hf_node *node;
    const struct otlphttp_config *config;
    struct hf_http_client *client;
    const struct hf_auth *auth;
    void *auth_self;
    enum hf_coding coding;
    int level;
    char urls[HF_SIGNAL_COUNT][URL_MAX]; /* "": none was configured */
    char user_agent[128];
    char led_to[256]; /* by the redirect that was told last */
    struct job *idle; /* kept for reuse */
};

/* One request in flight. */
struct job {
    struct hf_http_call call;
    struct job *next;
    struct exporter *exporter;
    struct hf_export *export;
    struct hf_payload payload;
    struct hf_header_list headers;
};

static enum hf_status list_headers(struct job *job)
{
    const struct exporter *exporter = job->exporter;
    return hf_header_list_fill(&job->headers, HF_HEADERS_HTTP, &exporter->config->headers,
                               exporter->auth, exporter->auth_self, job->export->meta);
}

/* An answer without a message gets one, for the log and the dead letters. */
static void explain(const struct hf_http_result *result, struct hf_response *response)
{
    if (result->location != NULL) {
        snprintf(response->message, sizeof(response->message),
                 "the redirect to %s is not followed: %s", result->location, result->not_followed);
    } else if (response->message[0] == '\0') {
        snprintf(response->message, sizeof(response->message), "HTTP status %d", result->code);
    }
}

static void release_job(struct job *job)
{
    job->next = job->exporter->idle;
    job->exporter->idle = job;
}

static void on_result(struct hf_http_call *call, const struct hf_http_result *result)
{
    struct job *job = HF_CONTAINER(call, struct job, call);
    struct hf_export *export = job->export;
    struct hf_response response = {0};
    struct hf_outcome outcome = {
        .status = result->status, .code = result->code, .message = result->error};
    if (result->status == HF_OK) {
        bool success = result->code >= 200 && result->code < 300;
        const char *wrong = hf_wrong_endpoint(result);
        if (wrong != NULL) {
            snprintf(response.message, sizeof(response.message), "%s", wrong);
            outcome.status = HF_FORBIDDEN; /* it costs no data, and is seen */
        } else {
            hf_response_read(result->content_type, result->body, success, &response);
            const struct hf_verdict verdict = hf_verdict_of_http(result->code, response.message);
            outcome.status = verdict.status;
            outcome.is_suspect = verdict.is_suspect;
        }
        if (outcome.status != HF_OK) {
            explain(result, &response);
        }
        outcome.rejected_items = response.rejected;
        outcome.message = response.message;
        if (result->has_retry_after && (result->code == 429 || result->code == 503)) {
            outcome.retry_after_ns = result->retry_after_ns;
        }
    }
    release_job(job);
    hf_export_done(export, &outcome);
}

static struct job *take_job(struct exporter *exporter)
{
    struct job *job = exporter->idle;
    if (job != NULL) {
        exporter->idle = job->next;
        return job;
    }
    job = calloc(1, sizeof(*job));
    if (job != NULL) {
        job->exporter = exporter;
    }
    return job;
}

static enum hf_status build(struct job *job)
{
    const struct exporter *exporter = job->exporter;
    const struct hf_export *export = job->export;
    enum hf_status status;
    if (exporter->config->encoding == ENCODING_JSON) {
        status = hf_payload_build_json(&job->payload, export->signal, export->bodies,
                                       export->body_count, exporter->coding, exporter->level);
    } else {
        /* Frames and members of a coding concatenate, but not every reader of gzip reads the second
         * member. */
        bool forward = exporter->coding != HF_GZIP || exporter->config->forward_gzip;
        status = hf_payload_build(&job->payload, export->bodies, export->body_count,
                                  exporter->coding, exporter->level, forward);
    }
    return status == HF_OK ? list_headers(job) : status;
}

static void end_unsent(struct hf_export *export, enum hf_status status, const char *message)
{
    const struct hf_outcome outcome = {.status = status, .message = message};
    hf_export_done(export, &outcome);
}

static void send_export(void *self, struct hf_export *export)
{
    struct exporter *exporter = self;
    if (exporter->urls[export->signal][0] == '\0') {
        end_unsent(export, HF_FORBIDDEN, "no endpoint is configured for this signal");
        return;
    }
    struct job *job = take_job(exporter);
    if (job == NULL) {
        end_unsent(export, HF_NOMEM, "no memory for the request");
        return;
    }
    job->export = export;
    job->headers.why[0] = '\0';
    enum hf_status status = build(job);
    if (status != HF_OK) {
        char why[sizeof(job->headers.why)];
        memcpy(why, job->headers.why, sizeof(why));
        release_job(job);
        end_unsent(export, status, why[0] != '\0' ? why : "the request cannot be built");
        return;
    }
    const struct otlphttp_config *config = exporter->config;
    job->call = (struct hf_http_call){
        .method = "POST",
        .url = exporter->urls[export->signal],
        .content_type =
            config->encoding == ENCODING_JSON ? "application/json" : "application/x-protobuf",
        .content_encoding = exporter->coding != HF_IDENTITY ? config->compression : NULL,
        .pieces = job->payload.slices,
        .body_count = job->payload.count,
        .headers = job->headers.items,
        .header_count = job->headers.count,
        .deadline_ns = export->deadline_ns,
        .done = on_result,
    };
    hf_http_client_call(exporter->client, &job->call);
}

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* The path of "unix:///path" or "unix:/path"; NULL for other endpoints. */
static const char *unix_path(const char *endpoint)
{
    if (!given(endpoint) || strncmp(endpoint, "unix:", 5) != 0) {
        return NULL;
    }
    return strncmp(endpoint, "unix://", 7) == 0 ? endpoint + 7 : endpoint + 5;
}

static void make_urls(struct exporter *exporter)
{
    const struct otlphttp_config *config = exporter->config;
    const char *base = unix_path(config->endpoint) != NULL ? "http://localhost" : config->endpoint;
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        const char *own = config->signal_endpoints[signal];
        char *url = exporter->urls[signal];
        if (given(own)) {
            snprintf(url, URL_MAX, "%s", own);
        } else if (given(base)) {
            size_t size = strlen(base);
            size -= base[size - 1] == '/';
            snprintf(url, URL_MAX, "%.*s/v1/%s", (int)size, base,
                     hf_signal_name((enum hf_signal)signal));
        }
    }
}

static enum hf_status coding_of(const char *name, enum hf_coding *ret_coding)
{
    return hf_coding_by_name(hf_slice_text(strcmp(name, "none") == 0 ? "" : name), ret_coding);
}

static enum hf_status find_auth(struct exporter *exporter, char *reterr)
{
    const struct auth_config *auth = exporter->config->auth;
    if (auth == NULL || auth->authenticator == NULL) {
        return HF_OK;
    }
    enum hf_status status =
        hf_node_auth(exporter->node, auth->authenticator, &exporter->auth, &exporter->auth_self);
    if (status != HF_OK || exporter->auth->headers == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "auth::authenticator: %s does not authenticate clients",
                 auth->authenticator);
        return HF_INVALID;
    }
    return HF_OK;
}

static void on_reload_failed(void *user, const char *why)
{
    const struct exporter *exporter = user;
    hf_node_log(exporter->node, HF_LOG_WARN,
                "reloading TLS files failed; keeping the previous certificate: %s", why);
}

/* Told once for each place: every request is led there. */
static void on_redirect(void *user, const char *to, bool is_elsewhere)
{
    struct exporter *exporter = user;
    if (strncmp(exporter->led_to, to, sizeof(exporter->led_to) - 1) == 0) {
        return;
    }
    snprintf(exporter->led_to, sizeof(exporter->led_to), "%s", to);
    hf_node_log(exporter->node, is_elsewhere ? HF_LOG_WARN : HF_LOG_INFO,
                "requests are redirected to %s%s; every one is sent twice until the endpoint is "
                "set to it",
                to,
                is_elsewhere ? ", another host, and go there without the configured headers and "
                               "credentials"
                             : "");
}

static enum hf_status open_client(struct exporter *exporter, char *reterr)
{
    const struct otlphttp_config *config = exporter->config;
    struct utsname system;
    bool known = uname(&system) == 0;
    snprintf(exporter->user_agent, sizeof(exporter->user_agent),
             "Holdfast/" HF_VERSION " (linux/%s)", known ? system.machine : "unknown");
    const struct hf_http_client_options options = {
        .loop = hf_node_own_loop(exporter->node),
        .tls = &config->tls,
        .user_agent = exporter->user_agent,
        .unix_socket = unix_path(config->endpoint),
        .proxy_url = config->proxy_url,
        .max_conns = (uint64_t)config->max_conns_per_host,
        .max_idle_conns = (uint64_t)config->max_idle_conns,
        .idle_timeout_ns = config->idle_conn_timeout_ns,
        .disable_keep_alives = config->disable_keep_alives,
        .on_reload_failed = on_reload_failed,
        .on_redirect = on_redirect,
        .user = exporter,
    };
    return hf_http_client_new(&options, &exporter->client, reterr);
}

static void close_exporter(void *self)
{
    struct exporter *exporter = self;
    hf_http_client_free(exporter->client);
    while (exporter->idle != NULL) {
        struct job *job = exporter->idle;
        exporter->idle = job->next;
        hf_payload_release(&job->payload);
        free(job);
    }
    free(exporter);
}

static enum hf_status open_exporter(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    struct exporter *exporter = calloc(1, sizeof(*exporter));
    if (exporter == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the exporter");
        return HF_NOMEM;
    }
    exporter->node = node;
    exporter->config = config;
    exporter->level = (int)exporter->config->compression_params.level;
    make_urls(exporter);
    enum hf_status status = coding_of(exporter->config->compression, &exporter->coding);
    if (status == HF_OK) {
        status = find_auth(exporter, reterr);
    }
    if (status == HF_OK) {
        status = open_client(exporter, reterr);
    }
    if (status != HF_OK) {
        free(exporter);
        return status;
    }
    *ret_self = exporter;
    return HF_OK;
}

static const char *const *context_keys(void *self, size_t *ret_count)
{
    const struct exporter *exporter = self;
    *ret_count = 0;
    if (exporter->auth == NULL || exporter->auth->context_keys == NULL) {
        return NULL;
    }
    return exporter->auth->context_keys(exporter->auth_self, ret_count);
}

static const char *expect_url(const char *key, const char *text)
{
    (void)key;
    return text[0] == '\0' || (hf_http_is_url(text) && strlen(text) < URL_MAX)
               ? NULL
               : "http://host:port/path or https://...";
}

static const char *expect_endpoint(const char *key, const char *text)
{
    const char *path = unix_path(text);
    (void)key;
    bool good = path != NULL ? path[0] == '/' : text[0] == '\0' || hf_http_is_url(text);
    return good && strlen(text) <= URL_MAX - 16
               ? NULL
               : "http://host:port, https://host:port or unix:///path";
}

static const char *expect_compression(const char *key, const char *name)
{
    enum hf_coding coding;
    (void)key;
    return coding_of(name, &coding) == HF_OK
               ? NULL
               : "gzip, zstd, deflate, zlib, snappy, x-snappy-framed or none";
}

static bool has_endpoint(const struct otlphttp_config *config)
{
    bool any = given(config->endpoint);
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        any = any || given(config->signal_endpoints[signal]);
    }
    return any;
}

static const char *check_config(const void *from)
{
    const struct otlphttp_config *config = from;
    if (!has_endpoint(config)) {
        return "at least one endpoint must be specified: endpoint, traces_endpoint, "
               "metrics_endpoint or logs_endpoint";
    }
    const char *wrong = hf_proxy_check(config->proxy_url);
    return wrong != NULL ? wrong : hf_tls_client_check(&config->tls);
}

static const struct hf_field auth_fields[] = {
    {.key = "authenticator",
     .type = HF_FIELD_REF,
     .offset = offsetof(struct auth_config, authenticator),
     .required = true,
     .help = "The extension that adds credentials."},
    HF_FIELDS_END,
};

static const struct hf_field compression_fields[] = {
    {.key = "level",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct compression_params, level),
     .default_text = "0",
     .min = -7,
     .max = 22,
     .help = "Of zstd, gzip or deflate; 0: the fastest sensible. gzip and deflate know 1 to 3."},
    HF_FIELDS_END,
};

#define AT(member) offsetof(struct otlphttp_config, member)
#define IGNORED(name, why)                                                                         \
    {                                                                                              \
        .key = (name), .type = HF_FIELD_IGNORED, .help = (why)                                     \
    }

static const struct hf_field fields[] = {
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(endpoint),
     .validate = expect_endpoint,
     .help = "Base URL, http(s)://host:port or unix:///path; /v1/<signal> is appended. Redirects "
             "307 and 308 are followed, at most five; to another host without headers and "
             "credentials, and none from https to http."},
    {.key = "traces_endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(signal_endpoints[HF_TRACES]),
     .validate = expect_url,
     .help = "Whole URL for traces, used as it is."},
    {.key = "metrics_endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(signal_endpoints[HF_METRICS]),
     .validate = expect_url,
     .help = "Whole URL for metrics, used as it is."},
    {.key = "logs_endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(signal_endpoints[HF_LOGS]),
     .validate = expect_url,
     .help = "Whole URL for logs, used as it is."},
    {.key = "encoding",
     .type = HF_FIELD_ENUM,
     .offset = AT(encoding),
     .default_text = "proto",
     .choices = (const char *const[]){"proto", "json", NULL},
     .help = "proto or json."},
    {.key = "compression",
     .type = HF_FIELD_STRING,
     .offset = AT(compression),
     .default_text = "gzip",
     .validate = expect_compression,
     .help = "gzip, zstd, deflate, zlib, snappy, x-snappy-framed or none."},
    {.key = "compression_params",
     .type = HF_FIELD_STRUCT,
     .offset = AT(compression_params),
     .inner = compression_fields,
     .help = "The level of the compression."},
    {.key = "forward_gzip",
     .type = HF_FIELD_BOOL,
     .offset = AT(forward_gzip),
     .default_text = "false",
     .help = "Send gzip members on as they came; only for backends that read several members."},
    {.key = "tls",
     .type = HF_FIELD_STRUCT,
     .offset = AT(tls),
     .inner = hf_tls_client_fields,
     .help = "How https:// endpoints are verified."},
    {.key = "headers",
     .type = HF_FIELD_MAP,
     .offset = AT(headers),
     .validate = hf_expect_header,
     .help = "Headers of every request, instead of its own of the same name (Content-Type, "
             "User-Agent, Host); those of the connection and of the framing are refused."},
    {.key = "middlewares", .type = HF_FIELD_IGNORED, .help = "Requests go out as they are."},
    {.key = "proxy_url",
     .type = HF_FIELD_STRING,
     .offset = AT(proxy_url),
     .help = "Proxy, as a URL; absent: the environment's HTTP_PROXY, HTTPS_PROXY, NO_PROXY."},
    {.key = "auth",
     .type = HF_FIELD_OPTIONAL,
     .offset = AT(auth),
     .inner = auth_fields,
     .inner_size = sizeof(struct auth_config),
     .help = "Credentials."},
    {.key = "max_idle_conns",
     .type = HF_FIELD_INT,
     .offset = AT(max_idle_conns),
     .default_text = "100",
     .min = 0,
     .max = 100000,
     .help = "Connections kept for reuse."},
    {.key = "max_conns_per_host",
     .type = HF_FIELD_INT,
     .offset = AT(max_conns_per_host),
     .default_text = "0",
     .min = 0,
     .max = 100000,
     .help = "Connections at a time; 0: one a request in flight."},
    {.key = "idle_conn_timeout",
     .type = HF_FIELD_DURATION,
     .offset = AT(idle_conn_timeout_ns),
     .default_text = "90s",
     .help = "How long an unused connection is kept."},
    {.key = "disable_keep_alives",
     .type = HF_FIELD_BOOL,
     .offset = AT(disable_keep_alives),
     .default_text = "false",
     .help = "A new connection for each request."},
    IGNORED("max_idle_conns_per_host", "There is one host; max_idle_conns counts."),
    IGNORED("read_buffer_size", "Buffers size themselves."),
    IGNORED("write_buffer_size", "Buffers size themselves."),
    IGNORED("http2_read_idle_timeout", "HTTP/1.1 is spoken."),
    IGNORED("http2_ping_timeout", "HTTP/1.1 is spoken."),
    IGNORED("force_attempt_http2", "HTTP/1.1 is spoken."),
    IGNORED("cookies", "No cookies are kept."),
    IGNORED("profiles_endpoint", "Profiles are not carried."),
    HF_FIELDS_END,
};

static const struct hf_exporter_ops exporter_ops = {
    .send = send_export,
    .context_keys = context_keys,
    .timeout = "30s",
};

const struct hf_component hf_exporter_otlphttp = {
    .type = "otlphttp",
    .aliases = (const char *const[]){"otlp_http", NULL},
    .help = "Sends OTLP over HTTP, as protobuf or JSON.",
    .kind = HF_EXPORTER,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct otlphttp_config),
    .fields = fields,
    .check = check_config,
    .open = open_exporter,
    .close = close_exporter,
    .exporter = &exporter_ops,
};
