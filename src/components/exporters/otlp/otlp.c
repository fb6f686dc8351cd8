/*
 * otlp: exports over OTLP/gRPC.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "grpc/client.h"
#include "pdata/payload.h"
#include "pdata/response.h"
#include "support/configgrpc.h"
#include "support/verdict.h"
#include "util/compress.h"
#include "util/header_list.h"
#include "util/loop.h"
#include "util/tls.h"

struct otlp_config {
    struct hf_grpc_client_config grpc;
    bool forward_gzip;
};

struct otlp_exporter {
    struct hf_node *node;
    const struct otlp_config *config;
    struct hf_grpc_client *client;
    struct hf_tls *tls;
    struct hf_auth_ref auth;
    enum hf_coding coding;
    char user_agent[HF_USER_AGENT_MAX];
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
    return hf_header_list_fill(&job->headers, HF_HEADERS_GRPC, &exporter->config->grpc.headers,
                               exporter->auth.ops, exporter->auth.self, job->export->meta);
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
    hf_auth_note(&job->exporter->auth, verdict.status);
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
                             (int)exporter->config->grpc.compression_level, forward);
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

static void on_reload_failed(void *user, const char *why)
{
    const struct otlp_exporter *exporter = user;
    hf_node_log(exporter->node, HF_LOG_WARN,
                "reloading TLS files failed; keeping the previous certificate: %s", why);
}

static enum hf_status open_client(struct otlp_exporter *exporter, char *reterr)
{
    const struct hf_grpc_client_config *config = &exporter->config->grpc;
    struct hf_grpc_endpoint endpoint;
    enum hf_status status = HF_OK;
    hf_grpc_client_endpoint(config, &endpoint);
    if (!endpoint.is_plain) {
        status = hf_tls_new_client(&config->tls, "h2", &exporter->tls, reterr);
    }
    if (status != HF_OK) {
        return status;
    }
    if (exporter->tls != NULL) {
        hf_tls_report_to(exporter->tls, on_reload_failed, exporter);
    }
    struct hf_grpc_client_options options = hf_grpc_client_options(config, &endpoint);
    hf_user_agent(exporter->user_agent);
    options.loop = hf_node_own_loop(exporter->node);
    options.tls = exporter->tls;
    options.user_agent = options.user_agent != NULL ? options.user_agent : exporter->user_agent;
    options.on_state = on_state;
    options.user = exporter;
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
    exporter->node = node;
    exporter->config = config;
    exporter->coding = hf_grpc_client_coding(&exporter->config->grpc);
    enum hf_status status =
        hf_auth_find_client(node, exporter->config->grpc.auth, &exporter->auth, reterr);
    if (status == HF_OK && exporter->auth.ops != NULL && exporter->auth.ops->sign != NULL) {
        snprintf(reterr, HF_ERROR_MAX,
                 "auth::authenticator: %s signs HTTP requests only: use the exporter otlphttp",
                 exporter->config->grpc.auth->authenticator);
        status = HF_INVALID;
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
    return hf_auth_context_keys(&exporter->auth, ret_count);
}

static const char *check_config(const void *from)
{
    const struct otlp_config *config = from;
    return hf_grpc_client_check(&config->grpc);
}

static const struct hf_field fields[] = {
    HF_GRPC_CLIENT_FIELDS(struct otlp_config, grpc),
    {.key = "forward_gzip",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct otlp_config, forward_gzip),
     .default_text = "false",
     .help = "Send gzip members on as they came; only for backends that read several members."},
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
