/*
 * otlp_http: OTLP/HTTP, protobuf and JSON. Errors are google.rpc.Status bodies in the request's own
 * encoding.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "http/server.h"
#include "otlp_admission.h"
#include "otlp_headers.h"
#include "otlp_receiver.h"
#include "otlp_repair.h"
#include "otlp_status.h"
#include "pdata/json.h"
#include "pdata/unknown.h"
#include "util/clock.h"
#include "util/metrics.h"

#define SUCCEEDED_GRACE_NS UINT64_C(10000000000)
#define STOP_GRACE_MIN_NS UINT64_C(100000000)

struct otlp_http {
    struct otlp_receiver *receiver;
    const struct otlp_http_config *config;
    struct hf_http_server *server;
    int listen_fd;
    struct otlp_auth auth;
    struct otlp_wanted wanted;
    struct hf_series *malformed, *protocol, *unauthenticated, *repairs;
};

/* One request on its way to the disk. */
struct intake {
    struct hf_reply reply;
    struct hf_http_request *request;
    struct otlp_http *http;
    enum hf_signal signal;
    bool json;
    bool is_unknown; /* nothing in it is known: to be answered with a warning */
    char peer[64];   /* the request's own may be gone with its connection */
};

static void refuse(struct hf_http_request *request, bool json, enum hf_status status, int http_code,
                   const char *text)
{
    uint8_t body[OTLP_STATUS_BODY_MAX];
    const struct hf_status_row *row = hf_status_row(status);
    size_t size = otlp_status_body(json, row->grpc_code, text != NULL ? text : row->says, body);
    const struct hf_http_answer answer = {
        .status = http_code != 0 ? http_code : row->http_code,
        .content_type = json ? "application/json" : "application/x-protobuf",
        .body = hf_slice_of(body, size),
        .retry_after_s = row->retryable ? OTLP_RETRY_DELAY_NS / UINT64_C(1000000000) : 0,
    };
    hf_http_answer(request, &answer);
}

/* For what is no export request; `what` says in the log what it is. */
static void say_plain(const struct otlp_http *http, struct hf_http_request *request, int code,
                      const char *text, const char *what)
{
    char line[256];
    snprintf(line, sizeof(line), "refused with %d: %s %.160s %s", code, hf_http_method(request),
             hf_http_path(request), what);
    otlp_complain_of(http->receiver, hf_http_peer(request), what, line);
    const struct hf_http_answer answer = {.status = code,
                                          .content_type = "text/plain",
                                          .body = hf_slice_text(text),
                                          .allow = code == 405 ? "POST" : NULL};
    hf_http_answer(request, &answer);
}

static void answer_unknown(const struct intake *intake)
{
    uint8_t body[HF_UNKNOWN_ANSWER_MAX];
    char text[HF_UNKNOWN_TEXT_MAX];
    hf_unknown_say(intake->signal, text);
    otlp_complain(intake->http->receiver, intake->peer, text);
    const struct hf_http_answer answer = {
        .status = 200,
        .content_type = intake->json ? "application/json" : "application/x-protobuf",
        .body = hf_slice_of(body, hf_unknown_answer(intake->signal, intake->json, body)),
    };
    hf_http_answer(intake->request, &answer);
}

/* The committer's thread. */
static void on_disk(struct hf_reply *reply, enum hf_status status)
{
    struct intake *intake = HF_CONTAINER(reply, struct intake, reply);
    if (status != HF_OK) {
        otlp_complain_refused(intake->http->receiver, intake->peer, status);
        refuse(intake->request, intake->json, status, 0, NULL);
    } else if (intake->is_unknown) {
        answer_unknown(intake);
    } else {
        /* Protobuf: partial_success is left unset, which is no bytes at all. JSON: as the Go
         * collector writes it. */
        const struct hf_http_answer answer = {
            .status = 200,
            .content_type = intake->json ? "application/json" : "application/x-protobuf",
            .body = intake->json ? hf_slice_text("{\"partialSuccess\":{}}") : HF_EMPTY_SLICE,
        };
        hf_http_answer(intake->request, &answer);
    }
    free(intake);
}

/* As with the Go collector, the configuration may leave out the slash that begins a path. */
static bool is_path(const char *path, const char *configured)
{
    return path[0] == '/' && strcmp(path + 1, configured + (configured[0] == '/')) == 0;
}

static bool find_signal(const struct otlp_http *http, const char *path, enum hf_signal *ret_signal)
{
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        if ((hf_node_signals(http->receiver->node) & HF_SIGNAL_BIT(signal)) != 0 &&
            is_path(path, http->config->url_paths[signal])) {
            *ret_signal = (enum hf_signal)signal;
            return true;
        }
    }
    return false;
}

