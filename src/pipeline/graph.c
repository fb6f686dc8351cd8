/*
 * graph: building and freeing. Starting and stopping are in run.c.
 */
#include "graph.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/delivery_config.h"
#include <holdfast/batching.h>

#include "delivery/delivery.h"
#include "graph_internal.h"
#include "ingest.h"
#include "listeners.h"
#include "queued_processor.h"
#include "shards.h"
#include "storage/storage.h"
#include "util/log/log.h"
#include "util/metrics/metrics.h"

/* ---- nodes ---- */

static void free_nodes(struct hf_node **nodes, size_t count)
{
    for (size_t i = 0; nodes != NULL && i < count; i++) {
        for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
            free(nodes[i]->routes[signal]);
        }
        free(nodes[i]);
    }
    free(nodes);
}

/* ---- building ---- */

static size_t count_uses(const struct hf_config_pipeline *pipelines, size_t count,
                         enum hf_kind kind)
{
    size_t uses = 1;
    for (size_t i = 0; i < count; i++) {
        uses += kind == HF_RECEIVER    ? pipelines[i].receiver_count
                : kind == HF_PROCESSOR ? pipelines[i].processor_count
                                       : pipelines[i].exporter_count;
    }
    return uses;
}

static bool make_arrays(struct hf_graph *graph)
{
    size_t count = 0;
    const struct hf_config_pipeline *pipelines = hf_config_pipelines(graph->config, &count);
    size_t extensions = 0;
    hf_config_extensions(graph->config, &extensions);
    size_t processors = count_uses(pipelines, count, HF_PROCESSOR);
    /* Each queued_processor among the processors cuts a pipeline in two. */
    size_t further = 0;
    for (size_t i = 0; i < count && graph->host->store != NULL; i++) {
        further += hf_shards_count_further(graph->host->store, &pipelines[i]);
    }
    graph->pipelines = calloc(count + processors + further, sizeof(*graph->pipelines));
    graph->connectors = calloc(count_uses(pipelines, count, HF_RECEIVER) +
                                   count_uses(pipelines, count, HF_EXPORTER),
                               sizeof(struct hf_node *));
    graph->extensions = calloc(extensions + 1, sizeof(struct hf_node *));
    graph->receivers = calloc(count_uses(pipelines, count, HF_RECEIVER), sizeof(struct hf_node *));
    graph->processors = calloc(processors, sizeof(struct hf_node *));
    graph->exporters = calloc(count_uses(pipelines, count, HF_EXPORTER), sizeof(struct hf_node *));
    return graph->pipelines != NULL && graph->extensions != NULL && graph->receivers != NULL &&
           graph->processors != NULL && graph->exporters != NULL && graph->connectors != NULL;
}

/* How much of a configuration is opened. */
enum extent { ALL_OF_IT, EXTENSIONS, AUTHENTICATORS };

static bool is_authenticator(const struct hf_config_component *from)
{
    const struct hf_extension_ops *ops =
        from->component != NULL ? from->component->extension : NULL;
    return ops != NULL && ops->auth != NULL;
}

static enum hf_status join_extensions(struct hf_graph *graph, enum extent extent)
{
    size_t count = 0;
    const struct hf_config_component *const *from = hf_config_extensions(graph->config, &count);
    for (size_t i = 0; i < count; i++) {
        if (extent == AUTHENTICATORS && !is_authenticator(from[i])) {
            continue;
        }
        if (hf_graph_need_node(graph, graph->extensions, &graph->extension_count, from[i]) ==
            NULL) {
            return HF_NOMEM;
        }
    }
    return HF_OK;
}

