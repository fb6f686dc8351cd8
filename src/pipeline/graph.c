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
#include "storage/storage.h"
#include "util/log.h"
#include "util/metrics.h"

/* ---- nodes ---- */

static struct hf_node *node_new(struct hf_graph *graph, const struct hf_config_component *from)
{
    struct hf_node *node = calloc(1, sizeof(*node));
    if (node != NULL) {
        node->id = from->id;
        node->component = from->component;
        node->config = from->config;
        node->delivery_config = from->delivery;
        node->graph = graph;
        node->host = graph->host;
    }
    return node;
}

static struct hf_node *find_node(struct hf_node **nodes, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(nodes[i]->id, id) == 0) {
            return nodes[i];
        }
    }
    return NULL;
}

/* Finds the node of that component among `nodes`, or makes it. The array has room. */
static struct hf_node *need_node(struct hf_graph *graph, struct hf_node **nodes, size_t *count,
                                 const struct hf_config_component *from)
{
    struct hf_node *node = find_node(nodes, *count, from->id);
    if (node == NULL) {
        node = node_new(graph, from);
        if (node != NULL) {
            nodes[(*count)++] = node;
        }
    }
    return node;
}

static enum hf_status open_node(struct hf_node *node, char *reterr)
{
    char why[HF_ERROR_MAX] = "";
    enum hf_status status = HF_OK;
    if (node->component->open != NULL) {
        status = node->component->open(node, node->config, &node->self, why);
    }
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "%s: %.480s", node->id,
                 why[0] != '\0' ? why : hf_status_row(status)->says);
        return status;
    }
    node->opened = true;
    return HF_OK;
}

void hf_graph_close_node(struct hf_node *node)
{
    if (node->opened && node->component->close != NULL) {
        node->component->close(node->self);
    }
    node->opened = false;
    node->self = NULL;
}

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
    graph->pipelines = calloc(count + processors, sizeof(*graph->pipelines));
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

/* What the exporters of a pipeline ask of its queue: the largest limit, the strongest wish. */
static struct hf_queue_options queue_options(const struct hf_config_pipeline *from, bool *ret_zstd)
{
    struct hf_queue_options options = {0};
    *ret_zstd = false;
    for (size_t i = 0; i < from->exporter_count; i++) {
        const struct hf_delivery_config *sending = from->exporters[i]->delivery;
        if (sending == NULL) {
            continue;
        }
        if (sending->queue.max_bytes > options.max_bytes) {
            options.max_bytes = sending->queue.max_bytes;
        }
        options.drop_oldest =
            options.drop_oldest || sending->queue.on_full == HF_ON_FULL_DROP_OLDEST;
        *ret_zstd = *ret_zstd || sending->queue.compression == 1;
    }
    return options;
}

static enum hf_status add_route(struct hf_node *receiver, struct hf_pipeline *pipeline)
{
    size_t count = receiver->route_count[pipeline->signal];
    struct hf_pipeline **routes =
        realloc(receiver->routes[pipeline->signal], (count + 1) * sizeof(struct hf_pipeline *));
    if (routes == NULL) {
        return HF_NOMEM;
    }
    routes[count] = pipeline;
    receiver->routes[pipeline->signal] = routes;
    receiver->route_count[pipeline->signal]++;
    receiver->signals |= HF_SIGNAL_BIT(pipeline->signal);
    return HF_OK;
}

static enum hf_status open_pipeline(struct hf_graph *graph, const struct hf_config_pipeline *from,
                                    const char *id, struct hf_pipeline **ret_pipeline, char *reterr)
{
    struct hf_pipeline *pipeline = &graph->pipelines[graph->pipeline_count++];
    pipeline->id = id;
    pipeline->signal = from->signal;
    pipeline->processors = calloc(from->processor_count + 1, sizeof(struct hf_node *));
    pipeline->enqueue_failed = calloc(from->exporter_count + 1, sizeof(struct hf_series *));
    /* The queued processor among its processors, or else its exporters. */
    pipeline->behind = calloc(from->exporter_count + 1, sizeof(struct hf_node *));
    if (pipeline->processors == NULL || pipeline->enqueue_failed == NULL ||
        pipeline->behind == NULL) {
        return HF_NOMEM;
    }
    struct hf_queue_options options = queue_options(from, &pipeline->zstd);
    pipeline->limits = (struct wal_limits){options.max_bytes, options.drop_oldest};
    *ret_pipeline = pipeline;
    return hf_storage_queue(graph->host->store, id, &options, &pipeline->wal, reterr);
}

