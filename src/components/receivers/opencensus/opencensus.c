/*
 * opencensus: receives spans and metrics of the OpenCensus agent's protocol, OTLP's predecessor,
 * over streams of gRPC. The protocol has no answer to a message: the next one is read once the last
 * is on disk.
 */
#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "encodings/opencensus/opencensus.h"
#include "support/ingress/push_receiver.h"

static_assert(HF_OPENCENSUS_ERROR_MAX <= HF_INGRESS_ERROR_MAX, "the sentence fits");

struct census_config {
    struct hf_grpc_server_config server;
};

struct census_receiver {
    struct hf_push_receiver base;
    const struct census_config *config;
};

static enum hf_status decode(void *user, struct hf_ingress_body *body, struct hf_batch **ret_batch,
                             char *reterr)
{
    struct hf_builder builder;
    (void)user;
    hf_builder_init(&builder, body->route.signal, HF_INGRESS_MESSAGE_MAX);
    enum hf_status status = hf_opencensus_read(body->raw, body->kept, &builder, reterr);
    if (status == HF_OK) {
        status = hf_ingress_take_built(body, &builder, ret_batch, reterr);
    }
    hf_builder_release(&builder);
    return status;
}

static const struct hf_ingress_ops ops = {.decode = decode};

static const struct hf_ingress_method methods[] = {
    {.path = "/opencensus.proto.agent.trace.v1.TraceService/Export",
     .route = {HF_TRACES, 0},
     .streams = true},
    {.path = "/opencensus.proto.agent.metrics.v1.MetricsService/Export",
     .route = {HF_METRICS, 0},
     .streams = true},
};

static enum hf_status open_receiver(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    struct census_receiver *receiver = calloc(1, sizeof(*receiver));
    if (receiver == NULL) {
        return HF_NOMEM;
    }
    receiver->config = config;
    hf_ingress_init(&receiver->base.ingress, node);
    enum hf_status status = hf_ingress_grpc_open(
        &receiver->base.ingress, "", &receiver->config->server, methods,
        sizeof(methods) / sizeof(methods[0]), &ops, receiver, &receiver->base.grpc, reterr);
    if (status != HF_OK) {
        hf_push_receiver_close(receiver);
        return status;
    }
    *ret_self = receiver;
    return HF_OK;
}

static const char *check_config(const void *from)
{
    const struct census_config *config = from;
    return hf_grpc_server_check(&config->server);
}

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct census_config *config = from;
    hf_push_receiver_probe_both(probe, NULL, &config->server);
}

static const struct hf_field fields[] = {
    HF_GRPC_SERVER_FIELDS(struct census_config, server, "localhost:55678"),
    {.key = "cors_allowed_origins",
     .type = HF_FIELD_IGNORED,
     .help = "Requests in JSON over HTTP are not served."},
    HF_FIELDS_END,
};

const struct hf_component hf_receiver_opencensus = {
    .type = "opencensus",
    .help = "Receives spans and metrics as OpenCensus libraries and agents export them over gRPC. "
            "The protocol has no answer to a message: a sender waits while the queue is full, and "
            "what it has sent and is not on disk yet is lost with a kill.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_TRACES) | HF_SIGNAL_BIT(HF_METRICS),
    .config_size = sizeof(struct census_config),
    .fields = fields,
    .check = check_config,
    .probe = probe_outside,
    .open = open_receiver,
    .start = hf_push_receiver_start,
    .stop = hf_push_receiver_stop,
    .close = hf_push_receiver_close,
};
