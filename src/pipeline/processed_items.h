/*
 * processed_items: how many items the processors that answer at once get and let through, as the
 * Go collector counts them: otelcol_processor_incoming_items and otelcol_processor_outgoing_items.
 */
#pragma once

#include "node/node.h"
#include "util/metrics/metrics.h"

/* Registers the counters of a node that is such a processor. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_processed_items_open(struct hf_node *node);

/* Any thread. */
static inline void hf_processed_items_count(const struct hf_node *node, enum hf_signal signal,
                                            uint32_t incoming, uint32_t outgoing)
{
    if (node->incoming[signal] != NULL) {
        hf_series_add(node->incoming[signal], incoming);
        hf_series_add(node->outgoing[signal], outgoing);
    }
}
