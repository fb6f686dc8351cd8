/*
 * coralogix: sends OTLP to Coralogix, over gRPC or HTTP, with the names of application and
 * subsystem in every resource.
 *
 * Signals that differ in nothing share a backend.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <holdfast/component.h>
#include <holdfast/ref.h>

#include "coralogix_config.h"
#include "coralogix_names.h"
#include "support/probe/probe_server.h"
#include "support/sending/http_exporter.h"
#include "support/sending/otlp_client.h"

#define CODE_EXHAUSTED 8 /* of gRPC */
#define CODE_TOO_MANY 429

struct backend {
    struct coralogix_target target;
    struct hf_string_pair *headers;
    struct hf_http_client_config http_config;
    struct hf_otlp_client *grpc; /* one of the two */
    struct hf_http_exporter *http;
};

struct coralogix {
    struct hf_node *node;
    const struct coralogix_config *config;
    struct coralogix_names names;
    char *authorization;
    struct backend *backends[HF_SIGNAL_COUNT]; /* NULL: that signal goes nowhere */
    const char **context_keys;
    size_t context_key_count;
    int64_t refusals; /* answers in a row that the quota is used up */
    struct job *idle; /* kept for reuse */
};

/* One request over gRPC. */
struct job {
    struct job *next;
    struct coralogix *owner;
    struct hf_export *export;
    struct hf_payload payload;
    struct hf_bytes named;
    struct hf_export_body body;
};

/* ---- answers ---- */

static void note_quota(struct coralogix *coralogix, struct hf_outcome *outcome, bool is_refusal)
{
    const struct coralogix_rate_limiter *limiter = &coralogix->config->rate_limiter;
    if (outcome->status == HF_OK) {
        coralogix->refusals = 0;
    }
    if (!limiter->enabled || !is_refusal || outcome->retry_after_ns != 0) {
        return;
    }
    coralogix->refusals++;
    if (coralogix->refusals >= limiter->threshold) {
        outcome->retry_after_ns = limiter->duration_ns;
        coralogix->refusals = 0;
    }
}

static void end_unsent(struct hf_export *export, enum hf_status status, const char *why)
{
    const struct hf_outcome outcome = {.status = status, .message = why};
    hf_export_done(export, &outcome);
}

/* ---- over gRPC ---- */

static struct job *take_job(struct coralogix *coralogix)
{
    struct job *job = coralogix->idle;
    if (job != NULL) {
        coralogix->idle = job->next;
        return job;
    }
    job = calloc(1, sizeof(*job));
    if (job != NULL) {
        job->owner = coralogix;
    }
    return job;
}

static void return_job(struct job *job)
{
    job->next = job->owner->idle;
    job->owner->idle = job;
}

static void on_answer(void *user, const struct hf_outcome *outcome)
{
    struct job *job = user;
    struct hf_export *export = job->export;
    struct hf_outcome noted = *outcome;
    note_quota(job->owner, &noted, outcome->code == CODE_EXHAUSTED);
    return_job(job);
    hf_export_done(export, &noted);
}

static enum hf_status name_request(struct job *job)
{
    const struct hf_export *export = job->export;
    struct hf_slice raw;
    bool changed = false;
    job->named.size = 0;
    enum hf_status status =
        hf_payload_read(&job->payload, export->bodies, export->body_count, &raw);
    if (status == HF_OK) {
        status =
            coralogix_names_put(&job->owner->names, export->signal, raw, &job->named, &changed);
    }
    if (status == HF_OK) {
        struct hf_slice wire = changed ? hf_slice_of(job->named.data, job->named.size) : raw;
        job->body = (struct hf_export_body){.wire = wire,
                                            .coding = HF_IDENTITY,
                                            .items = export->items,
                                            .raw_size = wire.size,
                                            .received_ns = export->bodies[0].received_ns};
    }
    return status;
}

static void send_grpc(struct coralogix *coralogix, struct backend *backend,
                      struct hf_export *export)
{
    struct job *job = take_job(coralogix);
    enum hf_status status = HF_NOMEM;
    if (job != NULL) {
        job->export = export;
        status = name_request(job);
    }
    if (status != HF_OK) {
        if (job != NULL) {
            return_job(job);
        }
        end_unsent(export, status, "the names cannot be written into the request");
        return;
    }
    const struct hf_otlp_send send = {
        .signal = export->signal,
        .bodies = &job->body,
        .body_count = 1,
        .meta = export->meta,
        .deadline_ns = export->deadline_ns,
        .done = on_answer,
        .user = job,
    };
    hf_otlp_client_send(backend->grpc, &send);
}

/* ---- over HTTP ---- */

