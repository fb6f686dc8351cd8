#include "types.h"

#include <stdlib.h>
#include <string.h>

#include "id.h"
#include "replaced.h"
#include "util/suggest.h"

#define TYPES_MAX 512u

static bool is_called(const struct hf_component *component, const char *type)
{
    if (strcmp(component->type, type) == 0) {
        return true;
    }
    for (const char *const *alias = component->aliases; alias != NULL && *alias != NULL; alias++) {
        if (strcmp(*alias, type) == 0) {
            return true;
        }
    }
    return false;
}

const struct hf_component *hf_types_find(const struct hf_component *const *all, enum hf_kind kind,
                                         const char *type)
{
    for (; all != NULL && *all != NULL; all++) {
        if ((*all)->kind == kind && is_called(*all, type)) {
            return *all;
        }
    }
    return NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The types of a kind, sorted, with blanks between. */
static const char *valid_types(struct hf_load *load, enum hf_kind kind)
{
    const struct hf_component *const *all = load->options->components;
    const char *names[TYPES_MAX];
    const char *text = "";
    size_t count = 0;

    for (; all != NULL && *all != NULL && count < TYPES_MAX; all++) {
        if ((*all)->kind == kind) {
            names[count++] = (*all)->type;
        }
    }
    qsort(names, count, sizeof(names[0]), by_name);
    for (size_t i = 0; i < count && text != NULL; i++) {
        text = hf_config_format(load->memory, "%s%s%s", text, i == 0 ? "" : " ", names[i]);
    }
    return text;
}

void hf_types_report(struct hf_load *load, const struct hf_key_path *path,
                     const struct hf_types_unknown *unknown)
{
    const struct hf_component *const *all = load->options->components;
    struct hf_suggestion suggestion = {.word = unknown->type};

    if (load->options->partial) {
        hf_load_report(load, HF_FINDING_MISSING, unknown->place, NULL, "%s %s",
                       hf_kind_words[unknown->kind].noun, unknown->id);
        return;
    }
    for (; all != NULL && *all != NULL; all++) {
        if ((*all)->kind == unknown->kind) {
            hf_suggest(&suggestion, (*all)->type);
        }
    }
    const char *valid = valid_types(load, unknown->kind);
    const char *instead = hf_replaced_by(unknown->kind, unknown->type);
    if (instead != NULL) {
        hf_load_error(load, unknown->place, path, "unknown type: \"%s\" for id: \"%s\"; %s",
                      unknown->type, unknown->id, instead);
        return;
    }
    hf_load_error(load, unknown->place, path,
                  "unknown type: \"%s\" for id: \"%s\"%s%s%s (valid values: [%s])", unknown->type,
                  unknown->id, suggestion.best == NULL ? "" : "; did you mean \"",
                  suggestion.best == NULL ? "" : suggestion.best,
                  suggestion.best == NULL ? "" : "\"?", valid == NULL ? "" : valid);
}
