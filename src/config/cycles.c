/*
 * cycles: refuses pipelines that feed each other in a ring through connectors or dead letters: a
 * batch would go round in it for ever.
 */
#include "check.h"

enum visit { UNSEEN = 0, OPEN, DONE };

struct walk {
    struct hf_build *build;
    enum visit *visits;
    size_t *route; /* the pipelines between the start and where the walk is */
    size_t length;
    bool found;
};

/* Does a connector make the one signal of the other? One that is not built in may. */
static bool leads(const struct hf_component *connector, enum hf_signal from, enum hf_signal to)
{
    return connector == NULL || connector->connector == NULL ||
           (connector->connector->makes[from] & HF_SIGNAL_BIT(to)) != 0;
}

/* The connector, or the exporter by its dead letters, that leads from one pipeline to the other;
 * NULL: none. */
static const struct hf_config_component *link_of(const struct hf_config_pipeline *from,
                                                 const struct hf_config_pipeline *to)
{
    for (size_t i = 0; i < from->exporter_count; i++) {
        for (size_t j = 0; j < to->receiver_count; j++) {
            if (from->exporters[i] == to->receivers[j] &&
                leads(from->exporters[i]->component, from->signal, to->signal)) {
                return from->exporters[i];
            }
        }
        if (hf_dead_letters_lead(from->exporters[i], to)) {
            return from->exporters[i];
        }
    }
    return NULL;
}

static void report(struct walk *walk, size_t back_to)
{
    const struct hf_config_pipeline *pipelines = walk->build->config->pipelines;
    struct hf_config_memory *memory = walk->build->load->memory;
    struct hf_key_path path = {.key = "service::pipelines"};
    const char *text = "";
    size_t start = 0;

    while (walk->route[start] != back_to) {
        start++;
    }
    for (size_t i = start; i < walk->length && text != NULL; i++) {
        const struct hf_config_pipeline *from = &pipelines[walk->route[i]];
        size_t next = i + 1 < walk->length ? walk->route[i + 1] : back_to;
        const struct hf_config_component *link = link_of(from, &pipelines[next]);
        text = hf_config_format(memory, "%spipeline \"%s\" -> %s \"%s\" -> ", text, from->id,
                                hf_kind_words[link->kind].noun, link->id);
    }
    struct hf_yaml_place place = {.file = walk->build->config->root->place.file};
    hf_load_error(walk->build->load, place, &path, "cycle detected: %spipeline \"%s\"",
                  text == NULL ? "" : text, pipelines[back_to].id);
    walk->found = true;
}

/* Depth first. As deep as there are pipelines with connectors, of which a map holds 10,000. */
static void visit(struct walk *walk, size_t at)
{
    const struct hf_config *config = walk->build->config;

    walk->visits[at] = OPEN;
    walk->route[walk->length++] = at;
    for (size_t next = 0; next < config->pipeline_count && !walk->found; next++) {
        if (walk->visits[next] == DONE ||
            link_of(&config->pipelines[at], &config->pipelines[next]) == NULL) {
            continue;
        }
        if (walk->visits[next] == OPEN) {
            report(walk, next);
        } else {
            visit(walk, next);
        }
    }
    walk->length--;
    walk->visits[at] = DONE;
}

void hf_check_cycles(struct hf_build *build)
{
    struct hf_config_memory *memory = build->load->memory;
    size_t count = build->config->pipeline_count;
    struct walk walk = {.build = build,
                        .visits = hf_config_array(memory, count, sizeof(*walk.visits)),
                        .route = hf_config_array(memory, count, sizeof(*walk.route))};

    for (size_t i = 0; walk.visits != NULL && walk.route != NULL && i < count && !walk.found; i++) {
        if (walk.visits[i] == UNSEEN) {
            visit(&walk, i);
        }
    }
}
