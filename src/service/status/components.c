/*
 * components: the section of `status` about the components in use.
 */
#include <string.h>

#include "counters.h"
#include "node/node.h"
#include "sections.h"
#include "words.h"

#define LABEL_MAX 512

struct writing {
    struct hf_json_out *json;
    const struct hf_graph *graph;
    struct hf_status_counters counters;
};

/* Of the counters that receivers and exporters of every type have. */
static const struct {
    const char *key, *prefix;
} flows[] = {{"accepted", "otelcol_receiver_accepted_"},
             {"refused", "otelcol_receiver_refused_"},
             {"sent", "otelcol_exporter_sent_"},
             {"send_failed", "otelcol_exporter_send_failed_"},
             {"enqueue_failed", "otelcol_exporter_enqueue_failed_"}};

static bool is_flow(const struct hf_status_counter *counter, const char *prefix,
                    enum hf_signal signal)
{
    size_t size = strlen(prefix);
    return strncmp(counter->name, prefix, size) == 0 &&
           strcmp(counter->name + size, hf_signal_items_name(signal)) == 0;
}

/* {"traces":1,...}: items, of all transports. */
static void write_flow(const struct writing *writing, size_t flow,
                       const struct hf_status_counter *counters, size_t count)
{
    struct hf_json_out *json = writing->json;
    bool is_open = false;
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        double sum = 0;
        bool is_there = false;
        for (size_t i = 0; i < count; i++) {
            if (is_flow(&counters[i], flows[flow].prefix, (enum hf_signal)signal)) {
                sum += counters[i].value;
                is_there = true;
            }
        }
        if (is_there && !is_open) {
            hf_json_out_map(json, flows[flow].key);
            is_open = true;
        }
        if (is_there) {
            hf_json_out_double(json, hf_signal_name((enum hf_signal)signal), sum);
        }
    }
    if (is_open) {
        hf_json_out_end_map(json);
    }
}

static void write_counter(const struct writing *writing, const struct hf_status_counter *counter)
{
    struct hf_json_out *json = writing->json;
    char name[LABEL_MAX], value[LABEL_MAX];
    hf_json_out_map(json, NULL);
    hf_json_out_text(json, "name", counter->name);
    hf_json_out_map(json, "labels");
    for (const char *at = counter->labels;
         (at = hf_status_label(at, name, value, sizeof(name))) != NULL;) {
        if (strcmp(name, hf_status_kind(counter->kind)) != 0) {
            hf_json_out_text(json, name, value);
        }
    }
    hf_json_out_end_map(json);
    hf_json_out_double(json, "value", counter->value);
    hf_json_out_end_map(json);
}

static void write_counters(const struct writing *writing, const struct hf_config_component *from)
{
    size_t count = 0;
    const struct hf_status_counter *counters =
        hf_status_counters_of(&writing->counters, from->kind, from->id, &count);
    hf_json_out_map(writing->json, "flow");
    for (size_t flow = 0; flow < sizeof(flows) / sizeof(flows[0]); flow++) {
        write_flow(writing, flow, counters, count);
    }
    hf_json_out_end_map(writing->json);
    hf_json_out_list(writing->json, "counters");
    for (size_t i = 0; i < count; i++) {
        write_counter(writing, &counters[i]);
    }
    hf_json_out_end_list(writing->json);
}

/* A processor has a node for each pipeline that it is in. */
static bool is_of(const struct hf_node *node, const struct hf_config_component *from)
{
    return node->component->kind == from->kind && strcmp(node->id, from->id) == 0;
}

static bool has(struct hf_node *const *nodes, size_t count, const struct hf_config_component *from)
{
    for (size_t i = 0; i < count; i++) {
        if (is_of(nodes[i], from)) {
            return true;
        }
    }
    return false;
}

static bool is_batching(const struct hf_pipeline *pipeline, const struct hf_config_component *from)
{
    return from->kind == HF_PROCESSOR && pipeline->batching_id != NULL &&
           strcmp(pipeline->batching_id, from->id) == 0;
}

struct feeding {
    const struct hf_config_component *from;
    const struct hf_pipeline *pipeline; /* NULL: is it in use at all? */
    bool is_found;
};

static void look_for_feeder(void *user, const struct hf_node *node)
{
    struct feeding *feeding = user;
    if (!is_of(node, feeding->from)) {
        return;
    }
    if (feeding->pipeline == NULL) {
        feeding->is_found = true;
        return;
    }
    enum hf_signal signal = feeding->pipeline->signal;
    for (size_t i = 0; i < node->route_count[signal]; i++) {
        feeding->is_found = feeding->is_found || node->routes[signal][i] == feeding->pipeline;
    }
}

static bool is_fed(const struct writing *writing, const struct hf_config_component *from,
                   const struct hf_pipeline *pipeline)
{
    struct feeding feeding = {.from = from, .pipeline = pipeline};
    hf_graph_each_node(writing->graph, look_for_feeder, &feeding);
    return feeding.is_found;
}

static void write_pipelines(const struct writing *writing, const struct hf_config_component *from)
{
    size_t count = 0;
    const struct hf_pipeline *pipelines = hf_graph_pipelines(writing->graph, &count);
    hf_json_out_list(writing->json, "pipelines");
    for (size_t i = 0; i < count; i++) {
        const struct hf_pipeline *pipeline = &pipelines[i];
        if (pipeline->lead != NULL) {
            continue; /* one more queue of another */
        }
        if (has(pipeline->processors, pipeline->processor_count, from) ||
            has(pipeline->behind, pipeline->behind_count, from) || is_batching(pipeline, from) ||
            is_fed(writing, from, pipeline)) {
            hf_json_out_text(writing->json, NULL, pipeline->id);
        }
    }
    hf_json_out_end_list(writing->json);
}

static void write_component(const struct writing *writing, const struct hf_config_component *from)
{
    struct hf_json_out *json = writing->json;
    hf_json_out_map(json, NULL);
    hf_json_out_text(json, "kind", hf_status_kind(from->kind));
    hf_json_out_text(json, "id", from->id);
    hf_json_out_text(json, "type", from->component->type);
    hf_json_out_text(json, "help", from->component->help);
    hf_json_out_text(json, "file", from->file);
    hf_json_out_number(json, "line", from->line);
    write_pipelines(writing, from);
    write_counters(writing, from);
    hf_json_out_end_map(json);
}

static void write_all(struct writing *writing)
{
    size_t count = 0;
    const struct hf_config_component *all =
        hf_config_components(hf_graph_config(writing->graph), &count);
    for (size_t i = 0; i < count; i++) {
        if (all[i].component != NULL && is_fed(writing, &all[i], NULL)) {
            write_component(writing, &all[i]);
        }
    }
}

void hf_status_components(const struct hf_status_source *source, struct hf_json_out *json)
{
    struct writing writing = {.json = json, .graph = source->graph};
    hf_json_out_list(json, "components");
    if (source->graph != NULL) {
        hf_status_counters_take(source->host->metrics, &writing.counters);
        write_all(&writing);
        hf_status_counters_release(&writing.counters);
    }
    hf_json_out_end_list(json);
}