static enum hf_status open_all(struct hf_graph *graph, char *reterr)
{
    struct {
        struct hf_node **nodes;
        size_t count;
    } groups[] = {
        {graph->extensions, graph->extension_count},
        {graph->processors, graph->processor_count},
        {graph->connectors, graph->connector_count},
        {graph->exporters, graph->exporter_count},
    };
    for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
        for (size_t i = 0; i < groups[g].count; i++) {
            enum hf_status status = hf_graph_open_node(groups[g].nodes[i], reterr);
            if (status != HF_OK) {
                return status;
            }
        }
    }
    enum hf_status status = hf_graph_collect_keys(graph);
    for (size_t i = 0; i < graph->receiver_count && status == HF_OK; i++) {
        status = hf_graph_open_node(graph->receivers[i], reterr);
    }
    return status;
}

static enum hf_status open_graph(const struct hf_config *config, const struct hf_host *host,
                                 enum extent extent, struct hf_graph **ret_graph, char *reterr)
{
    struct hf_graph *graph = calloc(1, sizeof(*graph));
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    if (graph == NULL) {
        return HF_NOMEM;
    }
    graph->config = config;
    graph->host = host;
    enum hf_status status = make_arrays(graph) ? join_extensions(graph, extent) : HF_NOMEM;
    if (status == HF_OK && extent == ALL_OF_IT) {
        status = hf_graph_join(graph, reterr);
    }
    if (status == HF_OK) {
        status = open_all(graph, reterr);
    }
    if (status != HF_OK) {
        hf_graph_free(graph);
        return status;
    }
    *ret_graph = graph;
    return HF_OK;
}

enum hf_status hf_graph_open(const struct hf_config *config, const struct hf_host *host,
                             struct hf_graph **ret_graph, char *reterr)
{
    return open_graph(config, host, ALL_OF_IT, ret_graph, reterr);
}

enum hf_status hf_graph_open_extensions(const struct hf_config *config, const struct hf_host *host,
                                        struct hf_graph **ret_graph, char *reterr)
{
    return open_graph(config, host, EXTENSIONS, ret_graph, reterr);
}

enum hf_status hf_graph_open_authenticators(const struct hf_config *config,
                                            const struct hf_host *host, struct hf_graph **ret_graph,
                                            char *reterr)
{
    return open_graph(config, host, AUTHENTICATORS, ret_graph, reterr);
}

