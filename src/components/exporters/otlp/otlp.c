/*
 * otlp: exports over OTLP/gRPC.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <holdfast/component.h>

#include "grpc/client.h"
#include "grpc/target.h"
#include "pdata/payload.h"
#include "pdata/response.h"
#include "support/verdict.h"
#include "util/compress.h"
#include "util/header_list.h"
#include "util/loop.h"
#include "util/tls.h"
#include "util/validators.h"

#define TARGET_MAX 512

struct auth_config {
    const char *authenticator;
};

struct keepalive_config {
    uint64_t time_ns, timeout_ns;
    bool permit_without_stream;
};

struct otlp_config {
    const char *endpoint;
    const char *compression;
    int64_t compression_level;
    struct hf_tls_config tls;
    struct hf_string_map headers;
    const struct keepalive_config *keepalive;
    const char *balancer_name, *authority, *user_agent, *proxy_url;
    const struct auth_config *auth;
    bool forward_gzip;
};

struct otlp_exporter {
    struct hf_node *node;
    const struct otlp_config *config;
    struct hf_grpc_client *client;
    struct hf_tls *tls;
    const struct hf_auth *auth;
    void *auth_self;
    enum hf_coding coding;
    char user_agent[128];
    struct job *idle; /* kept for reuse */
};

/* One request in flight. */
struct job {
    struct hf_grpc_request request;
    struct job *next;
    struct otlp_exporter *exporter;
    struct hf_export *export;
    struct hf_payload payload;
    struct hf_header_list headers;
};

static const char *const paths[HF_SIGNAL_COUNT] = {
    [HF_TRACES] = "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    [HF_METRICS] = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    [HF_LOGS] = "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
};

static enum hf_status list_headers(struct job *job)
{
    const struct otlp_exporter *exporter = job->exporter;
    return hf_header_list_fill(&job->headers, HF_HEADERS_GRPC, &exporter->config->headers,
                               exporter->auth, exporter->auth_self, job->export->meta);
}

static void release_job(struct job *job)
{
    job->next = job->exporter->idle;
    job->exporter->idle = job;
}

static void on_result(struct hf_grpc_request *request, const struct hf_grpc_result *result)
{
    struct job *job = HF_CONTAINER(request, struct job, request);
    struct hf_export *export = job->export;
    struct hf_response said;
    const struct hf_verdict verdict = result->http_status != 0
                                          ? hf_verdict_of_http(result->http_status, result->message)
                                          : hf_verdict_of_grpc(result->code, result->message);
    struct hf_outcome outcome = {
        .status = verdict.status,
        .is_suspect = verdict.is_suspect,
        .code = result->code,
        .message = result->message,
        .retry_after_ns = result->has_retry_info ? result->retry_delay_ns : 0,
    };
    if (result->code == 0) {
        hf_response_read(hf_slice_text("application/x-protobuf"), result->response, true, &said);
        outcome.rejected_items = said.rejected;
        outcome.message = said.message;
    }
    release_job(job);
    hf_export_done(export, &outcome);
}

static struct job *take_job(struct otlp_exporter *exporter)
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

/* `job` may be NULL. */
static void end_unsent(struct job *job, struct hf_export *export, enum hf_status status)
{
    char why[sizeof(job->headers.why)] = "";
    if (job != NULL) {
        memcpy(why, job->headers.why, sizeof(why));
        release_job(job);
    }
    const struct hf_outcome outcome = {
        .status = status,
        .message = why[0] != '\0' ? why : "the request cannot be built",
    };
    hf_export_done(export, &outcome);
}

