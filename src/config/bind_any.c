/*
 * bind_any: binds a field that takes any YAML value.
 */
#include "bind.h"
#include "scalar.h"

static struct hf_value scalar_of(const struct hf_yaml *node)
{
    struct hf_value value = {.type = HF_VALUE_STRING, .string = hf_yaml_string(node)};

    if (hf_yaml_is_empty(node)) {
        value = (struct hf_value){.type = HF_VALUE_NONE};
    } else if (node->scalar == HF_SCALAR_BOOL && hf_scalar_bool(node->text, &value.boolean)) {
        value.type = HF_VALUE_BOOL;
    } else if (node->scalar == HF_SCALAR_INT &&
               hf_scalar_int(node->text, &value.integer) == HF_SCALAR_GOOD) {
        value.type = HF_VALUE_INT;
        value.number = (double)value.integer;
    } else if ((node->scalar == HF_SCALAR_INT || node->scalar == HF_SCALAR_DOUBLE) &&
               hf_scalar_double(node->text, &value.number) == HF_SCALAR_GOOD) {
        value.type = HF_VALUE_DOUBLE;
    }
    return value;
}

static void bind_node(struct hf_load *load, const struct hf_key_path *path,
                      const struct hf_yaml *node, unsigned depth, struct hf_value *ret_value);

/* The values of a list or a map. False: something is wrong with them, which was reported. */
static bool bind_items(struct hf_load *load, const struct hf_key_path *path,
                       const struct hf_yaml *node, unsigned depth, struct hf_value *value)
{
    bool is_map = node->kind == HF_YAML_MAP;
    struct hf_value *items = hf_config_array(load->memory, node->count, sizeof(*items));
    const char **keys = hf_config_array(load->memory, is_map ? node->count : 0, sizeof(*keys));

    if (items == NULL || keys == NULL) {
        return false;
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct hf_yaml *item = is_map ? node->entries[i].value : node->items[i];
        struct hf_key_path step = {.up = path, .index = i};
        if (is_map) {
            step.key = keys[i] = node->entries[i].key;
        }
        bind_node(load, &step, item, depth, &items[i]);
    }
    *value = (struct hf_value){.type = is_map ? HF_VALUE_MAP : HF_VALUE_LIST,
                               .items = items,
                               .keys = is_map ? keys : NULL,
                               .count = node->count};
    return true;
}

static void bind_node(struct hf_load *load, const struct hf_key_path *path,
                      const struct hf_yaml *node, unsigned depth, struct hf_value *ret_value)
{
    struct hf_value value = {.type = HF_VALUE_NONE};

    if (node->kind == HF_YAML_SCALAR) {
        *ret_value = scalar_of(node);
    } else if (depth == HF_VALUE_DEPTH_MAX) {
        hf_load_error(load, node->place, path, "lists and maps nested deeper than %u levels",
                      HF_VALUE_DEPTH_MAX);
    } else if (bind_items(load, path, node, depth + 1, &value)) {
        *ret_value = value;
    }
}

void hf_bind_any(struct hf_load *load, const struct hf_key_path *path, const struct hf_yaml *node,
                 void *at)
{
    bind_node(load, path, node, 0, at);
}
