#include "http_exporter.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/auth.h>
#include <holdfast/component.h>

#include "pdata/response.h"
#include "record_header.h"
#include "support/settings/missing_ca.h"
#include "util/header_list.h"
#include "verdict.h"
#include "wrong_endpoint.h"

struct hf_http_exporter {
    struct hf_node *node;
    const struct hf_http_client_config *config;
    const struct hf_http_exporter_ops *ops;
    void *user;
    struct hf_http_client *client;
    struct hf_auth_ref auth;
    enum hf_coding coding;
    bool has_empty_pages;
    bool once;
    char urls[HF_SIGNAL_COUNT][HF_URL_MAX]; /* "": none was configured */
    char user_agent[HF_USER_AGENT_MAX];
    char led_to[256]; /* by the redirect that was logged last */
    struct job *idle; /* kept for reuse */
};

/* One request in flight. */
struct job {
    struct hf_http_call call;
    struct job *next;
    struct hf_http_exporter *exporter;
    struct hf_export *export;
    struct hf_http_post post;
    struct hf_header_list headers;
};

static struct job *take_job(struct hf_http_exporter *exporter)
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

static void release_job(struct job *job)
{
    job->next = job->exporter->idle;
    job->exporter->idle = job;
}

static void judge_response(const struct hf_http_result *result, const struct hf_response *response,
                           struct hf_http_judgement *ret)
{
    snprintf(ret->message, sizeof(ret->message), "%s", response->message);
    const struct hf_verdict verdict = hf_verdict_of_http(result->code, ret->message);
    ret->outcome.status = verdict.status;
    ret->outcome.is_suspect = verdict.is_suspect;
    ret->outcome.rejected_items = response->rejected;
    ret->outcome.message = ret->message;
}

static bool is_success(const struct hf_http_result *result)
{
    return result->code >= 200 && result->code < 300;
}

void hf_http_judge(const struct hf_http_result *result, struct hf_http_judgement *ret)
{
    struct hf_response response = {0};
    if (!is_success(result)) {
        hf_response_read(result->content_type, result->body, false, &response);
    }
    judge_response(result, &response, ret);
}

void hf_http_judge_otlp(const struct hf_http_result *result, struct hf_http_judgement *ret)
{
    struct hf_response response;
    hf_response_read(result->content_type, result->body, is_success(result), &response);
    judge_response(result, &response, ret);
}

/* An answer without a message gets one, for the log and the dead letters. */
static void explain(const struct hf_http_result *result, struct hf_http_judgement *judgement)
{
    struct hf_outcome *outcome = &judgement->outcome;
    if (result->location != NULL) {
        snprintf(judgement->message, sizeof(judgement->message),
                 "the redirect to %s is not followed: %s", result->location, result->not_followed);
        outcome->message = judgement->message;
    } else if (outcome->message == NULL || outcome->message[0] == '\0') {
        snprintf(judgement->message, sizeof(judgement->message), "HTTP status %d", result->code);
        outcome->message = judgement->message;
    }
}

static void add_left_out(const struct hf_http_post *post, struct hf_outcome *outcome)
{
    if (post->left_out != 0 && outcome->status == HF_OK) {
        outcome->rejected_items += post->left_out;
        bool has_words = outcome->message != NULL && outcome->message[0] != '\0';
        outcome->message = has_words ? outcome->message : post->why;
    }
}

static void judge_answer(const struct job *job, const struct hf_http_result *result,
                         struct hf_http_judgement *ret)
{
    const struct hf_http_exporter *exporter = job->exporter;
    bool is_own = exporter->has_empty_pages && result->body.size == 0;
    const char *wrong = is_own ? NULL : hf_wrong_endpoint(result);
    ret->outcome.code = result->code;
    if (wrong != NULL) {
        ret->outcome.status = HF_FORBIDDEN; /* it costs no data, and is seen */
        ret->outcome.message = wrong;
    } else if (exporter->ops->judge != NULL) {
        exporter->ops->judge(exporter->user, &job->post, result, ret);
    } else {
        hf_http_judge(result, ret);
    }
    if (ret->outcome.status != HF_OK) {
        explain(result, ret);
    }
    if (result->has_retry_after && (result->code == 429 || result->code == 503)) {
        ret->outcome.retry_after_ns = result->retry_after_ns;
    }
}

static void send_step(struct job *job);

