/*
 * call_folds: functions that evaluate a predicate per element of a list: `#` is the element,
 * `#index` its number and `#acc` what reduce() has so far. Those that search stop where the answer
 * is known.
 */
#include "call.h"

static const struct hf_expr_value nil;

/* What the predicate is of an element; without a predicate, the element. */
static struct hf_expr_value value_of(struct scope *scope, const struct node *node,
                                     const struct hf_expr_list *list, size_t i)
{
    if (node->count < 2) {
        return list->items[i];
    }
    struct hf_expr_value element = scope->element, number = scope->number;
    scope->element = list->items[i];
    scope->number = hf_expr_integer((int64_t)i);
    struct hf_expr_value value = expr_eval_node(scope, node->items[1]);
    scope->element = element;
    scope->number = number;
    return value;
}

static bool is_true_of(struct scope *scope, const struct node *node,
                       const struct hf_expr_list *list, size_t i)
{
    struct hf_expr_value value = value_of(scope, node, list, i);
    if (value.type != HF_EXPR_BOOL) {
        expr_fail(scope, "a predicate is no boolean");
    }
    return value.type == HF_EXPR_BOOL && value.boolean;
}

#define NONE (-1)

/* The number of the first element of which the predicate is `wanted`, or of the last; NONE. */
static int64_t search(struct scope *scope, const struct node *node, const struct hf_expr_list *list,
                      bool wanted, bool from_last)
{
    for (size_t i = 0; list != NULL && i < list->count && scope->status == HF_OK; i++) {
        size_t at = from_last ? list->count - 1 - i : i;
        if (is_true_of(scope, node, list, at) == wanted) {
            return (int64_t)at;
        }
    }
    return NONE;
}

static bool is_any(struct scope *scope, const struct node *node, bool wanted)
{
    const struct hf_expr_list *list = expr_list_argument(scope, node, 0);
    return search(scope, node, list, wanted, false) != NONE;
}

struct hf_expr_value call_all(struct scope *scope, const struct node *node)
{
    return hf_expr_boolean(!is_any(scope, node, false));
}

struct hf_expr_value call_any(struct scope *scope, const struct node *node)
{
    return hf_expr_boolean(is_any(scope, node, true));
}

struct hf_expr_value call_none(struct scope *scope, const struct node *node)
{
    return hf_expr_boolean(!is_any(scope, node, true));
}

static struct hf_expr_value find(struct scope *scope, const struct node *node, bool from_last)
{
    const struct hf_expr_list *list = expr_list_argument(scope, node, 0);
    int64_t at = search(scope, node, list, true, from_last);
    return at != NONE ? list->items[at] : nil;
}

struct hf_expr_value call_find(struct scope *scope, const struct node *node)
{
    return find(scope, node, false);
}

struct hf_expr_value call_find_last(struct scope *scope, const struct node *node)
{
    return find(scope, node, true);
}

static struct hf_expr_value find_index(struct scope *scope, const struct node *node, bool from_last)
{
    const struct hf_expr_list *list = expr_list_argument(scope, node, 0);
    int64_t at = search(scope, node, list, true, from_last);
    return at != NONE ? hf_expr_integer(at) : nil;
}

struct hf_expr_value call_find_index(struct scope *scope, const struct node *node)
{
    return find_index(scope, node, false);
}

struct hf_expr_value call_find_last_index(struct scope *scope, const struct node *node)
{
    return find_index(scope, node, true);
}

static int64_t count_true(struct scope *scope, const struct node *node)
{
    const struct hf_expr_list *list = expr_list_argument(scope, node, 0);
    int64_t count = 0;
    for (size_t i = 0; list != NULL && i < list->count && scope->status == HF_OK; i++) {
        count += is_true_of(scope, node, list, i);
    }
    return count;
}

struct hf_expr_value call_one(struct scope *scope, const struct node *node)
{
    return hf_expr_boolean(count_true(scope, node) == 1);
}

struct hf_expr_value call_count(struct scope *scope, const struct node *node)
{
    return hf_expr_integer(count_true(scope, node));
}

struct hf_expr_value call_filter(struct scope *scope, const struct node *node)
{
    const struct hf_expr_list *of = expr_list_argument(scope, node, 0);
    struct hf_expr_list *list = of != NULL ? hf_expr_list_new(scope->arena, of->count) : NULL;
    for (size_t i = 0; list != NULL && i < of->count && scope->status == HF_OK; i++) {
        if (is_true_of(scope, node, of, i)) {
            list->items[list->count++] = of->items[i];
        }
    }
    return of != NULL ? expr_list_value(scope, list) : nil;
}

