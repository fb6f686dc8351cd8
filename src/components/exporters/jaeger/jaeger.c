/*
 * jaeger: the exporter that the Go collector had until Jaeger took OTLP itself: its keys, and OTLP
 * over gRPC. Port 14250 of the endpoint, where Jaeger listened for its own protocol, becomes 4317.
 */
#include <stdio.h>
#include <string.h>

#include <holdfast/component.h>

#include "support/probe/probe_server.h"
#include "support/sending/otlp_client.h"
#include "support/settings/configgrpc.h"

#define OLD_PORT ":14250"
#define OTLP_PORT ":4317"

struct jaeger_config {
    struct hf_grpc_client_config grpc;
};

/* False: it names another port, or is too long. */
static bool move_port(const char *endpoint, char *room, size_t size)
{
    size_t length = strlen(endpoint), old = strlen(OLD_PORT);
    if (length <= old || strcmp(endpoint + length - old, OLD_PORT) != 0) {
        return false;
    }
    int made = snprintf(room, size, "%.*s" OTLP_PORT, (int)(length - old), endpoint);
    return made > 0 && (size_t)made < size;
}

static enum hf_status open_exporter(struct hf_node *node, const void *from, void **ret_self,
                                    char *reterr)
{
    const struct jaeger_config *config = from;
    char moved[HF_GRPC_TARGET_MAX];
    bool is_moved = move_port(config->grpc.endpoint, moved, sizeof(moved));
    const struct hf_otlp_client_options options = {
        .node = node, .config = &config->grpc, .endpoint = is_moved ? moved : NULL};
    struct hf_otlp_client *client = NULL;
    hf_node_log(node, HF_LOG_WARN,
                "the exporter jaeger sends OTLP to %s, which Jaeger takes since 1.35; use the "
                "exporter otlp with the same keys and that endpoint",
                is_moved ? moved : config->grpc.endpoint);
    enum hf_status status = hf_otlp_client_open(&options, &client, reterr);
    if (status == HF_OK) {
        *ret_self = client;
    }
    return status;
}

static const char *check_config(const void *from)
{
    const struct jaeger_config *config = from;
    return hf_grpc_client_check(&config->grpc);
}

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct jaeger_config *config = from;
    struct hf_grpc_client_config grpc = config->grpc;
    char moved[HF_GRPC_TARGET_MAX];
    if (move_port(grpc.endpoint, moved, sizeof(moved))) {
        grpc.endpoint = moved;
    }
    hf_probe_grpc_client(probe, &grpc);
    hf_probe_export(probe);
}

static const struct hf_field fields[] = {
    HF_GRPC_CLIENT_FIELDS(struct jaeger_config, grpc),
    HF_FIELDS_END,
};

static const struct hf_exporter_ops exporter_ops = {
    .send = hf_otlp_exporter_send,
    .context_keys = hf_otlp_exporter_context_keys,
    .timeout = "5s",
};

const struct hf_component hf_exporter_jaeger = {
    .type = "jaeger",
    .help = "For configurations that still name it: sends OTLP over gRPC to Jaeger; port 14250 of "
            "the endpoint becomes 4317. Use otlp.",
    .kind = HF_EXPORTER,
    .signals = HF_SIGNAL_BIT(HF_TRACES),
    .config_size = sizeof(struct jaeger_config),
    .fields = fields,
    .check = check_config,
    .probe = probe_outside,
    .open = open_exporter,
    .close = hf_otlp_exporter_close,
    .exporter = &exporter_ops,
};
