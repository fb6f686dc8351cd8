/*
 * forward: joins pipelines of one signal: what the pipelines in front send goes to all pipelines
 * behind.
 *
 * It keeps nothing and has no queue: the sender is told OK when the queues of the pipelines behind
 * have the batch.
 */
#include <stdlib.h>

#include <holdfast/component.h>

struct forward {
    const struct hf_node *node;
};

static enum hf_status open_forward(struct hf_node *node, const void *config, void **ret_self,
                                   char *reterr)
{
    struct forward *forward = calloc(1, sizeof(*forward));
    (void)config;
    (void)reterr;
    if (forward == NULL) {
        return HF_NOMEM;
    }
    forward->node = node;
    *ret_self = forward;
    return HF_OK;
}

static enum hf_status connect(void *self, struct hf_batch *batch, struct hf_onward *onward)
{
    const struct forward *forward = self;
    size_t count = 0;
    struct hf_pipeline *const *outputs = hf_node_outputs(forward->node, batch->signal, &count);
    return hf_pass_on(onward, batch, outputs, count);
}

static const struct hf_connector_ops connector_ops = {
    .makes = {HF_SIGNAL_BIT(HF_TRACES), HF_SIGNAL_BIT(HF_METRICS), HF_SIGNAL_BIT(HF_LOGS),
              HF_SIGNAL_BIT(HF_PROFILES)},
    .connect = connect,
};

const struct hf_component hf_connector_forward = {
    .type = "forward",
    .help = "Passes everything on to all pipelines behind it.",
    .kind = HF_CONNECTOR,
    .signals = HF_ALL_SIGNALS_AND_PROFILES,
    .open = open_forward,
    .close = free,
    .connector = &connector_ops,
};
