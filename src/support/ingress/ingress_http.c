#include "ingress_http.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "http_admission.h"
#include "ingress_submit.h"
#include "util/metrics/metrics.h"
#include "util/time/clock.h"

#define SUCCEEDED_GRACE_NS UINT64_C(10000000000)
#define STOP_GRACE_MIN_NS UINT64_C(100000000)

struct hf_ingress_http {
    struct hf_ingress_port port;
    const struct hf_http_server_config *config;
    struct hf_http_server *server;
    int listen_fd;
};

/* One request on its way to the disk. */
struct intake {
    struct hf_reply reply, also_reply;
    atomic_uint waiting; /* batches */
    atomic_int status;   /* the first failure */
    struct hf_http_request *request;
    struct hf_ingress_http *http;
    struct hf_ingress_route route;
    int note;
    uint32_t counts[HF_INGRESS_COUNTS];
    char partial[HF_INGRESS_PARTIAL_MAX];
    char peer[64]; /* the request's own may be gone with its connection */
};

/* `http_code` 0: by the status. Any thread. */
static void answer(struct hf_ingress_port *port, struct hf_http_request *request,
                   const struct hf_ingress_result *result, int http_code)
{
    uint8_t room[HF_INGRESS_BODY_MAX];
    const struct hf_status_row *row = hf_status_row(result->status);
    struct hf_http_answer answer = {
        .status = http_code != 0 ? http_code : row->http_code,
        .retry_after_s = row->retryable ? HF_INGRESS_RETRY_DELAY_NS / HF_NS_PER_S : 0,
        .close = result->status == HF_CLOSED, /* behind the same name may be another instance */
    };
    port->ops->answer(port->user, result, room, &answer);
    hf_http_answer(request, &answer);
}

static struct hf_ingress_route route_of(const struct hf_ingress_port *port,
                                        struct hf_http_request *request)
{
    struct hf_ingress_route route = {0};
    (void)port->ops->route(port->user, request, &route);
    return route;
}

/* `text` NULL: as the status says. */
static void refuse(struct hf_ingress_http *http, struct hf_http_request *request,
                   enum hf_status status, int http_code, const char *text, int note)
{
    const struct hf_ingress_result result = {
        .port = &http->port,
        .peer = hf_http_peer(request),
        .route = route_of(&http->port, request),
        .note = note,
        .status = status,
        .text = text != NULL ? text : hf_status_row(status)->says,
    };
    answer(&http->port, request, &result, http_code);
}

/* For what is no request to this receiver. */
static void answer_plain(const struct hf_ingress_http *http, struct hf_http_request *request,
                         const struct hf_ingress_refusal *refusal)
{
    if (refusal->what != NULL) {
        char line[256];
        snprintf(line, sizeof(line), "refused with %d: %s %.160s %s", refusal->code,
                 hf_http_method(request), hf_http_path(request), refusal->what);
        hf_ingress_complain_of(http->port.ingress, hf_http_peer(request), refusal->what, line);
    }
    const char *type = http->port.ops->refusal_type;
    const struct hf_http_answer plain = {.status = refusal->code,
                                         .content_type = type != NULL ? type : "text/plain",
                                         .body = hf_slice_text(refusal->text),
                                         .allow = refusal->code == 405 ? "POST" : NULL};
    hf_http_answer(request, &plain);
}

/* All that came with the request is on disk, or `status` says why not. A committer's thread. */
static void end_intake(struct intake *intake, enum hf_status status)
{
    struct hf_ingress_port *port = &intake->http->port;
    if (status != HF_OK) {
        hf_ingress_complain_refused(port->ingress, intake->peer, status);
    }
    struct hf_ingress_result result = {.port = port,
                                       .peer = intake->peer,
                                       .route = intake->route,
                                       .note = intake->note,
                                       .status = status,
                                       .text = hf_status_row(status)->says};
    if (status == HF_OK) {
        memcpy(result.counts, intake->counts, sizeof(result.counts));
        result.partial = intake->partial[0] != '\0' ? intake->partial : NULL;
    }
    answer(port, intake->request, &result, status == HF_OK ? 200 : 0);
    free(intake);
}

