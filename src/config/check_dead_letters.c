/*
 * check_dead_letters: the pipelines that exporters name in `sending_queue::dead_letter::pipeline`
 * exist, and carry what they are given.
 */
#include <string.h>

#include "check.h"
#include "util/delivery_config.h"
#include "util/suggest.h"

/* NULL: it names none. */
static const char *named_by(const struct hf_config_component *exporter)
{
    bool has = exporter->kind == HF_EXPORTER && exporter->delivery != NULL;
    return has ? exporter->delivery->queue.dead_letter.pipeline : NULL;
}

bool hf_dead_letters_lead(const struct hf_config_component *exporter,
                          const struct hf_config_pipeline *pipeline)
{
    const char *id = named_by(exporter);
    return id != NULL && strcmp(id, pipeline->id) == 0;
}

bool hf_dead_letters_name(const struct hf_build *build, const char *id)
{
    for (size_t i = 0; i < build->config->component_count; i++) {
        const char *named = named_by(&build->config->components[i]);
        if (named != NULL && strcmp(named, id) == 0) {
            return true;
        }
    }
    return false;
}

static const struct hf_config_pipeline *find(const struct hf_build *build, const char *id,
                                             struct hf_suggestion *suggestion)
{
    for (size_t i = 0; i < build->config->pipeline_count; i++) {
        const struct hf_config_pipeline *pipeline = &build->config->pipelines[i];
        if (strcmp(pipeline->id, id) == 0) {
            return pipeline;
        }
        hf_suggest(suggestion, pipeline->id);
    }
    return NULL;
}

/* A pipeline of logs takes all signals. */
static void check_exporter(struct hf_build *build, size_t at, const char *id)
{
    const struct hf_config_component *exporter = &build->config->components[at];
    const struct hf_config_use *use = &build->config->uses[at];
    struct hf_suggestion suggestion = {.word = id};
    const struct hf_config_pipeline *pipeline = find(build, id, &suggestion);
    struct hf_key_path path = {
        .key =
            hf_config_format(build->load->memory,
                             "exporters::%s::sending_queue::dead_letter::pipeline", exporter->id)};
    if (path.key == NULL) {
        return;
    }
    if (pipeline == NULL) {
        hf_load_error(build->load, use->entry->place, &path,
                      "names the pipeline \"%s\", which is not in service::pipelines%s%s%s", id,
                      suggestion.best == NULL ? "" : "; did you mean \"",
                      suggestion.best == NULL ? "" : suggestion.best,
                      suggestion.best == NULL ? "" : "\"?");
        return;
    }
    unsigned others = use->as_exporter & ~HF_SIGNAL_BIT(pipeline->signal);
    for (int signal = 0; signal < HF_SIGNAL_COUNT && pipeline->signal != HF_LOGS; signal++) {
        if ((others & HF_SIGNAL_BIT(signal)) != 0) {
            hf_load_error(build->load, use->entry->place, &path,
                          "the exporter carries %s, which the pipeline \"%s\" does not; name a "
                          "pipeline of logs, which takes all signals",
                          hf_signal_name((enum hf_signal)signal), id);
        }
    }
}

void hf_check_dead_letters(struct hf_build *build)
{
    for (size_t i = 0; i < build->config->component_count; i++) {
        const char *id = named_by(&build->config->components[i]);
        if (id != NULL && build->config->uses[i].used) {
            check_exporter(build, i, id);
        }
    }
}