enum body_type { BODY_PROTO, BODY_JSON, BODY_UNKNOWN };

static enum body_type body_type(const struct hf_http_request *request)
{
    struct hf_slice type = hf_http_header(request, "content-type");
    size_t size = 0;
    while (size < type.size && type.data[size] != ';') {
        size++;
    }
    while (size > 0 && (type.data[size - 1] == ' ' || type.data[size - 1] == '\t')) {
        size--;
    }
    const char *text = (const char *)type.data;
    if (size == strlen("application/json") && strncasecmp(text, "application/json", size) == 0) {
        return BODY_JSON;
    }
    if (size == strlen("application/x-protobuf") &&
        strncasecmp(text, "application/x-protobuf", size) == 0) {
        return BODY_PROTO;
    }
    return BODY_UNKNOWN;
}

static struct hf_slice header_of(void *request, const char *name)
{
    return hf_http_header(request, name);
}

static void refuse_stranger(const struct otlp_http *http, struct hf_http_request *request)
{
    hf_series_add(http->unauthenticated, 1);
    otlp_complain(http->receiver, hf_http_peer(request), "missing or wrong credentials");
    refuse(request, body_type(request) == BODY_JSON, HF_UNAUTHENTICATED, 0, NULL);
}

static struct hf_auth_request shown_by(struct hf_http_request *request)
{
    return (struct hf_auth_request){header_of, request, hf_http_peer(request)};
}

static void refuse_client(const struct otlp_http *http, struct hf_http_request *request,
                          enum hf_status status)
{
    bool json = body_type(request) == BODY_JSON;
    if (status == HF_UNAUTHENTICATED) {
        refuse_stranger(http, request);
    } else if (status == HF_AGAIN) {
        otlp_complain(http->receiver, hf_http_peer(request), OTLP_BUSY_CHECKING);
        refuse(request, json, status, 0, OTLP_BUSY_CHECKING);
    } else {
        otlp_complain_refused(http->receiver, hf_http_peer(request), status);
        refuse(request, json, status, 0, NULL);
    }
}

/* The authenticator's thread. */
static void on_decided(struct otlp_admission *admission)
{
    hf_http_go_on(admission->request);
    hf_ref_drop(&admission->ref);
}

static bool is_alive(struct otlp_admission *admission)
{
    return hf_http_is_alive(admission->request);
}

static enum hf_status check_later(const struct otlp_http *http, struct hf_http_request *request,
                                  const struct hf_auth_request *shown)
{
    struct otlp_admission *admission = otlp_admission_new(&http->wanted, on_decided);
    if (admission == NULL) {
        return HF_NOMEM;
    }
    admission->request = request;
    admission->is_alive = is_alive;
    *hf_http_request_data(request) = admission;
    hf_http_hold(request);
    http->auth.ops->begin(http->auth.self, shown, &admission->wait);
    return HF_OK;
}

/* False: the request is on hold until it is known. */
static bool check_client(const struct otlp_http *http, struct hf_http_request *request,
                         enum hf_status *ret_status)
{
    const struct otlp_admission *admission = *hf_http_request_data(request);
    *ret_status = HF_OK;
    if (http->auth.ops == NULL || admission != NULL) {
        *ret_status = admission != NULL ? admission->status : HF_OK;
        return true;
    }
    const struct hf_auth_request shown = shown_by(request);
    if (otlp_check_auth(&http->auth, &shown, ret_status)) {
        return true;
    }
    *ret_status = check_later(http, request, &shown);
    return *ret_status != HF_OK;
}

static void on_gone(void *user, struct hf_http_request *request)
{
    struct otlp_admission *admission = *hf_http_request_data(request);
    (void)user;
    atomic_store_explicit(&admission->gone, true, memory_order_relaxed);
    hf_ref_drop(&admission->ref);
}

/* Called again when a request goes on that was on hold. */
static enum hf_status on_headers(void *user, struct hf_http_request *request)
{
    struct otlp_http *http = user;
    enum hf_signal signal;
    enum hf_status known;
    if (!check_client(http, request, &known)) {
        return HF_OK;
    }
    if (known != HF_OK) {
        refuse_client(http, request, known);
        return known;
    }
    if (!find_signal(http, hf_http_path(request), &signal)) {
        say_plain(http, request, 404, "404 page not found\n", "is no path of this receiver");
        return HF_NOT_FOUND;
    }
    if (strcmp(hf_http_method(request), "POST") != 0) {
        say_plain(http, request, 405, "405 method not allowed, supported: [POST]", "is not a POST");
        return HF_UNSUPPORTED;
    }
    if (body_type(request) == BODY_UNKNOWN) {
        say_plain(
            http, request, 415,
            "415 unsupported media type, supported: [application/json, application/x-protobuf]",
            "has neither JSON nor protobuf as content type");
        return HF_UNSUPPORTED;
    }
    return HF_OK;
}

