/*
 * graph_nodes: the nodes of a graph are made, each component once for each of its kind; processors
 * once for each pipeline; and the life of one node.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/overview.h>

#include "graph_internal.h"
#include "processed_items.h"
#include "util/time/clock.h"

static pthread_mutex_t life = PTHREAD_MUTEX_INITIALIZER; /* of what is opened or started */

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

/* ---- the life of one ---- */

enum hf_status hf_graph_open_node(struct hf_node *node, char *reterr)
{
    char why[HF_ERROR_MAX] = "";
    enum hf_status status = hf_processed_items_open(node);
    if (status == HF_OK && node->component->open != NULL) {
        pthread_mutex_lock(&life);
        status = node->component->open(node, node->config, &node->self, why);
        pthread_mutex_unlock(&life);
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

static void enter(struct hf_node *node, enum hf_state state)
{
    atomic_store(&node->state_since_unix_ns, hf_clock_unix_ns());
    atomic_store(&node->state, (int)state);
}

enum hf_status hf_graph_start_node(struct hf_node *node, char *reterr)
{
    char why[HF_ERROR_MAX] = "";
    enter(node, HF_STATE_STARTING);
    if (node->component->start != NULL) {
        pthread_mutex_lock(&life);
        enum hf_status status = node->component->start(node->self, why);
        pthread_mutex_unlock(&life);
        if (status != HF_OK) {
            snprintf(reterr, HF_ERROR_MAX, "%s: %.480s", node->id,
                     why[0] != '\0' ? why : hf_status_row(status)->says);
            return status;
        }
    }
    node->started = true;
    enter(node, HF_STATE_OK);
    return HF_OK;
}

void hf_graph_stop_node(struct hf_node *node)
{
    if (!node->started) {
        return;
    }
    enter(node, HF_STATE_STOPPING);
    if (node->component->stop != NULL) {
        node->component->stop(node->self);
    }
    node->started = false;
    enter(node, HF_STATE_STOPPED);
}
