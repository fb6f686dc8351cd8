#include "value.h"

#include <stdio.h>
#include <stdlib.h>

struct hf_expr_map *hf_expr_map_new(struct hf_arena *arena, size_t capacity)
{
    struct hf_expr_map *map =
        hf_arena_take(arena, sizeof(*map) + capacity * sizeof(struct hf_expr_pair));
    if (map != NULL) {
        *map =
            (struct hf_expr_map){.pairs = (struct hf_expr_pair *)(map + 1), .capacity = capacity};
    }
    return map;
}

struct hf_expr_list *hf_expr_list_new(struct hf_arena *arena, size_t capacity)
{
    struct hf_expr_list *list =
        hf_arena_take(arena, sizeof(*list) + capacity * sizeof(struct hf_expr_value));
    if (list != NULL) {
        *list = (struct hf_expr_list){.items = (struct hf_expr_value *)(list + 1),
                                      .capacity = capacity};
    }
    return list;
}

struct hf_expr_pair *hf_expr_map_find(const struct hf_expr_map *map, struct hf_slice key)
{
    for (size_t i = 0; i < map->count; i++) {
        if (hf_slice_equal(map->pairs[i].key, key)) {
            return &map->pairs[i];
        }
    }
    return NULL;
}

enum hf_status hf_expr_map_add(struct hf_arena *arena, struct hf_expr_map *map, struct hf_slice key,
                               struct hf_expr_value value)
{
    if (map->count == map->capacity) {
        size_t capacity = map->capacity * 2 + 4;
        struct hf_expr_pair *pairs = hf_arena_take(arena, capacity * sizeof(*pairs));
        if (pairs == NULL) {
            return HF_NOMEM;
        }
        if (map->count != 0) {
            memcpy(pairs, map->pairs, map->count * sizeof(*pairs));
        }
        map->pairs = pairs;
        map->capacity = capacity;
    }
    map->pairs[map->count++] = (struct hf_expr_pair){key, value};
    return HF_OK;
}

enum hf_status hf_expr_map_set(struct hf_arena *arena, struct hf_expr_map *map, struct hf_slice key,
                               struct hf_expr_value value)
{
    struct hf_expr_pair *pair = hf_expr_map_find(map, key);
    if (pair != NULL) {
        pair->value = value;
        return HF_OK;
    }
    return hf_expr_map_add(arena, map, key, value);
}

bool hf_expr_map_remove(struct hf_expr_map *map, struct hf_slice key)
{
    struct hf_expr_pair *pair = hf_expr_map_find(map, key);
    if (pair == NULL) {
        return false;
    }
    size_t behind = map->count - (size_t)(pair - map->pairs) - 1;
    memmove(pair, pair + 1, behind * sizeof(*pair));
    map->count--;
    return true;
}

enum hf_status hf_expr_map_merge(struct hf_arena *arena, struct hf_expr_map *map,
                                 const struct hf_expr_map *from)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < from->count && status == HF_OK; i++) {
        status = hf_expr_map_set(arena, map, from->pairs[i].key, from->pairs[i].value);
    }
    return status;
}

struct hf_expr_list *hf_expr_list_copy(struct hf_arena *arena, const struct hf_expr_value *items,
                                       size_t count)
{
    struct hf_expr_list *list = hf_expr_list_new(arena, count);
    if (list != NULL && count != 0) {
        memcpy(list->items, items, count * sizeof(*items));
        list->count = count;
    }
    return list;
}

struct hf_expr_value *hf_expr_list_at(const struct hf_expr_list *list, int64_t at)
{
    int64_t count = (int64_t)list->count;
    at = at < 0 ? at + count : at;
    return at >= 0 && at < count ? &list->items[at] : NULL;
}

enum hf_status hf_expr_list_add(struct hf_arena *arena, struct hf_expr_list *list,
                                struct hf_expr_value value)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity * 2 + 4;
        struct hf_expr_value *items = hf_arena_take(arena, capacity * sizeof(*items));
        if (items == NULL) {
            return HF_NOMEM;
        }
        if (list->count != 0) {
            memcpy(items, list->items, list->count * sizeof(*items));
        }
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = value;
    return HF_OK;
}

struct hf_slice hf_expr_copy_text(struct hf_arena *arena, struct hf_slice text)
{
    uint8_t *copy = hf_arena_take(arena, text.size + 1);
    if (copy == NULL) {
        return HF_EMPTY_SLICE;
    }
    if (text.size != 0) {
        memcpy(copy, text.data, text.size);
    }
    return hf_slice_of(copy, text.size);
}

enum hf_status hf_expr_value_copy(struct hf_arena *arena, const struct hf_expr_value *value,
                                  struct hf_expr_value *ret_value)
{
    struct hf_expr_value copy = *value;
    enum hf_status status = HF_OK;
    if (value->type == HF_EXPR_STRING || value->type == HF_EXPR_BYTES) {
        copy.text = hf_expr_copy_text(arena, value->text);
        status = copy.text.data != NULL ? HF_OK : HF_NOMEM;
    } else if (value->type == HF_EXPR_LIST) {
        copy.list = hf_expr_list_new(arena, value->list->count);
        status = copy.list != NULL ? HF_OK : HF_NOMEM;
        for (size_t i = 0; status == HF_OK && i < value->list->count; i++) {
            status = hf_expr_value_copy(arena, &value->list->items[i], &copy.list->items[i]);
            copy.list->count++;
        }
    } else if (value->type == HF_EXPR_MAP) {
        copy.map = hf_expr_map_new(arena, value->map->count);
        status = copy.map != NULL ? HF_OK : HF_NOMEM;
        for (size_t i = 0; status == HF_OK && i < value->map->count; i++) {
            struct hf_expr_pair *pair = &copy.map->pairs[i];
            pair->key = hf_expr_copy_text(arena, value->map->pairs[i].key);
            status = pair->key.data != NULL
                         ? hf_expr_value_copy(arena, &value->map->pairs[i].value, &pair->value)
                         : HF_NOMEM;
            copy.map->count++;
        }
    }
    *ret_value = copy;
    return status;
}

