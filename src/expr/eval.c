/*
 * eval: the value of a compiled expression.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "node.h"
#include "util/regex/regex.h"

#define RANGE_MAX 100000
#define BYTES_PER_STEP 16u  /* of a text that is searched */
#define PATTERN_STEPS 1000u /* to compile one */

static const struct hf_expr_value nil;

struct hf_expr_value expr_fail(struct scope *scope, const char *why)
{
    if (scope->status == HF_OK) {
        scope->status = HF_INVALID;
        snprintf(scope->reterr, HF_EXPR_ERROR_MAX, "%s", why);
    }
    return nil;
}

struct hf_expr_value expr_no_memory(struct scope *scope)
{
    scope->status = HF_NOMEM;
    snprintf(scope->reterr, HF_EXPR_ERROR_MAX, "out of memory");
    return nil;
}

bool expr_spend(struct scope *scope, uint64_t steps)
{
    scope->steps += steps;
    if (scope->steps > EXPR_STEPS_MAX) {
        expr_fail(scope, "it takes too long");
    }
    return scope->steps <= EXPR_STEPS_MAX;
}

static bool is_text(const struct hf_expr_value *value)
{
    return value->type == HF_EXPR_STRING;
}

static bool truth(struct scope *scope, const struct node *node)
{
    struct hf_expr_value value = expr_eval_node(scope, node);
    if (value.type != HF_EXPR_BOOL && scope->status == HF_OK) {
        expr_fail(scope, "a condition is no boolean");
    }
    return value.type == HF_EXPR_BOOL && value.boolean;
}

/* ---- members ---- */

static struct hf_expr_value member(struct scope *scope, const struct node *node)
{
    struct hf_expr_value of = expr_eval_node(scope, node->left);
    struct hf_expr_value key = expr_eval_node(scope, node->right);
    if (scope->status != HF_OK) {
        return nil;
    }
    if (of.type == HF_EXPR_MAP && is_text(&key)) {
        const struct hf_expr_pair *pair = hf_expr_map_find(of.map, key.text);
        return pair != NULL ? pair->value : of.map->holds_texts ? hf_expr_text("") : nil;
    }
    if (of.type == HF_EXPR_LIST && key.type == HF_EXPR_INT) {
        const struct hf_expr_value *item = hf_expr_list_at(of.list, key.integer);
        return item != NULL ? *item : expr_fail(scope, "an index is out of range");
    }
    if (of.type == HF_EXPR_NULL && node->is_optional) {
        return nil;
    }
    return expr_fail(scope, of.type == HF_EXPR_NULL ? "a member of nil is asked for"
                                                    : "a value has no such members");
}

static int64_t bound(struct scope *scope, const struct node *node, int64_t absent, int64_t count)
{
    struct hf_expr_value value =
        node != NULL ? expr_eval_node(scope, node) : hf_expr_integer(absent);
    if (value.type != HF_EXPR_INT) {
        expr_fail(scope, "a bound is no integer");
        return 0;
    }
    int64_t at = value.integer < 0 ? value.integer + count : value.integer;
    return at < 0 ? 0 : at > count ? count : at;
}

static struct hf_expr_value slice(struct scope *scope, const struct node *node)
{
    struct hf_expr_value of = expr_eval_node(scope, node->left);
    if (of.type != HF_EXPR_LIST && of.type != HF_EXPR_STRING) {
        return expr_fail(scope, "only texts and lists are sliced");
    }
    int64_t count = of.type == HF_EXPR_LIST ? (int64_t)of.list->count : (int64_t)of.text.size;
    int64_t from = bound(scope, node->right, 0, count);
    int64_t to = bound(scope, node->third, count, count);
    to = to < from ? from : to;
    if (of.type == HF_EXPR_STRING) {
        return hf_expr_string(hf_slice_of(of.text.data + from, (size_t)(to - from)));
    }
    struct hf_expr_list *list =
        hf_expr_list_copy(scope->arena, of.list->items + from, (size_t)(to - from));
    return list != NULL ? (struct hf_expr_value){.type = HF_EXPR_LIST, .list = list}
                        : expr_no_memory(scope);
}

