/*
 * draw: the pipelines of a configuration as a picture's text, for Mermaid or Graphviz.
 */
#include <stdio.h>
#include <string.h>

#include "check.h"

#define NODE_BYTES 64

enum shape { RECEIVER = 0, PROCESSOR, QUEUE, CONNECTOR, EXPORTER };

struct node {
    char name[NODE_BYTES];
};

struct drawing {
    const struct hf_config *config;
    enum hf_config_drawing kind;
    FILE *out;
    const char *indent; /* of a line */
};

/* ---- the two languages ---- */

/* What has a meaning of its own within a text in quotes is written as an entity. */
static void put_mermaid_text(const char *text, FILE *out)
{
    for (; *text != '\0'; text++) {
        if (strchr("\"#<>&`\\", *text) != NULL) {
            fprintf(out, "#%d;", *text);
        } else {
            fputc(*text, out);
        }
    }
}

static void put_dot_text(const char *text, FILE *out)
{
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            fputc('\\', out);
        }
        fputc(*text, out);
    }
}

static void put_text(const struct drawing *drawing, const char *text)
{
    fputc('"', drawing->out);
    if (drawing->kind == HF_DRAWING_DOT) {
        put_dot_text(text, drawing->out);
    } else {
        put_mermaid_text(text, drawing->out);
    }
    fputc('"', drawing->out);
}

static void put_node(const struct drawing *drawing, const struct node *node, enum shape shape,
                     const char *label)
{
    static const char *const dot_shapes[] = {"cds", "box", "cylinder", "hexagon", "rarrow"};
    static const char *const opening[] = {"([", "[", "[(", "{{", "[/"};
    static const char *const closing[] = {"])", "]", ")]", "}}", "/]"};
    bool dot = drawing->kind == HF_DRAWING_DOT;

    fprintf(drawing->out, "%s%s%s", drawing->indent, node->name, dot ? " [label=" : opening[shape]);
    put_text(drawing, label);
    if (dot) {
        fprintf(drawing->out, ", shape=%s];\n", dot_shapes[shape]);
    } else {
        fprintf(drawing->out, "%s\n", closing[shape]);
    }
}

static void put_edge(const struct drawing *drawing, const struct node *from, const struct node *to)
{
    bool dot = drawing->kind == HF_DRAWING_DOT;
    fprintf(drawing->out, "%s%s %s %s%s\n", drawing->indent, from->name, dot ? "->" : "-->",
            to->name, dot ? ";" : "");
}

static void begin_group(struct drawing *drawing, size_t index, const char *title)
{
    bool dot = drawing->kind == HF_DRAWING_DOT;
    fprintf(drawing->out, dot ? "  subgraph cluster_%zu {\n    label=" : "  subgraph pipeline_%zu[",
            index);
    put_text(drawing, title);
    fputs(dot ? ";\n" : "]\n", drawing->out);
    drawing->indent = "    ";
}

static void end_group(struct drawing *drawing)
{
    drawing->indent = "  ";
    fputs(drawing->kind == HF_DRAWING_DOT ? "  }\n" : "  end\n", drawing->out);
}

/* ---- what is drawn ---- */

/* A receiver, connector or exporter is one node, whatever pipelines share it. */
static struct node node_of(const struct drawing *drawing, const struct hf_config_component *part)
{
    static const char *const words[HF_KIND_COUNT] = {
        [HF_RECEIVER] = "receiver",
        [HF_EXPORTER] = "exporter",
        [HF_CONNECTOR] = "connector",
    };
    struct node node;
    size_t count = 0;
    const struct hf_config_component *all = hf_config_components(drawing->config, &count);

    snprintf(node.name, sizeof(node.name), "%s_%zu", words[part->kind], (size_t)(part - all));
    return node;
}

static bool is_queued(const struct hf_config_component *part)
{
    return part->component != NULL && part->component->queued != NULL;
}

/* Does all behind the last processor take the data at once? Then there is no queue. */
static bool skips_queue(const struct hf_config_pipeline *pipeline)
{
    for (size_t i = 0; i < pipeline->exporter_count; i++) {
        const struct hf_component *component = pipeline->exporters[i]->component;
        if (component == NULL || component->connector == NULL ||
            component->connector->connect == NULL) {
            return false;
        }
    }
    return true;
}

/* The nodes of a pipeline's own, one behind the other. */
struct chain {
    struct drawing *drawing;
    struct node first, last;
    size_t count, index; /* the second is the pipeline's */
};

static void add_link(struct chain *chain, enum shape shape, const char *label)
{
    struct node node;
    snprintf(node.name, sizeof(node.name), "pipeline_%zu_%zu", chain->index, chain->count);
    put_node(chain->drawing, &node, shape, label);
    if (chain->count++ == 0) {
        chain->first = node;
    } else {
        put_edge(chain->drawing, &chain->last, &node);
    }
    chain->last = node;
}

/* The queue behind a processor is called as in `holdfast queue`: "traces>tail_sampling". Several
 * are one node. */