static bool lists_equal(const struct hf_expr_list *a, const struct hf_expr_list *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (!hf_expr_value_equal(&a->items[i], &b->items[i])) {
            return false;
        }
    }
    return true;
}

static bool maps_equal(const struct hf_expr_map *a, const struct hf_expr_map *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        /* Mostly the keys are in the same order. */
        const struct hf_expr_pair *other = hf_slice_equal(a->pairs[i].key, b->pairs[i].key)
                                               ? &b->pairs[i]
                                               : hf_expr_map_find(b, a->pairs[i].key);
        if (other == NULL || !hf_expr_value_equal(&a->pairs[i].value, &other->value)) {
            return false;
        }
    }
    return true;
}

bool hf_expr_value_equal(const struct hf_expr_value *a, const struct hf_expr_value *b)
{
    if (a->type != b->type) {
        return (a->type == HF_EXPR_INT && b->type == HF_EXPR_DOUBLE &&
                (double)a->integer == b->number) ||
               (a->type == HF_EXPR_DOUBLE && b->type == HF_EXPR_INT &&
                a->number == (double)b->integer);
    }
    switch (a->type) {
    case HF_EXPR_NULL:
        return true;
    case HF_EXPR_STRING:
    case HF_EXPR_BYTES:
        return hf_slice_equal(a->text, b->text);
    case HF_EXPR_BOOL:
        return a->boolean == b->boolean;
    case HF_EXPR_INT:
        return a->integer == b->integer;
    case HF_EXPR_DOUBLE:
        return a->number == b->number;
    case HF_EXPR_LIST:
        return lists_equal(a->list, b->list);
    case HF_EXPR_MAP:
        return maps_equal(a->map, b->map);
    }
    return false;
}

static enum hf_status list_of(struct hf_arena *arena, const struct hf_value *from,
                              struct hf_expr_value *ret)
{
    *ret =
        (struct hf_expr_value){.type = HF_EXPR_LIST, .list = hf_expr_list_new(arena, from->count)};
    enum hf_status status = ret->list != NULL ? HF_OK : HF_NOMEM;
    for (size_t i = 0; i < from->count && status == HF_OK; i++) {
        status = hf_expr_value_of(arena, &from->items[i], &ret->list->items[i]);
        ret->list->count++;
    }
    return status;
}

static enum hf_status map_of(struct hf_arena *arena, const struct hf_value *from,
                             struct hf_expr_value *ret)
{
    *ret = (struct hf_expr_value){.type = HF_EXPR_MAP, .map = hf_expr_map_new(arena, from->count)};
    enum hf_status status = ret->map != NULL ? HF_OK : HF_NOMEM;
    for (size_t i = 0; i < from->count && status == HF_OK; i++) {
        struct hf_expr_pair *pair = &ret->map->pairs[i];
        pair->key = hf_slice_text(from->keys[i]);
        status = hf_expr_value_of(arena, &from->items[i], &pair->value);
        ret->map->count++;
    }
    return status;
}

enum hf_status hf_expr_value_of(struct hf_arena *arena, const struct hf_value *from,
                                struct hf_expr_value *ret_value)
{
    switch (from->type) {
    case HF_VALUE_STRING:
        *ret_value = hf_expr_text(from->string);
        return HF_OK;
    case HF_VALUE_INT:
        *ret_value = hf_expr_integer(from->integer);
        return HF_OK;
    case HF_VALUE_DOUBLE:
        *ret_value = hf_expr_number(from->number);
        return HF_OK;
    case HF_VALUE_BOOL:
        *ret_value = hf_expr_boolean(from->boolean);
        return HF_OK;
    case HF_VALUE_LIST:
        return list_of(arena, from, ret_value);
    case HF_VALUE_MAP:
        return map_of(arena, from, ret_value);
    case HF_VALUE_NONE:
        break;
    }
    *ret_value = (struct hf_expr_value){0};
    return HF_OK;
}

bool hf_expr_value_order(const struct hf_expr_value *a, const struct hf_expr_value *b,
                         int *ret_sign)
{
    if (a->type == HF_EXPR_STRING && b->type == HF_EXPR_STRING) {
        *ret_sign = hf_slice_compare(a->text, b->text);
        return true;
    }
    if (a->type == HF_EXPR_INT && b->type == HF_EXPR_INT) {
        *ret_sign = (a->integer > b->integer) - (a->integer < b->integer);
        return true;
    }
    if (!hf_expr_is_number(a) || !hf_expr_is_number(b)) {
        return false;
    }
    double x = hf_expr_number_of(a), y = hf_expr_number_of(b);
    *ret_sign = (x > y) - (x < y);
    return true;
}

size_t hf_expr_print_double(double number, char room[HF_EXPR_DOUBLE_MAX])
{
    int size = 0;
    for (int digits = 1; digits <= 17; digits++) {
        size = snprintf(room, HF_EXPR_DOUBLE_MAX, "%.*g", digits, number);
        if (strtod(room, NULL) == number) {
            break;
        }
    }
    return (size_t)size;
}
