/*
 * check_connectors: each connector stands behind some pipelines and in front of others, of signals
 * that it reads and makes; the pipelines that its configuration names are among those behind it.
 */
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "util/suggest.h"

static const char *signals_text(struct hf_load *load, unsigned signals)
{
    const char *text = "";

    for (int signal = 0; signal < HF_SIGNAL_COUNT && text != NULL; signal++) {
        if ((signals & HF_SIGNAL_BIT(signal)) != 0) {
            text = hf_config_format(load->memory, "%s%s%s", text, text[0] == '\0' ? "" : " ",
                                    hf_signal_name((enum hf_signal)signal));
        }
    }
    return text;
}

/* The signals that the connector makes of those that some pipelines give it. */
static unsigned made_of(const struct hf_component *component, unsigned signals)
{
    unsigned made = 0;
    for (int i = 0; i < HF_SIGNAL_COUNT; i++) {
        made |= (signals & HF_SIGNAL_BIT(i)) != 0 ? component->connector->makes[i] : 0;
    }
    return made;
}

/* Those of which it makes one of `signals`. */
static unsigned sources_of(const struct hf_component *component, unsigned signals)
{
    unsigned sources = 0;
    for (int i = 0; i < HF_SIGNAL_COUNT; i++) {
        bool makes = (component->connector->makes[i] & signals) != 0;
        sources |= makes ? HF_SIGNAL_BIT(i) : 0;
    }
    return sources;
}

/* What to do about signals that it was given in vain, or is to give in vain; "" when the connector
 * is not known. */
static const char *advice(struct hf_load *load, const struct hf_component *component,
                          unsigned signals, bool as_exporter)
{
    if (component == NULL || component->connector == NULL) {
        return "";
    }
    unsigned others = as_exporter ? made_of(component, signals) : sources_of(component, signals);
    if (others == 0) {
        const char *can = signals_text(load, as_exporter ? component->signals
                                                         : made_of(component, component->signals));
        return can == NULL ? ""
                           : hf_config_format(load->memory, "; it %s only %s",
                                              as_exporter ? "reads" : "makes", can);
    }
    const char *text = signals_text(load, others);
    return text == NULL ? ""
                        : hf_config_format(load->memory,
                                           as_exporter ? "; it makes %s of that: put it among the "
                                                         "receivers of such a pipeline"
                                                       : "; it makes that of %s: put it among the "
                                                         "exporters of such a pipeline",
                                           text);
}

static void report_pairs(struct hf_build *build, size_t at, const struct hf_key_path *path,
                         unsigned wrong, bool as_exporter)
{
    const struct hf_config_component *connector = &build->config->components[at];
    const char *signals = signals_text(build->load, wrong);
    const char *what = advice(build->load, connector->component, wrong, as_exporter);
    if (wrong != 0 && signals != NULL) {
        hf_load_error(build->load, build->config->uses[at].entry->place, path,
                      "connector \"%s\" used as %s in [%s] pipeline but not used in any supported "
                      "%s pipeline%s",
                      connector->id, as_exporter ? "exporter" : "receiver", signals,
                      as_exporter ? "receiver" : "exporter", what == NULL ? "" : what);
    }
}

/* Each signal that it is given must become one that some pipeline takes from it, and the other way
 * round. A connector that is not built in may make anything of anything. */
static void check_pairs(struct hf_build *build, size_t at, const struct hf_key_path *path)
{
    const struct hf_component *component = build->config->components[at].component;
    const struct hf_config_use *use = &build->config->uses[at];
    bool is_known = component != NULL && component->connector != NULL;
    unsigned lost = use->as_receiver == 0 ? use->as_exporter : 0;
    unsigned missing = use->as_exporter == 0 ? use->as_receiver : 0;

    for (int i = 0; i < HF_SIGNAL_COUNT && is_known; i++) {
        unsigned made = made_of(component, use->as_exporter & HF_SIGNAL_BIT(i));
        lost |= (made & use->as_receiver) == 0 ? use->as_exporter & HF_SIGNAL_BIT(i) : 0;
    }
    if (is_known) {
        missing |= use->as_receiver & ~made_of(component, use->as_exporter);
    }
    report_pairs(build, at, path, lost, true);
    report_pairs(build, at, path, missing, false);
}

