/*
 * loki: receives log entries as Loki's clients push them, over HTTP and gRPC, and answers once they
 * are on disk.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "encodings/loki/loki.h"
#include "support/ingress/push_receiver.h"
#include "util/time/clock.h"

#define PATH "/loki/api/v1/push"

static_assert(HF_LOKI_ERROR_MAX <= HF_INGRESS_ERROR_MAX, "the sentence fits");

enum { LOKI_PROTO = 0, LOKI_JSON };

struct loki_grpc_config {
    struct hf_grpc_server_config server;
};

struct loki_http_config {
    struct hf_http_server_config server;
};

struct loki_config {
    const struct loki_grpc_config *grpc;
    const struct loki_http_config *http;
    bool keep_timestamp;
};

struct loki_receiver {
    struct hf_push_receiver base;
    const struct loki_config *config;
};

/* ---- requests ---- */

static const struct hf_ingress_refusal *route(void *user, struct hf_http_request *request,
                                              struct hf_ingress_route *ret_route)
{
    static const struct hf_ingress_refusal no_path = {404, "404 page not found",
                                                      "is for another path than " PATH};
    static const struct hf_ingress_refusal no_post = {
        405, "405 method not allowed, supported: [POST]", "is not a POST"};
    static const struct hf_ingress_refusal no_type = {
        415, "415 unsupported media type, supported: [application/json, application/x-protobuf]",
        "has no content type that is served"};
    bool is_json = hf_ingress_has_type(request, "application/json");
    (void)user;
    *ret_route =
        (struct hf_ingress_route){.signal = HF_LOGS, .format = is_json ? LOKI_JSON : LOKI_PROTO};
    if (strcmp(hf_http_path(request), PATH) != 0) {
        return &no_path;
    }
    if (strcmp(hf_http_method(request), "POST") != 0) {
        return &no_post;
    }
    return is_json || hf_ingress_has_type(request, "application/x-protobuf") ? NULL : &no_type;
}

/* Over HTTP protobuf is a block of snappy, which Content-Encoding says or not. */
static enum hf_status open_body(const struct hf_ingress_body *body, struct hf_bytes *room,
                                struct hf_slice *ret_raw, char *reterr)
{
    bool is_plain = body->request == NULL || body->route.format == LOKI_JSON ||
                    body->coding == HF_SNAPPY_BLOCK || body->coding == HF_SNAPPY_FRAMED;
    *ret_raw = body->raw;
    if (is_plain) {
        return HF_OK;
    }
    enum hf_status status = hf_decode(HF_SNAPPY_BLOCK, body->raw, body->bytes_max, room);
    *ret_raw = hf_slice_of(room->data, room->size);
    if (status == HF_INVALID) {
        snprintf(reterr, HF_INGRESS_ERROR_MAX, "the protobuf is not compressed with snappy");
    } else if (status == HF_TOO_LARGE) {
        snprintf(reterr, HF_INGRESS_ERROR_MAX, "the body is larger than %zu bytes",
                 body->bytes_max);
    }
    return status;
}

static enum hf_status decode(void *user, struct hf_ingress_body *body, struct hf_batch **ret_batch,
                             char *reterr)
{
    const struct loki_receiver *receiver = user;
    const struct hf_loki_options options = {.is_json = body->route.format == LOKI_JSON,
                                            .keep_timestamp = receiver->config->keep_timestamp,
                                            .now_ns = hf_clock_unix_ns()};
    struct hf_bytes room = {0};
    struct hf_builder builder;
    struct hf_slice raw;
    hf_builder_init(&builder, HF_LOGS, HF_INGRESS_MESSAGE_MAX);
    enum hf_status status = open_body(body, &room, &raw, reterr);
    status = status == HF_OK ? hf_loki_read(raw, &options, &builder, reterr) : status;
    if (status == HF_OK) {
        status = hf_ingress_take_built(body, &builder, ret_batch, reterr);
    }
    hf_builder_release(&builder);
    hf_bytes_release(&room);
    return status;
}