static void send_export(void *self, struct hf_export *export)
{
    struct otlp_exporter *exporter = self;
    struct job *job = take_job(exporter);
    enum hf_status status = HF_NOMEM;
    if (job != NULL) {
        job->export = export;
        job->headers.why[0] = '\0';
        bool forward = exporter->coding != HF_GZIP || exporter->config->forward_gzip;
        status =
            hf_payload_build(&job->payload, export->bodies, export->body_count, exporter->coding,
                             (int)exporter->config->compression_level, forward);
    }
    if (status == HF_OK) {
        status = list_headers(job);
    }
    if (status != HF_OK) {
        end_unsent(job, export, status);
        return;
    }
    job->request = (struct hf_grpc_request){
        .path = paths[export->signal],
        .pieces = job->payload.slices,
        .body_count = job->payload.count,
        .coding = exporter->coding,
        .headers = job->headers.items,
        .header_count = job->headers.count,
        .deadline_ns = export->deadline_ns,
        .done = on_result,
    };
    hf_grpc_client_call(exporter->client, &job->request);
}

static void on_state(void *user, bool connected, const char *what)
{
    struct otlp_exporter *exporter = user;
    hf_node_log(exporter->node, connected ? HF_LOG_INFO : HF_LOG_DEBUG, "%s", what);
}

/* "https://host:port" forces TLS, "http://" forces it off; the rest is the target. */
static const char *strip_scheme(const char *endpoint, bool *ret_https, bool *ret_http)
{
    *ret_https = strncmp(endpoint, "https://", 8) == 0;
    *ret_http = strncmp(endpoint, "http://", 7) == 0;
    return *ret_https ? endpoint + 8 : *ret_http ? endpoint + 7 : endpoint;
}

/* The target within an endpoint: no scheme of TLS, and no slash after the port of a URL. */
static void target_of(const char *endpoint, char *ret_target, size_t room)
{
    bool https;
    bool http;
    snprintf(ret_target, room, "%s", strip_scheme(endpoint, &https, &http));
    size_t size = strlen(ret_target);
    if ((https || http) && size != 0 && ret_target[size - 1] == '/') {
        ret_target[size - 1] = '\0';
    }
}

static void on_reload_failed(void *user, const char *why)
{
    const struct otlp_exporter *exporter = user;
    hf_node_log(exporter->node, HF_LOG_WARN,
                "reloading TLS files failed; keeping the previous certificate: %s", why);
}

static enum hf_status open_client(struct otlp_exporter *exporter, char *reterr)
{
    const struct otlp_config *config = exporter->config;
    bool https;
    bool http;
    char target[TARGET_MAX];
    (void)strip_scheme(config->endpoint, &https, &http);
    target_of(config->endpoint, target, sizeof(target));
    bool has_ca = config->tls.ca_file != NULL || config->tls.ca_pem != NULL;
    bool plain = !https && (http || (config->tls.insecure && !has_ca));
    enum hf_status status = HF_OK;
    if (!plain) {
        status = hf_tls_new_client(&config->tls, "h2", &exporter->tls, reterr);
    }
    if (status != HF_OK) {
        return status;
    }
    if (exporter->tls != NULL) {
        hf_tls_report_to(exporter->tls, on_reload_failed, exporter);
    }
    const struct hf_grpc_client_options options = {
        .loop = hf_node_own_loop(exporter->node),
        .target = target,
        .tls = exporter->tls,
        .server_name = config->tls.server_name_override,
        .authority = config->authority,
        .user_agent = config->user_agent != NULL ? config->user_agent : exporter->user_agent,
        .round_robin = strcmp(config->balancer_name, "round_robin") == 0,
        .proxy_url = config->proxy_url != NULL ? config->proxy_url : "",
        .keepalive_time_ns = config->keepalive != NULL ? config->keepalive->time_ns : 0,
        .keepalive_timeout_ns = config->keepalive != NULL ? config->keepalive->timeout_ns : 0,
        .permit_without_stream =
            config->keepalive != NULL && config->keepalive->permit_without_stream,
        .on_state = on_state,
        .user = exporter,
    };
    return hf_grpc_client_new(&options, &exporter->client, reterr);
}

