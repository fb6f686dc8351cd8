/*
 * telemetry_resource: reads service::telemetry::resource, in its old and its new form.
 */
#include <string.h>

#include "check.h"

/*
 * Three spellings: a map of names and values, a list of {name, value}, and {attributes: [{name,
 * value}], schema_url}. They may be mixed, as releases of the Go collector allow.
 */

struct reading {
    struct hf_load *load;
    struct hf_string_pair *pairs;
    size_t count;
};

/* A name once: what is written last counts. */
static void put(struct reading *reading, const char *name, const char *value)
{
    size_t at = 0;

    while (at < reading->count && strcmp(reading->pairs[at].key, name) != 0) {
        at++;
    }
    reading->pairs[at] = (struct hf_string_pair){name, value};
    reading->count += at == reading->count;
}

static void read_pair(struct reading *reading, const struct hf_key_path *path, const char *name,
                      const struct hf_yaml *value)
{
    bool is_text = hf_yaml_is_empty(value) || hf_yaml_string(value) != NULL;

    if (!is_text) {
        hf_load_error(reading->load, value->place, path, "expected text, got %s",
                      hf_yaml_show(value).text);
        return;
    }
    put(reading, name, hf_yaml_is_empty(value) ? NULL : hf_yaml_string(value));
}

/* {name: NAME, value: VALUE, type: TYPE}; the type says nothing that the value does not. */
static void read_item(struct reading *reading, const struct hf_key_path *path,
                      const struct hf_yaml *item)
{
    const struct hf_yaml *name = hf_yaml_value(item, "name");
    bool good = name != NULL && !hf_yaml_is_empty(name) && hf_yaml_string(name) != NULL;

    for (size_t i = 0; good && i < item->count; i++) {
        const char *key = item->entries[i].key;
        good = strcmp(key, "name") == 0 || strcmp(key, "value") == 0 || strcmp(key, "type") == 0;
    }
    if (!good) {
        hf_load_error(reading->load, item->place, path,
                      "expected a map with the keys name and value");
        return;
    }
    struct hf_key_path step = {.up = path, .key = "value"};
    read_pair(reading, &step, hf_yaml_string(name), hf_yaml_value(item, "value"));
}

static void read_list(struct reading *reading, const struct hf_key_path *path,
                      const struct hf_yaml *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct hf_key_path step = {.up = path, .index = i};
        read_item(reading, &step, list->items[i]);
    }
}

static bool is_without_effect(const char *key)
{
    return strcmp(key, "schema_url") == 0 || strcmp(key, "detectors") == 0 ||
           strcmp(key, "detection/development") == 0;
}

static void read_map(struct reading *reading, const struct hf_key_path *path,
                     const struct hf_yaml *map)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct hf_yaml_entry *entry = &map->entries[i];
        struct hf_key_path step = {.up = path, .key = entry->key};
        if (strcmp(entry->key, "attributes") == 0 && entry->value->kind == HF_YAML_LIST) {
            read_list(reading, &step, entry->value);
        } else if (strcmp(entry->key, "attributes") == 0 && hf_yaml_is_empty(entry->value)) {
            continue;
        } else if (!is_without_effect(entry->key)) {
            read_pair(reading, &step, entry->key, entry->value);
        } else if (!hf_yaml_is_empty(entry->value)) {
            hf_load_warn(reading->load, entry->place, &step,
                         "has no effect: own metrics carry the attributes alone");
        }
    }
}

/* How many attributes there can be. */
static size_t count_most(const struct hf_yaml *node)
{
    const struct hf_yaml *inner = hf_yaml_value(node, "attributes");

    return node->count + (inner == NULL ? 0 : inner->count);
}

struct hf_string_map hf_check_resource(struct hf_load *load, const struct hf_yaml *node)
{
    struct hf_key_path root = {.key = "service::telemetry"},
                       path = {.up = &root, .key = "resource"};
    struct reading reading = {.load = load};

    if (hf_yaml_is_null(node)) {
        return (struct hf_string_map){0};
    }
    if (node->kind == HF_YAML_SCALAR) {
        hf_load_error(load, node->place, &path, "expected a map, got %s", hf_yaml_show(node).text);
        return (struct hf_string_map){0};
    }
    reading.pairs = hf_config_array(load->memory, count_most(node), sizeof(*reading.pairs));
    if (reading.pairs == NULL) {
        return (struct hf_string_map){0};
    }
    if (node->kind == HF_YAML_LIST) {
        read_list(&reading, &path, node);
    } else {
        read_map(&reading, &path, node);
    }
    return (struct hf_string_map){reading.pairs, reading.count};
}