struct collector {
    const struct otlp_wanted *wanted;
    struct hf_meta_writer *meta;
    enum hf_status status;
    char *reterr;
};

static void collect_header(void *user, struct hf_slice name, struct hf_slice value)
{
    struct collector *collector = user;
    if (collector->status == HF_OK) {
        collector->status =
            otlp_keep_header(collector->wanted, name, value, collector->meta, collector->reterr);
    }
}

/* The metadata that somebody downstream reads. What does not fit is left out. HF_INVALID: some of
 * it cannot be sent on, and `reterr` says why. */
static enum hf_status collect_meta(const struct otlp_http *http, struct hf_http_request *request,
                                   struct hf_meta_writer *meta, char *reterr)
{
    const struct otlp_wanted *wanted = &http->wanted;
    struct collector collector = {wanted, meta, HF_OK, reterr};
    meta->size = 0;
    if (wanted->peer) {
        enum hf_status put =
            hf_meta_add(meta, HF_META_PEER, HF_EMPTY_SLICE, hf_slice_text(hf_http_peer(request)));
        (void)put;
    }
    const struct hf_auth_request shown = shown_by(request);
    enum hf_status status =
        otlp_add_auth(&http->auth, wanted, &shown, *hf_http_request_data(request), meta);
    if (status == HF_OK && wanted->headers) {
        hf_http_header_each(request, collect_header, &collector);
        status = collector.status;
    }
    return status;
}

static size_t body_limit(const struct otlp_http_config *config)
{
    bool is_smaller = config->max_request_body_size != 0 &&
                      config->max_request_body_size < OTLP_MESSAGE_BYTES_MAX;
    return is_smaller ? (size_t)config->max_request_body_size : OTLP_MESSAGE_BYTES_MAX;
}

/* `limit` is that of any body: numbers in an array, "0,", may become four times as long. */
static struct hf_batch *batch_of_json(bool strict, enum hf_signal signal, struct hf_slice json,
                                      size_t limit, struct hf_slice meta,
                                      enum hf_status *ret_status, char *reterr)
{
    struct hf_bytes proto = {0};
    struct hf_batch *batch = NULL;
    *ret_status = strict ? hf_json_to_proto(signal, json, limit, &proto, reterr)
                         : hf_json_to_proto_any_text(signal, json, limit, &proto, reterr);
    if (*ret_status == HF_OK) {
        batch = otlp_batch_of(signal, &proto, meta);
        *ret_status = batch != NULL ? HF_OK : HF_NOMEM;
    }
    hf_bytes_release(&proto);
    return batch;
}

static struct hf_batch *batch_of_proto(enum hf_signal signal, const struct hf_http_body *body,
                                       struct hf_slice meta, enum hf_status *ret_status)
{
    struct hf_batch *batch;
    if (body->owner == NULL) {
        batch = hf_batch_new(signal, 0, meta); /* no body: a request without resources */
    } else {
        batch = hf_batch_wrap(signal, body->coding, body->wire, body->owner, meta);
    }
    *ret_status = batch != NULL ? HF_OK : HF_NOMEM;
    if (batch != NULL) {
        batch->raw = body->raw;
    }
    return batch;
}

static void on_fault(struct otlp_http *http, struct hf_http_request *request, bool json,
                     enum hf_status fault)
{
    char text[256];
    const char *kind = "the body does not decode as its Content-Encoding says";
    int code = 0;
    hf_series_add(http->malformed, 1);
    snprintf(text, sizeof(text), "%s", kind);
    if (fault == HF_UNSUPPORTED) {
        struct hf_slice coding = hf_http_header(request, "content-encoding");
        kind = "unsupported Content-Encoding";
        code = 415;
        snprintf(text, sizeof(text), "%s: %.*s", kind, (int)(coding.size < 64 ? coding.size : 64),
                 (const char *)coding.data);
    } else if (fault == HF_TOO_LARGE) {
        kind = "the body is larger than max_request_body_size";
        code = 413;
        snprintf(text, sizeof(text), "%s", kind);
    }
    otlp_complain_of(http->receiver, hf_http_peer(request), kind, text);
    refuse(request, json, HF_INVALID, code, text);
}

#define NO_REQUEST "the body is not an Export request of this signal"

