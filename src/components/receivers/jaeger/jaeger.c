/*
 * jaeger: receives spans as Jaeger's clients, agents and collectors send them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jaeger_internal.h"
#include "support/probe/probe_inputs.h"

static_assert(HF_JAEGER_ERROR_MAX <= HF_INGRESS_ERROR_MAX, "the sentence fits");

#define PATH "/api/traces"

/* ---- requests over gRPC and HTTP ---- */

static const struct hf_ingress_refusal *route(void *user, struct hf_http_request *request,
                                              struct hf_ingress_route *ret_route)
{
    static const struct hf_ingress_refusal no_path = {404, "404 page not found\n",
                                                      "is no path of this receiver"};
    static const struct hf_ingress_refusal no_post = {
        405, "405 method not allowed, supported: [POST]", "is not a POST"};
    static const struct hf_ingress_refusal no_type = {
        400,
        "unsupported content type, supported: [application/x-thrift, "
        "application/vnd.apache.thrift.binary]\n",
        "has no content type of Thrift"};
    (void)user;
    *ret_route = (struct hf_ingress_route){HF_TRACES, HF_JAEGER_THRIFT_BATCH};
    if (strcmp(hf_http_path(request), PATH) != 0) {
        return &no_path;
    }
    if (strcmp(hf_http_method(request), "POST") != 0) {
        return &no_post;
    }
    bool is_thrift = hf_ingress_has_type(request, "application/x-thrift") ||
                     hf_ingress_has_type(request, "application/vnd.apache.thrift.binary");
    return is_thrift ? NULL : &no_type;
}

static enum hf_status decode(void *user, struct hf_ingress_body *body, struct hf_batch **ret_batch,
                             char *reterr)
{
    struct hf_builder builder;
    (void)user;
    hf_builder_init(&builder, HF_TRACES, HF_INGRESS_MESSAGE_MAX);
    enum hf_status status =
        hf_jaeger_read(body->raw, (enum hf_jaeger_format)body->route.format, &builder, reterr);
    if (status == HF_OK) {
        status = hf_ingress_take_built(body, &builder, ret_batch, reterr);
    }
    hf_builder_release(&builder);
    return status;
}

static void answer(void *user, const struct hf_ingress_result *result, uint8_t *room,
                   struct hf_http_answer *answer)
{
    (void)user;
    hf_ingress_answer_text(result, 202, room, answer);
}

static const struct hf_ingress_ops ops = {
    .route = route, .decode = decode, .answer = answer, .http_transport = "collector_http"};

static const struct hf_ingress_method methods[] = {
    {.path = "/jaeger.api_v2.CollectorService/PostSpans", .route = {HF_TRACES, HF_JAEGER_PROTO}},
};

/* ---- the component ---- */

static void close_receiver(void *self)
{
    struct jaeger_receiver *receiver = self;
    jaeger_agent_close(&receiver->agents[0]);
    jaeger_agent_close(&receiver->agents[1]);
    hf_push_receiver_release(&receiver->base);
    free(receiver);
}

static enum hf_status open_servers(struct jaeger_receiver *receiver, char *reterr)
{
    const struct jaeger_config *config = receiver->config;
    enum hf_status status = HF_OK;
    if (config->protocols.grpc != NULL) {
        status = hf_ingress_grpc_open(
            &receiver->base.ingress, "protocols::grpc::", &config->protocols.grpc->server, methods,
            sizeof(methods) / sizeof(methods[0]), &ops, receiver, &receiver->base.grpc, reterr);
    }
    if (status == HF_OK && config->protocols.http != NULL) {
        status = hf_ingress_http_open(&receiver->base.ingress,
                                      "protocols::thrift_http::", &config->protocols.http->server,
                                      &ops, receiver, &receiver->base.http, reterr);
    }
    return status;
}

static enum hf_status open_agents(struct jaeger_receiver *receiver, char *reterr)
{
    const struct jaeger_config *config = receiver->config;
    enum hf_status status = HF_OK;
    if (config->protocols.compact != NULL) {
        status = jaeger_agent_open(&receiver->agents[0], receiver, config->protocols.compact,
                                   HF_JAEGER_CALL_COMPACT, reterr);
    }
    if (status == HF_OK && config->protocols.binary != NULL) {
        status = jaeger_agent_open(&receiver->agents[1], receiver, config->protocols.binary,
                                   HF_JAEGER_CALL_BINARY, reterr);
    }
    return status;
}

static enum hf_status open_receiver(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    struct jaeger_receiver *receiver = calloc(1, sizeof(*receiver));
    if (receiver == NULL) {
        return HF_NOMEM;
    }
    receiver->node = node;
    receiver->config = config;
    hf_ingress_init(&receiver->base.ingress, node);
    enum hf_status status = open_servers(receiver, reterr);
    status = status == HF_OK ? open_agents(receiver, reterr) : status;
    if (status != HF_OK) {
        close_receiver(receiver);
        return status;
    }
    *ret_self = receiver;
    return HF_OK;
}

/* gRPC last, since nothing that may fail comes behind it. */
static enum hf_status start_receiver(void *self, char *reterr)
{
    struct jaeger_receiver *receiver = self;
    enum hf_status status = HF_OK;
    if (receiver->base.http != NULL) {
        status = hf_ingress_http_start(receiver->base.http, reterr);
    }
    for (size_t i = 0; i < 2 && status == HF_OK; i++) {
        if (receiver->agents[i].datagrams != NULL) {
            status = hf_datagrams_start(receiver->agents[i].datagrams, reterr);
        }
    }
    if (status == HF_OK && receiver->base.grpc != NULL) {
        hf_ingress_grpc_start(receiver->base.grpc);
    }
    return status;
}

