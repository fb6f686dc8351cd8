/*
 * opencensus: receives spans and metrics of the OpenCensus agent's protocol, OTLP's predecessor,
 * over streams of gRPC. The protocol has no answer to a message: the next one is read once the last
 * is on disk.
 */
#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "encodings/opencensus.h"
#include "support/ingress_grpc.h"

static_assert(HF_OPENCENSUS_ERROR_MAX <= HF_INGRESS_ERROR_MAX, "the sentence fits");

struct census_config {
    struct hf_grpc_server_config server;
};

struct census_receiver {
    const struct census_config *config;
    struct hf_ingress ingress;
    struct hf_ingress_grpc *grpc;
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

static void close_receiver(void *self)
{
    struct census_receiver *receiver = self;
    hf_ingress_grpc_close(receiver->grpc);
    hf_ingress_release(&receiver->ingress);
    free(receiver);
}

static enum hf_status open_receiver(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    struct census_receiver *receiver = calloc(1, sizeof(*receiver));
    if (receiver == NULL) {
        return HF_NOMEM;
    }
    receiver->config = config;
    hf_ingress_init(&receiver->ingress, node);
    enum hf_status status = hf_ingress_grpc_open(&receiver->ingress, "", &receiver->config->server,
                                                 methods, sizeof(methods) / sizeof(methods[0]),
                                                 &ops, receiver, &receiver->grpc, reterr);
    if (status != HF_OK) {
        close_receiver(receiver);
        return status;
    }
    *ret_self = receiver;
    return HF_OK;
}

static enum hf_status start_receiver(void *self, char *reterr)
{
    struct census_receiver *receiver = self;
    (void)reterr;
    hf_ingress_grpc_start(receiver->grpc);
    return HF_OK;
}

static void stop_receiver(void *self)
{
    struct census_receiver *receiver = self;
    hf_ingress_grpc_stop(receiver->grpc);
}

static const char *check_config(const void *from)
{
    const struct census_config *config = from;
    return hf_grpc_server_check(&config->server);
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
    .open = open_receiver,
    .start = start_receiver,
    .stop = stop_receiver,
    .close = close_receiver,
};
