/*
 * call_lists: functions of lists and maps that need no predicate.
 */
#include <stdlib.h>

#include "call.h"

static const struct hf_expr_value nil;

struct hf_expr_value call_keys(struct scope *scope, const struct node *node)
{
    const struct hf_expr_map *map = expr_map_argument(scope, node, 0);
    if (map == NULL) {
        return nil;
    }
    struct hf_expr_list *list = hf_expr_list_new(scope->arena, map->count);
    for (size_t i = 0; list != NULL && i < map->count; i++) {
        list->items[list->count++] = hf_expr_string(map->pairs[i].key);
    }
    return expr_list_value(scope, list);
}

struct hf_expr_value call_values(struct scope *scope, const struct node *node)
{
    const struct hf_expr_map *map = expr_map_argument(scope, node, 0);
    if (map == NULL) {
        return nil;
    }
    struct hf_expr_list *list = hf_expr_list_new(scope->arena, map->count);
    for (size_t i = 0; list != NULL && i < map->count; i++) {
        list->items[list->count++] = map->pairs[i].value;
    }
    return expr_list_value(scope, list);
}

static struct hf_expr_value at_end(struct scope *scope, const struct node *node, bool last)
{
    const struct hf_expr_list *of = expr_list_argument(scope, node, 0);
    return of == NULL || of->count == 0 ? nil : of->items[last ? of->count - 1 : 0];
}

struct hf_expr_value call_first(struct scope *scope, const struct node *node)
{
    return at_end(scope, node, false);
}

struct hf_expr_value call_last(struct scope *scope, const struct node *node)
{
    return at_end(scope, node, true);
}

/* A pair of a list: its key and its value. */
struct hf_expr_value call_to_pairs(struct scope *scope, const struct node *node)
{
    const struct hf_expr_map *map = expr_map_argument(scope, node, 0);
    struct hf_expr_list *list = map != NULL ? hf_expr_list_new(scope->arena, map->count) : NULL;
    for (size_t i = 0; list != NULL && i < map->count; i++) {
        struct hf_expr_list *pair = hf_expr_list_new(scope->arena, 2);
        if (pair == NULL) {
            return expr_no_memory(scope);
        }
        pair->items[pair->count++] = hf_expr_string(map->pairs[i].key);
        pair->items[pair->count++] = map->pairs[i].value;
        list->items[list->count++] = expr_list_value(scope, pair);
    }
    return map != NULL ? expr_list_value(scope, list) : nil;
}

struct hf_expr_value call_from_pairs(struct scope *scope, const struct node *node)
{
    const struct hf_expr_list *list = expr_list_argument(scope, node, 0);
    struct hf_expr_map *map = list != NULL ? hf_expr_map_new(scope->arena, list->count) : NULL;
    for (size_t i = 0; map != NULL && i < list->count; i++) {
        const struct hf_expr_value *pair = &list->items[i];
        if (pair->type != HF_EXPR_LIST || pair->list->count != 2 ||
            pair->list->items[0].type != HF_EXPR_STRING) {
            return expr_fail(scope, "fromPairs needs pairs of a text and a value");
        }
        if (hf_expr_map_set(scope->arena, map, pair->list->items[0].text, pair->list->items[1]) !=
            HF_OK) {
            return expr_no_memory(scope);
        }
    }
    return list == NULL  ? nil
           : map == NULL ? expr_no_memory(scope)
                         : (struct hf_expr_value){.type = HF_EXPR_MAP, .map = map};
}

/* The element or member; nil: there is none. */
struct hf_expr_value call_get(struct scope *scope, const struct node *node)
{
    struct hf_expr_value of = expr_argument(scope, node, 0), key = expr_argument(scope, node, 1);
    if (of.type == HF_EXPR_MAP && key.type == HF_EXPR_STRING) {
        const struct hf_expr_pair *pair = hf_expr_map_find(of.map, key.text);
        return pair != NULL ? pair->value : nil;
    }
    if (of.type == HF_EXPR_LIST && key.type == HF_EXPR_INT) {
        const struct hf_expr_value *item = hf_expr_list_at(of.list, key.integer);
        return item != NULL ? *item : nil;
    }
    return nil;
}

struct hf_expr_value call_take(struct scope *scope, const struct node *node)
{
    int64_t most = 0;
    const struct hf_expr_list *of = expr_list_argument(scope, node, 0);
    if (of == NULL || !expr_int_argument(scope, node, 1, &most)) {
        return nil;
    }
    if (most < 0) {
        return expr_fail(scope, "take needs a count that is not negative");
    }
    size_t count = (uint64_t)most < of->count ? (size_t)most : of->count;
    return expr_list_value(scope, hf_expr_list_copy(scope->arena, of->items, count));
}

struct hf_expr_value call_reverse(struct scope *scope, const struct node *node)
{
    const struct hf_expr_list *of = expr_list_argument(scope, node, 0);
    struct hf_expr_list *list = of != NULL ? hf_expr_list_new(scope->arena, of->count) : NULL;
    for (size_t i = 0; list != NULL && i < of->count; i++) {
        list->items[list->count++] = of->items[of->count - 1 - i];
    }
    return of != NULL ? expr_list_value(scope, list) : nil;
}

