#include "otlp_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "grpc/client.h"
#include "pdata/payload.h"
#include "pdata/response.h"
#include "record_header.h"
#include "support/settings/missing_ca.h"
#include "util/compress/compress.h"
#include "util/header_list.h"
#include "util/loop.h"
#include "util/tls/tls.h"
#include "verdict.h"

struct hf_otlp_client {
    struct hf_node *node;
    const struct hf_grpc_client_config *config;
    bool forward_gzip;
    bool once;
    struct hf_grpc_client *grpc;
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
    struct hf_otlp_client *client;
    struct hf_otlp_send send;
    struct hf_payload payload;
    struct hf_header_list headers;
};

static const char *const paths[HF_SIGNAL_COUNT] = {
    [HF_TRACES] = "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    [HF_METRICS] = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    [HF_LOGS] = "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    [HF_PROFILES] = "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export",
};

static enum hf_status list_headers(struct job *job)
{
    const struct hf_otlp_client *client = job->client;
    struct hf_slice names = job->send.record_names;
    enum hf_status status =
        hf_header_list_fill(&job->headers, HF_HEADERS_GRPC, &client->config->headers,
                            client->auth.ops, client->auth.self, job->send.meta);
    if (status == HF_OK && names.size != 0) {
        status =
            job->headers.sink.add(&job->headers.sink, hf_slice_text(HF_RECORD_NAMES_HEADER), names);
    }
    return status;
}

static void release_job(struct job *job)
{
    job->next = job->client->idle;
    job->client->idle = job;
}

static void on_result(struct hf_grpc_request *request, const struct hf_grpc_result *result)
{
    struct job *job = HF_CONTAINER(request, struct job, request);
    const struct hf_otlp_send send = job->send;
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
    hf_auth_note(&job->client->auth, verdict.status);
    release_job(job);
    send.done(send.user, &outcome);
}

static struct job *take_job(struct hf_otlp_client *client)
{
    struct job *job = client->idle;
    if (job != NULL) {
        client->idle = job->next;
        return job;
    }
    job = calloc(1, sizeof(*job));
    if (job != NULL) {
        job->client = client;
    }
    return job;
}

/* `job` may be NULL. */
static void end_unsent(struct job *job, const struct hf_otlp_send *send, enum hf_status status)
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
    send->done(send->user, &outcome);
}

void hf_otlp_client_send(struct hf_otlp_client *client, const struct hf_otlp_send *send)
{
    struct job *job = take_job(client);
    enum hf_status status = HF_NOMEM;
    if (job != NULL) {
        job->send = *send;
        job->headers.why[0] = '\0';
        bool forward = client->coding != HF_GZIP || client->forward_gzip;
        status = hf_payload_build(&job->payload, send->bodies, send->body_count, client->coding,
                                  (int)client->config->compression_level, forward);
    }
    if (status == HF_OK) {
        status = list_headers(job);
    }
    if (status != HF_OK) {
        const struct hf_otlp_send unsent = *send;
        end_unsent(job, &unsent, status);
        return;
    }
    job->request = (struct hf_grpc_request){
        .path = paths[send->signal],
        .pieces = job->payload.slices,
        .piece_count = job->payload.count,
        .coding = client->coding,
        .headers = job->headers.items,
        .header_count = job->headers.count,
        .deadline_ns = send->deadline_ns,
        .done = on_result,
    };
    hf_grpc_client_call(client->grpc, &job->request);
}

static void on_state(void *user, bool connected, const char *what)
{
    struct hf_otlp_client *client = user;
    hf_node_log(client->node, connected ? HF_LOG_INFO : HF_LOG_DEBUG, "%s", what);
}

static void on_reload_failed(void *user, const char *why)
{
    const struct hf_otlp_client *client = user;
    hf_node_log(client->node, HF_LOG_WARN,
                "reloading TLS files failed; keeping the previous certificate: %s", why);
}

