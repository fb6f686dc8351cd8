#include "ingress_grpc.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "grpc_admission.h"
#include "ingress_submit.h"
#include "reflection.h"
#include "support/health/grpc_health.h"
#include "util/compress/compress.h"
#include "util/memory.h"
#include "util/metrics/metrics.h"

#define OWN_METHODS 3 /* health, and reflection in two versions */
/* Between two offers of a stream's message. */
#define AGAIN_FIRST_NS UINT64_C(50000000)
#define AGAIN_MOST_NS UINT64_C(1000000000)

struct hf_ingress_grpc {
    struct hf_ingress_port port;
    const struct hf_grpc_server_config *config;
    struct hf_grpc_server *server;
    struct hf_tls *tls;
    const struct hf_ingress_method *methods[HF_INGRESS_METHODS_MAX]; /* that are served */
    size_t method_count;
    struct hf_reflection reflection;
};

/* One call on its way to the disk. */
struct intake {
    struct hf_reply reply;
    struct hf_task task;
    struct hf_grpc_call *call;
    struct hf_loop *loop;
    struct hf_ingress_grpc *grpc;
    enum hf_status status;
    struct hf_ingress_route route;
    int note;
    struct hf_batch *batch; /* of a stream, to be offered again */
    struct hf_timer again;
    uint64_t wait_ns;
};

static void refuse(struct hf_grpc_call *call, enum hf_status status, const char *text)
{
    const struct hf_status_row *row = hf_status_row(status);
    const struct hf_grpc_answer answer = {
        .code = row->grpc_code,
        .error = text != NULL ? text : row->says,
        .retry_delay_ns = row->retryable ? HF_INGRESS_RETRY_DELAY_NS : 0,
        .goes_away = status == HF_CLOSED, /* behind the same name may be another instance */
    };
    hf_grpc_call_answer(call, &answer);
}

static void answer_success(const struct intake *intake)
{
    uint8_t room[HF_INGRESS_BODY_MAX];
    struct hf_ingress_port *port = &intake->grpc->port;
    struct hf_grpc_answer answer = {.code = 0};
    const struct hf_ingress_result result = {.port = port,
                                             .peer = hf_grpc_call_peer(intake->call),
                                             .route = intake->route,
                                             .note = intake->note};
    if (port->ops->message != NULL) {
        answer.message = port->ops->message(port->user, &result, room);
    }
    hf_grpc_call_answer(intake->call, &answer);
}

static void offer_again(struct hf_timer *timer, uint64_t now_ns)
{
    struct intake *intake = HF_CONTAINER(timer, struct intake, again);
    const struct hf_ingress_port *port = &intake->grpc->port;
    (void)now_ns;
    hf_submit(port->node, intake->batch, port->transport, &intake->reply);
}

/* Its sender would not send the message again: it waits here. False: it cannot. */
static bool wait_for_room(struct intake *intake)
{
    bool is_over = intake->batch == NULL || intake->status == HF_CLOSED ||
                   !hf_status_row(intake->status)->retryable;
    if (is_over) {
        return false;
    }
    intake->again.fire = offer_again;
    intake->wait_ns = intake->wait_ns == 0                  ? AGAIN_FIRST_NS
                      : 2 * intake->wait_ns < AGAIN_MOST_NS ? 2 * intake->wait_ns
                                                            : AGAIN_MOST_NS;
    return hf_loop_timer_set(intake->loop, &intake->again,
                             hf_loop_now_ns(intake->loop) + intake->wait_ns) == HF_OK;
}

static void answer_on_loop(struct hf_task *task)
{
    struct intake *intake = HF_CONTAINER(task, struct intake, task);
    const struct hf_ingress_method *method = hf_grpc_call_user(intake->call);
    if (intake->status != HF_OK) {
        hf_ingress_complain_refused(intake->grpc->port.ingress, hf_grpc_call_peer(intake->call),
                                    intake->status);
    }
    if (intake->status != HF_OK && wait_for_room(intake)) {
        return;
    }
    if (intake->status != HF_OK) {
        refuse(intake->call, intake->status, NULL);
    } else if (method->streams) {
        hf_grpc_call_next(intake->call);
    } else {
        answer_success(intake);
    }
    hf_ref_drop(intake->batch != NULL ? &intake->batch->ref : NULL);
    free(intake);
}

/* The committer's thread. */
static void on_disk(struct hf_reply *reply, enum hf_status status)
{
    struct intake *intake = HF_CONTAINER(reply, struct intake, reply);
    intake->status = status;
    hf_loop_post(intake->loop, &intake->task);
}