enum hf_status hf_graph_add_exporter(struct hf_graph *graph, const struct hf_config_component *from,
                                     unsigned signals, struct hf_loop *loop,
                                     struct hf_node **ret_node, char *reterr)
{
    struct hf_node *node = hf_graph_node_new(graph, from);
    if (node == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    node->signals = signals;
    node->own_loop = loop;
    enum hf_status status = hf_graph_open_node(node, reterr);
    if (status == HF_OK && node->component->start != NULL) {
        status = node->component->start(node->self, reterr);
        node->started = status == HF_OK;
    }
    if (status != HF_OK) {
        hf_graph_remove_exporter(node);
        return status;
    }
    *ret_node = node;
    return HF_OK;
}

void hf_graph_remove_exporter(struct hf_node *node)
{
    if (node->started && node->component->stop != NULL) {
        node->component->stop(node->self);
    }
    hf_graph_close_node(node);
    free(node);
}

void hf_graph_apply_limits(struct hf_graph *graph)
{
    for (size_t i = 0; i < graph->pipeline_count; i++) {
        const struct hf_pipeline *pipeline = &graph->pipelines[i];
        const struct hf_queue_options options = {.max_bytes = pipeline->limits.max_bytes,
                                                 .parts = pipeline->queue_count,
                                                 .drop_oldest = pipeline->limits.drop_oldest};
        if (!pipeline->is_retired) {
            hf_storage_limit_queue(graph->host->store, pipeline->id, &options);
        }
    }
    for (size_t i = 0; i < graph->exporter_count; i++) {
        hf_delivery_apply_limits(graph->exporters[i]->delivery);
    }
}

bool hf_graph_is_held(const struct hf_graph *graph)
{
    return graph != NULL && atomic_load_explicit(&graph->holds, memory_order_acquire) != 0;
}

void hf_graph_free(struct hf_graph *graph)
{
    if (graph == NULL) {
        return;
    }
    assert(!hf_graph_is_held(graph));
    for (size_t i = 0; i < graph->receiver_count; i++) {
        hf_graph_close_node(graph->receivers[i]);
    }
    for (size_t i = 0; i < graph->processor_count; i++) {
        hf_graph_close_node(graph->processors[i]);
        hf_queued_processor_free(graph->processors[i]->queued_processor);
    }
    for (size_t i = 0; i < graph->connector_count; i++) {
        hf_graph_close_node(graph->connectors[i]);
        hf_queued_processor_free(graph->connectors[i]->queued_processor);
    }
    for (size_t i = 0; i < graph->exporter_count; i++) {
        hf_graph_close_node(graph->exporters[i]);
        hf_delivery_free(graph->exporters[i]->delivery);
    }
    for (size_t i = 0; i < graph->extension_count; i++) {
        hf_graph_close_node(graph->extensions[i]);
    }
    for (size_t i = 0; graph->pipelines != NULL && i < graph->pipeline_count; i++) {
        free(graph->pipelines[i].processors);
        free(graph->pipelines[i].enqueue_failed);
        free(graph->pipelines[i].behind);
        free(graph->pipelines[i].own_id);
        free(graph->pipelines[i].shards);
    }
    free(graph->pipelines);
    free_nodes(graph->extensions, graph->extension_count);
    free_nodes(graph->processors, graph->processor_count);
    free_nodes(graph->exporters, graph->exporter_count);
    free_nodes(graph->connectors, graph->connector_count);
    free_nodes(graph->receivers, graph->receiver_count);
    free(graph->keys);
    free(graph);
}

bool hf_graph_has_exporter(const struct hf_graph *graph, const char *id)
{
    return hf_graph_find_node(graph->exporters, graph->exporter_count, id) != NULL;
}

void hf_graph_refresh(struct hf_graph *graph)
{
    for (size_t i = 0; i < graph->exporter_count; i++) {
        hf_delivery_refresh(graph->exporters[i]->delivery);
    }
}

bool hf_graph_is_degraded(const struct hf_graph *graph)
{
    for (size_t i = 0; i < graph->exporter_count; i++) {
        if (hf_delivery_is_unhealthy(graph->exporters[i]->delivery)) {
            return true;
        }
    }
    return false;
}

const struct hf_config *hf_graph_config(const struct hf_graph *graph)
{
    return graph->config;
}

const struct hf_pipeline *hf_graph_pipelines(const struct hf_graph *graph, size_t *ret_count)
{
    *ret_count = graph->pipeline_count;
    return graph->pipelines;
}

void hf_graph_each_node(const struct hf_graph *graph,
                        void (*visit)(void *user, const struct hf_node *node), void *user)
{
    const struct {
        struct hf_node **nodes;
        size_t count;
    } lists[] = {{graph->extensions, graph->extension_count},
                 {graph->receivers, graph->receiver_count},
                 {graph->processors, graph->processor_count},
                 {graph->connectors, graph->connector_count},
                 {graph->exporters, graph->exporter_count}};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        for (size_t k = 0; k < lists[i].count; k++) {
            visit(user, lists[i].nodes[k]);
        }
    }
}

bool hf_graph_is_running(const struct hf_graph *graph)
{
    return atomic_load(&graph->running);
}

bool hf_graph_is_durable(const struct hf_graph *graph, char *ret_why)
{
    if (!atomic_load(&graph->running)) {
        snprintf(ret_why, HF_ERROR_MAX, "starting or stopping");
        return false;
    }
    if (hf_storage_is_draining(graph->host->store)) {
        snprintf(ret_why, HF_ERROR_MAX, "draining");
        return false;
    }
    return hf_storage_is_healthy(graph->host->store, ret_why, HF_ERROR_MAX);
}
