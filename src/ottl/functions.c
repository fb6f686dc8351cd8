/* All functions by name. */
#include <string.h>

#include "function.h"
#include "util/suggest.h"

static const struct hf_ottl_function *const tables[] = {
    hf_ottl_editors,     hf_ottl_replacers,    hf_ottl_kinds,       hf_ottl_texts,
    hf_ottl_parsers,     hf_ottl_containers,   hf_ottl_numbers,     hf_ottl_digests,
    hf_ottl_times,       hf_ottl_patterns,     hf_ottl_codings,     hf_ottl_addresses,
    hf_ottl_metrics,     hf_ottl_flatteners,   hf_ottl_aggregators, hf_ottl_exponential,
    hf_ottl_lambdas,     hf_ottl_formats,      hf_ottl_groks,       hf_ottl_user_agents,
    hf_ottl_log_formats, hf_ottl_extended_log, hf_ottl_span_names,  hf_ottl_xml,
    hf_ottl_xml_maps,    hf_ottl_percentiles,
};

const struct hf_ottl_function *hf_ottl_functions(size_t index)
{
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        for (const struct hf_ottl_function *row = tables[i]; row->name != NULL; row++) {
            if (index-- == 0) {
                return row;
            }
        }
    }
    return NULL;
}

static bool is_editor_name(const char *name)
{
    return name[0] >= 'a';
}

static bool is_there(const struct hf_ottl_function *function, unsigned functions,
                     enum hf_path_context context, bool is_editor)
{
    return is_editor_name(function->name) == is_editor &&
           (function->functions == 0 || (function->functions & functions) != 0) &&
           (function->contexts == 0 || (function->contexts >> context & 1) != 0);
}

const struct hf_ottl_function *hf_ottl_function_find(struct hf_slice name, unsigned functions,
                                                     enum hf_path_context context, bool is_editor)
{
    const struct hf_ottl_function *function;
    for (size_t i = 0; (function = hf_ottl_functions(i)) != NULL; i++) {
        if (is_there(function, functions, context, is_editor) &&
            hf_slice_is(name, function->name)) {
            return function;
        }
    }
    return NULL;
}

#define NAME_MAX_SIZE 100u

const char *hf_ottl_function_suggest(struct hf_slice name, unsigned functions,
                                     enum hf_path_context context, bool is_editor)
{
    char word[NAME_MAX_SIZE + 1];
    struct hf_suggestion suggestion = {.word = word};
    const struct hf_ottl_function *function;
    if (name.size > NAME_MAX_SIZE) {
        return NULL;
    }
    memcpy(word, name.data, name.size);
    word[name.size] = '\0';
    for (size_t i = 0; (function = hf_ottl_functions(i)) != NULL; i++) {
        if (is_there(function, functions, context, is_editor)) {
            hf_suggest(&suggestion, function->name);
        }
    }
    return suggestion.best;
}