/* An authenticator may look at any header. */
static bool keeps_header(void *user, struct hf_slice name)
{
    const struct hf_ingress_grpc *grpc = user;
    return grpc->port.auth.ops != NULL || hf_ingress_wants_header(&grpc->port.wanted, name) ||
           (grpc->port.ingress->is_once && hf_slice_is(name, HF_RECORD_NAMES_HEADER));
}

/* Refuses a call for what its check came to, or for what it met here. */
static void refuse_client(void *server, struct hf_grpc_call *call, enum hf_status status)
{
    struct hf_ingress_grpc *grpc = server;
    struct hf_ingress *ingress = grpc->port.ingress;
    const char *peer = hf_grpc_call_peer(call);
    if (status == HF_UNAUTHENTICATED) {
        hf_series_add(grpc->port.unauthenticated, 1);
        hf_ingress_complain(ingress, peer, "missing or wrong credentials");
    } else if (status == HF_AGAIN) {
        hf_ingress_complain(ingress, peer, HF_INGRESS_BUSY);
    } else {
        hf_ingress_complain_refused(ingress, peer, status);
    }
    refuse(call, status, status == HF_AGAIN ? HF_INGRESS_BUSY : NULL);
}

static void on_headers(void *user, struct hf_grpc_call *call)
{
    struct hf_ingress_grpc *grpc = user;
    hf_grpc_admission_check(&grpc->port.auth, &grpc->port.wanted, call, refuse_client, grpc);
}

/* The metadata that components downstream read. HF_INVALID: some of it cannot be sent on, and
 * `reterr` says why. */
static enum hf_status collect_meta(const struct hf_ingress_grpc *grpc, struct hf_grpc_call *call,
                                   struct hf_meta_writer *meta, char *reterr)
{
    const struct hf_ingress_port *port = &grpc->port;
    const struct hf_auth_request request = hf_grpc_admission_shown(call);
    enum hf_status status =
        hf_ingress_begin_meta(&port->auth, &port->wanted, &request, *hf_grpc_call_slot(call), meta);
    size_t cursor = 0;
    struct hf_slice name;
    struct hf_slice value;
    while (status == HF_OK && port->wanted.headers &&
           hf_grpc_call_header_next(call, &cursor, &name, &value)) {
        status = hf_ingress_keep_header(&port->wanted, name, value, meta, reterr);
    }
    return status;
}

/* Without a name the whole server is asked for. */
static bool has_service(const struct hf_ingress_grpc *grpc, struct hf_slice service)
{
    bool has = service.size == 0 || hf_grpc_health_belongs(HF_GRPC_HEALTH_PATH, service);
    for (size_t i = 0; i < grpc->method_count && !has; i++) {
        has = hf_grpc_health_belongs(grpc->methods[i]->path, service);
    }
    return has;
}

static void answer_health(const struct hf_ingress_grpc *grpc, struct hf_grpc_call *call)
{
    struct hf_slice service;
    if (!hf_grpc_health_read(hf_grpc_call_message(call)->raw, &service)) {
        refuse(call, HF_INVALID, "the message is not a HealthCheckRequest");
    } else if (!has_service(grpc, service)) {
        refuse(call, HF_NOT_FOUND, "unknown service");
    } else {
        struct hf_slice answer = hf_grpc_health_answer(hf_node_is_durable(grpc->port.node));
        hf_grpc_call_answer(call, &(struct hf_grpc_answer){.message = answer});
    }
}

static void refuse_malformed(struct hf_ingress_grpc *grpc, struct hf_grpc_call *call,
                             const char *kind, const char *text)
{
    hf_series_add(grpc->port.malformed, 1);
    hf_ingress_complain_of(grpc->port.ingress, hf_grpc_call_peer(call), kind, text);
    refuse(call, HF_INVALID, text);
}