static enum hf_status open_grpc(struct hf_otlp_client *client, const char *target, char *reterr)
{
    struct hf_grpc_client_config config = *client->config;
    struct hf_grpc_endpoint endpoint;
    enum hf_status status = HF_OK;
    config.endpoint = target != NULL ? target : config.endpoint;
    hf_grpc_client_endpoint(&config, &endpoint);
    if (!endpoint.is_plain) {
        status = hf_tls_new_client(&config.tls, "h2", &client->tls, reterr);
    }
    if (status != HF_OK) {
        return status;
    }
    if (client->tls != NULL) {
        hf_tls_report_to(client->tls, on_reload_failed, client);
        hf_warn_of_missing_ca(client->node, &config.tls);
    }
    struct hf_grpc_client_options options = hf_grpc_client_options(&config, &endpoint);
    hf_user_agent(client->user_agent);
    options.loop = hf_node_own_loop(client->node);
    options.tls = client->tls;
    options.user_agent = options.user_agent != NULL ? options.user_agent : client->user_agent;
    options.on_state = on_state;
    options.user = client;
    return hf_grpc_client_new(&options, &client->grpc, reterr);
}

enum hf_status hf_otlp_client_open(const struct hf_otlp_client_options *options,
                                   struct hf_otlp_client **ret_client, char *reterr)
{
    struct hf_otlp_client *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        return HF_NOMEM;
    }
    client->node = options->node;
    client->config = options->config;
    client->forward_gzip = options->forward_gzip;
    client->once = options->once;
    client->coding = hf_grpc_client_coding(client->config);
    enum hf_status status =
        hf_auth_find_client(client->node, client->config->auth, &client->auth, reterr);
    if (status == HF_OK && client->auth.ops != NULL && client->auth.ops->sign != NULL) {
        snprintf(reterr, HF_ERROR_MAX,
                 "auth::authenticator: %s signs HTTP requests only: use the exporter otlphttp",
                 client->config->auth->authenticator);
        status = HF_INVALID;
    }
    if (status == HF_OK) {
        status = open_grpc(client, options->endpoint, reterr);
    }
    if (status != HF_OK) {
        hf_otlp_client_free(client);
        return status;
    }
    *ret_client = client;
    return HF_OK;
}

const char *const *hf_otlp_client_context_keys(const struct hf_otlp_client *client,
                                               size_t *ret_count)
{
    return hf_auth_context_keys(&client->auth, ret_count);
}

void hf_otlp_client_free(struct hf_otlp_client *client)
{
    if (client == NULL) {
        return;
    }
    hf_grpc_client_free(client->grpc);
    while (client->idle != NULL) {
        struct job *job = client->idle;
        client->idle = job->next;
        hf_payload_release(&job->payload);
        free(job);
    }
    hf_tls_free(client->tls);
    free(client);
}

/* ---- the whole of an exporter ---- */

static void on_exported(void *user, const struct hf_outcome *outcome)
{
    hf_export_done(user, outcome);
}

void hf_otlp_exporter_send(void *self, struct hf_export *export)
{
    struct hf_otlp_client *client = self;
    struct hf_record_names_writer writer;
    struct hf_slice names = HF_EMPTY_SLICE;
    enum hf_status status = HF_OK;
    if (client->once) {
        status = hf_record_header_make(export, hf_node_id(client->node), &writer, &names);
    }
    if (status != HF_OK) {
        hf_export_done(export, &(const struct hf_outcome){.status = status});
        return;
    }
    const struct hf_otlp_send send = {
        .signal = export->signal,
        .bodies = export->bodies,
        .body_count = export->body_count,
        .meta = export->meta,
        .deadline_ns = export->deadline_ns,
        .record_names = names,
        .done = on_exported,
        .user = export,
    };
    hf_otlp_client_send(client, &send);
}

const char *const *hf_otlp_exporter_context_keys(void *self, size_t *ret_count)
{
    return hf_otlp_client_context_keys(self, ret_count);
}

void hf_otlp_exporter_close(void *self)
{
    hf_otlp_client_free(self);
}
