/*
 * otlp_grpc: OTLP/gRPC. A call becomes a batch around its own message buffer, and is answered on
 * its loop once the batch is on disk.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grpc/server.h"
#include "otlp_admission.h"
#include "otlp_headers.h"
#include "otlp_receiver.h"
#include "otlp_reflection.h"
#include "otlp_repair.h"
#include "pdata/unknown.h"
#include "pdata/wire.h"
#include "util/loop.h"
#include "util/memory.h"
#include "util/metrics.h"

#define HEALTH_PATH "/grpc.health.v1.Health/Check"
#define METHODS_MAX (HF_SIGNAL_COUNT + 3)

static const char *const export_paths[HF_SIGNAL_COUNT] = {
    [HF_TRACES] = "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    [HF_METRICS] = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    [HF_LOGS] = "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
};

/* What a method means; `user` of the transport's method table. */
struct method {
    bool is_health;
    enum hf_signal signal;
};

struct otlp_grpc {
    struct otlp_receiver *receiver;
    struct hf_grpc_server *server;
    struct hf_tls *tls;
    struct otlp_auth auth;
    struct otlp_wanted wanted;
    struct method methods[METHODS_MAX];
    struct otlp_reflection reflection;
    struct hf_series *malformed, *protocol, *unauthenticated, *repairs;
};

/* One call on its way to the disk. */
struct intake {
    struct hf_reply reply;
    struct hf_task task;
    struct hf_grpc_call *call;
    struct hf_loop *loop;
    struct otlp_grpc *grpc;
    enum hf_status status;
    enum hf_signal signal;
    bool is_unknown; /* nothing in it is known: to be answered with a warning */
};

static void refuse(struct hf_grpc_call *call, enum hf_status status, const char *text)
{
    const struct hf_status_row *row = hf_status_row(status);
    const struct hf_grpc_answer answer = {
        .code = row->grpc_code,
        .error = text != NULL ? text : row->says,
        .retry_delay_ns = row->retryable ? OTLP_RETRY_DELAY_NS : 0,
    };
    hf_grpc_call_answer(call, &answer);
}

static void answer_unknown(const struct intake *intake)
{
    uint8_t body[HF_UNKNOWN_ANSWER_MAX];
    char text[HF_UNKNOWN_TEXT_MAX];
    hf_unknown_say(intake->signal, text);
    otlp_complain(intake->grpc->receiver, hf_grpc_call_peer(intake->call), text);
    struct hf_slice message = hf_slice_of(body, hf_unknown_answer(intake->signal, false, body));
    hf_grpc_call_answer(intake->call, &(struct hf_grpc_answer){.message = message});
}

static void answer_on_loop(struct hf_task *task)
{
    struct intake *intake = HF_CONTAINER(task, struct intake, task);
    if (intake->status == HF_OK && intake->is_unknown) {
        answer_unknown(intake);
    } else if (intake->status == HF_OK) {
        /* An empty response message: partial_success is to be left unset (OTLP specification, full
         * success). */
        hf_grpc_call_answer(intake->call, &(struct hf_grpc_answer){.code = 0});
    } else {
        otlp_complain_refused(intake->grpc->receiver, hf_grpc_call_peer(intake->call),
                              intake->status);
        refuse(intake->call, intake->status, NULL);
    }
    free(intake);
}

/* The committer's thread. */
static void on_disk(struct hf_reply *reply, enum hf_status status)
{
    struct intake *intake = HF_CONTAINER(reply, struct intake, reply);
    intake->status = status;
    hf_loop_post(intake->loop, &intake->task);
}

static struct hf_slice header_of(void *request, const char *name)
{
    return hf_grpc_call_header(request, name);
}

/* An authenticator may look at any header. */
static bool keeps_header(void *user, struct hf_slice name)
{
    const struct otlp_grpc *grpc = user;
    bool keeps = grpc->auth.ops != NULL;
    for (size_t i = 0; i < grpc->wanted.key_count && grpc->wanted.headers && !keeps; i++) {
        const char *key = grpc->wanted.keys[i];
        keeps =
            name.size == strlen(key) && strncasecmp((const char *)name.data, key, name.size) == 0;
    }
    return keeps;
}