static struct hf_expr_value make_list(struct scope *scope, const struct node *node)
{
    struct hf_expr_list *list = hf_expr_list_new(scope->arena, node->count);
    if (list == NULL) {
        return expr_no_memory(scope);
    }
    for (size_t i = 0; i < node->count; i++) {
        list->items[list->count++] = expr_eval_node(scope, node->items[i]);
    }
    return (struct hf_expr_value){.type = HF_EXPR_LIST, .list = list};
}

static struct hf_expr_value make_map(struct scope *scope, const struct node *node)
{
    struct hf_expr_map *map = hf_expr_map_new(scope->arena, node->count / 2);
    if (map == NULL) {
        return expr_no_memory(scope);
    }
    for (size_t i = 0; i + 1 < node->count; i += 2) {
        struct hf_expr_value key = expr_eval_node(scope, node->items[i]);
        struct hf_expr_value value = expr_eval_node(scope, node->items[i + 1]);
        if (!is_text(&key)) {
            return expr_fail(scope, "a key is no text");
        }
        if (hf_expr_map_set(scope->arena, map, key.text, value) != HF_OK) {
            return expr_no_memory(scope);
        }
    }
    return (struct hf_expr_value){.type = HF_EXPR_MAP, .map = map};
}

/* ---- comparing ---- */

static struct hf_expr_value order(struct scope *scope, const struct node *node,
                                  const struct hf_expr_value *a, const struct hf_expr_value *b)
{
    int sign = 0;
    if (!hf_expr_value_order(a, b, &sign)) {
        return expr_fail(scope, "values that cannot be ordered are compared");
    }
    bool is = node->kind == NODE_LESS         ? sign < 0
              : node->kind == NODE_LESS_EQUAL ? sign <= 0
              : node->kind == NODE_GREATER    ? sign > 0
                                              : sign >= 0;
    return hf_expr_boolean(is);
}

static struct hf_expr_value is_in(struct scope *scope, const struct hf_expr_value *item,
                                  const struct hf_expr_value *in)
{
    if (in->type == HF_EXPR_NULL) {
        return hf_expr_boolean(false);
    }
    if (in->type == HF_EXPR_MAP) {
        return hf_expr_boolean(is_text(item) && hf_expr_map_find(in->map, item->text) != NULL);
    }
    if (in->type != HF_EXPR_LIST) {
        return expr_fail(scope, "in needs a list or a map");
    }
    (void)expr_spend(scope, in->list->count);
    for (size_t i = 0; i < in->list->count; i++) {
        if (hf_expr_value_equal(item, &in->list->items[i])) {
            return hf_expr_boolean(true);
        }
    }
    return hf_expr_boolean(false);
}

static struct hf_expr_value matches(struct scope *scope, const struct node *node,
                                    const struct hf_expr_value *text,
                                    const struct hf_expr_value *pattern)
{
    if (text->type == HF_EXPR_NULL) {
        return hf_expr_boolean(false);
    }
    if (!is_text(text) || !is_text(pattern)) {
        return expr_fail(scope, "matches needs texts");
    }
    if (!expr_spend(scope,
                    text->text.size / BYTES_PER_STEP + (node->regex == NULL ? PATTERN_STEPS : 0))) {
        return nil;
    }
    if (node->regex != NULL) {
        return hf_expr_boolean(hf_regex_matches(node->regex, text->text));
    }
    char why[HF_REGEX_ERROR_MAX];
    struct hf_regex *regex = NULL;
    struct hf_slice copy = hf_expr_copy_text(scope->arena, pattern->text);
    if (copy.data == NULL) {
        return expr_no_memory(scope);
    }
    ((uint8_t *)(uintptr_t)copy.data)[copy.size] = '\0'; /* the copy has room for it */
    if (hf_regex_new((const char *)copy.data, &regex, why) != HF_OK) {
        return expr_fail(scope, "a pattern is no regular expression");
    }
    bool found = hf_regex_matches(regex, text->text);
    hf_regex_free(regex);
    return hf_expr_boolean(found);
}

