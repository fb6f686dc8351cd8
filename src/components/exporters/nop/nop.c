/*
 * nop: takes everything and keeps nothing. For trying out what stands before it. The delivery's
 * thread.
 */
#include <holdfast/component.h>
#include <holdfast/delivery.h>

struct nop_config {
    struct hf_delivery_config sending; /* first: the delivery keys */
};

static void send_export(void *self, struct hf_export *export)
{
    (void)self;
    hf_export_done(export, &(struct hf_outcome){.status = HF_OK});
}

static const char *check_config(const void *config)
{
    const struct nop_config *nop = config;
    return hf_delivery_check(&nop->sending);
}

static const struct hf_field fields[] = {
    HF_DELIVERY_FIELDS("0s"),
    HF_FIELDS_END,
};

const struct hf_component hf_exporter_nop = {
    .type = "nop",
    .help = "Discards everything.",
    .kind = HF_EXPORTER,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct nop_config),
    .fields = fields,
    .has_delivery_keys = true,
    .check = check_config,
    .send = send_export,
};
