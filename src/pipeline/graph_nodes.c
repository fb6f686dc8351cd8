/*
 * graph_nodes: the nodes of a graph are made, each component once for each of its kind; processors
 * once for each pipeline.
 */
#include <stdlib.h>
#include <string.h>

#include "graph_internal.h"

struct hf_node *hf_graph_node_new(struct hf_graph *graph, const struct hf_config_component *from)
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

struct hf_node *hf_graph_find_node(struct hf_node **nodes, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(nodes[i]->id, id) == 0) {
            return nodes[i];
        }
    }
    return NULL;
}

struct hf_node *hf_graph_need_node(struct hf_graph *graph, struct hf_node **nodes, size_t *count,
                                   const struct hf_config_component *from)
{
    struct hf_node *node = hf_graph_find_node(nodes, *count, from->id);
    if (node == NULL) {
        node = hf_graph_node_new(graph, from);
        if (node != NULL) {
            nodes[(*count)++] = node;
        }
    }
    return node;
}