static struct hf_expr_value search(struct scope *scope, const struct node *node,
                                   const struct hf_expr_value *text,
                                   const struct hf_expr_value *part)
{
    if (text->type == HF_EXPR_NULL || part->type == HF_EXPR_NULL) {
        return hf_expr_boolean(false);
    }
    if (!is_text(text) || !is_text(part)) {
        return expr_fail(scope, "contains, startsWith and endsWith need texts");
    }
    struct hf_slice in = text->text, of = part->text;
    (void)expr_spend(scope, in.size / BYTES_PER_STEP);
    bool found = of.size <= in.size;
    if (found && of.size != 0) {
        found = node->kind == NODE_CONTAINS ? memmem(in.data, in.size, of.data, of.size) != NULL
                : node->kind == NODE_STARTS_WITH
                    ? memcmp(in.data, of.data, of.size) == 0
                    : memcmp(in.data + in.size - of.size, of.data, of.size) == 0;
    }
    return hf_expr_boolean(found);
}

/* ---- arithmetic ---- */

static struct hf_expr_value join(struct scope *scope, struct hf_slice a, struct hf_slice b)
{
    uint8_t *text = hf_arena_take(scope->arena, a.size + b.size + 1);
    if (text == NULL) {
        return expr_no_memory(scope);
    }
    memcpy(text, a.size != 0 ? a.data : (const uint8_t *)"", a.size);
    memcpy(text + a.size, b.size != 0 ? b.data : (const uint8_t *)"", b.size);
    return hf_expr_string(hf_slice_of(text, a.size + b.size));
}

static struct hf_expr_value integers(struct scope *scope, enum node_kind kind, int64_t a, int64_t b)
{
    int64_t result = 0;
    bool over = kind == NODE_ADD        ? __builtin_add_overflow(a, b, &result)
                : kind == NODE_SUBTRACT ? __builtin_sub_overflow(a, b, &result)
                                        : __builtin_mul_overflow(a, b, &result);
    return over ? expr_fail(scope, "a number is too large") : hf_expr_integer(result);
}

static struct hf_expr_value arithmetic(struct scope *scope, const struct node *node,
                                       const struct hf_expr_value *a, const struct hf_expr_value *b)
{
    if (node->kind == NODE_ADD && is_text(a) && is_text(b)) {
        return join(scope, a->text, b->text);
    }
    if (!hf_expr_is_number(a) || !hf_expr_is_number(b)) {
        return expr_fail(scope, "arithmetic needs numbers");
    }
    bool whole = a->type == HF_EXPR_INT && b->type == HF_EXPR_INT;
    double x = hf_expr_number_of(a), y = hf_expr_number_of(b);
    switch (node->kind) {
    case NODE_DIVIDE:
        return hf_expr_number(x / y);
    case NODE_POWER:
        return hf_expr_number(pow(x, y));
    case NODE_REMAINDER:
        return !whole || b->integer == 0 ? expr_fail(scope, "% needs integers and no zero")
               : b->integer == -1        ? hf_expr_integer(0)
                                         : hf_expr_integer(a->integer % b->integer);
    default:
        break;
    }
    if (whole) {
        return integers(scope, node->kind, a->integer, b->integer);
    }
    return hf_expr_number(node->kind == NODE_ADD        ? x + y
                          : node->kind == NODE_SUBTRACT ? x - y
                                                        : x * y);
}

