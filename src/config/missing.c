/* What a reference to a component that is not there probably meant. */
#include <string.h>

#include "check.h"
#include "util/suggest.h"

/* May a component of kind `found` stand where one of kind `wanted` is named? */
static bool may_stand(enum hf_kind found, enum hf_kind wanted)
{
    bool takes_connectors = wanted == HF_RECEIVER || wanted == HF_EXPORTER;
    return found == wanted || (found == HF_CONNECTOR && takes_connectors);
}

/* "otlp" and "otlp/backend" */
static bool has_same_type(const char *a, const char *b)
{
    size_t size = strcspn(a, "/");
    return strcspn(b, "/") == size && strncmp(a, b, size) == 0;
}

/* The nearest id; when none is near, one of the same type; NULL: neither. */
static const char *find_nearest(const struct hf_build *build, enum hf_kind kind, const char *id)
{
    struct hf_suggestion suggestion = {.word = id};
    const char *same_type = NULL;
    for (size_t i = 0; i < build->config->component_count; i++) {
        const struct hf_config_component *component = &build->config->components[i];
        if (!may_stand(component->kind, kind)) {
            continue;
        }
        hf_suggest(&suggestion, component->id);
        if (same_type == NULL && has_same_type(component->id, id)) {
            same_type = component->id;
        }
    }
    return suggestion.best != NULL ? suggestion.best : same_type;
}

/* The component of that id in another section; NULL: none. */
static const struct hf_config_component *find_elsewhere(const struct hf_build *build,
                                                        const char *id)
{
    for (size_t i = 0; i < build->config->component_count; i++) {
        if (strcmp(build->config->components[i].id, id) == 0) {
            return &build->config->components[i];
        }
    }
    return NULL;
}

void hf_check_missing(struct hf_build *build, struct hf_yaml_place place,
                      const struct hf_key_path *path, enum hf_kind kind, const char *id)
{
    const char *noun = hf_kind_words[kind].noun;
    const char *nearest = find_nearest(build, kind, id);
    const struct hf_config_component *elsewhere = find_elsewhere(build, id);
    if (nearest != NULL) {
        hf_load_error(build->load, place, path,
                      "references %s \"%s\" which is not configured; did you mean \"%s\"?", noun,
                      id, nearest);
    } else if (elsewhere != NULL) {
        hf_load_error(
            build->load, place, path,
            "references %s \"%s\" which is not configured; did you mean the %s of that id, "
            "which is named under %s?",
            noun, id, hf_kind_words[elsewhere->kind].noun, hf_kind_words[elsewhere->kind].section);
    } else {
        hf_load_error(build->load, place, path, "references %s \"%s\" which is not configured",
                      noun, id);
    }
}