static void on_result(struct hf_http_call *call, const struct hf_http_result *result)
{
    struct job *job = HF_CONTAINER(call, struct job, call);
    struct hf_export *export = job->export;
    struct hf_http_judgement judgement;
    char why[sizeof(job->post.why)];
    judgement.message[0] = '\0';
    judgement.is_later = false;
    judgement.next_step = 0;
    judgement.outcome = (struct hf_outcome){
        .status = result->status, .code = result->code, .message = result->error};
    if (result->status == HF_OK) {
        judgement.outcome.message = NULL;
        judge_answer(job, result, &judgement);
        hf_auth_note(&job->exporter->auth, judgement.outcome.status);
        add_left_out(&job->post, &judgement.outcome);
        if (judgement.outcome.message == job->post.why) {
            memcpy(why, job->post.why, sizeof(why));
            judgement.outcome.message = why;
        }
    }
    if (judgement.next_step != 0) {
        job->post.step = judgement.next_step;
        send_step(job);
        return;
    }
    release_job(job); /* the export's end may begin the next one */
    if (!judgement.is_later) {
        hf_export_done(export, &judgement.outcome);
    }
}

static void end_unsent(struct hf_export *export, enum hf_status status, const char *message)
{
    const struct hf_outcome outcome = {.status = status, .message = message};
    hf_export_done(export, &outcome);
}

/* Ends without a request: nothing of it can be told to the backend, or no request can be made. */
static void end_job(struct job *job, enum hf_status status)
{
    struct hf_export *export = job->export;
    struct hf_outcome outcome = {.status = status};
    char why[sizeof(job->post.why)];
    const char *words = job->headers.why[0] != '\0' ? job->headers.why : job->post.why;
    snprintf(why, sizeof(why), "%s", words);
    outcome.rejected_items = status == HF_OK ? job->post.left_out : 0;
    if (status != HF_OK && why[0] == '\0') {
        snprintf(why, sizeof(why), "the request cannot be built");
    }
    outcome.message = why;
    release_job(job);
    hf_export_done(export, &outcome);
}

static enum hf_status list_headers(struct job *job)
{
    const struct hf_http_exporter *exporter = job->exporter;
    const struct hf_http_post *post = &job->post;
    enum hf_status status =
        hf_header_list_fill(&job->headers, HF_HEADERS_HTTP, &exporter->config->headers,
                            exporter->auth.ops, exporter->auth.self, job->export->meta);
    for (size_t i = 0; i < post->header_count && status == HF_OK; i++) {
        const struct hf_header *header = &post->headers[i];
        bool is_there = false;
        for (size_t j = 0; j < job->headers.count && !is_there; j++) {
            is_there = hf_slice_equal(job->headers.items[j].name, header->name);
        }
        if (!is_there) {
            status = job->headers.sink.add(&job->headers.sink, header->name, header->value);
        }
    }
    return status;
}

/* What the records are called, for a Holdfast that is the backend. */
static enum hf_status name_records(struct job *job)
{
    const struct hf_http_exporter *exporter = job->exporter;
    struct hf_record_names_writer writer;
    struct hf_slice names = HF_EMPTY_SLICE;
    enum hf_status status =
        exporter->once
            ? hf_record_header_make(job->export, hf_node_id(exporter->node), &writer, &names)
            : HF_OK;
    if (status == HF_OK && names.size != 0) {
        status =
            job->headers.sink.add(&job->headers.sink, hf_slice_text(HF_RECORD_NAMES_HEADER), names);
    }
    return status;
}

/* Headers that depend on the whole request. */
static enum hf_status sign(struct job *job)
{
    const struct hf_http_post *post = &job->post;
    const struct hf_auth_ref *auth = &job->exporter->auth;
    if (auth->ops == NULL || auth->ops->sign == NULL) {
        return HF_OK;
    }
    const struct hf_auth_outgoing request = {
        .method = post->method,
        .url = post->url,
        .body = post->payload.slices,
        .body_count = post->payload.count,
        .headers = job->headers.items,
        .header_count = job->headers.count,
    };
    enum hf_status status = auth->ops->sign(auth->self, &request, &job->headers.sink);
    hf_header_list_tell(&job->headers, status);
    return status;
}

static enum hf_status build(struct job *job)
{
    const struct hf_http_exporter *exporter = job->exporter;
    const struct hf_http_post before = job->post;
    job->headers.why[0] = '\0';
    job->post = (struct hf_http_post){
        .export = job->export,
        .payload = before.payload,
        .step = before.step,
        .text = before.text,
        .coding = exporter->coding,
        .level = (int)exporter->config->compression_params.level,
        .url = exporter->urls[job->export->signal],
        .method = "POST",
        .content_encoding = exporter->coding != HF_IDENTITY ? exporter->config->compression : NULL,
    };
    job->post.payload.count = 0;
    enum hf_status status = exporter->ops->encode(exporter->user, &job->post);
    if (status == HF_OK && (job->post.payload.count != 0 || job->export->is_probe)) {
        status = list_headers(job);
        status = status == HF_OK ? name_records(job) : status;
        status = status == HF_OK ? sign(job) : status;
    }
    return status;
}