static void count_batch(struct intake *intake, enum hf_status status)
{
    if (status != HF_OK) {
        int none = HF_OK;
        atomic_compare_exchange_strong(&intake->status, &none, (int)status);
    }
    /* acq_rel: the last one sees the failure of the other. */
    if (atomic_fetch_sub_explicit(&intake->waiting, 1, memory_order_acq_rel) == 1) {
        end_intake(intake, (enum hf_status)atomic_load(&intake->status));
    }
}

/* The committer's thread. */
static void on_disk(struct hf_reply *reply, enum hf_status status)
{
    count_batch(HF_CONTAINER(reply, struct intake, reply), status);
}

static void also_on_disk(struct hf_reply *reply, enum hf_status status)
{
    count_batch(HF_CONTAINER(reply, struct intake, also_reply), status);
}

static void refuse_client(struct hf_ingress_http *http, struct hf_http_request *request,
                          enum hf_status status)
{
    struct hf_ingress *ingress = http->port.ingress;
    const char *peer = hf_http_peer(request);
    if (status == HF_UNAUTHENTICATED) {
        hf_series_add(http->port.unauthenticated, 1);
        hf_ingress_complain(ingress, peer, "missing or wrong credentials");
    } else if (status == HF_AGAIN) {
        hf_ingress_complain(ingress, peer, HF_INGRESS_BUSY);
    } else {
        hf_ingress_complain_refused(ingress, peer, status);
    }
    refuse(http, request, status, 0, status == HF_AGAIN ? HF_INGRESS_BUSY : NULL, 0);
}

/* Called again when a request goes on that was on hold. */
static enum hf_status on_headers(void *user, struct hf_http_request *request)
{
    struct hf_ingress_http *http = user;
    struct hf_ingress_route route = {0};
    enum hf_status known;
    if (!hf_http_admission_check(&http->port.auth, &http->port.wanted, request, &known)) {
        return HF_OK;
    }
    if (known != HF_OK) {
        refuse_client(http, request, known);
        return known;
    }
    const struct hf_ingress_refusal *refusal =
        http->port.ops->route(http->port.user, request, &route);
    if (refusal != NULL) {
        answer_plain(http, request, refusal);
        return HF_UNSUPPORTED;
    }
    return HF_OK;
}

struct collector {
    const struct hf_ingress_wanted *wanted;
    struct hf_meta_writer *meta;
    enum hf_status status;
    char *reterr;
};

static void collect_header(void *user, struct hf_slice name, struct hf_slice value)
{
    struct collector *collector = user;
    if (collector->status == HF_OK) {
        collector->status = hf_ingress_keep_header(collector->wanted, name, value, collector->meta,
                                                   collector->reterr);
    }
}

/* The metadata that components downstream read. HF_INVALID: some of it cannot be sent on, and
 * `reterr` says why. */
static enum hf_status collect_meta(const struct hf_ingress_http *http,
                                   struct hf_http_request *request, struct hf_meta_writer *meta,
                                   char *reterr)
{
    const struct hf_ingress_port *port = &http->port;
    struct collector collector = {&port->wanted, meta, HF_OK, reterr};
    const struct hf_auth_request shown = hf_http_admission_shown(request);
    enum hf_status status = hf_ingress_begin_meta(&port->auth, &port->wanted, &shown,
                                                  *hf_http_request_data(request), meta);
    if (status == HF_OK && port->wanted.headers) {
        hf_http_header_each(request, collect_header, &collector);
        status = collector.status;
    }
    return status;
}

static size_t body_limit(const struct hf_http_server_config *config)
{
    bool is_smaller = config->max_request_body_size != 0 &&
                      config->max_request_body_size < HF_INGRESS_MESSAGE_MAX;
    return is_smaller ? (size_t)config->max_request_body_size : HF_INGRESS_MESSAGE_MAX;
}

static void refuse_malformed(struct hf_ingress_http *http, struct hf_http_request *request,
                             const char *kind, const char *text, int http_code, int note)
{
    hf_series_add(http->port.malformed, 1);
    hf_ingress_complain_of(http->port.ingress, hf_http_peer(request), kind, text);
    refuse(http, request, HF_INVALID, http_code, text, note);
}

/* The body could not be taken. */
static void refuse_fault(struct hf_ingress_http *http, struct hf_http_request *request,
                         enum hf_status fault)
{
    char text[256];
    const char *kind = "the body does not decode as its Content-Encoding says";
    int code = 0;
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
    refuse_malformed(http, request, kind, text, code, 0);
}

