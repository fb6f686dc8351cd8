/*
 * pipelines: the section of `status` about what leads where.
 */
#include <string.h>

#include "node/node.h"
#include "sections.h"
#include "words.h"

static void write_node(struct hf_json_out *json, const struct hf_node *node)
{
    hf_json_out_map(json, NULL);
    hf_json_out_text(json, "kind", hf_status_kind(node->component->kind));
    hf_json_out_text(json, "id", node->id);
    hf_json_out_end_map(json);
}

static void write_nodes(struct hf_json_out *json, struct hf_node *const *nodes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        write_node(json, nodes[i]);
    }
}

/* The one that only says how exporters batch touches no data: it comes last. */
static void write_processors(struct hf_json_out *json, const struct hf_pipeline *pipeline)
{
    hf_json_out_list(json, "processors");
    write_nodes(json, pipeline->processors, pipeline->processor_count);
    if (pipeline->batching_id != NULL) {
        hf_json_out_map(json, NULL);
        hf_json_out_text(json, "kind", hf_status_kind(HF_PROCESSOR));
        hf_json_out_text(json, "id", pipeline->batching_id);
        hf_json_out_end_map(json);
    }
    hf_json_out_end_list(json);
}

struct feeding {
    struct hf_json_out *json;
    const struct hf_pipeline *pipeline;
};

/* A receiver, a connector, or the queued processor in front. */
static void write_if_feeding(void *user, const struct hf_node *node)
{
    const struct feeding *feeding = user;
    enum hf_signal signal = feeding->pipeline->signal;
    for (size_t i = 0; i < node->route_count[signal]; i++) {
        if (node->routes[signal][i] == feeding->pipeline) {
            write_node(feeding->json, node);
            return;
        }
    }
}

static void write_pipeline(const struct hf_graph *graph, struct hf_json_out *json,
                           const struct hf_pipeline *pipeline)
{
    const struct hf_pipeline *lead = pipeline->lead != NULL ? pipeline->lead : pipeline;
    struct feeding feeding = {json, lead};
    hf_json_out_map(json, NULL);
    hf_json_out_text(json, "id", pipeline->id);
    hf_json_out_text(json, "signal", hf_signal_name(pipeline->signal));
    hf_json_out_text(json, "shard_of", pipeline->lead != NULL ? lead->id : NULL);
    hf_json_out_list(json, "from");
    if (!pipeline->is_retired) {
        hf_graph_each_node(graph, write_if_feeding, &feeding);
    }
    hf_json_out_end_list(json);
    write_processors(json, lead);
    hf_json_out_text(json, "queue", pipeline->skips_queue ? NULL : pipeline->id);
    hf_json_out_list(json, "behind");
    write_nodes(json, pipeline->behind, pipeline->behind_count);
    hf_json_out_end_list(json);
    hf_json_out_end_map(json);
}

void hf_status_pipelines(const struct hf_status_source *source, struct hf_json_out *json)
{
    size_t count = 0;
    const struct hf_pipeline *pipelines =
        source->graph != NULL ? hf_graph_pipelines(source->graph, &count) : NULL;
    hf_json_out_list(json, "pipelines");
    for (size_t i = 0; i < count; i++) {
        write_pipeline(source->graph, json, &pipelines[i]);
    }
    hf_json_out_end_list(json);
}
