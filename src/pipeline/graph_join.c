/*
 * graph_join: the pipelines of a graph, joined to its components: a queue for each, cut where a
 * processor has a queue of its own, and led on by connectors.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "delivery/delivery.h"
#include "graph_internal.h"
#include "ingest.h"
#include "queued_processor.h"
#include "shards.h"
#include "storage/storage.h"
#include "util/delivery_config.h"
#include "util/metrics/metrics.h"
#include <holdfast/batching.h>

/* What the exporters of a pipeline ask of its queue: the largest limit, the strongest wish. */
static struct hf_queue_options queue_options(const struct hf_config_pipeline *from, bool *ret_zstd)
{
    struct hf_queue_options options = {.parts = from->shard_count};
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
    pipeline->queue_count = from->shard_count;
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
        struct hf_node *node = hf_graph_node_new(graph, from->processors[i]);
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
                ? hf_graph_need_node(graph, graph->connectors, &graph->connector_count, range)
                : hf_graph_need_node(graph, graph->receivers, &graph->receiver_count, range);
        status = node != NULL ? add_route(node, pipeline) : HF_NOMEM;
    }
    return status;
}

static enum hf_status join_connector(struct hf_graph *graph, struct hf_pipeline *pipeline,
                                     const struct hf_config_component *from)
{
    struct hf_node *node =
        hf_graph_need_node(graph, graph->connectors, &graph->connector_count, from);
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
    struct hf_node *exporter =
        hf_graph_need_node(graph, graph->exporters, &graph->exporter_count, from);
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

/* ---- further queues ---- */

/* What reads the pipeline's first queue reads this one too. */
static enum hf_status join_readers(struct hf_graph *graph, const struct hf_config_pipeline *from,
                                   const struct hf_pipeline *first, struct hf_pipeline *shard)
{
    enum hf_status status = HF_OK;
    struct hf_node *behind = first->behind_count == 1 ? first->behind[0] : NULL;
    if (behind != NULL && behind->component->kind == HF_PROCESSOR) {
        shard->behind[shard->behind_count++] = behind;
        return hf_queued_processor_add(behind->queued_processor, shard, from);
    }
    for (size_t i = 0; i < from->exporter_count && status == HF_OK; i++) {
        status = from->exporters[i]->kind == HF_CONNECTOR
                     ? join_connector(graph, shard, from->exporters[i])
                     : join_exporter(graph, shard, from->exporters[i]);
    }
    return status;
}

static enum hf_status join_further(struct hf_graph *graph, const struct hf_config_pipeline *from,
                                   struct hf_pipeline *first, unsigned number, char *reterr)
{
    char id[HF_SHARD_ID_BYTES_MAX];
    if (!hf_shard_id(from->id, number, id, sizeof(id))) {
        return HF_OK; /* longer than a name of a queue can be: it cannot be there */
    }
    bool is_retired = number >= from->shard_count;
    if (is_retired && (!hf_storage_has_queue(graph->host->store, id) ||
                       hf_storage_remove_drained(graph->host->store, id))) {
        return HF_OK;
    }
    char *own_id = strdup(id);
    struct hf_pipeline *shard = NULL;
    enum hf_status status =
        own_id != NULL ? open_pipeline(graph, from, own_id, &shard, reterr) : HF_NOMEM;
    if (shard == NULL) {
        free(own_id);
        return status;
    }
    shard->own_id = own_id;
    shard->lead = first;
    shard->is_retired = is_retired;
    shard->batching = first->batching;
    shard->batching_id = first->batching_id;
    if (status == HF_OK && !first->skips_queue) {
        status = join_readers(graph, from, first, shard);
    }
    if (status == HF_OK && !is_retired) {
        first->shards->queues[first->shards->count++] = shard;
    }
    return status;
}

/* The other queues of a pipeline, and those that it had and that still hold data. */
static enum hf_status join_shards(struct hf_graph *graph, const struct hf_config_pipeline *from,
                                  struct hf_pipeline *first, char *reterr)
{
    enum hf_status status = HF_OK;
    if (from->shard_count > 1) {
        first->shards = hf_shards_new(first, from->shard_by);
        status = first->shards != NULL ? HF_OK : HF_NOMEM;
    }
    for (unsigned number = 1; number < HF_SHARDS_MAX && status == HF_OK; number++) {
        status = join_further(graph, from, first, number, reterr);
    }
    return status;
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
        status = join_shards(graph, from, first, reterr);
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

enum hf_status hf_graph_join(struct hf_graph *graph, char *reterr)
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