static void answer(void *user, const struct hf_ingress_result *result, uint8_t *room,
                   struct hf_http_answer *answer)
{
    (void)user;
    hf_ingress_answer_text(result, 204, room, answer);
}

static const struct hf_ingress_ops ops = {.route = route, .decode = decode, .answer = answer};

static const struct hf_ingress_method methods[] = {
    {.path = "/logproto.Pusher/Push", .route = {HF_LOGS, LOKI_PROTO}},
};

/* ---- the component ---- */

static enum hf_status open_receiver(struct hf_node *node, const void *from, void **ret_self,
                                    char *reterr)
{
    const struct loki_config *config = from;
    struct loki_receiver *receiver = calloc(1, sizeof(*receiver));
    enum hf_status status = HF_OK;
    if (receiver == NULL) {
        return HF_NOMEM;
    }
    receiver->config = config;
    hf_ingress_init(&receiver->base.ingress, node);
    if (config->grpc != NULL) {
        status = hf_ingress_grpc_open(&receiver->base.ingress,
                                      "protocols::grpc::", &config->grpc->server, methods, 1, &ops,
                                      receiver, &receiver->base.grpc, reterr);
    }
    if (status == HF_OK && config->http != NULL) {
        status = hf_ingress_http_open(&receiver->base.ingress,
                                      "protocols::http::", &config->http->server, &ops, receiver,
                                      &receiver->base.http, reterr);
    }
    if (status != HF_OK) {
        hf_push_receiver_close(receiver);
        return status;
    }
    *ret_self = receiver;
    return HF_OK;
}

static const char *check_config(const void *from)
{
    const struct loki_config *config = from;
    if (config->grpc == NULL && config->http == NULL) {
        return "must specify at least one protocol when using the Loki receiver";
    }
    return hf_push_receiver_check_both(config->http != NULL ? &config->http->server : NULL,
                                       config->grpc != NULL ? &config->grpc->server : NULL);
}

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct loki_config *config = from;
    hf_push_receiver_probe_both(probe, config->http != NULL ? &config->http->server : NULL,
                                config->grpc != NULL ? &config->grpc->server : NULL);
}

static const struct hf_field grpc_fields[] = {
    HF_GRPC_SERVER_FIELDS(struct loki_grpc_config, server, "localhost:3600"),
    HF_FIELDS_END,
};

static const struct hf_field http_fields[] = {
    HF_HTTP_SERVER_FIELDS(struct loki_http_config, server, "localhost:3500"),
    HF_FIELDS_END,
};

static const struct hf_field protocol_fields[] = {
    {.key = "grpc",
     .type = HF_FIELD_OPTIONAL,
     .offset = offsetof(struct loki_config, grpc),
     .null_enables = true,
     .inner = grpc_fields,
     .inner_size = sizeof(struct loki_grpc_config),
     .help = "logproto.Pusher/Push."},
    {.key = "http",
     .type = HF_FIELD_OPTIONAL,
     .offset = offsetof(struct loki_config, http),
     .null_enables = true,
     .inner = http_fields,
     .inner_size = sizeof(struct loki_http_config),
     .help = "POST " PATH ": protobuf with snappy, or JSON."},
    HF_FIELDS_END,
};

static const struct hf_field fields[] = {
    {.key = "protocols",
     .type = HF_FIELD_STRUCT,
     .inner = protocol_fields,
     .help = "Which protocols to serve; at least one."},
    {.key = "use_incoming_timestamp",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct loki_config, keep_timestamp),
     .default_text = "false",
     .help = "Keep the time of entries; else they have that of their receipt."},
    HF_FIELDS_END,
};

const struct hf_component hf_receiver_loki = {
    .type = "loki",
    .help = "Receives log entries as Loki's clients push them: labels and structured metadata "
            "become attributes; answers 204 once they are on disk.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_LOGS),
    .config_size = sizeof(struct loki_config),
    .fields = fields,
    .check = check_config,
    .probe = probe_outside,
    .open = open_receiver,
    .start = hf_push_receiver_start,
    .stop = hf_push_receiver_stop,
    .close = hf_push_receiver_close,
};