static void add_queue(struct chain *chain, const struct hf_config_pipeline *pipeline,
                      const char *processor)
{
    char label[2 * 1024 + 256]; /* ids are shorter */
    char shards[64] = "";
    if (pipeline->shard_count > 1) {
        snprintf(shards, sizeof(shards), ": %u shards, %s", pipeline->shard_count,
                 hf_shard_by_name(pipeline->shard_by));
    }
    snprintf(label, sizeof(label), "queue %s%s%s%s", pipeline->id, processor != NULL ? ">" : "",
             processor != NULL ? processor : "", shards);
    add_link(chain, QUEUE, label);
}

static void draw_chain(struct chain *chain, const struct hf_config_pipeline *pipeline)
{
    const char *behind = NULL; /* the queued processor before */
    if (pipeline->processor_count == 0 && skips_queue(pipeline)) {
        return;
    }
    begin_group(chain->drawing, chain->index, pipeline->id);
    for (size_t i = 0; i < pipeline->processor_count; i++) {
        const struct hf_config_component *processor = pipeline->processors[i];
        if (is_queued(processor)) { /* it reads from a queue */
            add_queue(chain, pipeline, behind);
            behind = processor->id;
        }
        add_link(chain, PROCESSOR, processor->id);
    }
    if (!skips_queue(pipeline)) {
        add_queue(chain, pipeline, behind);
    }
    end_group(chain->drawing);
}

static void draw_pipeline(struct drawing *drawing, const struct hf_config_pipeline *pipeline,
                          size_t index)
{
    struct chain chain = {.drawing = drawing, .index = index};
    draw_chain(&chain, pipeline);
    for (size_t i = 0; i < pipeline->receiver_count; i++) {
        struct node receiver = node_of(drawing, pipeline->receivers[i]);
        if (chain.count > 0) {
            put_edge(drawing, &receiver, &chain.first);
        }
        for (size_t j = 0; chain.count == 0 && j < pipeline->exporter_count; j++) {
            struct node exporter = node_of(drawing, pipeline->exporters[j]);
            put_edge(drawing, &receiver, &exporter);
        }
    }
    for (size_t i = 0; chain.count > 0 && i < pipeline->exporter_count; i++) {
        struct node exporter = node_of(drawing, pipeline->exporters[i]);
        put_edge(drawing, &chain.last, &exporter);
    }
}

static bool is_in(const struct hf_config_component *part,
                  const struct hf_config_component *const *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (parts[i] == part) {
            return true;
        }
    }
    return false;
}

static void draw_shared(const struct drawing *drawing, const struct hf_config_component *part)
{
    static const enum shape shapes[HF_KIND_COUNT] = {
        [HF_RECEIVER] = RECEIVER, [HF_EXPORTER] = EXPORTER, [HF_CONNECTOR] = CONNECTOR};
    size_t count = 0;
    const struct hf_config_pipeline *pipelines = hf_config_pipelines(drawing->config, &count);
    for (size_t i = 0; i < count; i++) {
        const struct hf_config_pipeline *at = &pipelines[i];
        if (is_in(part, at->receivers, at->receiver_count) ||
            is_in(part, at->exporters, at->exporter_count)) {
            struct node node = node_of(drawing, part);
            put_node(drawing, &node, shapes[part->kind], part->id);
            return;
        }
    }
}

/* An exporter leads to the pipeline for its dead letters. */
static void draw_dead_letters(const struct drawing *drawing,
                              const struct hf_config_pipeline *pipelines, size_t count)
{
    size_t part_count = 0;
    const struct hf_config_component *parts = hf_config_components(drawing->config, &part_count);
    for (size_t i = 0; i < part_count; i++) {
        for (size_t j = 0; j < count; j++) {
            bool is_first_link = pipelines[j].processor_count != 0 || !skips_queue(&pipelines[j]);
            if (!drawing->config->uses[i].used || !hf_dead_letters_lead(&parts[i], &pipelines[j]) ||
                !is_first_link) {
                continue;
            }
            struct node from = node_of(drawing, &parts[i]);
            struct node to;
            snprintf(to.name, sizeof(to.name), "pipeline_%zu_0", j);
            put_edge(drawing, &from, &to);
        }
    }
}

void hf_config_draw(const struct hf_config *config, enum hf_config_drawing kind, FILE *out)
{
    struct drawing drawing = {config, kind, out, "  "};
    size_t count = 0;
    fputs(kind == HF_DRAWING_DOT ? "digraph holdfast {\n  rankdir=LR;\n" : "flowchart LR\n", out);
    const struct hf_config_component *parts = hf_config_components(config, &count);
    for (size_t i = 0; i < count; i++) {
        draw_shared(&drawing, &parts[i]);
    }
    const struct hf_config_pipeline *pipelines = hf_config_pipelines(config, &count);
    for (size_t i = 0; i < count; i++) {
        draw_pipeline(&drawing, &pipelines[i], i);
    }
    draw_dead_letters(&drawing, pipelines, count);
    fputs(kind == HF_DRAWING_DOT ? "}\n" : "", out);
}