static enum hf_status need_queued_processor(struct hf_node *node)
{
    return node->queued_processor != NULL ? HF_OK
                                          : hf_queued_processor_new(node, &node->queued_processor);
}

/* What comes behind the queued_processor is a pipeline of its own. */
static enum hf_status cut_pipeline(struct hf_graph *graph, const struct hf_config_pipeline *from,
                                   struct hf_node *node, struct hf_pipeline **pipeline,
                                   char *reterr)
{
    char *id = NULL;
    enum hf_status status = need_queued_processor(node);
    if (status == HF_OK) {
        status = hf_queued_processor_add(node->queued_processor, *pipeline, from);
    }
    (*pipeline)->behind[(*pipeline)->behind_count++] = node;
    if (status != HF_OK || asprintf(&id, "%s>%s", from->id, node->id) < 0) {
        return HF_NOMEM;
    }
    status = open_pipeline(graph, from, id, pipeline, reterr);
    (*pipeline)->own_id = id;
    return status == HF_OK ? add_route(node, *pipeline) : status;
}

/* `*pipeline` is the last one when there are several. */
static enum hf_status join_processors(struct hf_graph *graph, const struct hf_config_pipeline *from,
                                      struct hf_pipeline **pipeline, char *reterr)
{
    const struct hf_batching *batching = NULL;
    const char *batching_id = NULL;
    for (size_t i = 0; i < from->processor_count; i++) {
        /* Each pipeline has its own instance of a processor. */
        struct hf_node *node = node_new(graph, from->processors[i]);
        if (node == NULL) {
            return HF_NOMEM;
        }
        graph->processors[graph->processor_count++] = node;
        node->signals = HF_SIGNAL_BIT(from->signal);
        const struct hf_processor_ops *ops = node->component->processor;
        if (ops != NULL && ops->batching != NULL) {
            batching = ops->batching(node->config);
            batching_id = node->id;
        }
        if (ops != NULL && ops->process != NULL) {
            (*pipeline)->processors[(*pipeline)->processor_count++] = node;
        } else if (node->component->queued != NULL) {
            enum hf_status status = cut_pipeline(graph, from, node, pipeline, reterr);
            if (status != HF_OK) {
                return status;
            }
        }
    }
    (*pipeline)->batching = batching;
    (*pipeline)->batching_id = batching_id;
    return HF_OK;
}

static enum hf_status join_receivers(struct hf_graph *graph, struct hf_pipeline *pipeline,
                                     const struct hf_config_pipeline *from)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < from->receiver_count && status == HF_OK; i++) {
        const struct hf_config_component *range = from->receivers[i];
        struct hf_node *node =
            range->kind == HF_CONNECTOR
                ? need_node(graph, graph->connectors, &graph->connector_count, range)
                : need_node(graph, graph->receivers, &graph->receiver_count, range);
        status = node != NULL ? add_route(node, pipeline) : HF_NOMEM;
    }
    return status;
}

static enum hf_status join_connector(struct hf_graph *graph, struct hf_pipeline *pipeline,
                                     const struct hf_config_component *from)
{
    struct hf_node *node = need_node(graph, graph->connectors, &graph->connector_count, from);
    if (node == NULL) {
        return HF_NOMEM;
    }
    pipeline->behind[pipeline->behind_count++] = node;
    if (node->component->queued == NULL) {
        return HF_OK; /* it answers at once */
    }
    enum hf_status status = need_queued_processor(node);
    return status == HF_OK ? hf_queued_processor_add(node->queued_processor, pipeline, NULL)
                           : status;
}

