/*
 * otlp: exports over OTLP/gRPC.
 */
#include <holdfast/component.h>

#include "support/probe/probe_server.h"
#include "support/sending/otlp_client.h"
#include "support/settings/configgrpc.h"

struct otlp_config {
    struct hf_grpc_client_config grpc;
    bool forward_gzip;
    bool once;
};

static enum hf_status open_exporter(struct hf_node *node, const void *from, void **ret_self,
                                    char *reterr)
{
    const struct otlp_config *config = from;
    const struct hf_otlp_client_options options = {
        .node = node,
        .config = &config->grpc,
        .forward_gzip = config->forward_gzip,
        .once = config->once,
    };
    struct hf_otlp_client *client = NULL;
    enum hf_status status = hf_otlp_client_open(&options, &client, reterr);
    if (status == HF_OK) {
        *ret_self = client;
    }
    return status;
}

static const char *check_config(const void *from)
{
    const struct otlp_config *config = from;
    return hf_grpc_client_check(&config->grpc);
}

static const struct hf_field fields[] = {
    HF_GRPC_CLIENT_FIELDS(struct otlp_config, grpc),
    {.key = "forward_gzip",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct otlp_config, forward_gzip),
     .default_text = "false",
     .help = "Send gzip members on as they came; only for backends that read several members."},
    {.key = "once",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct otlp_config, once),
     .default_text = "false",
     .help = "Name the records of each request in the header holdfast-records, so that a Holdfast "
             "behind it stores none twice after a kill on either side; for others it is a header "
             "that they do not know."},
    HF_FIELDS_END,
};

static const struct hf_exporter_ops exporter_ops = {
    .send = hf_otlp_exporter_send,
    .context_keys = hf_otlp_exporter_context_keys,
    .timeout = "5s",
};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct otlp_config *config = from;
    hf_probe_grpc_client(probe, &config->grpc);
    hf_probe_export(probe);
}

const struct hf_component hf_exporter_otlp = {
    .type = "otlp",
    .aliases = (const char *const[]){"otlp_grpc", NULL},
    .help = "Sends OTLP over gRPC.",
    .kind = HF_EXPORTER,
    .signals = HF_ALL_SIGNALS_AND_PROFILES,
    .config_size = sizeof(struct otlp_config),
    .fields = fields,
    .check = check_config,
    .probe = probe_outside,
    .open = open_exporter,
    .close = hf_otlp_exporter_close,
    .exporter = &exporter_ops,
};
