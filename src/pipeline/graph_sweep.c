/*
 * graph_sweep: the queues that were shards of a pipeline. When one is empty, its readers let go of
 * it, and at the next look it is removed.
 */
#include "delivery/delivery.h"
#include "graph_internal.h"
#include "storage/storage.h"

static void let_go(const struct hf_pipeline *pipeline)
{
    for (size_t i = 0; i < pipeline->behind_count; i++) {
        if (pipeline->behind[i]->delivery != NULL) {
            hf_delivery_let_go(pipeline->behind[i]->delivery, pipeline);
        }
    }
}

size_t hf_graph_sweep_shards(struct hf_graph *graph)
{
    size_t left = 0;
    for (size_t i = 0; i < graph->pipeline_count; i++) {
        struct hf_pipeline *pipeline = &graph->pipelines[i];
        if (!pipeline->is_retired || pipeline->wal == NULL) {
            continue;
        }
        /* A reload that failed may have removed it. */
        if (!hf_storage_has_queue(graph->host->store, pipeline->id) ||
            hf_storage_remove_drained(graph->host->store, pipeline->id)) {
            pipeline->wal = NULL;
            continue;
        }
        if (hf_storage_is_drained(graph->host->store, pipeline->id)) {
            let_go(pipeline);
        }
        left++;
    }
    return left;
}
