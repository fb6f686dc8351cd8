/*
 * empty_export: sends one request without items by an exporter's own `send` and waits for the
 * outcome. Main thread: the exporter's loop runs there.
 */
#pragma once

#include "pipeline/graph.h"

struct hf_empty_outcome {
    enum hf_status status;
    char text[HF_ERROR_MAX]; /* what the backend, or the exporter, says; "" */
    bool is_opened;          /* otherwise the exporter could not be opened, and `text` says why */
};

/* `graph` has the extensions, started. `signal` is one that the exporter carries. */
void hf_empty_export(struct hf_graph *graph, const struct hf_config_component *from,
                     enum hf_signal signal, uint64_t timeout_ns, struct hf_empty_outcome *ret);