static void refuse_stranger(const struct otlp_grpc *grpc, struct hf_grpc_call *call)
{
    hf_series_add(grpc->unauthenticated, 1);
    otlp_complain(grpc->receiver, hf_grpc_call_peer(call), "missing or wrong credentials");
    refuse(call, HF_UNAUTHENTICATED, NULL);
}

static struct hf_auth_request shown_by(struct hf_grpc_call *call)
{
    return (struct hf_auth_request){header_of, call, hf_grpc_call_peer(call)};
}

/* What the check came to, for a call that is still there. */
static void judge(struct otlp_grpc *grpc, struct hf_grpc_call *call, enum hf_status status)
{
    const char *peer = hf_grpc_call_peer(call);
    if (status == HF_UNAUTHENTICATED) {
        refuse_stranger(grpc, call);
    } else if (status == HF_AGAIN) {
        otlp_complain(grpc->receiver, peer, OTLP_BUSY_CHECKING);
        refuse(call, status, OTLP_BUSY_CHECKING);
    } else if (status != HF_OK) {
        otlp_complain_refused(grpc->receiver, peer, status);
        refuse(call, status, NULL);
    }
}

static void judge_on_loop(struct hf_task *task)
{
    struct otlp_admission *admission = HF_CONTAINER(task, struct otlp_admission, task);
    struct hf_grpc_call *call = admission->call;
    if (call != NULL && hf_grpc_call_is_on_hold(call)) {
        if (admission->status == HF_OK) {
            hf_grpc_call_resume(call);
        } else {
            judge(admission->server, call, admission->status);
        }
    }
    hf_ref_drop(&admission->ref);
}

/* The authenticator's thread. */
static void on_decided(struct otlp_admission *admission)
{
    hf_loop_post(admission->loop, &admission->task);
}

static void check_later(struct otlp_grpc *grpc, struct hf_grpc_call *call,
                        const struct hf_auth_request *request)
{
    struct otlp_admission *admission = otlp_admission_new(&grpc->wanted, on_decided);
    if (admission == NULL) {
        judge(grpc, call, HF_NOMEM);
        return;
    }
    admission->call = call;
    admission->task.run = judge_on_loop;
    admission->loop = hf_grpc_call_loop(call);
    admission->server = grpc;
    *hf_grpc_call_slot(call) = admission;
    hf_grpc_call_hold(call);
    grpc->auth.ops->begin(grpc->auth.self, request, &admission->wait);
}

static void on_headers(void *user, struct hf_grpc_call *call)
{
    struct otlp_grpc *grpc = user;
    if (grpc->auth.ops == NULL) {
        return;
    }
    const struct hf_auth_request request = shown_by(call);
    enum hf_status status = HF_UNAUTHENTICATED;
    if (otlp_check_auth(&grpc->auth, &request, &status)) {
        judge(grpc, call, status);
    } else {
        check_later(grpc, call, &request);
    }
}

static void on_gone(void *user, struct hf_grpc_call *call)
{
    struct otlp_admission *admission = *hf_grpc_call_slot(call);
    (void)user;
    admission->call = NULL;
    atomic_store_explicit(&admission->gone, true, memory_order_relaxed);
    hf_ref_drop(&admission->ref);
}

static enum hf_status collect_headers(const struct otlp_wanted *wanted,
                                      const struct hf_grpc_call *call, struct hf_meta_writer *meta,
                                      char *reterr)
{
    enum hf_status status = HF_OK;
    size_t cursor = 0;
    struct hf_slice name;
    struct hf_slice value;
    while (status == HF_OK && hf_grpc_call_header_next(call, &cursor, &name, &value)) {
        status = otlp_keep_header(wanted, name, value, meta, reterr);
    }
    return status;
}

/* The metadata that somebody downstream reads. What does not fit is left out. HF_INVALID: some of
 * it cannot be sent on, and `reterr` says why. */
static enum hf_status collect_meta(const struct otlp_grpc *grpc, struct hf_grpc_call *call,
                                   struct hf_meta_writer *meta, char *reterr)
{
    const struct otlp_wanted *wanted = &grpc->wanted;
    meta->size = 0;
    if (wanted->peer) {
        enum hf_status put =
            hf_meta_add(meta, HF_META_PEER, HF_EMPTY_SLICE, hf_slice_text(hf_grpc_call_peer(call)));
        (void)put;
    }
    const struct hf_auth_request request = shown_by(call);
    enum hf_status status =
        otlp_add_auth(&grpc->auth, wanted, &request, *hf_grpc_call_slot(call), meta);
    if (status == HF_OK && wanted->headers) {
        status = collect_headers(wanted, call, meta, reterr);
    }
    return status;
}

