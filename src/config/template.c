#include "template.h"

#include <string.h>

#include "bind.h"
#include "component_check.h"
#include "component_fields.h"
#include "id.h"
#include "types.h"

#define SOME_ENDPOINT "localhost:1" /* stands for the one that will be found */

/* Does any text in it have an expression? */
static bool has_expression(const struct hf_yaml *node)
{
    if (node->kind == HF_YAML_SCALAR) {
        const char *text = hf_yaml_string(node);
        return text != NULL && strchr(text, '`') != NULL;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (has_expression(node->kind == HF_YAML_LIST ? node->items[i] : node->entries[i].value)) {
            return true;
        }
    }
    return false;
}

/* ---- with expressions: key by key ---- */

static void check_value(struct hf_load *load, const struct hf_key_path *path,
                        const struct hf_yaml *node, const struct hf_field *field, char *base);

static void check_map(struct hf_load *load, const struct hf_key_path *path,
                      const struct hf_yaml *node, struct hf_bind_target target)
{
    for (size_t i = 0; node->kind == HF_YAML_MAP && i < node->count; i++) {
        const struct hf_yaml_entry *entry = &node->entries[i];
        const struct hf_field *field = hf_bind_field(target.fields, entry->key);
        struct hf_key_path step = {.up = path, .key = entry->key};
        if (field == NULL) {
            hf_bind_unknown_key(load, path, entry, target.fields);
        } else if (!hf_yaml_is_null(entry->value)) {
            check_value(load, &step, entry->value, field, target.base);
        }
    }
}

/* The structs of a list or a map. */
static void check_items(struct hf_load *load, const struct hf_key_path *path,
                        const struct hf_yaml *node, const struct hf_field *field)
{
    bool is_list = field->type == HF_FIELD_STRUCT_LIST && node->kind == HF_YAML_LIST;
    bool is_map = field->type == HF_FIELD_STRUCT_MAP && node->kind == HF_YAML_MAP;
    for (size_t i = 0; (is_list || is_map) && i < node->count; i++) {
        const struct hf_yaml *item = is_list ? node->items[i] : node->entries[i].value;
        struct hf_key_path step = {
            .up = path, .key = is_map ? node->entries[i].key : NULL, .index = i};
        void *inner = hf_config_alloc(load->memory, field->inner_size);
        if (inner != NULL) {
            check_map(load, &step, item, (struct hf_bind_target){field->inner, inner});
        }
    }
}

static void check_value(struct hf_load *load, const struct hf_key_path *path,
                        const struct hf_yaml *node, const struct hf_field *field, char *base)
{
    if (!has_expression(node)) {
        hf_bind_value(load, path, node, field, base + field->offset);
    } else if (field->type == HF_FIELD_STRUCT) {
        check_map(load, path, node, (struct hf_bind_target){field->inner, base + field->offset});
    } else if (field->type == HF_FIELD_OPTIONAL) {
        void *inner = hf_config_alloc(load->memory, field->inner_size);
        if (inner != NULL && hf_yaml_find(node, "enabled") == NULL) {
            check_map(load, path, node, (struct hf_bind_target){field->inner, inner});
        }
    } else {
        check_items(load, path, node, field);
    }
}

/* ---- without: as any other receiver ---- */

struct checking {
    struct hf_load *load;
    const struct hf_key_path *path;
    struct hf_yaml_place place;
};

static void report_check(void *user, const char *sentence)
{
    struct checking *checking = user;
    checking->load->keeps_lines = true; /* an excerpt may stand below it */
    hf_load_error(checking->load, checking->place, checking->path, "%s", sentence);
    checking->load->keeps_lines = false;
}

/* With an endpoint, as each one will have. NULL: out of memory. */
static const struct hf_yaml *with_endpoint(struct hf_load *load, const struct hf_yaml *node,
                                           const struct hf_field *fields,
                                           struct hf_yaml_place place)
{
    struct hf_yaml *map =
        node != NULL ? hf_yaml_copy(load, node, 0) : hf_yaml_new(load, HF_YAML_MAP, place);
    if (map == NULL || map->kind != HF_YAML_MAP || hf_yaml_find(map, "endpoint") != NULL ||
        hf_bind_field(fields, "endpoint") == NULL) {
        return map;
    }
    struct hf_yaml *endpoint = hf_yaml_scalar(load, place, SOME_ENDPOINT, HF_SCALAR_STRING);
    return endpoint != NULL && hf_yaml_put(load, map, "endpoint", place, endpoint) ? map : NULL;
}

static void check_plain(struct hf_load *load, const struct hf_key_path *path,
                        const struct hf_yaml *node, const struct hf_component *component,
                        struct hf_yaml_place place)
{
    struct checking checking = {load, path, place};
    const struct hf_field *fields = hf_component_fields(load->memory, component);
    void *made = hf_config_alloc(load->memory, hf_component_block_size(component));
    const struct hf_yaml *whole = with_endpoint(load, node, fields, place);
    size_t errors = load->error_count;
    if (made == NULL || whole == NULL) {
        return;
    }
    hf_bind(load, path, place, whole, (struct hf_bind_target){fields, made});
    if (load->error_count == errors && !hf_config_memory_failed(load->memory)) {
        hf_component_check(component, made, report_check, &checking);
    }
}

/* ---- one receiver ---- */

static void check_one(struct hf_load *load, const struct hf_key_path *path,
                      const struct hf_yaml_entry *entry)
{
    struct hf_key_path step = {.up = path, .key = entry->key};
    struct hf_key_path config = {.up = &step, .key = "config"};
    struct hf_config_id id;
    if (load->options->components == NULL ||
        !hf_config_id_read(load, entry->place, path, entry->key, &id)) {
        return;
    }
    const struct hf_component *component =
        hf_types_find(load->options->components, HF_RECEIVER, id.type);
    const struct hf_yaml *node = hf_yaml_value(entry->value, "config");
    if (component == NULL) {
        const struct hf_types_unknown unknown = {HF_RECEIVER, id.type, id.text, entry->place};
        hf_types_report(load, path, &unknown);
    } else if (hf_yaml_is_null(node) || !has_expression(node)) {
        check_plain(load, &config, hf_yaml_is_null(node) ? NULL : node, component, entry->place);
    } else {
        const struct hf_field *fields = hf_component_fields(load->memory, component);
        void *made = hf_config_alloc(load->memory, hf_component_block_size(component));
        if (made != NULL) {
            check_map(load, &config, node, (struct hf_bind_target){fields, made});
        }
    }
}

void hf_template_check(struct hf_load *load, const struct hf_field *fields,
                       const struct hf_key_path *path, const struct hf_yaml_entry *entry)
{
    for (; fields != NULL && fields->type != HF_FIELD_END; fields++) {
        const struct hf_yaml *map =
            fields->is_templates ? hf_yaml_value(entry->value, fields->key) : NULL;
        struct hf_key_path step = {.up = path, .key = fields->key};
        for (size_t i = 0; map != NULL && map->kind == HF_YAML_MAP && i < map->count; i++) {
            check_one(load, &step, &map->entries[i]);
        }
    }
}
