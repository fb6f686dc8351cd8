#include "processed_items.h"

static struct hf_series *counter(struct hf_node *node, enum hf_signal signal,
                                 const struct hf_metric_family *family)
{
    const struct hf_label labels[] = {
        {"processor", node->id}, {"otel_signal", hf_signal_name(signal)}, {NULL, NULL}};
    return hf_metrics_series(node->host->metrics, family, labels);
}

enum hf_status hf_processed_items_open(struct hf_node *node)
{
    static const struct hf_metric_family in = {.name = "otelcol_processor_incoming_items",
                                               .type = HF_COUNTER,
                                               .help = "Items that the processor was given."};
    static const struct hf_metric_family out = {.name = "otelcol_processor_outgoing_items",
                                                .type = HF_COUNTER,
                                                .help = "Items that the processor passed on."};
    const struct hf_processor_ops *ops = node->component->processor;
    if (ops == NULL || ops->process == NULL || node->host->metrics == NULL) {
        return HF_OK;
    }
    for (int i = 0; i < HF_SIGNAL_COUNT; i++) {
        enum hf_signal signal = (enum hf_signal)i;
        if ((node->signals & HF_SIGNAL_BIT(signal)) == 0) {
            continue;
        }
        node->incoming[i] = counter(node, signal, &in);
        node->outgoing[i] = counter(node, signal, &out);
        if (node->incoming[i] == NULL || node->outgoing[i] == NULL) {
            return HF_NOMEM;
        }
    }
    return HF_OK;
}
