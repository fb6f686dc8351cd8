/*
 * id_list: reads a list of component ids, as in a pipeline or in service::extensions.
 */
#include "bind.h"
#include "check.h"

struct hf_id_item *hf_check_ids(struct hf_load *load, const struct hf_key_path *path,
                                const struct hf_yaml *node, size_t *ret_count)
{
    struct hf_string_list texts = {0};
    size_t count = 0;

    *ret_count = 0;
    if (hf_yaml_is_null(node)) {
        return NULL;
    }
    hf_bind_strings(load, path, node, NULL, &texts);
    struct hf_id_item *items = hf_config_array(load->memory, texts.count, sizeof(*items));
    for (size_t i = 0; items != NULL && i < texts.count; i++) {
        struct hf_yaml_place place =
            node->kind == HF_YAML_LIST ? node->items[i]->place : node->place;
        struct hf_config_id id;
        if (hf_config_id_read(load, place, path, texts.items[i], &id)) {
            items[count++] = (struct hf_id_item){id.text, place};
        }
    }
    *ret_count = count;
    return items;
}
