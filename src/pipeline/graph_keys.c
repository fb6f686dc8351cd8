/*
 * graph_keys: the metadata that receivers must keep, because a component downstream reads it.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <holdfast/batching.h>

#include "graph_internal.h"
#include "util/delivery_config.h"

static enum hf_status add_key(struct hf_graph *graph, const char *key)
{
    if (strcmp(key, "client.address") == 0) {
        graph->wants_peer = true;
        return HF_OK;
    }
    /* It may as well be the name of a header, which does no harm. */
    graph->wants_auth = graph->wants_auth || strncmp(key, "auth.", strlen("auth.")) == 0;
    for (size_t i = 0; i < graph->key_count; i++) {
        if (strcasecmp(graph->keys[i], key) == 0) {
            return HF_OK;
        }
    }
    const char **keys = realloc(graph->keys, (graph->key_count + 1) * sizeof(*keys));
    if (keys == NULL) {
        return HF_NOMEM;
    }
    graph->keys = keys;
    graph->keys[graph->key_count++] = key;
    return HF_OK;
}

static enum hf_status add_list(struct hf_graph *graph, struct hf_string_list list)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < list.count && status == HF_OK; i++) {
        status = add_key(graph, list.items[i]);
    }
    return status;
}

/* What its ops say of the metadata that it reads; NULL: nothing. */
static const char *const *(*context_keys_of(const struct hf_component *component))(void *, size_t *)
{
    if (component->processor != NULL) {
        return component->processor->context_keys;
    }
    if (component->queued != NULL) {
        return component->queued->context_keys;
    }
    if (component->connector != NULL) {
        return component->connector->context_keys;
    }
    return component->exporter != NULL ? component->exporter->context_keys : NULL;
}

static enum hf_status add_context_keys(struct hf_graph *graph, const struct hf_node *node)
{
    const char *const *(*ask)(void *self, size_t *ret_count) = context_keys_of(node->component);
    if (ask == NULL) {
        return HF_OK;
    }
    size_t count = 0;
    const char *const *keys = ask(node->self, &count);
    return add_list(graph, (struct hf_string_list){keys, count});
}

enum hf_status hf_graph_collect_keys(struct hf_graph *graph)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < graph->processor_count && status == HF_OK; i++) {
        status = add_context_keys(graph, graph->processors[i]);
    }
    for (size_t i = 0; i < graph->connector_count && status == HF_OK; i++) {
        status = add_context_keys(graph, graph->connectors[i]);
    }
    for (size_t i = 0; i < graph->pipeline_count && status == HF_OK; i++) {
        if (graph->pipelines[i].batching != NULL) {
            status = add_list(graph, graph->pipelines[i].batching->metadata_keys);
        }
    }
    for (size_t i = 0; i < graph->exporter_count && status == HF_OK; i++) {
        const struct hf_node *node = graph->exporters[i];
        const struct hf_delivery_config *sending = node->delivery_config;
        status = add_context_keys(graph, node);
        if (status == HF_OK && sending != NULL && sending->queue.batch != NULL) {
            status = add_list(graph, sending->queue.batch->partition.metadata_keys);
        }
    }
    return status;
}
