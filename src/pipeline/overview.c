/*
 * overview: what extensions see of the graph (holdfast/overview.h).
 */
#include <holdfast/overview.h>

#include <string.h>

#include "config/telemetry.h"
#include "delivery/delivery.h"
#include "graph_internal.h"
#include "util/time/clock.h"

const char *hf_state_name(enum hf_state state)
{
    static const char *const names[HF_STATE_COUNT] = {
        "StatusNone",           "StatusStarting",   "StatusOK",       "StatusRecoverableError",
        "StatusPermanentError", "StatusFatalError", "StatusStopping", "StatusStopped"};
    return names[state];
}

/* Why nothing that is received can be stored; `state` STATE_OK: it can. */
static struct hf_state_look look_at_intake(struct hf_graph *graph)
{
    struct hf_state_look look = {.state = HF_STATE_OK};
    char why[HF_ERROR_MAX];
    if (!hf_graph_is_running(graph) || hf_graph_is_durable(graph, why)) {
        atomic_store(&graph->refusing_since_unix_ns, 0);
        return look;
    }
    uint64_t since_ns = 0;
    uint64_t now_ns = hf_clock_unix_ns();
    if (atomic_compare_exchange_strong(&graph->refusing_since_unix_ns, &since_ns, now_ns)) {
        since_ns = now_ns;
    }
    look.state = HF_STATE_RECOVERABLE_ERROR;
    look.since_unix_ns = since_ns;
    size_t size = strnlen(why, sizeof(look.error) - 1);
    memcpy(look.error, why, size);
    return look;
}

struct viewing {
    void (*visit)(void *user, const struct hf_component_view *view);
    void *user;
    struct hf_state_look intake;
    struct hf_component_view view; /* the pipeline's part of it is set */
};

static void show(struct viewing *viewing, const struct hf_node *node)
{
    struct hf_component_view *view = &viewing->view;
    view->component = node->component;
    view->id = node->id;
    view->look = (struct hf_state_look){
        .state = (enum hf_state)atomic_load(&node->state),
        .since_unix_ns = atomic_load(&node->state_since_unix_ns),
    };
    if (view->look.state == HF_STATE_OK && node->delivery != NULL) {
        bool failing = hf_delivery_fault(node->delivery, &view->look);
        (void)failing; /* the look tells */
    } else if (view->look.state == HF_STATE_OK && node->component->kind == HF_RECEIVER &&
               viewing->intake.state != HF_STATE_OK) {
        view->look = viewing->intake;
    }
    viewing->visit(viewing->user, view);
}

static void show_named(struct viewing *viewing, struct hf_node *const *nodes, size_t count,
                       const char *id)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(nodes[i]->id, id) == 0) {
            show(viewing, nodes[i]);
            return;
        }
    }
}

/* One that receives or exports; connectors do both. */
static void show_end(struct viewing *viewing, const struct hf_graph *graph,
                     const struct hf_config_component *from)
{
    if (from->kind == HF_CONNECTOR) {
        show_named(viewing, graph->connectors, graph->connector_count, from->id);
    } else if (from->kind == HF_RECEIVER) {
        show_named(viewing, graph->receivers, graph->receiver_count, from->id);
    } else {
        show_named(viewing, graph->exporters, graph->exporter_count, from->id);
    }
}

/* `*processor`: the graph's next processor; each pipeline has instances of its own. */
static void show_pipeline(struct viewing *viewing, const struct hf_graph *graph,
                          const struct hf_config_pipeline *from, size_t *processor)
{
    viewing->view.pipeline_id = from->id;
    viewing->view.signal = from->signal;
    viewing->view.place = HF_RECEIVER;
    for (size_t i = 0; i < from->receiver_count; i++) {
        show_end(viewing, graph, from->receivers[i]);
    }
    viewing->view.place = HF_PROCESSOR;
    for (size_t i = 0; i < from->processor_count && *processor < graph->processor_count; i++) {
        show(viewing, graph->processors[(*processor)++]);
    }
    viewing->view.place = HF_EXPORTER;
    for (size_t i = 0; i < from->exporter_count; i++) {
        show_end(viewing, graph, from->exporters[i]);
    }
}

void hf_node_view_components(const struct hf_node *node,
                             void (*visit)(void *user, const struct hf_component_view *view),
                             void *user)
{
    struct hf_graph *graph = node->graph;
    struct viewing viewing = {.visit = visit, .user = user, .intake = look_at_intake(graph)};
    viewing.view.place = HF_EXTENSION;
    for (size_t i = 0; i < graph->extension_count; i++) {
        show(&viewing, graph->extensions[i]);
    }
    size_t count = 0;
    size_t processor = 0;
    const struct hf_config_pipeline *pipelines = hf_config_pipelines(graph->config, &count);
    for (size_t i = 0; i < count && graph->pipeline_count != 0; i++) {
        show_pipeline(&viewing, graph, &pipelines[i], &processor);
    }
}

void hf_node_view_types(const struct hf_node *node,
                        void (*visit)(void *user, const struct hf_component *component), void *user)
{
    const struct hf_component *const *components = node->graph->host->components;
    for (size_t i = 0; components != NULL && components[i] != NULL; i++) {
        visit(user, components[i]);
    }
}

static bool is_in(const struct hf_string_map *map, const char *key)
{
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->items[i].key, key) == 0) {
            return true;
        }
    }
    return false;
}

void hf_node_view_resource(const struct hf_node *node,
                           void (*visit)(void *user, const char *key, const char *value),
                           void *user)
{
    const struct hf_string_map *resource = &hf_config_telemetry(node->graph->config)->resource;
    const struct hf_string_pair own[] = {{"service.instance.id", node->graph->host->instance},
                                         {"service.name", "holdfast"},
                                         {"service.version", HF_VERSION}};
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (!is_in(resource, own[i].key) && own[i].value[0] != '\0') {
            visit(user, own[i].key, own[i].value);
        }
    }
    for (size_t i = 0; i < resource->count; i++) {
        if (resource->items[i].value != NULL) {
            visit(user, resource->items[i].key, resource->items[i].value);
        }
    }
}

const char *hf_graph_find_fault(const struct hf_graph *graph, struct hf_state_look *ret_look)
{
    const char *found = NULL;
    for (size_t i = 0; i < graph->exporter_count; i++) {
        struct hf_state_look look = {.since_unix_ns = 0};
        const struct hf_node *node = graph->exporters[i];
        if (node->delivery != NULL && hf_delivery_fault(node->delivery, &look) &&
            (found == NULL || look.since_unix_ns < ret_look->since_unix_ns)) {
            *ret_look = look;
            found = node->id;
        }
    }
    return found;
}

char *hf_node_print_config(const struct hf_node *node, bool json)
{
    return hf_config_print(node->graph->config, false, json);
}