/* The predicate's values; NULL: the evaluation failed. */
static struct hf_expr_list *values_of(struct scope *scope, const struct node *node,
                                      const struct hf_expr_list *of)
{
    struct hf_expr_list *list = of != NULL ? hf_expr_list_new(scope->arena, of->count) : NULL;
    if (of != NULL && list == NULL) {
        expr_no_memory(scope);
    }
    for (size_t i = 0; list != NULL && i < of->count; i++) {
        list->items[list->count++] = value_of(scope, node, of, i);
    }
    return scope->status == HF_OK ? list : NULL;
}

struct hf_expr_value call_map(struct scope *scope, const struct node *node)
{
    struct hf_expr_list *list = values_of(scope, node, expr_list_argument(scope, node, 0));
    return list != NULL ? expr_list_value(scope, list) : nil;
}

struct hf_expr_value call_sum(struct scope *scope, const struct node *node)
{
    const struct hf_expr_list *list = values_of(scope, node, expr_list_argument(scope, node, 0));
    int64_t whole = 0;
    double sum = 0;
    bool is_whole = true;
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        const struct hf_expr_value *value = &list->items[i];
        if (!hf_expr_is_number(value)) {
            return expr_fail(scope, "sum needs numbers");
        }
        sum += hf_expr_number_of(value);
        is_whole = is_whole && value->type == HF_EXPR_INT &&
                   !__builtin_add_overflow(whole, value->integer, &whole);
    }
    return list == NULL ? nil : is_whole ? hf_expr_integer(whole) : hf_expr_number(sum);
}

/* From the third argument, or the first element, over all elements behind it. */
struct hf_expr_value call_reduce(struct scope *scope, const struct node *node)
{
    const struct hf_expr_list *list = expr_list_argument(scope, node, 0);
    struct hf_expr_value outer = scope->accumulated;
    size_t first = node->count < 3;
    if (list == NULL || list->count < first) {
        return list == NULL ? nil
                            : expr_fail(scope, "reduce needs an element, or a value to begin");
    }
    struct hf_expr_value value = first != 0 ? list->items[0] : expr_argument(scope, node, 2);
    for (size_t i = first; i < list->count && scope->status == HF_OK; i++) {
        scope->accumulated = value;
        value = value_of(scope, node, list, i);
    }
    scope->accumulated = outer;
    return value;
}

/* A map of lists: the elements by the predicate's text. */
struct hf_expr_value call_group_by(struct scope *scope, const struct node *node)
{
    const struct hf_expr_list *of = expr_list_argument(scope, node, 0);
    const struct hf_expr_list *keys = values_of(scope, node, of);
    struct hf_expr_map *map = keys != NULL ? hf_expr_map_new(scope->arena, 4) : NULL;
    for (size_t i = 0; map != NULL && i < keys->count; i++) {
        if (keys->items[i].type != HF_EXPR_STRING) {
            return expr_fail(scope, "groupBy needs texts");
        }
        struct hf_slice key = keys->items[i].text;
        struct hf_expr_pair *pair = hf_expr_map_find(map, key);
        struct hf_expr_list *list =
            pair != NULL ? pair->value.list : hf_expr_list_new(scope->arena, 4);
        if (list == NULL || hf_expr_list_add(scope->arena, list, of->items[i]) != HF_OK ||
            hf_expr_map_set(scope->arena, map, key, expr_list_value(scope, list)) != HF_OK) {
            return expr_no_memory(scope);
        }
    }
    return keys == NULL  ? nil
           : map == NULL ? expr_no_memory(scope)
                         : (struct hf_expr_value){.type = HF_EXPR_MAP, .map = map};
}

struct hf_expr_value call_sort_by(struct scope *scope, const struct node *node)
{
    bool is_descending = false;
    const struct hf_expr_list *of = expr_list_argument(scope, node, 0);
    const struct hf_expr_list *keys = values_of(scope, node, of);
    if (keys == NULL || !expr_direction(scope, node, 2, &is_descending)) {
        return nil;
    }
    struct hf_expr_list *list = hf_expr_list_copy(scope->arena, of->items, of->count);
    if (list != NULL && !expr_sort(scope, list->items, keys->items, list->count, is_descending)) {
        return nil;
    }
    return expr_list_value(scope, list);
}
