/*
 * otlp: the OTLP receiver: one listener per protocol, for all pipelines that name it.
 */
#include <stdlib.h>
#include <string.h>

#include "otlp_internal.h"
#include "util/metrics/metrics.h"

static const struct hf_ingress_ops ops = {
    .route = otlp_route,
    .decode = otlp_decode,
    .answer = otlp_answer,
    .message = otlp_message,
};

static const struct hf_ingress_method methods[] = {
    {.path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
     .route = {HF_TRACES, OTLP_PROTO}},
    {.path = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
     .route = {HF_METRICS, OTLP_PROTO}},
    {.path = "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
     .route = {HF_LOGS, OTLP_PROTO}},
    {.path = "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export",
     .route = {HF_PROFILES, OTLP_PROTO}},
};

/* A counter of strings that were not UTF-8 and were repaired. */
static struct hf_series *repair_series(const struct hf_node *node, const char *transport)
{
    static const struct hf_metric_family family = {
        .name = "holdfast_receiver_repaired_strings",
        .type = HF_COUNTER,
        .help = "Strings that were not UTF-8 and were repaired with U+FFFD.",
    };
    const struct hf_label labels[] = {
        {"receiver", hf_node_counted_id(node)}, {"transport", transport}, {NULL, NULL}};
    return hf_metrics_series(hf_node_metrics(node), &family, labels);
}

static enum hf_status open_grpc(struct otlp_receiver *receiver, char *reterr)
{
    receiver->repairs[0] = repair_series(receiver->node, "grpc");
    return receiver->repairs[0] == NULL
               ? HF_NOMEM
               : hf_ingress_grpc_open(&receiver->base.ingress, "protocols::grpc::",
                                      &receiver->config->protocols.grpc->server, methods,
                                      sizeof(methods) / sizeof(methods[0]), &ops, receiver,
                                      &receiver->base.grpc, reterr);
}

static enum hf_status open_http(struct otlp_receiver *receiver, char *reterr)
{
    receiver->repairs[1] = repair_series(receiver->node, "http");
    return receiver->repairs[1] == NULL
               ? HF_NOMEM
               : hf_ingress_http_open(&receiver->base.ingress, "protocols::http::",
                                      &receiver->config->protocols.http->server, &ops, receiver,
                                      &receiver->base.http, reterr);
}

static enum hf_status open_receiver(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    struct otlp_receiver *receiver = calloc(1, sizeof(*receiver));
    if (receiver == NULL) {
        return HF_NOMEM;
    }
    receiver->node = node;
    receiver->config = config;
    hf_ingress_init(&receiver->base.ingress, node);
    receiver->base.ingress.is_once = receiver->config->once;
    receiver->base.ingress.is_otlp = true;
    enum hf_status status = HF_OK;
    if (receiver->config->protocols.grpc != NULL) {
        status = open_grpc(receiver, reterr);
    }
    if (status == HF_OK && receiver->config->protocols.http != NULL) {
        status = open_http(receiver, reterr);
    }
    if (status != HF_OK) {
        hf_push_receiver_close(receiver);
        return status;
    }
    *ret_self = receiver;
    return HF_OK;
}

/* A request has one signal: each needs a path of its own. */
static const char *check_paths(const struct otlp_http_config *http)
{
    for (int i = 0; i < HF_SIGNAL_COUNT; i++) {
        for (int j = i + 1; j < HF_SIGNAL_COUNT; j++) {
            const char *one = http->url_paths[i], *other = http->url_paths[j];
            if (strcmp(one + (one[0] == '/'), other + (other[0] == '/')) == 0) {
                return "traces_url_path, metrics_url_path, logs_url_path and profiles_url_path "
                       "must differ";
            }
        }
    }
    return NULL;
}