/* HealthCheckRequest {1 string service}. False: that is no such message. */
static bool read_service(struct hf_slice request, struct hf_slice *ret_service)
{
    struct hf_wire wire = hf_wire_of(request);
    struct hf_wire_field field;
    *ret_service = HF_EMPTY_SLICE;
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_next(&wire, &field)) {
            return false;
        }
        if (field.number == 1 && field.wire == HF_WIRE_BYTES) {
            *ret_service = field.bytes;
        }
    }
    return true;
}

/* Is `path` a method of the service? */
static bool belongs_to(const char *path, struct hf_slice service)
{
    size_t size = strcspn(path + 1, "/");
    return service.size == size && memcmp(path + 1, service.data, size) == 0;
}

/* Without a name it is the server as a whole that is asked for. */
static bool has_service(const struct otlp_grpc *grpc, struct hf_slice service)
{
    bool has = service.size == 0 || belongs_to(HEALTH_PATH, service);
    for (int signal = 0; signal < HF_SIGNAL_COUNT && !has; signal++) {
        has = (hf_node_signals(grpc->receiver->node) & HF_SIGNAL_BIT(signal)) != 0 &&
              belongs_to(export_paths[signal], service);
    }
    return has;
}

static void answer_health(const struct otlp_grpc *grpc, struct hf_grpc_call *call)
{
    static const uint8_t serving[] = {0x08, 1};
    static const uint8_t not_serving[] = {0x08, 2};
    struct hf_slice service;
    if (!read_service(hf_grpc_call_message(call)->raw, &service)) {
        refuse(call, HF_INVALID, "the message is not a HealthCheckRequest");
    } else if (!has_service(grpc, service)) {
        refuse(call, HF_NOT_FOUND, "unknown service");
    } else {
        const uint8_t *bytes = hf_node_is_durable(grpc->receiver->node) ? serving : not_serving;
        hf_grpc_call_answer(call, &(struct hf_grpc_answer){.message = hf_slice_of(bytes, 2)});
    }
}

#define NO_REQUEST "the message is not an Export request of this service"

static void refuse_malformed(struct otlp_grpc *grpc, struct hf_grpc_call *call,
                             enum hf_signal signal)
{
    char text[OTLP_FAULT_MAX];
    otlp_explain_fault(NO_REQUEST, signal, hf_grpc_call_message(call)->raw, true, text);
    hf_series_add(grpc->malformed, 1);
    otlp_complain_of(grpc->receiver, hf_grpc_call_peer(call), NO_REQUEST, text);
    refuse(call, HF_INVALID, text);
}

/* `repaired`: bytes that stand instead of the message's own; none: its own are good. */
static void submit_message(struct otlp_grpc *grpc, struct hf_grpc_call *call,
                           const struct hf_bytes *repaired, const struct hf_scan *scan)
{
    const struct method *method = hf_grpc_call_user(call);
    const struct hf_grpc_message *message = hf_grpc_call_message(call);
    struct hf_meta_writer meta;
    char refusal[OTLP_REFUSAL_MAX];
    enum hf_status status = collect_meta(grpc, call, &meta, refusal);
    if (status == HF_INVALID) {
        hf_series_add(grpc->malformed, 1);
        otlp_complain(grpc->receiver, hf_grpc_call_peer(call), refusal);
        refuse(call, HF_INVALID, refusal);
        return;
    }
    if (status != HF_OK) {
        judge(grpc, call, status);
        return;
    }
    struct hf_slice kept = hf_slice_of(meta.bytes, meta.size);
    struct intake *intake = malloc(sizeof(*intake));
    struct hf_batch *batch =
        repaired->size != 0
            ? otlp_batch_of(method->signal, repaired, kept)
            : hf_batch_wrap(method->signal, message->coding, message->wire, message->owner, kept);
    if (intake == NULL || batch == NULL) {
        free(intake);
        hf_ref_drop(batch != NULL ? &batch->ref : NULL);
        judge(grpc, call, HF_NOMEM);
        return;
    }
    if (repaired->size == 0) {
        batch->raw = message->raw;
    }
    batch->items = scan->items;
    intake->reply.done = on_disk;
    intake->task.run = answer_on_loop;
    intake->call = call;
    intake->loop = hf_grpc_call_loop(call);
    intake->grpc = grpc;
    intake->signal = method->signal;
    intake->is_unknown = hf_unknown_in_proto(message->raw, scan);
    hf_submit(grpc->receiver->node, batch, "grpc", &intake->reply);
    hf_ref_drop(&batch->ref);
}