static enum hf_status join_exporter(struct hf_graph *graph, struct hf_pipeline *pipeline,
                                    const struct hf_config_component *from)
{
    struct hf_node *exporter = need_node(graph, graph->exporters, &graph->exporter_count, from);
    enum hf_status status = HF_OK;
    if (exporter == NULL) {
        return HF_NOMEM;
    }
    exporter->signals |= HF_SIGNAL_BIT(pipeline->signal);
    pipeline->behind[pipeline->behind_count++] = exporter;
    if (exporter->delivery == NULL) {
        status = hf_delivery_new(exporter, &exporter->delivery);
    }
    if (status == HF_OK) {
        status = hf_delivery_add(exporter->delivery, pipeline);
    }
    if (status == HF_OK) {
        pipeline->enqueue_failed[pipeline->exporter_count++] =
            hf_delivery_enqueue_failed(exporter->delivery, pipeline->signal);
    }
    return status;
}

/* Does each of its parts take the data at once? */
static bool all_answer_at_once(const struct hf_pipeline *pipeline)
{
    for (size_t i = 0; i < pipeline->behind_count; i++) {
        const struct hf_component *component = pipeline->behind[i]->component;
        if (component->connector == NULL || component->connector->connect == NULL) {
            return false;
        }
    }
    return true;
}

static enum hf_status join_pipeline(struct hf_graph *graph, const struct hf_config_pipeline *from,
                                    char *reterr)
{
    struct hf_pipeline *first = NULL;
    enum hf_status status = open_pipeline(graph, from, from->id, &first, reterr);
    struct hf_pipeline *last = first;
    if (status == HF_OK) {
        status = join_processors(graph, from, &last, reterr);
    }
    if (status == HF_OK) {
        status = join_receivers(graph, first, from);
    }
    for (size_t i = 0; i < from->exporter_count && status == HF_OK; i++) {
        status = from->exporters[i]->kind == HF_CONNECTOR
                     ? join_connector(graph, last, from->exporters[i])
                     : join_exporter(graph, last, from->exporters[i]);
    }
    if (status == HF_OK) {
        last->skips_queue = all_answer_at_once(last);
    }
    return status;
}

/* The loader has checked that the pipeline exists. */
static void lead_dead_letters(struct hf_graph *graph, struct hf_node *exporter)
{
    const char *id = exporter->delivery_config != NULL
                         ? exporter->delivery_config->queue.dead_letter.pipeline
                         : NULL;
    for (size_t i = 0; id != NULL && i < graph->pipeline_count; i++) {
        if (strcmp(graph->pipelines[i].id, id) == 0) {
            hf_delivery_lead_dead_letters(exporter->delivery, &graph->pipelines[i], hf_submit_to);
        }
    }
}

static enum hf_status join(struct hf_graph *graph, char *reterr)
{
    size_t count = 0;
    const struct hf_config_pipeline *from = hf_config_pipelines(graph->config, &count);
    for (size_t i = 0; i < count; i++) {
        reterr[0] = '\0';
        enum hf_status status = join_pipeline(graph, &from[i], reterr);
        if (status != HF_OK) {
            if (reterr[0] == '\0') {
                snprintf(reterr, HF_ERROR_MAX, "out of memory while building pipeline %s",
                         from[i].id);
            }
            return status;
        }
    }
    for (size_t i = 0; i < graph->exporter_count; i++) {
        lead_dead_letters(graph, graph->exporters[i]);
    }
    return HF_OK;
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
        if (need_node(graph, graph->extensions, &graph->extension_count, from[i]) == NULL) {
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
            enum hf_status status = open_node(groups[g].nodes[i], reterr);
            if (status != HF_OK) {
                return status;
            }
        }
    }
    enum hf_status status = hf_graph_collect_keys(graph);
    for (size_t i = 0; i < graph->receiver_count && status == HF_OK; i++) {
        status = open_node(graph->receivers[i], reterr);
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
        status = join(graph, reterr);
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
    struct hf_node *node = node_new(graph, from);
    if (node == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    node->signals = signals;
    node->own_loop = loop;
    enum hf_status status = open_node(node, reterr);
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
                                                 .drop_oldest = pipeline->limits.drop_oldest};
        hf_storage_limit_queue(graph->host->store, pipeline->id, &options);
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
    return find_node(graph->exporters, graph->exporter_count, id) != NULL;
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
