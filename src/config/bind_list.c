/*
 * bind_list: binds fields that are lists or maps of texts.
 */
#include <ctype.h>
#include <string.h>

#include "bind.h"
#include "redact.h"

/* One item of a list of texts. */
static const char *item_text(struct hf_load *load, const struct hf_key_path *path,
                             const struct hf_yaml *item)
{
    const char *text = hf_yaml_is_empty(item) ? NULL : hf_yaml_string(item);

    if (text == NULL) {
        hf_load_error(load, item->place, path, "expected text, got %s", hf_yaml_show(item).text);
    }
    return text;
}

static const char **copy_items(struct hf_load *load, const struct hf_key_path *path,
                               const struct hf_yaml *node)
{
    const char **items = hf_config_array(load->memory, node->count, sizeof(*items));

    for (size_t i = 0; items != NULL && i < node->count; i++) {
        struct hf_key_path step = {.up = path, .index = i};
        items[i] = item_text(load, &step, node->items[i]);
        if (items[i] == NULL) {
            return NULL;
        }
    }
    return items;
}

/* "a, b" is two items, as everywhere in the Go collector; nothing between commas is none. */
static const char **split_items(struct hf_load *load, const char *text, size_t *ret_count)
{
    size_t most = 1, count = 0;

    for (const char *at = text; *at != '\0'; at++) {
        most += *at == ',';
    }
    const char **items = hf_config_array(load->memory, most, sizeof(*items));
    while (items != NULL && text != NULL && *text != '\0') {
        size_t size = strcspn(text, ",");
        const char *next = text[size] == ',' ? text + size + 1 : NULL;
        while (size > 0 && isspace((unsigned char)*text)) {
            text++;
            size--;
        }
        while (size > 0 && isspace((unsigned char)text[size - 1])) {
            size--;
        }
        const char *item = hf_config_text(load->memory, text, size);
        if (item == NULL) {
            return NULL;
        }
        if (size > 0) {
            items[count++] = item;
        }
        text = next;
    }
    *ret_count = count;
    return items;
}

static bool is_among(const char *const *choices, const char *text)
{
    while (*choices != NULL && strcmp(*choices, text) != 0) {
        choices++;
    }
    return *choices != NULL;
}

static void check_choices(struct hf_load *load, const struct hf_key_path *path,
                          const struct hf_yaml *node, const char *const *choices,
                          struct hf_string_list list)
{
    for (size_t i = 0; i < list.count; i++) {
        struct hf_key_path step = {.up = path, .index = i};
        if (!is_among(choices, list.items[i])) {
            hf_bind_no_choice(load, &step,
                              node->kind == HF_YAML_LIST ? node->items[i]->place : node->place,
                              choices, list.items[i]);
        }
    }
}

void hf_bind_strings(struct hf_load *load, const struct hf_key_path *path,
                     const struct hf_yaml *node, const char *const *choices, void *at)
{
    size_t count = node->count;
    const char **items = NULL;

    const char *text = node->kind == HF_YAML_LIST ? NULL : hf_yaml_string(node);

    if (node->kind == HF_YAML_LIST) {
        items = copy_items(load, path, node);
    } else if (text == NULL) {
        hf_load_error(load, node->place, path, "expected a list, got a map");
    } else {
        items = split_items(load, text, &count);
    }
    if (items != NULL) {
        struct hf_string_list list = {items, count};
        *(struct hf_string_list *)at = list;
        if (choices != NULL) {
            check_choices(load, path, node, choices, list);
        }
    }
}

/* A map of texts being bound. */
struct map_slot {
    struct hf_load *load;
    const struct hf_key_path *path;
    const struct hf_field *field;
};

static bool pair_of_entry(const struct map_slot *slot, const struct hf_yaml_entry *entry,
                          struct hf_string_pair *ret_pair)
{
    struct hf_load *load = slot->load;
    struct hf_key_path step = {.up = slot->path, .key = entry->key};
    const char *value = hf_yaml_is_empty(entry->value) ? "" : hf_yaml_string(entry->value);

    if (value == NULL) {
        hf_load_error(load, entry->value->place, &step, "expected text, got %s",
                      hf_yaml_show(entry->value).text);
        return false;
    }
    /* The value is not shown: it may be a credential. */
    const char *expected =
        slot->field->validate == NULL ? NULL : slot->field->validate(entry->key, value);
    if (expected != NULL) {
        hf_load_error(load, entry->place, &step, "expected %s", expected);
        return false;
    }
    *ret_pair = (struct hf_string_pair){entry->key, value};
    return true;
}

static bool pair_of_item(const struct map_slot *slot, const struct hf_key_path *path,
                         const struct hf_yaml *item, struct hf_string_pair *ret_pair)
{
    const struct hf_yaml *name = hf_yaml_value(item, "name");
    const struct hf_yaml *value = hf_yaml_value(item, "value");
    const char *name_text = hf_yaml_is_empty(name) ? NULL : hf_yaml_string(name);

    if (name_text == NULL || item->count != (value == NULL ? 1u : 2u)) {
        hf_load_error(slot->load, item->place, path, "expected a map with the keys name and value");
        return false;
    }
    struct hf_yaml_entry entry = {name_text, item->place, (struct hf_yaml *)value};
    const struct map_slot inner = {slot->load, path, slot->field};
    return pair_of_entry(&inner, &entry, ret_pair);
}

void hf_bind_map(struct hf_load *load, const struct hf_key_path *path, const struct hf_yaml *node,
                 const struct hf_field *field, void *at)
{
    const struct map_slot slot = {load, path, field};

    if (node->kind == HF_YAML_SCALAR) {
        hf_load_error(load, node->place, path, "expected a map, got %s",
                      hf_redact_is_secret(field->key) ? "text" : hf_yaml_show(node).text);
        return;
    }
    struct hf_string_pair *pairs = hf_config_array(load->memory, node->count, sizeof(*pairs));
    bool good = pairs != NULL;
    for (size_t i = 0; pairs != NULL && i < node->count; i++) {
        struct hf_key_path step = {.up = path, .index = i};
        if (node->kind == HF_YAML_MAP) {
            good = pair_of_entry(&slot, &node->entries[i], &pairs[i]) && good;
        } else {
            good = pair_of_item(&slot, &step, node->items[i], &pairs[i]) && good;
        }
    }
    if (good) {
        *(struct hf_string_map *)at = (struct hf_string_map){pairs, node->count};
    }
}