static void submit(struct hf_ingress_http *http, struct hf_http_request *request,
                   const struct hf_ingress_body *body, struct hf_batch *batch)
{
    struct intake *intake = malloc(sizeof(*intake));
    if (intake == NULL) {
        refuse_client(http, request, HF_NOMEM);
        return;
    }
    *intake = (struct intake){.reply = {on_disk},
                              .also_reply = {also_on_disk},
                              .waiting = batch != NULL && body->also != NULL ? 2 : 1,
                              .status = HF_OK,
                              .request = request,
                              .http = http,
                              .route = body->route,
                              .note = body->note};
    snprintf(intake->peer, sizeof(intake->peer), "%s", hf_http_peer(request));
    memcpy(intake->counts, body->counts, sizeof(intake->counts));
    memcpy(intake->partial, body->partial, sizeof(intake->partial));
    if (batch == NULL) {
        on_disk(&intake->reply, HF_OK); /* there is nothing to write */
        return;
    }
    struct hf_slice names = http->port.ingress->is_once
                                ? hf_http_header(request, HF_RECORD_NAMES_HEADER)
                                : HF_EMPTY_SLICE;
    hf_ingress_submit(&http->port, batch, names, &intake->reply);
    if (body->also != NULL) {
        hf_submit(http->port.node, body->also, http->port.transport, &intake->also_reply);
    }
}

static void say_partial(struct hf_ingress_http *http, const struct hf_ingress_body *body)
{
    if (body->partial[0] != '\0') {
        hf_series_add(http->port.malformed, 1);
        hf_ingress_complain_of(http->port.ingress, body->peer, "partial", body->partial);
    }
}

static void take_body(struct hf_ingress_http *http, struct hf_http_request *request,
                      struct hf_ingress_route route, struct hf_slice meta)
{
    const struct hf_http_body *content = hf_http_request_body(request);
    struct hf_ingress_body body = {
        .port = &http->port,
        .peer = hf_http_peer(request),
        .route = route,
        .request = request,
        .wire = content->wire,
        .raw = content->raw,
        .coding = content->coding,
        .owner = content->owner,
        .meta = meta,
        .bytes_max = body_limit(http->config),
    };
    struct hf_batch *batch = NULL;
    char error[HF_INGRESS_ERROR_MAX] = "";
    enum hf_status status = http->port.ops->decode(http->port.user, &body, &batch, error);
    if (status == HF_OK) {
        say_partial(http, &body);
        submit(http, request, &body, batch);
    } else if (status == HF_NOMEM) {
        refuse_client(http, request, status);
    } else {
        refuse_malformed(http, request, "malformed", error, 0, body.note);
    }
    hf_ref_drop(batch != NULL ? &batch->ref : NULL);
    hf_ref_drop(body.also != NULL ? &body.also->ref : NULL);
}

static void on_request(void *user, struct hf_http_request *request, enum hf_status fault)
{
    struct hf_ingress_http *http = user;
    struct hf_ingress_route route = {0};
    if (fault != HF_OK) {
        refuse_fault(http, request, fault);
        return;
    }
    const struct hf_ingress_refusal *refusal =
        http->port.ops->route(http->port.user, request, &route);
    if (refusal != NULL) {
        answer_plain(http, request, refusal);
        return;
    }
    struct hf_meta_writer meta;
    char why[HF_INGRESS_REFUSAL_MAX];
    enum hf_status status = collect_meta(http, request, &meta, why);
    if (status == HF_INVALID) {
        refuse_malformed(http, request, why, why, 0, 0);
    } else if (status != HF_OK) {
        refuse_client(http, request, status);
    } else {
        take_body(http, request, route, hf_slice_of(meta.bytes, meta.size));
    }
}

static void on_error(void *user, const char *peer, const char *what)
{
    struct hf_ingress_http *http = user;
    if (peer == NULL) {
        hf_ingress_warn_reload(&http->port, what);
        return;
    }
    hf_series_add(http->port.protocol, 1);
    hf_ingress_complain(http->port.ingress, peer, what);
}

/* The last thread is out of it. */
static void on_end(void *user)
{
    const struct hf_ingress_http *http = user;
    hf_node_release(http->port.node);
}