static void close_exporter(void *self)
{
    struct otlp_exporter *exporter = self;
    hf_grpc_client_free(exporter->client);
    while (exporter->idle != NULL) {
        struct job *job = exporter->idle;
        exporter->idle = job->next;
        hf_payload_release(&job->payload);
        free(job);
    }
    hf_tls_free(exporter->tls);
    free(exporter);
}

static enum hf_status open_exporter(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    struct otlp_exporter *exporter = calloc(1, sizeof(*exporter));
    if (exporter == NULL) {
        return HF_NOMEM;
    }
    struct utsname system;
    bool known = uname(&system) == 0;
    exporter->node = node;
    exporter->config = config;
    snprintf(exporter->user_agent, sizeof(exporter->user_agent),
             "Holdfast/" HF_VERSION " (linux/%s)", known ? system.machine : "unknown");
    enum hf_status status =
        hf_coding_by_name(hf_slice_text(strcmp(exporter->config->compression, "none") == 0
                                            ? "identity"
                                            : exporter->config->compression),
                          &exporter->coding);
    if (exporter->coding == HF_SNAPPY_BLOCK) {
        exporter->coding = HF_SNAPPY_FRAMED; /* gRPC's snappy is the framed format */
    }
    const struct auth_config *auth = exporter->config->auth;
    if (status == HF_OK && auth != NULL && auth->authenticator != NULL) {
        status = hf_node_auth(node, auth->authenticator, &exporter->auth, &exporter->auth_self);
        if (status != HF_OK || exporter->auth->headers == NULL) {
            snprintf(reterr, HF_ERROR_MAX, "auth::authenticator: %s does not authenticate clients",
                     auth->authenticator);
            status = HF_INVALID;
        }
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
    const struct otlp_exporter *exporter = self;
    *ret_count = 0;
    if (exporter->auth == NULL || exporter->auth->context_keys == NULL) {
        return NULL;
    }
    return exporter->auth->context_keys(exporter->auth_self, ret_count);
}

static const char *expect_endpoint(const char *key, const char *text)
{
    char target[TARGET_MAX];
    struct hf_grpc_target parsed;
    (void)key;
    target_of(text, target, sizeof(target));
    return hf_grpc_target_parse(target, &parsed) == HF_OK
               ? NULL
               : "host:port, dns:///host:port, http(s)://host:port or unix:///path";
}

static const char *expect_compression(const char *key, const char *name)
{
    (void)key;
    bool known = strcmp(name, "gzip") == 0 || strcmp(name, "zstd") == 0 ||
                 strcmp(name, "snappy") == 0 || strcmp(name, "none") == 0 || name[0] == '\0';
    return known ? NULL : "gzip, zstd, snappy or none";
}

static const char *expect_balancer(const char *key, const char *name)
{
    (void)key;
    bool known = strcmp(name, "pick_first") == 0 || strcmp(name, "round_robin") == 0;
    return known ? NULL : "pick_first or round_robin";
}

static const char *check_config(const void *from)
{
    const struct otlp_config *config = from;
    struct hf_grpc_proxy proxy;
    /* Not by `expect`: what is written there may hold a password. */
    if (config->proxy_url != NULL && config->proxy_url[0] != '\0' &&
        hf_grpc_proxy_parse(config->proxy_url, &proxy) != HF_OK) {
        return "proxy_url: expected http://[user:password@]host:port; encrypted and SOCKS proxies "
               "are not supported for gRPC";
    }
    return hf_tls_client_check(&config->tls);
}

static const struct hf_field auth_fields[] = {
    {.key = "authenticator",
     .type = HF_FIELD_REF,
     .offset = offsetof(struct auth_config, authenticator),
     .required = true,
     .help = "The extension that adds credentials."},
    HF_FIELDS_END,
};

static const struct hf_field keepalive_fields[] = {
    {.key = "time",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct keepalive_config, time_ns),
     .default_text = "10s",
     .help = "Ping after that much silence."},
    {.key = "timeout",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct keepalive_config, timeout_ns),
     .default_text = "10s",
     .help = "Time to answer a ping."},
    {.key = "permit_without_stream",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct keepalive_config, permit_without_stream),
     .help = "Ping without calls too."},
    HF_FIELDS_END,
};