static enum hf_status encode(void *user, struct hf_http_post *post)
{
    struct coralogix *coralogix = user;
    const struct hf_export *export = post->export;
    struct hf_bytes *out = &post->payload.bytes;
    struct hf_slice raw;
    bool changed = false;
    enum hf_status status =
        hf_payload_read(&post->payload, export->bodies, export->body_count, &raw);
    if (status == HF_OK) {
        status = coralogix_names_put(&coralogix->names, export->signal, raw, out, &changed);
    }
    if (status == HF_OK && !changed) {
        status = hf_bytes_append(out, raw);
    }
    post->content_type = "application/x-protobuf";
    return status == HF_OK ? hf_payload_seal(&post->payload, post->coding, post->level) : status;
}

static void judge(void *user, const struct hf_http_post *post, const struct hf_http_result *result,
                  struct hf_http_judgement *ret)
{
    (void)post;
    hf_http_judge_otlp(result, ret);
    note_quota(user, &ret->outcome, result->code == CODE_TOO_MANY && !result->has_retry_after);
}

/* ---- the exporter ---- */

static void send_export(void *self, struct hf_export *export)
{
    struct coralogix *coralogix = self;
    struct backend *backend = coralogix->backends[export->signal];
    if (backend == NULL) {
        end_unsent(export, HF_UNSUPPORTED,
                   coralogix->config->protocol == CORALOGIX_HTTP && export->signal == HF_PROFILES
                       ? "profiles are not sent over HTTP; set protocol to grpc"
                       : "there is no place for this signal; set domain or its endpoint");
    } else if (backend->http != NULL) {
        hf_http_exporter_send(backend->http, export);
    } else {
        send_grpc(coralogix, backend, export);
    }
}

static const char *const *context_keys(void *self, size_t *ret_count)
{
    const struct coralogix *coralogix = self;
    *ret_count = coralogix->context_key_count;
    return coralogix->context_keys;
}

static void free_backend(struct backend *backend)
{
    hf_otlp_client_free(backend->grpc);
    if (backend->http != NULL) {
        hf_http_exporter_close(backend->http);
    }
    free(backend->headers);
    free(backend);
}

static bool is_shared(const struct coralogix *coralogix, int signal)
{
    for (int other = 0; other < signal; other++) {
        if (coralogix->backends[other] == coralogix->backends[signal]) {
            return true;
        }
    }
    return false;
}

static void close_exporter(void *self)
{
    struct coralogix *coralogix = self;
    /* From the last on: the earlier ones still tell which are shared. */
    for (int signal = HF_SIGNAL_COUNT - 1; signal >= 0; signal--) {
        if (coralogix->backends[signal] != NULL && !is_shared(coralogix, signal)) {
            free_backend(coralogix->backends[signal]);
        }
    }
    while (coralogix->idle != NULL) {
        struct job *job = coralogix->idle;
        coralogix->idle = job->next;
        hf_payload_release(&job->payload);
        hf_bytes_release(&job->named);
        free(job);
    }
    coralogix_names_release(&coralogix->names);
    free(coralogix->context_keys);
    free(coralogix->authorization);
    free(coralogix);
}

/* ---- opening ---- */

/* Replaces the header of that name, or adds it. There is room. */
static void set_header(struct backend *backend, const char *key, const char *value)
{
    struct hf_string_map *headers = &backend->target.client.headers;
    struct hf_string_pair *pair = backend->headers;
    while (pair < backend->headers + headers->count && strcasecmp(pair->key, key) != 0) {
        pair++;
    }
    headers->count += pair == backend->headers + headers->count ? 1 : 0;
    *pair = (struct hf_string_pair){.key = key, .value = value};
}

static bool set_headers(const struct coralogix *coralogix, struct backend *backend)
{
    const struct hf_string_map of_domain = backend->target.domain_headers;
    const struct hf_string_map own = backend->target.client.headers;
    backend->headers = calloc(of_domain.count + own.count + 1, sizeof(*backend->headers));
    if (backend->headers == NULL) {
        return false;
    }
    backend->target.client.headers = (struct hf_string_map){.items = backend->headers};
    for (size_t i = 0; i < of_domain.count; i++) {
        set_header(backend, of_domain.items[i].key, of_domain.items[i].value);
    }
    for (size_t i = 0; i < own.count; i++) {
        set_header(backend, own.items[i].key, own.items[i].value);
    }
    set_header(backend, "authorization", coralogix->authorization);
    return true;
}

static struct hf_http_client_config http_config_of(const struct hf_grpc_client_config *client)
{
    return (struct hf_http_client_config){
        .endpoint = client->endpoint,
        .compression = client->compression,
        .compression_params = {.level = client->compression_level},
        .tls = client->tls,
        .headers = client->headers,
        .proxy_url = client->proxy_url,
        .auth = client->auth,
    };
}