static void stop_receiver(void *self)
{
    struct jaeger_receiver *receiver = self;
    hf_datagrams_stop(receiver->agents[0].datagrams);
    hf_datagrams_stop(receiver->agents[1].datagrams);
    hf_push_receiver_stop(self);
}

static const char *check_config(const void *from)
{
    const struct jaeger_config *config = from;
    const struct jaeger_grpc_config *grpc = config->protocols.grpc;
    const struct jaeger_http_config *http = config->protocols.http;
    if (grpc == NULL && http == NULL && config->protocols.compact == NULL &&
        config->protocols.binary == NULL) {
        return "must specify at least one protocol when using the Jaeger receiver";
    }
    return hf_push_receiver_check_both(http != NULL ? &http->server : NULL,
                                       grpc != NULL ? &grpc->server : NULL);
}

static const struct hf_field grpc_fields[] = {
    HF_GRPC_SERVER_FIELDS(struct jaeger_grpc_config, server, "localhost:14250"),
    HF_FIELDS_END,
};

static const struct hf_field http_fields[] = {
    HF_HTTP_SERVER_FIELDS(struct jaeger_http_config, server, "localhost:14268"),
    HF_FIELDS_END,
};

#define UDP_AT(member) offsetof(struct jaeger_udp_config, member)

#define UDP_FIELDS(preset)                                                                         \
    {.key = "endpoint",                                                                            \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = UDP_AT(endpoint),                                                                   \
     .default_text = (preset),                                                                     \
     .validate = hf_expect_listen,                                                                 \
     .help = "host:port."},                                                                        \
        {.key = "max_packet_size",                                                                 \
         .type = HF_FIELD_INT,                                                                     \
         .offset = UDP_AT(packet_bytes_max),                                                       \
         .default_text = "65000",                                                                  \
         .min = 64,                                                                                \
         .max = 16e6,                                                                              \
         .help = "Bytes of the largest datagram; larger ones are refused and counted. None is "    \
                 "larger than 65507."},                                                            \
        {.key = "socket_buffer_size",                                                              \
         .type = HF_FIELD_BYTES,                                                                   \
         .offset = UDP_AT(socket_buffer_bytes),                                                    \
         .default_text = "0",                                                                      \
         .help = "The socket's buffer, in which datagrams wait while others are committed; 0: as " \
                 "the system has it."},                                                            \
        HF_SERVER_IGNORED("queue_size", "Datagrams wait in the socket's buffer: see "              \
                                        "socket_buffer_size."),                                    \
        HF_SERVER_IGNORED("workers", "One thread reads each listener."), HF_FIELDS_END

static const struct hf_field compact_fields[] = {UDP_FIELDS("localhost:6831")};
static const struct hf_field binary_fields[] = {UDP_FIELDS("localhost:6832")};

#define PROTOCOL(name, member, its_fields, its_type, its_help)                                     \
    {                                                                                              \
        .key = (name), .type = HF_FIELD_OPTIONAL,                                                  \
        .offset = offsetof(struct jaeger_config, protocols.member), .null_enables = true,          \
        .inner = (its_fields), .inner_size = sizeof(struct its_type), .help = (its_help)           \
    }

static const struct hf_field protocol_fields[] = {
    PROTOCOL("grpc", grpc, grpc_fields, jaeger_grpc_config,
             "jaeger.api_v2.CollectorService/PostSpans."),
    PROTOCOL("thrift_http", http, http_fields, jaeger_http_config,
             "POST " PATH " with a Batch in Thrift's binary protocol."),
    PROTOCOL("thrift_compact", compact, compact_fields, jaeger_udp_config,
             "Calls of emitBatch over UDP, in Thrift's compact protocol. No sender is answered: "
             "what comes while the queue is full waits in the socket's buffer, and what has no "
             "room there is lost and counted."),
    PROTOCOL("thrift_binary", binary, binary_fields, jaeger_udp_config,
             "The same in Thrift's binary protocol."),
    HF_FIELDS_END,
};

static const struct hf_field fields[] = {
    {.key = "protocols",
     .type = HF_FIELD_STRUCT,
     .inner = protocol_fields,
     .help = "Which protocols to serve; at least one."},
    HF_SERVER_IGNORED("remote_sampling",
                      "Sampling strategies are not served; use the jaegerremotesampling extension "
                      "of another collector."),
    HF_FIELDS_END,
};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct jaeger_config *config = from;
    hf_push_receiver_probe_both(
        probe, config->protocols.http != NULL ? &config->protocols.http->server : NULL,
        config->protocols.grpc != NULL ? &config->protocols.grpc->server : NULL);
    hf_probe_udp(probe,
                 config->protocols.compact != NULL ? config->protocols.compact->endpoint : NULL);
    hf_probe_udp(probe,
                 config->protocols.binary != NULL ? config->protocols.binary->endpoint : NULL);
}

const struct hf_component hf_receiver_jaeger = {
    .type = "jaeger",
    .help = "Receives Jaeger spans over gRPC, HTTP (Thrift) and UDP (Thrift); gRPC and HTTP are "
            "answered once they are on disk.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_TRACES),
    .config_size = sizeof(struct jaeger_config),
    .fields = fields,
    .check = check_config,
    .probe = probe_outside,
    .open = open_receiver,
    .start = start_receiver,
    .stop = stop_receiver,
    .close = close_receiver,
};