/* `error`: what is wrong with the JSON; else the fault is looked for in `raw`, the protobuf. */
static void refuse_malformed(struct otlp_http *http, struct hf_http_request *request,
                             enum hf_signal signal, struct hf_slice raw, const char *error)
{
    char text[OTLP_FAULT_MAX];
    bool json = body_type(request) == BODY_JSON;
    if (error[0] != '\0') {
        snprintf(text, sizeof(text), "%s", error);
    } else {
        otlp_explain_fault(NO_REQUEST, signal, raw, !json, text);
    }
    hf_series_add(http->malformed, 1);
    otlp_complain_of(http->receiver, hf_http_peer(request), NO_REQUEST, text);
    refuse(request, json, HF_INVALID, 0, text);
}

/* Checks the batch's bytes, and replaces the batch when they had to be repaired. */
static enum hf_status check_batch(struct otlp_http *http, const struct hf_http_request *request,
                                  struct hf_batch **batch, struct hf_scan *ret_scan)
{
    struct hf_bytes repaired = {0};
    const struct hf_batch *old = *batch;
    enum hf_status status = otlp_scan(http->receiver, http->repairs, hf_http_peer(request),
                                      old->signal, old->raw, &repaired, ret_scan);
    if (status == HF_OK && repaired.size != 0) {
        struct hf_batch *better = otlp_batch_of(old->signal, &repaired, old->meta);
        status = better != NULL ? HF_OK : HF_NOMEM;
        if (better != NULL) {
            hf_ref_drop(&(*batch)->ref);
            *batch = better;
        }
    }
    hf_bytes_release(&repaired);
    return status;
}

static void submit_batch(struct otlp_http *http, struct hf_http_request *request,
                         struct hf_batch *batch, const struct hf_scan *scan, struct intake *intake)
{
    const struct hf_http_body *body = hf_http_request_body(request);
    bool json = body_type(request) == BODY_JSON;
    batch->items = scan->items;
    *intake = (struct intake){.reply = {on_disk},
                              .request = request,
                              .http = http,
                              .signal = batch->signal,
                              .json = json,
                              .is_unknown = scan->resources == 0 &&
                                            (json ? hf_unknown_in_json(batch->signal, body->raw)
                                                  : hf_unknown_in_proto(body->raw, scan))};
    snprintf(intake->peer, sizeof(intake->peer), "%s", hf_http_peer(request));
    hf_submit(http->receiver->node, batch, "http", &intake->reply);
}

static void take_body(struct otlp_http *http, struct hf_http_request *request,
                      enum hf_signal signal, struct hf_slice meta)
{
    const struct hf_http_body *body = hf_http_request_body(request);
    bool json = body_type(request) == BODY_JSON;
    char error[HF_JSON_ERROR_MAX] = "";
    enum hf_status status;
    struct hf_scan scan;
    struct hf_batch *batch =
        json ? batch_of_json(http->receiver->config->strict_utf8, signal, body->raw,
                             body_limit(http->config), meta, &status, error)
             : batch_of_proto(signal, body, meta, &status);
    if (batch != NULL) {
        status = check_batch(http, request, &batch, &scan);
    }
    struct intake *intake = status == HF_OK ? malloc(sizeof(*intake)) : NULL;
    if (intake != NULL) {
        submit_batch(http, request, batch, &scan, intake);
    } else if (status != HF_OK && status != HF_NOMEM) {
        refuse_malformed(http, request, signal, batch != NULL ? batch->raw : HF_EMPTY_SLICE, error);
    } else {
        otlp_complain_refused(http->receiver, hf_http_peer(request), HF_NOMEM);
        refuse(request, json, HF_NOMEM, 0, NULL);
    }
    hf_ref_drop(batch != NULL ? &batch->ref : NULL);
}

static void on_request(void *user, struct hf_http_request *request, enum hf_status fault)
{
    struct otlp_http *http = user;
    bool json = body_type(request) == BODY_JSON;
    enum hf_signal signal;
    if (fault != HF_OK) {
        on_fault(http, request, json, fault);
        return;
    }
    if (!find_signal(http, hf_http_path(request), &signal)) {
        say_plain(http, request, 404, "404 page not found\n", "is no path of this receiver");
        return;
    }
    struct hf_meta_writer meta;
    char refusal[OTLP_REFUSAL_MAX];
    enum hf_status status = collect_meta(http, request, &meta, refusal);
    if (status == HF_INVALID) {
        hf_series_add(http->malformed, 1);
        otlp_complain(http->receiver, hf_http_peer(request), refusal);
        refuse(request, json, HF_INVALID, 0, refusal);
    } else if (status != HF_OK) {
        refuse_client(http, request, status);
    } else {
        take_body(http, request, signal, hf_slice_of(meta.bytes, meta.size));
    }
}

