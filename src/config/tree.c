#include "tree.h"

#include <stdio.h>
#include <string.h>

struct hf_yaml *hf_yaml_new(struct hf_load *load, enum hf_yaml_kind kind,
                            struct hf_yaml_place place)
{
    if (load->node_count >= HF_CONFIG_NODES) {
        if (load->node_count == HF_CONFIG_NODES) {
            load->node_count++; /* said once */
            hf_load_error(load, place, NULL,
                          "more than %u values, counting those that aliases and ${...} repeat",
                          HF_CONFIG_NODES);
        }
        return NULL;
    }
    struct hf_yaml *node = hf_config_alloc(load->memory, sizeof(*node));
    if (node != NULL) {
        load->node_count++;
        node->kind = kind;
        node->place = place;
        node->text = "";
    }
    return node;
}

struct hf_yaml *hf_yaml_scalar(struct hf_load *load, struct hf_yaml_place place, const char *text,
                               enum hf_scalar_type type)
{
    struct hf_yaml *node = hf_yaml_new(load, HF_YAML_SCALAR, place);

    if (node != NULL) {
        node->text = text;
        node->scalar = type;
    }
    return node;
}

/* Grows an array of the memory, which cannot give the old one back: doubling keeps that below half.
 */
static void *grow(struct hf_load *load, const void *old, struct hf_yaml *node, size_t size)
{
    size_t capacity = node->capacity == 0 ? 4 : node->capacity * 2;
    void *room = hf_config_array(load->memory, capacity, size);

    if (room != NULL) {
        if (node->count > 0) {
            memcpy(room, old, node->count * size);
        }
        node->capacity = capacity;
    }
    return room;
}

bool hf_yaml_append(struct hf_load *load, struct hf_yaml *list, struct hf_yaml *item)
{
    if (list->count == list->capacity) {
        struct hf_yaml **room = grow(load, list->items, list, sizeof(*room));
        if (room == NULL) {
            return false;
        }
        list->items = room;
    }
    list->items[list->count++] = item;
    return true;
}

bool hf_yaml_put(struct hf_load *load, struct hf_yaml *map, const char *key,
                 struct hf_yaml_place place, struct hf_yaml *value)
{
    if (map->count >= HF_CONFIG_MAP_KEYS) {
        hf_load_error(load, map->place, NULL, "a map with more than %u keys", HF_CONFIG_MAP_KEYS);
        return false;
    }
    if (map->count == map->capacity) {
        struct hf_yaml_entry *room = grow(load, map->entries, map, sizeof(*room));
        if (room == NULL) {
            return false;
        }
        map->entries = room;
    }
    map->entries[map->count++] = (struct hf_yaml_entry){key, place, value};
    return true;
}

static bool copy_children(struct hf_load *load, const struct hf_yaml *from, struct hf_yaml *to,
                          unsigned depth)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct hf_yaml *child =
            from->kind == HF_YAML_LIST ? from->items[i] : from->entries[i].value;
        struct hf_yaml *copy = hf_yaml_copy(load, child, depth + 1);
        if (copy == NULL) {
            return false;
        }
        bool put = from->kind == HF_YAML_LIST
                       ? hf_yaml_append(load, to, copy)
                       : hf_yaml_put(load, to, from->entries[i].key, from->entries[i].place, copy);
        if (!put) {
            return false;
        }
    }
    return true;
}

struct hf_yaml *hf_yaml_copy(struct hf_load *load, const struct hf_yaml *node, unsigned depth)
{
    if (depth > HF_CONFIG_DEPTH) {
        hf_load_error(load, node->place, NULL, "nested deeper than %u levels", HF_CONFIG_DEPTH);
        return NULL;
    }
    struct hf_yaml *copy = hf_yaml_scalar(load, node->place, node->text, node->scalar);
    if (copy == NULL) {
        return NULL;
    }
    copy->kind = node->kind;
    copy->original = node->original;
    return copy_children(load, node, copy, depth) ? copy : NULL;
}

struct hf_yaml_entry *hf_yaml_find(const struct hf_yaml *map, const char *key)
{
    if (map == NULL || map->kind != HF_YAML_MAP) {
        return NULL;
    }
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->entries[i].key, key) == 0) {
            return &map->entries[i];
        }
    }
    return NULL;
}

struct hf_yaml *hf_yaml_value(const struct hf_yaml *map, const char *key)
{
    struct hf_yaml_entry *entry = hf_yaml_find(map, key);

    return entry == NULL ? NULL : entry->value;
}

bool hf_yaml_is_null(const struct hf_yaml *node)
{
    return node == NULL || (node->kind == HF_YAML_SCALAR && node->scalar == HF_SCALAR_NULL);
}

bool hf_yaml_is_empty(const struct hf_yaml *node)
{
    return hf_yaml_is_null(node) && (node == NULL || node->original == NULL);
}

const char *hf_yaml_string(const struct hf_yaml *node)
{
    if (node->original != NULL) {
        return node->original;
    }
    return node->kind == HF_YAML_SCALAR ? node->text : NULL;
}

struct hf_shown hf_yaml_show(const struct hf_yaml *node)
{
    struct hf_shown shown = {"a list"};

    if (node->kind == HF_YAML_MAP) {
        snprintf(shown.text, sizeof(shown.text), "a map");
    } else if (hf_yaml_is_null(node)) {
        snprintf(shown.text, sizeof(shown.text), "nothing");
    } else if (node->kind == HF_YAML_SCALAR) {
        shown = hf_show(node->text);
    }
    return shown;
}
