#include "target_groups.h"

#include <stdio.h>

#include "config/load.h"
#include "config/tree.h"
#include "json/json.h"

#define YAML_MEMORY_BYTES (64u << 20)

static enum hf_status refuse(char *reterr, const char *why)
{
    snprintf(reterr, HF_TARGET_GROUPS_ERROR_MAX, "%s", why);
    return HF_INVALID;
}

static enum hf_status no_memory(char *reterr)
{
    snprintf(reterr, HF_TARGET_GROUPS_ERROR_MAX, "out of memory for its targets");
    return HF_NOMEM;
}

static size_t count_of(const struct hf_json *list)
{
    size_t count = 0;
    for (const struct hf_json *item = hf_json_first(list); item != NULL; item = item->next) {
        count++;
    }
    return count;
}

/* ---- groups of a tree ---- */

static enum hf_status read_targets(const struct hf_json *list, struct hf_arena *arena,
                                   struct hf_target_group *group, char *reterr)
{
    if (list == NULL || list->kind == HF_JSON_NULL) {
        return HF_OK;
    }
    if (list->kind != HF_JSON_LIST) {
        return refuse(reterr, "targets is no list of texts");
    }
    struct hf_slice *targets = hf_arena_take(arena, (count_of(list) + 1) * sizeof(*targets));
    if (targets == NULL) {
        return no_memory(reterr);
    }
    for (const struct hf_json *item = hf_json_first(list); item != NULL; item = item->next) {
        if (item->kind != HF_JSON_STRING) {
            return refuse(reterr, "targets is no list of texts");
        }
        targets[group->target_count++] = item->text;
    }
    group->targets = targets;
    return HF_OK;
}

static enum hf_status read_labels(const struct hf_json *map, struct hf_arena *arena,
                                  struct hf_target_group *group, char *reterr)
{
    if (map == NULL || map->kind == HF_JSON_NULL) {
        return HF_OK;
    }
    if (map->kind != HF_JSON_MAP) {
        return refuse(reterr, "labels is no map of texts");
    }
    struct hf_prom_label *labels = hf_arena_take(arena, (count_of(map) + 1) * sizeof(*labels));
    if (labels == NULL) {
        return no_memory(reterr);
    }
    for (const struct hf_json *item = hf_json_first(map); item != NULL; item = item->next) {
        if (item->kind != HF_JSON_STRING) {
            return refuse(reterr, "labels is no map of texts");
        }
        labels[group->label_count++] = (struct hf_prom_label){item->key, item->text};
    }
    group->labels = labels;
    return HF_OK;
}

static enum hf_status read_groups(const struct hf_json *root, struct hf_arena *arena,
                                  struct hf_target_group **ret_groups, size_t *ret_count,
                                  char *reterr)
{
    if (root->kind != HF_JSON_LIST && root->kind != HF_JSON_NULL) {
        return refuse(reterr, "it is no list of target groups");
    }
    struct hf_target_group *groups = hf_arena_take(arena, (count_of(root) + 1) * sizeof(*groups));
    size_t count = 0;
    if (groups == NULL) {
        return no_memory(reterr);
    }
    for (const struct hf_json *item = hf_json_first(root); item != NULL; item = item->next) {
        struct hf_target_group *group = &groups[count++];
        *group = (struct hf_target_group){0};
        if (item->kind != HF_JSON_MAP) {
            return refuse(reterr, "a target group is no map of targets and labels");
        }
        enum hf_status status = read_targets(hf_json_get(item, "targets"), arena, group, reterr);
        if (status == HF_OK) {
            status = read_labels(hf_json_get(item, "labels"), arena, group, reterr);
        }
        if (status != HF_OK) {
            return status;
        }
    }
    *ret_groups = groups;
    *ret_count = count;
    return HF_OK;
}

enum hf_status hf_target_groups_read_json(struct hf_slice text, struct hf_arena *arena,
                                          struct hf_target_group **ret_groups, size_t *ret_count,
                                          char *reterr)
{
    const struct hf_json *root = NULL;
    char why[HF_JSON_ERROR_MAX] = "";
    enum hf_status status = hf_json_read(text, arena, &root, why);
    if (status != HF_OK) {
        snprintf(reterr, HF_TARGET_GROUPS_ERROR_MAX, "it is no JSON: %s",
                 why[0] != '\0' ? why : hf_status_row(status)->says);
        return status;
    }
    return read_groups(root, arena, ret_groups, ret_count, reterr);
}

/* ---- YAML, as the same tree: all scalars are texts ---- */

static struct hf_slice copy(struct hf_arena *arena, const char *text)
{
    size_t size = strlen(text);
    char *room = hf_arena_take(arena, size + 1);
    if (room == NULL) {
        return HF_EMPTY_SLICE;
    }
    memcpy(room, text, size + 1);
    return hf_slice_of(room, size);
}

static struct hf_json *convert(const struct hf_yaml *yaml, struct hf_arena *arena)
{
    struct hf_json *value = hf_arena_take(arena, sizeof(*value));
    if (value == NULL) {
        return NULL;
    }
    *value = (struct hf_json){.kind = HF_JSON_NULL};
    if (yaml->kind == HF_YAML_SCALAR) {
        if (!hf_yaml_is_null(yaml)) {
            value->kind = HF_JSON_STRING;
            value->text = copy(arena, hf_yaml_string(yaml));
        }
        return value;
    }
    bool is_map = yaml->kind == HF_YAML_MAP;
    const struct hf_json **next = &value->first;
    value->kind = is_map ? HF_JSON_MAP : HF_JSON_LIST;
    value->first = NULL;
    for (size_t i = 0; i < yaml->count; i++) {
        struct hf_json *item = convert(is_map ? yaml->entries[i].value : yaml->items[i], arena);
        if (item == NULL) {
            return NULL;
        }
        item->key = is_map ? copy(arena, yaml->entries[i].key) : HF_EMPTY_SLICE;
        *next = item;
        next = &item->next;
    }
    return value;
}

enum hf_status hf_target_groups_read_yaml(struct hf_slice text, struct hf_arena *arena,
                                          struct hf_target_group **ret_groups, size_t *ret_count,
                                          char *reterr)
{
    struct hf_config_memory *memory = hf_config_memory_new(YAML_MEMORY_BYTES);
    if (memory == NULL) {
        return no_memory(reterr);
    }
    struct hf_config_options options = {0};
    struct hf_load load = {.memory = memory, .options = &options};
    load.last_found = &load.first_found;
    const struct hf_yaml_input input = {
        .text = (const char *)text.data, .size = text.size, .file = ""};
    const struct hf_yaml *yaml = hf_yaml_parse(&load, &input);
    const struct hf_json *root = yaml != NULL ? convert(yaml, arena) : NULL;
    bool is_full = hf_config_memory_failed(memory) || (yaml != NULL && root == NULL);
    hf_config_memory_free(memory);
    if (root == NULL) {
        return is_full ? no_memory(reterr) : refuse(reterr, "it is no YAML");
    }
    return read_groups(root, arena, ret_groups, ret_count, reterr);
}