static const char *check_config(const void *from)
{
    const struct otlp_config *config = from;
    const struct otlp_grpc_config *grpc = config->protocols.grpc;
    const struct otlp_http_config *http = config->protocols.http;
    if (grpc == NULL && http == NULL) {
        return "must specify at least one protocol when using the OTLP receiver";
    }
    const char *wrong = hf_push_receiver_check_both(http != NULL ? &http->server : NULL,
                                                    grpc != NULL ? &grpc->server : NULL);
    return wrong == NULL && http != NULL ? check_paths(http) : wrong;
}

static const struct hf_field grpc_fields[] = {
    HF_GRPC_SERVER_FIELDS(struct otlp_grpc_config, server, "0.0.0.0:4317"),
    HF_FIELDS_END,
};

#define HTTP(member) offsetof(struct otlp_http_config, member)

static const struct hf_field http_fields[] = {
    HF_HTTP_SERVER_FIELDS(struct otlp_http_config, server, "0.0.0.0:4318"),
    {.key = "traces_url_path",
     .type = HF_FIELD_STRING,
     .offset = HTTP(url_paths[HF_TRACES]),
     .default_text = "/v1/traces",
     .validate = hf_expect_path,
     .help = "Path of traces."},
    {.key = "metrics_url_path",
     .type = HF_FIELD_STRING,
     .offset = HTTP(url_paths[HF_METRICS]),
     .default_text = "/v1/metrics",
     .validate = hf_expect_path,
     .help = "Path of metrics."},
    {.key = "logs_url_path",
     .type = HF_FIELD_STRING,
     .offset = HTTP(url_paths[HF_LOGS]),
     .default_text = "/v1/logs",
     .validate = hf_expect_path,
     .help = "Path of logs."},
    {.key = "profiles_url_path",
     .type = HF_FIELD_STRING,
     .offset = HTTP(url_paths[HF_PROFILES]),
     .default_text = "/v1development/profiles",
     .validate = hf_expect_path,
     .help = "Path of profiles."},
    HF_FIELDS_END,
};

static const struct hf_field protocol_fields[] = {
    {.key = "grpc",
     .type = HF_FIELD_OPTIONAL,
     .offset = offsetof(struct otlp_config, protocols.grpc),
     .null_enables = true,
     .inner = grpc_fields,
     .inner_size = sizeof(struct otlp_grpc_config),
     .help = "OTLP/gRPC."},
    {.key = "http",
     .type = HF_FIELD_OPTIONAL,
     .offset = offsetof(struct otlp_config, protocols.http),
     .null_enables = true,
     .inner = http_fields,
     .inner_size = sizeof(struct otlp_http_config),
     .help = "OTLP/HTTP, protobuf and JSON."},
    HF_FIELDS_END,
};

static const struct hf_field fields[] = {
    {.key = "protocols",
     .type = HF_FIELD_STRUCT,
     .inner = protocol_fields,
     .help = "Which protocols to serve; at least one."},
    {.key = "strict_utf8",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct otlp_config, strict_utf8),
     .default_text = "false",
     .help = "Refuse requests with strings that are not UTF-8; otherwise each invalid sequence is "
             "replaced by U+FFFD."},
    {.key = "once",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct otlp_config, once),
     .default_text = "true",
     .help = "Drop what comes twice from a Holdfast whose exporter has `once: true`, after a kill "
             "on either side; other requests are not concerned."},
    HF_FIELDS_END,
};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct otlp_config *config = from;
    hf_push_receiver_probe_both(
        probe, config->protocols.http != NULL ? &config->protocols.http->server : NULL,
        config->protocols.grpc != NULL ? &config->protocols.grpc->server : NULL);
}

const struct hf_component hf_receiver_otlp = {
    .type = "otlp",
    .help = "Receives OTLP over gRPC and HTTP; answers OK once the data is on disk.",
    .kind = HF_RECEIVER,
    .signals = HF_ALL_SIGNALS_AND_PROFILES,
    .config_size = sizeof(struct otlp_config),
    .fields = fields,
    .check = check_config,
    .probe = probe_outside,
    .open = open_receiver,
    .start = hf_push_receiver_start,
    .stop = hf_push_receiver_stop,
    .close = hf_push_receiver_close,
};