static enum hf_status open_backend(struct coralogix *coralogix, struct backend *backend,
                                   char *reterr)
{
    static const struct hf_http_exporter_ops ops = {.encode = encode, .judge = judge};
    backend->target.client.endpoint = backend->target.endpoint; /* it has moved */
    if (!set_headers(coralogix, backend)) {
        return HF_NOMEM;
    }
    if (coralogix->config->protocol == CORALOGIX_GRPC) {
        const struct hf_otlp_client_options options = {.node = coralogix->node,
                                                       .config = &backend->target.client};
        return hf_otlp_client_open(&options, &backend->grpc, reterr);
    }
    backend->http_config = http_config_of(&backend->target.client);
    const struct hf_http_exporter_options options = {
        .node = coralogix->node,
        .config = &backend->http_config,
        .paths = {[HF_TRACES] = "/v1/traces", [HF_METRICS] = "/v1/metrics", [HF_LOGS] = "/v1/logs"},
        .ops = &ops,
        .user = coralogix,
    };
    return hf_http_exporter_open(&options, &backend->http, reterr);
}

static enum hf_status open_backends(struct coralogix *coralogix, char *reterr)
{
    struct backend *of_domain = NULL;
    struct coralogix_target target;
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        if (!coralogix_target_of(coralogix->config, (enum hf_signal)signal, &target)) {
            continue;
        }
        if (target.is_of_domain && of_domain != NULL) {
            coralogix->backends[signal] = of_domain;
            continue;
        }
        struct backend *backend = calloc(1, sizeof(*backend));
        if (backend == NULL) {
            return HF_NOMEM;
        }
        backend->target = target;
        coralogix->backends[signal] = backend;
        of_domain = target.is_of_domain ? backend : of_domain;
        enum hf_status status = open_backend(coralogix, backend, reterr);
        if (status != HF_OK) {
            return status;
        }
    }
    return HF_OK;
}

static const char *const *keys_of(const struct backend *backend, size_t *ret_count)
{
    *ret_count = 0;
    if (backend == NULL) {
        return NULL;
    }
    return backend->http != NULL ? hf_http_exporter_context_keys(backend->http, ret_count)
                                 : hf_otlp_client_context_keys(backend->grpc, ret_count);
}

static enum hf_status gather_context_keys(struct coralogix *coralogix)
{
    size_t total = 0, count;
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        (void)keys_of(coralogix->backends[signal], &count);
        total += count;
    }
    coralogix->context_keys = calloc(total + 1, sizeof(*coralogix->context_keys));
    if (coralogix->context_keys == NULL) {
        return HF_NOMEM;
    }
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        const char *const *keys = keys_of(coralogix->backends[signal], &count);
        for (size_t i = 0; i < count; i++) {
            coralogix->context_keys[coralogix->context_key_count++] = keys[i];
        }
    }
    return HF_OK;
}

static bool make_authorization(struct coralogix *coralogix)
{
    size_t size = strlen("Bearer ") + strlen(coralogix->config->private_key) + 1;
    coralogix->authorization = malloc(size);
    if (coralogix->authorization != NULL) {
        snprintf(coralogix->authorization, size, "Bearer %s", coralogix->config->private_key);
    }
    return coralogix->authorization != NULL;
}

static enum hf_status open_exporter(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    struct coralogix *coralogix = calloc(1, sizeof(*coralogix));
    snprintf(reterr, HF_ERROR_MAX, "no memory for the exporter");
    if (coralogix == NULL) {
        return HF_NOMEM;
    }
    coralogix->node = node;
    coralogix->config = config;
    coralogix->names.config = config;
    enum hf_status status = make_authorization(coralogix) ? HF_OK : HF_NOMEM;
    status = status == HF_OK ? open_backends(coralogix, reterr) : status;
    status = status == HF_OK ? gather_context_keys(coralogix) : status;
    if (status != HF_OK) {
        close_exporter(coralogix);
        return status;
    }
    *ret_self = coralogix;
    return HF_OK;
}

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct coralogix_config *config = from;
    bool seen_domain = false;
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        struct coralogix_target target;
        if (!coralogix_target_of(config, (enum hf_signal)signal, &target) ||
            (target.is_of_domain && seen_domain)) {
            continue;
        }
        seen_domain = seen_domain || target.is_of_domain;
        if (config->protocol == CORALOGIX_HTTP) {
            const struct hf_http_client_config http = http_config_of(&target.client);
            hf_probe_http_client(probe, &http, NULL);
        } else {
            hf_probe_grpc_client(probe, &target.client);
        }
    }
    hf_probe_export(probe);
}

static const struct hf_exporter_ops exporter_ops = {
    .send = send_export,
    .context_keys = context_keys,
    .timeout = "5s",
};

const struct hf_component hf_exporter_coralogix = {
    .type = "coralogix",
    .help = "Sends OTLP to Coralogix, over gRPC or HTTP, with the names of application and "
            "subsystem.",
    .kind = HF_EXPORTER,
    .signals = HF_ALL_SIGNALS_AND_PROFILES,
    .config_size = sizeof(struct coralogix_config),
    .fields = coralogix_fields,
    .check = coralogix_check,
    .probe = probe_outside,
    .open = open_exporter,
    .close = close_exporter,
    .exporter = &exporter_ops,
};