enum hf_status hf_ingress_http_open(struct hf_ingress *ingress, const char *key,
                                    const struct hf_http_server_config *config,
                                    const struct hf_ingress_ops *ops, void *user,
                                    struct hf_ingress_http **ret, char *reterr)
{
    struct hf_ingress_http *http = calloc(1, sizeof(*http));
    if (http == NULL) {
        return HF_NOMEM;
    }
    http->port = (struct hf_ingress_port){
        .ingress = ingress,
        .node = ingress->node,
        .transport = ops->http_transport != NULL ? ops->http_transport : "http",
        .key = key};
    http->port.ops = ops;
    http->port.user = user;
    http->config = config;
    http->listen_fd = -1;
    enum hf_status status =
        hf_ingress_open_port(&http->port, config->auth, config->include_metadata, reterr);
    if (status == HF_OK) {
        status = hf_node_listen_mode(http->port.node, config->endpoint, config->mode,
                                     &http->listen_fd, reterr);
    }
    if (status != HF_OK) {
        hf_ingress_http_close(http);
        return status;
    }
    if (!config->endpoint_written) {
        hf_ingress_warn_default(&http->port, config->endpoint);
    }
    (void)hf_ingress_message_limit(&http->port, "max_request_body_size",
                                   config->max_request_body_size, UINT64_MAX);
    *ret = http;
    return HF_OK;
}

enum hf_status hf_ingress_http_start(struct hf_ingress_http *http, char *reterr)
{
    struct hf_http_server_options options = hf_http_server_options(http->config);
    size_t threads = 0;
    (void)hf_node_loops(http->port.node, &threads);
    options.listen_fd = http->listen_fd;
    options.threads = (unsigned)threads;
    options.is_otlp = http->port.ingress->is_otlp;
    options.body_bytes_max = body_limit(http->config);
    options.buffered_bytes_max =
        hf_ingress_intake_total(&http->port, "max_request_body_size", body_limit(http->config));
    options.on_headers = on_headers;
    options.on_request = on_request;
    options.on_error = on_error;
    options.on_gone = hf_http_admission_gone;
    options.on_end = on_end;
    options.user = http;
    http->listen_fd = -1;
    hf_node_hold(http->port.node);
    enum hf_status status = hf_http_server_new(&options, &http->server, reterr);
    if (status != HF_OK) {
        hf_node_release(http->port.node);
    } else {
        hf_node_log_keys(http->port.node, HF_LOG_INFO, "Starting HTTP server",
                         HF_LOG_KEYS(HF_LOG_TEXT("endpoint", http->config->endpoint)));
    }
    return status;
}

void hf_ingress_http_stop(struct hf_ingress_http *http, uint64_t until_ns)
{
    if (http != NULL && http->server != NULL) {
        uint64_t now_ns = hf_clock_monotonic_ns();
        uint64_t grace_ns = until_ns > now_ns ? until_ns - now_ns : 0;
        grace_ns = grace_ns > STOP_GRACE_MIN_NS ? grace_ns : STOP_GRACE_MIN_NS;
        bool succeeded = hf_node_is_succeeded(http->port.node);
        hf_http_server_stop(http->server, succeeded ? SUCCEEDED_GRACE_NS : grace_ns);
    }
}

void hf_ingress_http_close(struct hf_ingress_http *http)
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

bool hf_ingress_has_type(const struct hf_http_request *request, const char *type)
{
    struct hf_slice text = hf_http_header(request, "content-type");
    size_t size = strlen(type);
    return text.size >= size && strncasecmp((const char *)text.data, type, size) == 0 &&
           (text.size == size || text.data[size] == ';' || text.data[size] == ' ');
}

void hf_ingress_answer_text(const struct hf_ingress_result *result, int accepted, uint8_t *room,
                            struct hf_http_answer *answer)
{
    if (result->status == HF_OK && result->partial == NULL) {
        answer->status = accepted;
        return;
    }
    answer->status = result->status == HF_OK ? 400 : answer->status;
    int size = snprintf((char *)room, HF_INGRESS_BODY_MAX, "%s\n",
                        result->status == HF_OK ? result->partial : result->text);
    answer->content_type = "text/plain; charset=utf-8";
    answer->body = hf_slice_of(room, size < 0 ? 0 : (size_t)size);
}