struct hf_expr_value call_uniq(struct scope *scope, const struct node *node)
{
    const struct hf_expr_list *of = expr_list_argument(scope, node, 0);
    struct hf_expr_list *list = of != NULL ? hf_expr_list_new(scope->arena, of->count) : NULL;
    for (size_t i = 0; list != NULL && i < of->count; i++) {
        bool is_new = expr_spend(scope, list->count);
        for (size_t k = 0; k < list->count && is_new; k++) {
            is_new = !hf_expr_value_equal(&list->items[k], &of->items[i]);
        }
        if (is_new) {
            list->items[list->count++] = of->items[i];
        }
    }
    return of != NULL ? expr_list_value(scope, list) : nil;
}

/* NULL: no memory. */
static struct hf_expr_list *add_all(struct scope *scope, struct hf_expr_list *list,
                                    const struct hf_expr_list *from, bool is_deep, unsigned depth)
{
    for (size_t i = 0; list != NULL && i < from->count; i++) {
        const struct hf_expr_value *item = &from->items[i];
        if (is_deep && item->type == HF_EXPR_LIST && depth < HF_EXPR_DEPTH_MAX) {
            list = add_all(scope, list, item->list, true, depth + 1);
        } else if (hf_expr_list_add(scope->arena, list, *item) != HF_OK) {
            list = NULL;
        }
    }
    return list;
}

struct hf_expr_value call_concat(struct scope *scope, const struct node *node)
{
    struct hf_expr_list *list = hf_expr_list_new(scope->arena, 8);
    for (size_t i = 0; list != NULL && i < node->count; i++) {
        const struct hf_expr_list *of = expr_list_argument(scope, node, i);
        if (of == NULL) {
            return nil;
        }
        list = add_all(scope, list, of, false, 0);
    }
    return expr_list_value(scope, list);
}

struct hf_expr_value call_flatten(struct scope *scope, const struct node *node)
{
    const struct hf_expr_list *of = expr_list_argument(scope, node, 0);
    struct hf_expr_list *list = of != NULL ? hf_expr_list_new(scope->arena, of->count) : NULL;
    list = list != NULL ? add_all(scope, list, of, true, 0) : NULL;
    return of != NULL ? expr_list_value(scope, list) : nil;
}

/* ---- sorting ---- */

struct sorted {
    struct hf_expr_value key, item;
    size_t at;
};

static int compare(const void *a, const void *b)
{
    const struct sorted *x = a, *y = b;
    int sign = 0;
    (void)hf_expr_value_order(&x->key, &y->key, &sign); /* they were compared before */
    return sign != 0 ? sign : (x->at > y->at) - (x->at < y->at);
}

static int compare_descending(const void *a, const void *b)
{
    const struct sorted *x = a, *y = b;
    int sign = 0;
    (void)hf_expr_value_order(&y->key, &x->key, &sign);
    return sign != 0 ? sign : (x->at > y->at) - (x->at < y->at);
}

bool expr_sort(struct scope *scope, struct hf_expr_value *items, const struct hf_expr_value *keys,
               size_t count, bool is_descending)
{
    int sign = 0;
    struct sorted *all = hf_arena_take(scope->arena, (count + 1) * sizeof(*all));
    if (all == NULL) {
        expr_no_memory(scope);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!hf_expr_value_order(&keys[0], &keys[i], &sign)) {
            expr_fail(scope, "only numbers, and only texts, are sorted");
            return false;
        }
        all[i] = (struct sorted){.key = keys[i], .item = items[i], .at = i};
    }
    qsort(all, count, sizeof(*all), is_descending ? compare_descending : compare);
    for (size_t i = 0; i < count; i++) {
        items[i] = all[i].item;
    }
    return true;
}

bool expr_direction(struct scope *scope, const struct node *node, size_t i, bool *ret_descending)
{
    struct hf_slice text = hf_slice_text("asc");
    if (i < node->count && !expr_text_argument(scope, node, i, &text)) {
        return false;
    }
    *ret_descending = hf_slice_is(text, "desc");
    if (!*ret_descending && !hf_slice_is(text, "asc")) {
        expr_fail(scope, "an order is asc or desc");
        return false;
    }
    return true;
}

struct hf_expr_value call_sort(struct scope *scope, const struct node *node)
{
    bool is_descending = false;
    const struct hf_expr_list *of = expr_list_argument(scope, node, 0);
    if (of == NULL || !expr_direction(scope, node, 1, &is_descending)) {
        return nil;
    }
    struct hf_expr_list *list = hf_expr_list_copy(scope->arena, of->items, of->count);
    if (list != NULL && !expr_sort(scope, list->items, list->items, list->count, is_descending)) {
        return nil;
    }
    return expr_list_value(scope, list);
}