static void send_step(struct job *job)
{
    enum hf_status status = build(job);
    const struct hf_http_post *post = &job->post;
    if (status != HF_OK || (post->payload.count == 0 && !job->export->is_probe)) {
        end_job(job, status);
        return;
    }
    job->call = (struct hf_http_call){
        .method = post->method,
        .url = post->url,
        .content_type = post->content_type,
        .content_encoding = post->payload.count != 0 ? post->content_encoding : NULL,
        .pieces = post->payload.slices,
        .piece_count = post->payload.count,
        .headers = job->headers.items,
        .header_count = job->headers.count,
        .deadline_ns = job->export->deadline_ns,
        .done = on_result,
    };
    hf_http_client_call(job->exporter->client, &job->call);
}

void hf_http_exporter_send(void *self, struct hf_export *export)
{
    struct hf_http_exporter *exporter = self;
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
    job->post.step = 0;
    send_step(job);
}

static void make_urls(struct hf_http_exporter *exporter,
                      const struct hf_http_exporter_options *options)
{
    const char *base = options->config->endpoint;
    base = hf_http_unix_path(base) != NULL ? "http://localhost" : base;
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        const char *own = options->urls[signal];
        const char *path = options->paths[signal];
        char *url = exporter->urls[signal];
        if (own != NULL && own[0] != '\0') {
            snprintf(url, HF_URL_MAX, "%s", own);
        } else if (base != NULL && base[0] != '\0' && path != NULL) {
            size_t size = strlen(base);
            size -= path[0] == '/' && base[size - 1] == '/';
            snprintf(url, HF_URL_MAX, "%.*s%s", (int)size, base, path);
        }
    }
}

static void on_reload_failed(void *user, const char *why)
{
    const struct hf_http_exporter *exporter = user;
    hf_node_log(exporter->node, HF_LOG_WARN,
                "reloading TLS files failed; keeping the previous certificate: %s", why);
}

/* Logged once for each place: every request is led there. */
static void on_redirect(void *user, const char *to, bool is_elsewhere)
{
    struct hf_http_exporter *exporter = user;
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

static enum hf_status open_client(struct hf_http_exporter *exporter, size_t response_bytes_max,
                                  char *reterr)
{
    struct hf_http_client_options options = hf_http_client_options(exporter->config);
    hf_user_agent(exporter->user_agent);
    options.loop = hf_node_own_loop(exporter->node);
    options.user_agent = exporter->user_agent;
    options.on_reload_failed = on_reload_failed;
    options.on_redirect = on_redirect;
    options.user = exporter;
    options.response_bytes_max = response_bytes_max;
    hf_warn_of_missing_ca(exporter->node, &exporter->config->tls);
    return hf_http_client_new(&options, &exporter->client, reterr);
}

enum hf_status hf_http_exporter_open(const struct hf_http_exporter_options *options,
                                     struct hf_http_exporter **ret_exporter, char *reterr)
{
    assert(options->ops->encode != NULL);
    struct hf_http_exporter *exporter = calloc(1, sizeof(*exporter));
    if (exporter == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the exporter");
        return HF_NOMEM;
    }
    exporter->node = options->node;
    exporter->config = options->config;
    exporter->ops = options->ops;
    exporter->has_empty_pages = options->has_empty_pages;
    exporter->user = options->user;
    exporter->once = options->once;
    exporter->coding = hf_http_client_coding(options->config);
    make_urls(exporter, options);
    enum hf_status status =
        hf_auth_find_client(options->node, options->config->auth, &exporter->auth, reterr);
    if (status == HF_OK) {
        status = open_client(exporter, options->response_bytes_max, reterr);
    }
    if (status != HF_OK) {
        free(exporter);
        return status;
    }
    *ret_exporter = exporter;
    return HF_OK;
}

void hf_http_exporter_close(void *self)
{
    struct hf_http_exporter *exporter = self;
    if (exporter == NULL) {
        return;
    }
    hf_http_client_free(exporter->client);
    while (exporter->idle != NULL) {
        struct job *job = exporter->idle;
        exporter->idle = job->next;
        hf_payload_release(&job->post.payload);
        hf_bytes_release(&job->post.text);
        free(job);
    }
    free(exporter);
}

const char *const *hf_http_exporter_context_keys(void *self, size_t *ret_count)
{
    const struct hf_http_exporter *exporter = self;
    return hf_auth_context_keys(&exporter->auth, ret_count);
}

void hf_http_exporter_self_send(void *self, struct hf_export *export)
{
    struct hf_http_exporter **first = self;
    hf_http_exporter_send(*first, export);
}

const char *const *hf_http_exporter_self_context_keys(void *self, size_t *ret_count)
{
    struct hf_http_exporter **first = self;
    return hf_http_exporter_context_keys(*first, ret_count);
}