static void on_error(void *user, const char *peer, const char *what)
{
    struct otlp_http *http = user;
    if (peer == NULL) {
        otlp_warn_reload(http->receiver, "http", what);
        return;
    }
    hf_series_add(http->protocol, 1);
    otlp_complain(http->receiver, peer, what);
}

/* The last thread is out of it. */
static void on_end(void *user)
{
    const struct otlp_http *http = user;
    hf_node_release(http->receiver->node);
}

enum hf_status otlp_http_open(struct otlp_receiver *receiver, struct otlp_http **ret, char *reterr)
{
    struct hf_node *node = receiver->node;
    struct otlp_http *http = calloc(1, sizeof(*http));
    if (http == NULL) {
        return HF_NOMEM;
    }
    http->receiver = receiver;
    http->config = receiver->config->protocols.http;
    http->listen_fd = -1;
    http->malformed = otlp_error_series(node, "http", "malformed");
    http->protocol = otlp_error_series(node, "http", "protocol");
    http->unauthenticated = otlp_error_series(node, "http", "unauthenticated");
    http->repairs = otlp_repair_series(node, "http");
    otlp_find_wanted(node, "http", http->config->include_metadata, &http->wanted);
    bool counted = http->malformed != NULL && http->protocol != NULL &&
                   http->unauthenticated != NULL && http->repairs != NULL;
    enum hf_status status = counted ? hf_node_add_transport(node, "http") : HF_NOMEM;
    if (status == HF_OK) {
        status = otlp_find_auth(node, http->config->auth, &http->auth, reterr);
    }
    if (status == HF_OK) {
        status = hf_node_listen_mode(node, http->config->endpoint, http->config->mode,
                                     &http->listen_fd, reterr);
    }
    if (status != HF_OK) {
        otlp_http_close(http);
        return status;
    }
    otlp_warn_default(node, "http", http->config->endpoint, http->config->endpoint_written);
    (void)otlp_message_limit(node, "protocols::http::max_request_body_size",
                             http->config->max_request_body_size, UINT64_MAX);
    *ret = http;
    return HF_OK;
}

enum hf_status otlp_http_start(struct otlp_http *http, char *reterr)
{
    const struct otlp_http_config *config = http->config;
    size_t threads = 0;
    (void)hf_node_loops(http->receiver->node, &threads);
    struct hf_http_server_options options = {
        .listen_fd = http->listen_fd,
        .threads = (unsigned)threads,
        .body_bytes_max = body_limit(config),
        .buffered_bytes_max = otlp_intake_total(
            http->receiver->node, "protocols::http::max_request_body_size", body_limit(config)),
        .body_time_ns = config->read_timeout_ns,
        .body_rate = config->min_read_rate,
        .connections_max = (size_t)config->max_connections,
        .connections_per_peer_max = (size_t)config->max_connections_per_peer,
        .tls = config->tls,
        .cors = config->cors,
        .response_headers = config->response_headers.count != 0 ? &config->response_headers : NULL,
        .compression_algorithms =
            config->compression_algorithms_written ? &config->compression_algorithms : NULL,
        .on_headers = on_headers,
        .on_request = on_request,
        .on_error = on_error,
        .on_gone = on_gone,
        .on_end = on_end,
        .user = http,
    };
    http->listen_fd = -1;
    hf_node_hold(http->receiver->node);
    enum hf_status status = hf_http_server_new(&options, &http->server, reterr);
    if (status != HF_OK) {
        hf_node_release(http->receiver->node);
    } else {
        hf_node_log(http->receiver->node, HF_LOG_INFO, "Starting HTTP server. endpoint %s",
                    config->endpoint);
    }
    return status;
}

void otlp_http_stop(struct otlp_http *http, uint64_t until_ns)
{
    if (http != NULL && http->server != NULL) {
        uint64_t now_ns = hf_clock_monotonic_ns();
        uint64_t grace_ns = until_ns > now_ns ? until_ns - now_ns : 0;
        grace_ns = grace_ns > STOP_GRACE_MIN_NS ? grace_ns : STOP_GRACE_MIN_NS;
        bool succeeded = hf_node_is_succeeded(http->receiver->node);
        hf_http_server_stop(http->server, succeeded ? SUCCEEDED_GRACE_NS : grace_ns);
    }
}

void otlp_http_close(struct otlp_http *http)
{
    if (http == NULL) {
        return;
    }
    hf_http_server_free(http->server);
    if (http->listen_fd >= 0) {
        close(http->listen_fd);
    }
    free(http);
}