static void on_message(void *user, struct hf_grpc_call *call)
{
    struct otlp_grpc *grpc = user;
    const struct method *method = hf_grpc_call_user(call);
    const struct hf_grpc_message *message = hf_grpc_call_message(call);
    if (method->is_health) {
        answer_health(grpc, call);
        return;
    }
    struct hf_scan scan;
    struct hf_bytes repaired = {0};
    enum hf_status status = otlp_scan(grpc->receiver, grpc->repairs, hf_grpc_call_peer(call),
                                      method->signal, message->raw, &repaired, &scan);
    if (status == HF_OK) {
        submit_message(grpc, call, &repaired, &scan);
    } else if (status == HF_NOMEM) {
        judge(grpc, call, status);
    } else {
        refuse_malformed(grpc, call, method->signal);
    }
    hf_bytes_release(&repaired);
}

static void on_error(void *user, const char *peer, const char *what)
{
    struct otlp_grpc *grpc = user;
    hf_series_add(grpc->protocol, 1);
    otlp_complain(grpc->receiver, peer, what);
}

/* The last thread is out of it. */
static void on_end(void *user)
{
    const struct otlp_grpc *grpc = user;
    hf_node_release(grpc->receiver->node);
}

static void on_reload_failed(void *user, const char *why)
{
    const struct otlp_grpc *grpc = user;
    otlp_warn_reload(grpc->receiver, "grpc", why);
}

static enum hf_status reflect(void *user, struct hf_slice message, struct hf_bytes *answer)
{
    return otlp_reflect(user, message, answer);
}

/* Only the signals of its pipelines: the others are unknown services, as with the Go collector. */
static size_t list_methods(struct otlp_grpc *grpc, struct hf_grpc_method *methods)
{
    size_t count = 0;
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        if ((hf_node_signals(grpc->receiver->node) & HF_SIGNAL_BIT(signal)) != 0) {
            grpc->methods[count] = (struct method){false, (enum hf_signal)signal};
            methods[count] = (struct hf_grpc_method){.path = export_paths[signal],
                                                     .user = &grpc->methods[count]};
            count++;
        }
    }
    grpc->methods[count] = (struct method){.is_health = true};
    methods[count] = (struct hf_grpc_method){.path = HEALTH_PATH, .user = &grpc->methods[count]};
    count++;
    static const char *const reflections[] = {OTLP_REFLECTION_V1, OTLP_REFLECTION_V1ALPHA};
    for (size_t i = 0; i < sizeof(reflections) / sizeof(reflections[0]); i++) {
        methods[count++] = (struct hf_grpc_method){
            .path = reflections[i], .user = &grpc->reflection, .converse = reflect};
    }
    for (size_t i = 0; i < count; i++) {
        grpc->reflection.paths[i] = methods[i].path;
    }
    grpc->reflection.count = count;
    return count;
}