/* ---- the pipelines that its configuration names ---- */

static bool receives_from(const struct hf_config_pipeline *pipeline,
                          const struct hf_config_component *connector)
{
    for (size_t i = 0; i < pipeline->receiver_count; i++) {
        if (pipeline->receivers[i] == connector) {
            return true;
        }
    }
    return false;
}

static void check_named(struct hf_build *build, size_t at, const struct hf_key_path *path,
                        const char *id)
{
    const struct hf_config *config = build->config;
    const struct hf_config_component *connector = &config->components[at];
    struct hf_suggestion suggestion = {.word = id};
    struct hf_yaml_place place = config->uses[at].entry->place;

    for (size_t i = 0; i < config->pipeline_count; i++) {
        const struct hf_config_pipeline *pipeline = &config->pipelines[i];
        bool is_behind = receives_from(pipeline, connector);
        if (strcmp(pipeline->id, id) != 0) {
            if (is_behind) {
                hf_suggest(&suggestion, pipeline->id);
            }
            continue;
        }
        if (!is_behind) {
            hf_load_error(build->load, place, path,
                          "names the pipeline \"%s\", which does not have \"%s\" among its "
                          "receivers; add it there (pipeline not found)",
                          id, connector->id);
        }
        return;
    }
    hf_load_error(build->load, place, path,
                  "names the pipeline \"%s\", which is not in service::pipelines%s%s%s (pipeline "
                  "not found)",
                  id, suggestion.best == NULL ? "" : "; did you mean \"",
                  suggestion.best == NULL ? "" : suggestion.best,
                  suggestion.best == NULL ? "" : "\"?");
}

static void check_all_named(struct hf_build *build, size_t at, const struct hf_key_path *path)
{
    const struct hf_config_component *connector = &build->config->components[at];
    const struct hf_connector_ops *ops =
        connector->component == NULL ? NULL : connector->component->connector;
    const char *id = NULL;

    if (ops == NULL || ops->pipeline_named == NULL || connector->config == NULL ||
        !build->config->uses[at].used) {
        return;
    }
    for (size_t i = 0; (id = ops->pipeline_named(connector->config, i)) != NULL; i++) {
        bool is_again = false;
        for (size_t k = 0; k < i && !is_again; k++) {
            is_again = strcmp(ops->pipeline_named(connector->config, k), id) == 0;
        }
        if (!is_again) {
            check_named(build, at, path, id);
        }
    }
}

static void check_connector(struct hf_build *build, size_t at)
{
    const struct hf_config_component *component = &build->config->components[at];
    const struct hf_config_use *use = &build->config->uses[at];
    static const enum hf_kind others[] = {HF_RECEIVER, HF_EXPORTER};
    struct hf_key_path path = {
        .key = hf_config_format(build->load->memory, "connectors::%s", component->id)};

    for (size_t i = 0; i < 2 && path.key != NULL; i++) {
        const char *noun = hf_kind_words[others[i]].noun;
        if (hf_check_find(build, others[i], component->id) != SIZE_MAX) {
            hf_load_error(build->load, use->entry->place, &path,
                          "ambiguous ID: Found both \"%s\" %s and \"%s\" connector. Give one of "
                          "them another name, such as \"%s/connector\"",
                          component->id, noun, component->id, component->id);
        }
    }
    if (path.key != NULL) {
        check_pairs(build, at, &path);
        check_all_named(build, at, &path);
    }
}

void hf_check_connectors(struct hf_build *build)
{
    for (size_t i = 0; i < build->config->component_count; i++) {
        if (build->config->components[i].kind == HF_CONNECTOR) {
            check_connector(build, i);
        }
    }
}
