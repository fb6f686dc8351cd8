/*
 * roundrobin: gives each request whole to one of the pipelines behind it, in turn. Each signal has
 * its own turn. It keeps nothing and has no queue; after a start the first pipeline's turn is as at
 * the first start.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include <holdfast/component.h>

struct roundrobin {
    const struct hf_node *node;
    atomic_uint_fast64_t turns[HF_SIGNAL_COUNT]; /* of all receiving threads */
};

static enum hf_status open_roundrobin(struct hf_node *node, const void *config, void **ret_self,
                                      char *reterr)
{
    struct roundrobin *roundrobin = calloc(1, sizeof(*roundrobin));
    (void)config;
    (void)reterr;
    if (roundrobin == NULL) {
        return HF_NOMEM;
    }
    roundrobin->node = node;
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        atomic_init(&roundrobin->turns[signal], 0);
    }
    *ret_self = roundrobin;
    return HF_OK;
}

static enum hf_status connect(void *self, struct hf_batch *batch, struct hf_onward *onward)
{
    struct roundrobin *roundrobin = self;
    size_t count = 0;
    struct hf_pipeline *const *outputs = hf_node_outputs(roundrobin->node, batch->signal, &count);
    if (count == 0) {
        return HF_OK;
    }
    /* The order of two requests that come at once does not matter. */
    uint64_t turn =
        atomic_fetch_add_explicit(&roundrobin->turns[batch->signal], 1, memory_order_relaxed);
    return hf_pass_on(onward, batch, &outputs[(turn + 1) % count], 1);
}

static const struct hf_connector_ops connector_ops = {
    .makes = {HF_SIGNAL_BIT(HF_TRACES), HF_SIGNAL_BIT(HF_METRICS), HF_SIGNAL_BIT(HF_LOGS)},
    .connect = connect,
};

const struct hf_component hf_connector_roundrobin = {
    .type = "roundrobin",
    .aliases = (const char *const[]){"round_robin", NULL},
    .help = "Gives each request to one of the pipelines behind it, in turn.",
    .kind = HF_CONNECTOR,
    .signals = HF_ALL_SIGNALS,
    .open = open_roundrobin,
    .close = free,
    .connector = &connector_ops,
};
