#include "late.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bind.h"
#include "component_check.h"
#include "component_fields.h"

#define MEMORY_BYTES (4u << 20)

struct hf_late {
    struct hf_config_memory *memory;
    void *config;
};

static struct hf_yaml *tree_of(struct hf_load *load, const struct hf_value *value);

static bool add_children(struct hf_load *load, const struct hf_value *value, struct hf_yaml *to)
{
    for (size_t i = 0; i < value->count; i++) {
        struct hf_yaml *child = tree_of(load, &value->items[i]);
        const char *key = value->type == HF_VALUE_MAP
                              ? hf_config_text(load->memory, value->keys[i], strlen(value->keys[i]))
                              : NULL;
        if (child == NULL || !(value->type == HF_VALUE_MAP
                                   ? key != NULL && hf_yaml_put(load, to, key, to->place, child)
                                   : hf_yaml_append(load, to, child))) {
            return false;
        }
    }
    return true;
}

/* NULL: out of memory. */
static struct hf_yaml *tree_of(struct hf_load *load, const struct hf_value *value)
{
    static const enum hf_scalar_type scalars[] = {
        [HF_VALUE_NONE] = HF_SCALAR_NULL, [HF_VALUE_STRING] = HF_SCALAR_STRING,
        [HF_VALUE_INT] = HF_SCALAR_INT,   [HF_VALUE_DOUBLE] = HF_SCALAR_DOUBLE,
        [HF_VALUE_BOOL] = HF_SCALAR_BOOL,
    };
    struct hf_yaml_place place = {0};
    if (value->type == HF_VALUE_LIST || value->type == HF_VALUE_MAP) {
        struct hf_yaml *tree =
            hf_yaml_new(load, value->type == HF_VALUE_MAP ? HF_YAML_MAP : HF_YAML_LIST, place);
        return tree != NULL && add_children(load, value, tree) ? tree : NULL;
    }
    const char *text = value->string != NULL ? value->string : "";
    text = hf_config_text(load->memory, text, strlen(text));
    return text != NULL ? hf_yaml_scalar(load, place, text, scalars[value->type]) : NULL;
}

static bool add_endpoint(struct hf_load *load, struct hf_yaml *tree, const char *endpoint)
{
    endpoint = hf_config_text(load->memory, endpoint, strlen(endpoint));
    struct hf_yaml *scalar =
        endpoint != NULL ? hf_yaml_scalar(load, tree->place, endpoint, HF_SCALAR_STRING) : NULL;
    return scalar != NULL && hf_yaml_put(load, tree, "endpoint", tree->place, scalar);
}

static void keep_sentence(void *user, const char *sentence)
{
    snprintf(user, HF_ERROR_MAX, "%.500s", sentence);
}

/* Binds the tree; `reterr` is empty when all is well. */
static void bind(struct hf_load *load, const struct hf_component *component,
                 const struct hf_field *fields, const struct hf_yaml *tree, void *config,
                 char *reterr)
{
    const struct hf_key_path path = {.key = component->type};
    hf_bind(load, &path, tree->place, tree, (struct hf_bind_target){fields, config});
    if (load->error_count != 0) {
        const struct hf_found *found = load->first_found;
        while (found != NULL && found->kind != HF_FINDING_ERROR) {
            found = found->next;
        }
        snprintf(reterr, HF_ERROR_MAX, "%.500s", found != NULL ? found->text : "it is not valid");
    } else {
        hf_component_check(component, config, keep_sentence, reterr);
    }
}

enum hf_status hf_late_bind(const struct hf_component *component, const struct hf_value *value,
                            const char *endpoint, struct hf_late **ret_late, char *reterr)
{
    const struct hf_value nothing = {.type = HF_VALUE_MAP};
    struct hf_config_options options = {0};
    struct hf_load load = {.options = &options};
    struct hf_late *late = calloc(1, sizeof(*late));
    char why[HF_ERROR_MAX] = "";
    load.last_found = &load.first_found;
    if (late == NULL || (late->memory = hf_config_memory_new(MEMORY_BYTES)) == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        free(late);
        return HF_NOMEM;
    }
    load.memory = late->memory;
    const struct hf_field *fields = hf_component_fields(late->memory, component);
    struct hf_yaml *tree = tree_of(&load, value->type == HF_VALUE_NONE ? &nothing : value);
    bool is_given = endpoint == NULL || hf_bind_field(fields, "endpoint") == NULL ||
                    hf_yaml_find(tree, "endpoint") != NULL;
    late->config = hf_config_alloc(late->memory, hf_component_block_size(component));
    if (tree != NULL && (is_given || add_endpoint(&load, tree, endpoint)) && late->config != NULL) {
        bind(&load, component, fields, tree, late->config, why);
    }
    if (hf_config_memory_failed(late->memory) || why[0] != '\0') {
        bool is_full = hf_config_memory_failed(late->memory);
        snprintf(reterr, HF_ERROR_MAX, "%s", is_full ? "out of memory" : why);
        hf_late_free(late);
        return is_full ? HF_NOMEM : HF_INVALID;
    }
    *ret_late = late;
    return HF_OK;
}

const void *hf_late_config(const struct hf_late *late)
{
    return late->config;
}

void hf_late_free(struct hf_late *late)
{
    if (late != NULL) {
        hf_config_memory_free(late->memory);
        free(late);
    }
}