static void submit(struct hf_ingress_grpc *grpc, struct hf_grpc_call *call,
                   const struct hf_ingress_body *body, struct hf_batch *batch)
{
    const struct hf_ingress_method *method = hf_grpc_call_user(call);
    struct intake *intake = malloc(sizeof(*intake));
    if (intake == NULL) {
        refuse_client(grpc, call, HF_NOMEM);
        return;
    }
    *intake = (struct intake){.reply.done = on_disk,
                              .task.run = answer_on_loop,
                              .call = call,
                              .loop = hf_grpc_call_loop(call),
                              .grpc = grpc,
                              .route = body->route,
                              .note = body->note};
    if (method->streams && batch != NULL) {
        hf_ref_take(&batch->ref);
        intake->batch = batch;
    }
    if (batch == NULL) {
        on_disk(&intake->reply, HF_OK); /* there is nothing to write */
    } else {
        struct hf_slice names = grpc->port.ingress->is_once
                                    ? hf_grpc_call_header(call, HF_RECORD_NAMES_HEADER)
                                    : HF_EMPTY_SLICE;
        hf_ingress_submit(&grpc->port, batch, names, &intake->reply);
    }
}

static void take_message(struct hf_ingress_grpc *grpc, struct hf_grpc_call *call,
                         const struct hf_ingress_method *method, struct hf_slice meta)
{
    const struct hf_grpc_message *message = hf_grpc_call_message(call);
    struct hf_ingress_body body = {
        .port = &grpc->port,
        .peer = hf_grpc_call_peer(call),
        .route = method->route,
        .wire = message->wire,
        .raw = message->raw,
        .coding = message->coding,
        .owner = message->owner,
        .meta = meta,
        .bytes_max = HF_INGRESS_MESSAGE_MAX,
        .kept = hf_grpc_call_kept(call),
    };
    struct hf_batch *batch = NULL;
    char error[HF_INGRESS_ERROR_MAX];
    enum hf_status status = grpc->port.ops->decode(grpc->port.user, &body, &batch, error);
    if (status == HF_OK) {
        submit(grpc, call, &body, batch);
    } else if (status == HF_NOMEM) {
        refuse_client(grpc, call, status);
    } else {
        refuse_malformed(grpc, call, "malformed", error);
    }
    hf_ref_drop(batch != NULL ? &batch->ref : NULL);
}

static void on_message(void *user, struct hf_grpc_call *call)
{
    struct hf_ingress_grpc *grpc = user;
    const struct hf_ingress_method *method = hf_grpc_call_user(call);
    struct hf_meta_writer meta;
    char why[HF_INGRESS_REFUSAL_MAX];
    if (method == NULL) {
        answer_health(grpc, call);
        return;
    }
    enum hf_status status = collect_meta(grpc, call, &meta, why);
    if (status == HF_INVALID) {
        refuse_malformed(grpc, call, why, why);
    } else if (status != HF_OK) {
        refuse_client(grpc, call, status);
    } else {
        take_message(grpc, call, method, hf_slice_of(meta.bytes, meta.size));
    }
}

static void on_error(void *user, const char *peer, const char *what)
{
    struct hf_ingress_grpc *grpc = user;
    hf_series_add(grpc->port.protocol, 1);
    hf_ingress_complain(grpc->port.ingress, peer, what);
}

/* The last thread is out of it. */
static void on_end(void *user)
{
    const struct hf_ingress_grpc *grpc = user;
    hf_node_release(grpc->port.node);
}

static void on_reload_failed(void *user, const char *why)
{
    const struct hf_ingress_grpc *grpc = user;
    hf_ingress_warn_reload(&grpc->port, why);
}

static enum hf_status reflect(void *user, struct hf_slice message, struct hf_bytes *answer)
{
    return hf_reflect(user, message, answer);
}

static size_t list_methods(struct hf_ingress_grpc *grpc, struct hf_grpc_method *methods)
{
    static const char *const reflections[] = {HF_REFLECTION_V1, HF_REFLECTION_V1ALPHA};
    size_t count = 0;
    for (; count < grpc->method_count; count++) {
        methods[count] = (struct hf_grpc_method){.path = grpc->methods[count]->path,
                                                 .user = (void *)grpc->methods[count],
                                                 .streams = grpc->methods[count]->streams};
    }
    methods[count++] = (struct hf_grpc_method){.path = HF_GRPC_HEALTH_PATH};
    for (size_t i = 0; i < sizeof(reflections) / sizeof(reflections[0]); i++) {
        methods[count++] = (struct hf_grpc_method){
            .path = reflections[i], .user = &grpc->reflection, .converse = reflect};
    }
    static_assert(HF_INGRESS_METHODS_MAX + OWN_METHODS <= HF_REFLECTION_SERVICES_MAX,
                  "all services are reflected");
    for (size_t i = 0; i < count; i++) {
        grpc->reflection.paths[i] = methods[i].path;
    }
    grpc->reflection.count = count;
    return count;
}

