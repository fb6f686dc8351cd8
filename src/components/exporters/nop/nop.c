/*
 * nop: takes everything and keeps nothing. For trying out what stands before it. The delivery's
 * thread.
 */
#include <holdfast/component.h>

static void send_export(void *self, struct hf_export *export)
{
    (void)self;
    hf_export_done(export, &(struct hf_outcome){.status = HF_OK});
}

static const struct hf_exporter_ops exporter_ops = {
    .send = send_export,
    .timeout = "0s",
};

const struct hf_component hf_exporter_nop = {
    .type = "nop",
    .help = "Discards everything.",
    .kind = HF_EXPORTER,
    .signals = HF_ALL_SIGNALS_AND_PROFILES,
    .exporter = &exporter_ops,
};