static enum hf_status open_server(struct otlp_grpc *grpc, const struct otlp_grpc_config *config,
                                  char *reterr)
{
    struct hf_node *node = grpc->receiver->node;
    struct hf_grpc_method methods[METHODS_MAX];
    char endpoint[256];
    int fd = -1;
    bool unix_path =
        strcmp(config->transport, "unix") == 0 && strncmp(config->endpoint, "unix:", 5) != 0;
    snprintf(endpoint, sizeof(endpoint), "%s%s", unix_path ? "unix://" : "", config->endpoint);
    enum hf_status status = HF_OK;
    if (config->tls != NULL) {
        status = hf_tls_new_server(config->tls, "h2", &grpc->tls, reterr);
    }
    if (status == HF_OK) {
        status = hf_node_listen_mode(node, endpoint, config->mode, &fd, reterr);
    }
    if (status != HF_OK) {
        return status;
    }
    if (grpc->tls != NULL) {
        hf_tls_report_to(grpc->tls, on_reload_failed, grpc);
    }
    uint64_t mib = config->max_recv_msg_size_mib != 0 ? (uint64_t)config->max_recv_msg_size_mib : 4;
    uint64_t memory_bytes = UINT64_MAX;
    if (hf_memory_available("", &memory_bytes) != HF_OK) {
        memory_bytes = UINT64_MAX; /* not known: the queue's limit counts */
    }
    struct hf_grpc_server_options options = {
        .listen_fd = fd,
        .tls = grpc->tls,
        .message_bytes_max = otlp_message_limit(node, "protocols::grpc::max_recv_msg_size_mib",
                                                mib << 20, memory_bytes),
        .streams_max = (uint32_t)config->max_concurrent_streams,
        .connections_max = (size_t)config->max_connections,
        .connections_per_peer_max = (size_t)config->max_connections_per_peer,
        .read_buffer_bytes = (size_t)config->read_buffer_size,
        .buffered_bytes_max =
            otlp_intake_total(node, "protocols::grpc::max_recv_msg_size_mib", (uint64_t)mib << 20),
        .message_time_ns = config->read_timeout_ns,
        .message_rate = config->min_read_rate,
        .keeps_header = keeps_header,
        .keepalive_time_ns = config->keepalive.server.time_ns,
        .keepalive_timeout_ns = config->keepalive.server.timeout_ns,
        .max_connection_idle_ns = config->keepalive.server.max_connection_idle_ns,
        .max_connection_age_ns = config->keepalive.server.max_connection_age_ns,
        .max_connection_age_grace_ns = config->keepalive.server.max_connection_age_grace_ns,
        .enforcement_min_time_ns = config->keepalive.enforcement.min_time_ns,
        .permit_without_stream = config->keepalive.enforcement.permit_without_stream,
        .methods = methods,
        .method_count = list_methods(grpc, methods),
        .on_headers = on_headers,
        .on_gone = on_gone,
        .on_message = on_message,
        .on_error = on_error,
        .on_end = on_end,
        .user = grpc,
    };
    options.loops = hf_node_loops(node, &options.loop_count);
    return hf_grpc_server_new(&options, &grpc->server, reterr);
}

enum hf_status otlp_grpc_open(struct otlp_receiver *receiver, struct otlp_grpc **ret, char *reterr)
{
    const struct otlp_grpc_config *config = receiver->config->protocols.grpc;
    struct hf_node *node = receiver->node;
    struct otlp_grpc *grpc = calloc(1, sizeof(*grpc));
    if (grpc == NULL) {
        return HF_NOMEM;
    }
    grpc->receiver = receiver;
    grpc->malformed = otlp_error_series(node, "grpc", "malformed");
    grpc->protocol = otlp_error_series(node, "grpc", "protocol");
    grpc->unauthenticated = otlp_error_series(node, "grpc", "unauthenticated");
    grpc->repairs = otlp_repair_series(node, "grpc");
    otlp_find_wanted(node, "grpc", config->include_metadata, &grpc->wanted);
    bool counted = grpc->malformed != NULL && grpc->protocol != NULL &&
                   grpc->unauthenticated != NULL && grpc->repairs != NULL;
    enum hf_status status = counted ? hf_node_add_transport(node, "grpc") : HF_NOMEM;
    if (status == HF_OK) {
        status = otlp_find_auth(node, config->auth, &grpc->auth, reterr);
    }
    if (status == HF_OK) {
        status = open_server(grpc, config, reterr);
    }
    if (status != HF_OK) {
        otlp_grpc_close(grpc);
        return status;
    }
    otlp_warn_default(node, "grpc", config->endpoint, config->endpoint_written);
    *ret = grpc;
    return HF_OK;
}

void otlp_grpc_start(struct otlp_grpc *grpc)
{
    hf_node_hold(grpc->receiver->node);
    hf_grpc_server_start(grpc->server);
    hf_node_log(grpc->receiver->node, HF_LOG_INFO, "Starting GRPC server. endpoint %s",
                grpc->receiver->config->protocols.grpc->endpoint);
}

void otlp_grpc_stop(struct otlp_grpc *grpc)
{
    if (grpc != NULL) {
        hf_grpc_server_stop(grpc->server, OTLP_STOP_GRACE_NS);
    }
}

void otlp_grpc_close(struct otlp_grpc *grpc)
{
    if (grpc == NULL) {
        return;
    }
    hf_grpc_server_free(grpc->server);
    hf_tls_free(grpc->tls);
    free(grpc);
}