static enum hf_status listen_on(struct hf_ingress_grpc *grpc, int *ret_fd, char *reterr)
{
    const struct hf_grpc_server_config *config = grpc->config;
    char endpoint[256];
    bool unix_path =
        strcmp(config->transport, "unix") == 0 && strncmp(config->endpoint, "unix:", 5) != 0;
    snprintf(endpoint, sizeof(endpoint), "%s%s", unix_path ? "unix://" : "", config->endpoint);
    return hf_node_listen_mode(grpc->port.node, endpoint, config->mode, ret_fd, reterr);
}

static enum hf_status open_server(struct hf_ingress_grpc *grpc, char *reterr)
{
    struct hf_ingress_port *port = &grpc->port;
    const struct hf_grpc_server_config *config = grpc->config;
    struct hf_grpc_method methods[HF_INGRESS_METHODS_MAX + OWN_METHODS];
    struct hf_grpc_server_options options = hf_grpc_server_options(config);
    enum hf_status status = HF_OK;
    if (config->tls != NULL) {
        status = hf_tls_new_server(config->tls, "h2", &grpc->tls, reterr);
    }
    if (status == HF_OK) {
        status = listen_on(grpc, &options.listen_fd, reterr);
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
    options.tls = grpc->tls;
    options.is_otlp = port->ingress->is_otlp;
    options.message_bytes_max =
        hf_ingress_message_limit(port, "max_recv_msg_size_mib", mib << 20, memory_bytes);
    options.buffered_bytes_max = hf_ingress_intake_total(port, "max_recv_msg_size_mib", mib << 20);
    options.keeps_header = keeps_header;
    options.methods = methods;
    options.method_count = list_methods(grpc, methods);
    options.on_headers = on_headers;
    options.on_gone = hf_grpc_admission_gone;
    options.on_message = on_message;
    options.on_error = on_error;
    options.on_end = on_end;
    options.user = grpc;
    options.loops = hf_node_loops(port->node, &options.loop_count);
    return hf_grpc_server_new(&options, &grpc->server, reterr);
}

enum hf_status hf_ingress_grpc_open(struct hf_ingress *ingress, const char *key,
                                    const struct hf_grpc_server_config *config,
                                    const struct hf_ingress_method *methods, size_t method_count,
                                    const struct hf_ingress_ops *ops, void *user,
                                    struct hf_ingress_grpc **ret, char *reterr)
{
    assert(method_count <= HF_INGRESS_METHODS_MAX);
    struct hf_ingress_grpc *grpc = calloc(1, sizeof(*grpc));
    if (grpc == NULL) {
        return HF_NOMEM;
    }
    grpc->port = (struct hf_ingress_port){
        .ingress = ingress, .node = ingress->node, .transport = "grpc", .key = key};
    grpc->port.ops = ops;
    grpc->port.user = user;
    grpc->config = config;
    for (size_t i = 0; i < method_count; i++) {
        if ((hf_node_signals(ingress->node) & HF_SIGNAL_BIT(methods[i].route.signal)) != 0) {
            grpc->methods[grpc->method_count++] = &methods[i];
        }
    }
    enum hf_status status =
        hf_ingress_open_port(&grpc->port, config->auth, config->include_metadata, reterr);
    if (status == HF_OK) {
        status = open_server(grpc, reterr);
    }
    if (status != HF_OK) {
        hf_ingress_grpc_close(grpc);
        return status;
    }
    if (!config->endpoint_written) {
        hf_ingress_warn_default(&grpc->port, config->endpoint);
    }
    *ret = grpc;
    return HF_OK;
}

void hf_ingress_grpc_start(struct hf_ingress_grpc *grpc)
{
    hf_node_hold(grpc->port.node);
    hf_grpc_server_start(grpc->server);
    hf_node_log_keys(grpc->port.node, HF_LOG_INFO, "Starting GRPC server",
                     HF_LOG_KEYS(HF_LOG_TEXT("endpoint", grpc->config->endpoint)));
}

void hf_ingress_grpc_stop(struct hf_ingress_grpc *grpc)
{
    if (grpc != NULL) {
        hf_grpc_server_stop(grpc->server, HF_INGRESS_STOP_GRACE_NS);
    }
}

void hf_ingress_grpc_close(struct hf_ingress_grpc *grpc)
{
    if (grpc == NULL) {
        return;
    }
    hf_grpc_server_free(grpc->server);
    hf_tls_free(grpc->tls);
    free(grpc);
}