static struct hf_expr_value range(struct scope *scope, const struct hf_expr_value *a,
                                  const struct hf_expr_value *b)
{
    if (a->type != HF_EXPR_INT || b->type != HF_EXPR_INT || b->integer - a->integer > RANGE_MAX) {
        return expr_fail(scope, "a range needs two integers that are not far apart");
    }
    size_t count = b->integer < a->integer ? 0 : (size_t)(b->integer - a->integer) + 1;
    struct hf_expr_list *list = hf_expr_list_new(scope->arena, count);
    if (list == NULL) {
        return expr_no_memory(scope);
    }
    for (size_t i = 0; i < count; i++) {
        list->items[list->count++] = hf_expr_integer(a->integer + (int64_t)i);
    }
    return (struct hf_expr_value){.type = HF_EXPR_LIST, .list = list};
}

static struct hf_expr_value binary(struct scope *scope, const struct node *node)
{
    struct hf_expr_value a = expr_eval_node(scope, node->left);
    struct hf_expr_value b = expr_eval_node(scope, node->right);
    if (scope->status != HF_OK) {
        return nil;
    }
    switch (node->kind) {
    case NODE_EQUAL:
        return hf_expr_boolean(hf_expr_value_equal(&a, &b));
    case NODE_UNEQUAL:
        return hf_expr_boolean(!hf_expr_value_equal(&a, &b));
    case NODE_LESS:
    case NODE_LESS_EQUAL:
    case NODE_GREATER:
    case NODE_GREATER_EQUAL:
        return order(scope, node, &a, &b);
    case NODE_IN:
        return is_in(scope, &a, &b);
    case NODE_MATCHES:
        return matches(scope, node, &a, &b);
    case NODE_CONTAINS:
    case NODE_STARTS_WITH:
    case NODE_ENDS_WITH:
        return search(scope, node, &a, &b);
    case NODE_RANGE:
        return range(scope, &a, &b);
    default:
        return arithmetic(scope, node, &a, &b);
    }
}

static struct hf_expr_value minus(struct scope *scope, const struct node *node)
{
    struct hf_expr_value value = expr_eval_node(scope, node->left);
    if (value.type == HF_EXPR_INT) {
        return integers(scope, NODE_SUBTRACT, 0, value.integer);
    }
    return value.type == HF_EXPR_DOUBLE ? hf_expr_number(-value.number)
                                        : expr_fail(scope, "arithmetic needs numbers");
}

struct hf_expr_value expr_eval_node(struct scope *scope, const struct node *node)
{
    struct hf_expr_value value;
    if (!expr_spend(scope, 1)) {
        return nil;
    }
    switch (node->kind) {
    case NODE_CONSTANT:
        return node->constant;
    case NODE_VARIABLE:
        return scope->variables[node->index];
    case NODE_ELEMENT:
        return node->index == 0   ? scope->element
               : node->index == 1 ? scope->number
                                  : scope->accumulated;
    case NODE_LOCAL:
        return scope->locals[node->index];
    case NODE_LET:
        scope->locals[node->index] = expr_eval_node(scope, node->left);
        return expr_eval_node(scope, node->right);
    case NODE_MEMBER:
        return member(scope, node);
    case NODE_SLICE:
        return slice(scope, node);
    case NODE_LIST:
        return make_list(scope, node);
    case NODE_MAP:
        return make_map(scope, node);
    case NODE_NOT:
        return hf_expr_boolean(!truth(scope, node->left));
    case NODE_MINUS:
        return minus(scope, node);
    case NODE_AND:
        return hf_expr_boolean(truth(scope, node->left) && truth(scope, node->right));
    case NODE_OR:
        return hf_expr_boolean(truth(scope, node->left) || truth(scope, node->right));
    case NODE_COALESCE:
        value = expr_eval_node(scope, node->left);
        return value.type != HF_EXPR_NULL ? value : expr_eval_node(scope, node->right);
    case NODE_CONDITION:
        return expr_eval_node(scope, truth(scope, node->left) ? node->right : node->third);
    case NODE_CALL:
        return node->function->call(scope, node);
    default:
        return binary(scope, node);
    }
}
