/*
 * merge: lays one configuration source over another, as the Go collector merges them.
 */
#include <string.h>

#include "tree.h"

/*
 * Both sides of a merge go through the same steps, so that a key with "::" in the first source is
 * split as one in the last.
 */

static bool lay(struct hf_load *load, struct hf_yaml *base, const struct hf_yaml *over,
                unsigned depth);

/* A map as the user meant it: without "::" in its keys, at every depth. Not within lists. */
static struct hf_yaml *unfold(struct hf_load *load, struct hf_yaml *node, unsigned depth)
{
    if (node->kind != HF_YAML_MAP) {
        return node;
    }
    struct hf_yaml *map = hf_yaml_new(load, HF_YAML_MAP, node->place);
    if (map == NULL || !lay(load, map, node, depth)) {
        return NULL;
    }
    return map;
}

static bool lay_value(struct hf_load *load, struct hf_yaml *base, const char *key,
                      const struct hf_yaml_entry *from, unsigned depth)
{
    struct hf_yaml_entry *entry = hf_yaml_find(base, key);

    if (entry != NULL && entry->value->kind == HF_YAML_MAP && from->value->kind == HF_YAML_MAP) {
        entry->place = from->place;
        return lay(load, entry->value, from->value, depth + 1);
    }
    struct hf_yaml *value = unfold(load, from->value, depth + 1);
    if (value == NULL) {
        return false;
    }
    if (entry == NULL) {
        return hf_yaml_put(load, base, key, from->place, value);
    }
    entry->place = from->place;
    entry->value = value;
    return true;
}

/* The map of `base` under `key`, made when there is none. */
static struct hf_yaml *inner_map(struct hf_load *load, struct hf_yaml *base, const char *key,
                                 struct hf_yaml_place place)
{
    struct hf_yaml_entry *entry = hf_yaml_find(base, key);

    if (entry != NULL && entry->value->kind == HF_YAML_MAP) {
        return entry->value;
    }
    struct hf_yaml *map = hf_yaml_new(load, HF_YAML_MAP, place);
    if (map == NULL) {
        return NULL;
    }
    if (entry != NULL) {
        entry->value = map;
        entry->place = place;
        return map;
    }
    return hf_yaml_put(load, base, key, place, map) ? map : NULL;
}

static bool lay_entry(struct hf_load *load, struct hf_yaml *base, const struct hf_yaml_entry *from,
                      unsigned depth)
{
    const char *key = from->key;
    const char *gap = strstr(key, "::");

    for (; gap != NULL; gap = strstr(key, "::"), depth++) {
        const char *step = hf_config_text(load->memory, key, (size_t)(gap - key));
        if (step == NULL) {
            return false;
        }
        if (depth > HF_CONFIG_DEPTH) {
            hf_load_error(load, from->place, NULL, "nested deeper than %u levels", HF_CONFIG_DEPTH);
            return false;
        }
        base = inner_map(load, base, step, from->place);
        if (base == NULL) {
            return false;
        }
        key = gap + 2;
    }
    return lay_value(load, base, key, from, depth);
}

static bool lay(struct hf_load *load, struct hf_yaml *base, const struct hf_yaml *over,
                unsigned depth)
{
    if (depth > HF_CONFIG_DEPTH) {
        hf_load_error(load, over->place, NULL, "nested deeper than %u levels", HF_CONFIG_DEPTH);
        return false;
    }
    for (size_t i = 0; i < over->count; i++) {
        if (!lay_entry(load, base, &over->entries[i], depth)) {
            return false;
        }
    }
    return true;
}

struct hf_yaml *hf_yaml_merge(struct hf_load *load, struct hf_yaml *base, struct hf_yaml *over)
{
    if (hf_yaml_is_null(over) && !hf_yaml_is_null(base)) {
        return base;
    }
    if (base->kind == HF_YAML_MAP && over->kind == HF_YAML_MAP) {
        return lay(load, base, over, 1) ? base : NULL;
    }
    return unfold(load, over, 1);
}