#define AT(member) offsetof(struct otlp_config, member)

static const struct hf_field fields[] = {
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(endpoint),
     .required = true,
     .validate = expect_endpoint,
     .help = "host:port, dns:///host:port, http(s)://host:port or unix:///path."},
    {.key = "compression",
     .type = HF_FIELD_STRING,
     .offset = AT(compression),
     .default_text = "gzip",
     .validate = expect_compression,
     .help = "gzip, zstd, snappy or none."},
    {.key = "compression_level",
     .type = HF_FIELD_INT,
     .offset = AT(compression_level),
     .default_text = "0",
     .min = 0,
     .max = 19,
     .help = "Of zstd or gzip; 0: the fastest sensible."},
    {.key = "forward_gzip",
     .type = HF_FIELD_BOOL,
     .offset = AT(forward_gzip),
     .default_text = "false",
     .help = "Send gzip members on as they came; only for backends that read several members."},
    {.key = "tls",
     .type = HF_FIELD_STRUCT,
     .offset = AT(tls),
     .inner = hf_tls_client_fields,
     .help = "Encryption; on unless insecure: true."},
    {.key = "headers",
     .type = HF_FIELD_MAP,
     .offset = AT(headers),
     .validate = hf_expect_grpc_header,
     .help = "Metadata of every request; what gRPC sets itself is refused, but user-agent."},
    {.key = "keepalive",
     .type = HF_FIELD_OPTIONAL,
     .offset = AT(keepalive),
     .inner = keepalive_fields,
     .inner_size = sizeof(struct keepalive_config),
     .help = "Pings; absent: none."},
    {.key = "balancer_name",
     .type = HF_FIELD_STRING,
     .offset = AT(balancer_name),
     .default_text = "pick_first",
     .validate = expect_balancer,
     .help = "pick_first or round_robin over the resolved addresses."},
    {.key = "authority",
     .type = HF_FIELD_STRING,
     .offset = AT(authority),
     .help = "The :authority header; absent: the endpoint."},
    {.key = "user_agent",
     .type = HF_FIELD_STRING,
     .offset = AT(user_agent),
     .help = "The User-Agent header; absent: the name and version of Holdfast."},
    {.key = "middlewares", .type = HF_FIELD_IGNORED, .help = "Requests go out as they are."},
    {.key = "proxy_url",
     .type = HF_FIELD_STRING,
     .offset = AT(proxy_url),
     .help = "HTTP proxy (CONNECT), http://[user:password@]host:port; absent: the environment's "
             "HTTPS_PROXY and NO_PROXY."},
    {.key = "auth",
     .type = HF_FIELD_OPTIONAL,
     .offset = AT(auth),
     .inner = auth_fields,
     .inner_size = sizeof(struct auth_config),
     .help = "Credentials."},
    {.key = "wait_for_ready", .type = HF_FIELD_IGNORED, .help = "The queue waits for the backend."},
    {.key = "read_buffer_size", .type = HF_FIELD_IGNORED, .help = "Buffers size themselves."},
    {.key = "write_buffer_size", .type = HF_FIELD_IGNORED, .help = "Buffers size themselves."},
    HF_FIELDS_END,
};

static const struct hf_exporter_ops exporter_ops = {
    .send = send_export,
    .context_keys = context_keys,
    .timeout = "5s",
};

const struct hf_component hf_exporter_otlp = {
    .type = "otlp",
    .aliases = (const char *const[]){"otlp_grpc", NULL},
    .help = "Sends OTLP over gRPC.",
    .kind = HF_EXPORTER,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct otlp_config),
    .fields = fields,
    .check = check_config,
    .open = open_exporter,
    .close = close_exporter,
    .exporter = &exporter_ops,
};
