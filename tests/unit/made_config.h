/*
 * made_config: a component's configuration for its unit test, made by the component's own table of
 * fields from pairs of path and text: {"client_auth.username", "joe"}, {"headers.0.key", "x-a"},
 * {"headers.X-Word", "yes"} for a map.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <holdfast/component.h>

#define MADE_BLOCKS_MAX 64
#define MADE_LIST_MAX 8

/* Everything that was allocated for one configuration. */
struct made_config {
    void *config;
    void *blocks[MADE_BLOCKS_MAX];
    size_t count;
};

static inline void *made_block(struct made_config *made, size_t size)
{
    assert_true(made->count < MADE_BLOCKS_MAX);
    void *block = calloc(1, size);
    assert_non_null(block);
    made->blocks[made->count++] = block;
    return block;
}

static inline const char *made_text(struct made_config *made, const char *text)
{
    char *copy = made_block(made, strlen(text) + 1);
    memcpy(copy, text, strlen(text) + 1);
    return copy;
}

static inline int64_t made_choice(const struct hf_field *field, const char *text)
{
    int64_t i = 0;
    while (field->choices[i] != NULL && strcmp(field->choices[i], text) != 0) {
        i++;
    }
    assert_non_null(field->choices[i]);
    return i;
}

static inline uint64_t made_duration(const char *text)
{
    char *unit;
    double number = strtod(text, &unit);
    return (uint64_t)(number * (strcmp(unit, "ms") == 0  ? 1e6
                                : strcmp(unit, "m") == 0 ? 60e9
                                                         : 1e9));
}

static inline uint64_t made_bytes(const char *text)
{
    char *unit;
    uint64_t number = strtoull(text, &unit, 10);
    return strcmp(unit, "KiB") == 0   ? number << 10
           : strcmp(unit, "MiB") == 0 ? number << 20
           : strcmp(unit, "GiB") == 0 ? number << 30
                                      : number;
}

static inline void made_append(struct made_config *made, void *place, const char *key,
                               const char *text)
{
    struct hf_string_map *map = place;
    struct hf_string_pair *pairs = made_block(made, (map->count + 1) * sizeof(*pairs));
    if (map->count != 0) {
        memcpy(pairs, map->items, map->count * sizeof(*pairs));
    }
    pairs[map->count] = (struct hf_string_pair){made_text(made, key), made_text(made, text)};
    *map = (struct hf_string_map){pairs, map->count + 1};
}

static inline void made_scalar(struct made_config *made, const struct hf_field *field, void *place,
                               const char *text)
{
    switch (field->type) {
    case HF_FIELD_STRING:
    case HF_FIELD_SECRET:
    case HF_FIELD_REF:
        *(const char **)place = made_text(made, text);
        break;
    case HF_FIELD_BOOL:
        *(bool *)place = strcmp(text, "true") == 0;
        break;
    case HF_FIELD_INT:
        *(int64_t *)place = strtoll(text, NULL, 10);
        break;
    case HF_FIELD_DOUBLE:
        *(double *)place = strtod(text, NULL);
        break;
    case HF_FIELD_ENUM:
        *(int64_t *)place = made_choice(field, text);
        break;
    case HF_FIELD_DURATION:
        *(uint64_t *)place = made_duration(text);
        break;
    case HF_FIELD_BYTES:
        *(uint64_t *)place = made_bytes(text);
        break;
    case HF_FIELD_STRING_LIST: {
        struct hf_string_list *list = place;
        const char **items = made_block(made, (list->count + 1) * sizeof(*items));
        if (list->count != 0) {
            memcpy(items, list->items, list->count * sizeof(*items));
        }
        items[list->count] = made_text(made, text);
        *list = (struct hf_string_list){items, list->count + 1};
        break;
    }
    default:
        fail_msg("made_config knows no such field: %s", field->key);
    }
}

/* A default as the table writes it: the items of a list with commas between them. */
static inline void made_preset(struct made_config *made, const struct hf_field *field, void *place)
{
    const char *text = field->default_text;
    while (field->type == HF_FIELD_STRING_LIST && strchr(text, ',') != NULL) {
        char *item = made_block(made, strlen(text) + 1);
        memcpy(item, text, strcspn(text, ","));
        made_scalar(made, field, place, item);
        text = strchr(text, ',') + 1;
    }
    made_scalar(made, field, place, text);
}

static inline void made_presets(struct made_config *made, const struct hf_field *fields, char *base)
{
    for (const struct hf_field *field = fields; field->type != HF_FIELD_END; field++) {
        if (field->type == HF_FIELD_STRUCT && field->inner != NULL) {
            made_presets(made, field->inner, base + field->offset);
        } else if (field->default_text != NULL && field->type != HF_FIELD_IGNORED &&
                   field->default_text[0] != '[') {
            made_preset(made, field, base + field->offset);
        }
    }
}

static inline void made_set(struct made_config *made, const struct hf_field *fields, char *base,
                            const char *path, const char *text)
{
    size_t size = strcspn(path, ".");
    const char *rest = path[size] == '.' ? path + size + 1 : "";
    const struct hf_field *field = fields;
    while (field->type != HF_FIELD_END &&
           (strlen(field->key) != size || strncmp(field->key, path, size) != 0)) {
        field++;
    }
    assert_int_not_equal(field->type, HF_FIELD_END);
    char *place = base + field->offset;
    if (field->present_offset != 0) {
        *(bool *)(base + field->present_offset) = true;
    }
    if (field->type == HF_FIELD_STRUCT) {
        made_set(made, field->inner, place, rest, text);
    } else if (field->type == HF_FIELD_MAP) {
        made_append(made, place, rest, text);
    } else if (field->type == HF_FIELD_OPTIONAL) {
        char **inner = (char **)(void *)place;
        if (*inner == NULL) {
            *inner = made_block(made, field->inner_size);
            made_presets(made, field->inner, *inner);
        }
        if (rest[0] != '\0') {
            made_set(made, field->inner, *inner, rest, text);
        }
    } else if (field->type == HF_FIELD_STRUCT_LIST) {
        struct hf_struct_list *list = (struct hf_struct_list *)(void *)place;
        char *next;
        size_t index = strtoul(rest, &next, 10);
        assert_true(index < MADE_LIST_MAX && *next == '.');
        if (list->items == NULL) {
            list->items = made_block(made, MADE_LIST_MAX * field->inner_size);
        }
        char *item = (char *)(uintptr_t)list->items + index * field->inner_size;
        if (index >= list->count) {
            list->count = index + 1;
            made_presets(made, field->inner, item);
        }
        made_set(made, field->inner, item, next + 1, text);
    } else {
        made_scalar(made, field, place, text);
    }
}

/* `pairs` ends with {NULL, NULL}. */
static inline void made_config(struct made_config *made, const struct hf_component *component,
                               const char *const pairs[][2])
{
    *made = (struct made_config){0};
    made->config = made_block(made, component->config_size);
    made_presets(made, component->fields, made->config);
    for (size_t i = 0; pairs[i][0] != NULL; i++) {
        made_set(made, component->fields, made->config, pairs[i][0], pairs[i][1]);
    }
}

static inline void made_config_release(struct made_config *made)
{
    while (made->count > 0) {
        free(made->blocks[--made->count]);
    }
}
