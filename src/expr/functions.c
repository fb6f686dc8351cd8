/*
 * functions: what expressions can call.
 */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node.h"

static const struct hf_expr_value nil;

static struct hf_expr_value argument(struct scope *scope, const struct node *node, size_t i)
{
    return i < node->count ? expr_eval_node(scope, node->items[i]) : nil;
}

/* An argument that must be a text. */
static bool text_argument(struct scope *scope, const struct node *node, size_t i,
                          struct hf_slice *ret)
{
    struct hf_expr_value value = argument(scope, node, i);
    if (value.type != HF_EXPR_STRING) {
        expr_fail(scope, "a function needs a text");
        return false;
    }
    *ret = value.text;
    return true;
}

static size_t characters(struct hf_slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++) {
        count += (text.data[i] & 0xc0) != 0x80;
    }
    return count;
}

static struct hf_expr_value call_len(struct scope *scope, const struct node *node)
{
    struct hf_expr_value of = argument(scope, node, 0);
    switch (of.type) {
    case HF_EXPR_STRING:
        return hf_expr_integer((int64_t)characters(of.text));
    case HF_EXPR_BYTES:
        return hf_expr_integer((int64_t)of.text.size);
    case HF_EXPR_LIST:
        return hf_expr_integer((int64_t)of.list->count);
    case HF_EXPR_MAP:
        return hf_expr_integer((int64_t)of.map->count);
    default:
        return expr_fail(scope, "len needs a text, a list or a map");
    }
}

/* ---- predicates ---- */

/* Evaluates the second argument with `#` as one element. */
static struct hf_expr_value with_element(struct scope *scope, const struct node *node,
                                         struct hf_expr_value element, size_t number)
{
    struct hf_expr_value outer = scope->element, outer_number = scope->number;
    scope->element = element;
    scope->number = hf_expr_integer((int64_t)number);
    struct hf_expr_value value = expr_eval_node(scope, node->items[1]);
    scope->element = outer;
    scope->number = outer_number;
    return value;
}

enum fold { FOLD_ALL, FOLD_ANY, FOLD_NONE, FOLD_ONE, FOLD_COUNT, FOLD_MAP, FOLD_FILTER, FOLD_FIND };

static struct hf_expr_value fold(struct scope *scope, const struct node *node, enum fold how)
{
    struct hf_expr_value of = argument(scope, node, 0);
    int64_t hits = 0;
    if (of.type != HF_EXPR_LIST) {
        return expr_fail(scope, "a function needs a list");
    }
    struct hf_expr_list *list = hf_expr_list_new(scope->arena, 4);
    for (size_t i = 0; i < of.list->count && scope->status == HF_OK && list != NULL; i++) {
        struct hf_expr_value value = with_element(scope, node, of.list->items[i], i);
        if (how == FOLD_MAP) {
            list = hf_expr_list_add(scope->arena, list, value) == HF_OK ? list : NULL;
            continue;
        }
        if (value.type != HF_EXPR_BOOL) {
            return expr_fail(scope, "a predicate is no boolean");
        }
        hits += value.boolean;
        if (value.boolean && how == FOLD_FIND) {
            return of.list->items[i];
        }
        if (value.boolean && how == FOLD_FILTER) {
            list = hf_expr_list_add(scope->arena, list, of.list->items[i]) == HF_OK ? list : NULL;
        }
    }
    if (list == NULL) {
        return expr_no_memory(scope);
    }
    switch (how) {
    case FOLD_ALL:
        return hf_expr_boolean(hits == (int64_t)of.list->count);
    case FOLD_ANY:
        return hf_expr_boolean(hits != 0);
    case FOLD_NONE:
        return hf_expr_boolean(hits == 0);
    case FOLD_ONE:
        return hf_expr_boolean(hits == 1);
    case FOLD_COUNT:
        return hf_expr_integer(hits);
    case FOLD_FIND:
        return nil;
    case FOLD_MAP:
    case FOLD_FILTER:
        break;
    }
    return (struct hf_expr_value){.type = HF_EXPR_LIST, .list = list};
}

static struct hf_expr_value call_all(struct scope *scope, const struct node *node)
{
    return fold(scope, node, FOLD_ALL);
}

static struct hf_expr_value call_any(struct scope *scope, const struct node *node)
{
    return fold(scope, node, FOLD_ANY);
}

static struct hf_expr_value call_none(struct scope *scope, const struct node *node)
{
    return fold(scope, node, FOLD_NONE);
}

static struct hf_expr_value call_one(struct scope *scope, const struct node *node)
{
    return fold(scope, node, FOLD_ONE);
}

static struct hf_expr_value call_count(struct scope *scope, const struct node *node)
{
    return fold(scope, node, FOLD_COUNT);
}

static struct hf_expr_value call_map(struct scope *scope, const struct node *node)
{
    return fold(scope, node, FOLD_MAP);
}

static struct hf_expr_value call_filter(struct scope *scope, const struct node *node)
{
    return fold(scope, node, FOLD_FILTER);
}

static struct hf_expr_value call_find(struct scope *scope, const struct node *node)
{
    return fold(scope, node, FOLD_FIND);
}

/* ---- texts ---- */

static struct hf_expr_value change_case(struct scope *scope, const struct node *node,
                                        int (*change)(int))
{
    struct hf_slice text;
    if (!text_argument(scope, node, 0, &text)) {
        return nil;
    }
    uint8_t *out = hf_arena_take(scope->arena, text.size + 1);
    if (out == NULL) {
        return expr_no_memory(scope);
    }
    for (size_t i = 0; i < text.size; i++) {
        out[i] = text.data[i] < 0x80 ? (uint8_t)change(text.data[i]) : text.data[i];
    }
    return hf_expr_string(hf_slice_of(out, text.size));
}

static struct hf_expr_value call_lower(struct scope *scope, const struct node *node)
{
    return change_case(scope, node, tolower);
}

static struct hf_expr_value call_upper(struct scope *scope, const struct node *node)
{
    return change_case(scope, node, toupper);
}

static struct hf_expr_value call_trim(struct scope *scope, const struct node *node)
{
    struct hf_slice text, set = hf_slice_text(" \t\r\n\v\f");
    if (!text_argument(scope, node, 0, &text) ||
        (node->count > 1 && !text_argument(scope, node, 1, &set))) {
        return nil;
    }
    while (text.size != 0 && memchr(set.data, text.data[0], set.size) != NULL) {
        text = hf_slice_of(text.data + 1, text.size - 1);
    }
    while (text.size != 0 && memchr(set.data, text.data[text.size - 1], set.size) != NULL) {
        text.size--;
    }
    return hf_expr_string(text);
}

static struct hf_expr_value affix(struct scope *scope, const struct node *node, bool at_start,
                                  bool cut)
{
    struct hf_slice text, part;
    if (!text_argument(scope, node, 0, &text) || !text_argument(scope, node, 1, &part)) {
        return nil;
    }
    bool has = part.size <= text.size &&
               (part.size == 0 || memcmp(at_start ? text.data : text.data + text.size - part.size,
                                         part.data, part.size) == 0);
    if (!cut) {
        return hf_expr_boolean(has);
    }
    if (has && part.size != 0) {
        text = hf_slice_of(at_start ? text.data + part.size : text.data, text.size - part.size);
    }
    return hf_expr_string(text);
}

static struct hf_expr_value call_trim_prefix(struct scope *scope, const struct node *node)
{
    return affix(scope, node, true, true);
}

static struct hf_expr_value call_trim_suffix(struct scope *scope, const struct node *node)
{
    return affix(scope, node, false, true);
}

static struct hf_expr_value call_has_prefix(struct scope *scope, const struct node *node)
{
    return affix(scope, node, true, false);
}

static struct hf_expr_value call_has_suffix(struct scope *scope, const struct node *node)
{
    return affix(scope, node, false, false);
}

static struct hf_expr_value call_split(struct scope *scope, const struct node *node)
{
    struct hf_slice text, by;
    if (!text_argument(scope, node, 0, &text) || !text_argument(scope, node, 1, &by)) {
        return nil;
    }
    struct hf_expr_list *list = hf_expr_list_new(scope->arena, 8);
    bool good = list != NULL && by.size != 0;
    while (good) {
        const uint8_t *found =
            text.size != 0 ? memmem(text.data, text.size, by.data, by.size) : NULL;
        size_t size = found != NULL ? (size_t)(found - text.data) : text.size;
        good = hf_expr_list_add(scope->arena, list, hf_expr_string(hf_slice_of(text.data, size))) ==
               HF_OK;
        if (found == NULL) {
            break;
        }
        text = hf_slice_of(found + by.size, text.size - size - by.size);
    }
    return good ? (struct hf_expr_value){.type = HF_EXPR_LIST, .list = list}
                : expr_fail(scope, "split needs a separator, and memory");
}

static struct hf_expr_value call_join(struct scope *scope, const struct node *node)
{
    struct hf_expr_value of = argument(scope, node, 0);
    struct hf_slice by = HF_EMPTY_SLICE;
    size_t size = 0;
    if (of.type != HF_EXPR_LIST || (node->count > 1 && !text_argument(scope, node, 1, &by))) {
        return expr_fail(scope, "join needs a list of texts");
    }
    for (size_t i = 0; i < of.list->count; i++) {
        if (of.list->items[i].type != HF_EXPR_STRING) {
            return expr_fail(scope, "join needs a list of texts");
        }
        size += of.list->items[i].text.size + by.size;
    }
    uint8_t *out = hf_arena_take(scope->arena, size + 1);
    size_t at = 0;
    for (size_t i = 0; out != NULL && i < of.list->count; i++) {
        struct hf_slice parts[] = {i != 0 ? by : HF_EMPTY_SLICE, of.list->items[i].text};
        for (int k = 0; k < 2; k++) {
            if (parts[k].size != 0) {
                memcpy(out + at, parts[k].data, parts[k].size);
                at += parts[k].size;
            }
        }
    }
    return out != NULL ? hf_expr_string(hf_slice_of(out, at)) : expr_no_memory(scope);
}

static struct hf_expr_value call_index_of(struct scope *scope, const struct node *node)
{
    struct hf_slice text, part;
    if (!text_argument(scope, node, 0, &text) || !text_argument(scope, node, 1, &part)) {
        return nil;
    }
    const uint8_t *found = part.size == 0   ? text.data
                           : text.size != 0 ? memmem(text.data, text.size, part.data, part.size)
                                            : NULL;
    return hf_expr_integer(found != NULL ? found - text.data : -1);
}

/* ---- types ---- */

static struct hf_slice copy_terminated(struct scope *scope, struct hf_slice text)
{
    struct hf_slice copy = hf_expr_copy_text(scope->arena, text);
    if (copy.data != NULL) {
        ((uint8_t *)(uintptr_t)copy.data)[copy.size] = '\0'; /* the copy has room for it */
    }
    return copy;
}

static struct hf_expr_value call_int(struct scope *scope, const struct node *node)
{
    struct hf_expr_value of = argument(scope, node, 0);
    if (of.type == HF_EXPR_DOUBLE && fabs(of.number) < 9.2e18) {
        return hf_expr_integer((int64_t)of.number);
    }
    if (of.type == HF_EXPR_STRING) {
        struct hf_slice copy = copy_terminated(scope, of.text);
        char *end = NULL;
        long long value = copy.data != NULL ? strtoll((const char *)copy.data, &end, 10) : 0;
        return copy.size != 0 && *end == '\0' ? hf_expr_integer(value)
                                              : expr_fail(scope, "int needs a number");
    }
    return of.type == HF_EXPR_INT ? of : expr_fail(scope, "int needs a number");
}

static struct hf_expr_value call_float(struct scope *scope, const struct node *node)
{
    struct hf_expr_value of = argument(scope, node, 0);
    if (of.type == HF_EXPR_STRING) {
        struct hf_slice copy = copy_terminated(scope, of.text);
        char *end = NULL;
        double value = copy.data != NULL ? strtod((const char *)copy.data, &end) : 0;
        return copy.size != 0 && *end == '\0' ? hf_expr_number(value)
                                              : expr_fail(scope, "float needs a number");
    }
    return of.type == HF_EXPR_INT      ? hf_expr_number((double)of.integer)
           : of.type == HF_EXPR_DOUBLE ? of
                                       : expr_fail(scope, "float needs a number");
}

static struct hf_expr_value call_string(struct scope *scope, const struct node *node)
{
    struct hf_expr_value of = argument(scope, node, 0);
    char text[40];
    switch (of.type) {
    case HF_EXPR_STRING:
        return of;
    case HF_EXPR_BYTES:
        return hf_expr_string(of.text);
    case HF_EXPR_BOOL:
        return hf_expr_text(of.boolean ? "true" : "false");
    case HF_EXPR_NULL:
        return hf_expr_text("<nil>");
    case HF_EXPR_INT:
        snprintf(text, sizeof(text), "%lld", (long long)of.integer);
        break;
    case HF_EXPR_DOUBLE:
        snprintf(text, sizeof(text), "%.17g", of.number);
        if (strtod(text, NULL) == of.number) {
            for (int digits = 1; digits < 17; digits++) {
                snprintf(text, sizeof(text), "%.*g", digits, of.number);
                if (strtod(text, NULL) == of.number) {
                    break;
                }
            }
        }
        break;
    default:
        return expr_fail(scope, "string needs a scalar");
    }
    struct hf_slice copy = hf_expr_copy_text(scope->arena, hf_slice_text(text));
    return copy.data != NULL ? hf_expr_string(copy) : expr_no_memory(scope);
}

static struct hf_expr_value call_type(struct scope *scope, const struct node *node)
{
    static const char *const names[] = {"nil", "string", "bytes", "bool",
                                        "int", "float",  "array", "map"};
    return hf_expr_text(names[argument(scope, node, 0).type]);
}

static struct hf_expr_value call_keys(struct scope *scope, const struct node *node)
{
    struct hf_expr_value of = argument(scope, node, 0);
    if (of.type != HF_EXPR_MAP) {
        return expr_fail(scope, "keys needs a map");
    }
    struct hf_expr_list *list = hf_expr_list_new(scope->arena, of.map->count);
    for (size_t i = 0; list != NULL && i < of.map->count; i++) {
        list->items[list->count++] = hf_expr_string(of.map->pairs[i].key);
    }
    return list != NULL ? (struct hf_expr_value){.type = HF_EXPR_LIST, .list = list}
                        : expr_no_memory(scope);
}

static struct hf_expr_value call_values(struct scope *scope, const struct node *node)
{
    struct hf_expr_value of = argument(scope, node, 0);
    if (of.type != HF_EXPR_MAP) {
        return expr_fail(scope, "values needs a map");
    }
    struct hf_expr_list *list = hf_expr_list_new(scope->arena, of.map->count);
    for (size_t i = 0; list != NULL && i < of.map->count; i++) {
        list->items[list->count++] = of.map->pairs[i].value;
    }
    return list != NULL ? (struct hf_expr_value){.type = HF_EXPR_LIST, .list = list}
                        : expr_no_memory(scope);
}

static struct hf_expr_value call_abs(struct scope *scope, const struct node *node)
{
    struct hf_expr_value of = argument(scope, node, 0);
    if (of.type == HF_EXPR_INT && of.integer != INT64_MIN) {
        return hf_expr_integer(of.integer < 0 ? -of.integer : of.integer);
    }
    return of.type == HF_EXPR_DOUBLE ? hf_expr_number(fabs(of.number))
                                     : expr_fail(scope, "abs needs a number");
}

static struct hf_expr_value at_end(struct scope *scope, const struct node *node, bool last)
{
    struct hf_expr_value of = argument(scope, node, 0);
    if (of.type != HF_EXPR_LIST) {
        return expr_fail(scope, "first and last need a list");
    }
    return of.list->count == 0 ? nil : of.list->items[last ? of.list->count - 1 : 0];
}

static struct hf_expr_value call_first(struct scope *scope, const struct node *node)
{
    return at_end(scope, node, false);
}

static struct hf_expr_value call_last(struct scope *scope, const struct node *node)
{
    return at_end(scope, node, true);
}

static struct hf_expr_value call_env(struct scope *scope, const struct node *node)
{
    struct hf_slice name;
    if (!text_argument(scope, node, 0, &name)) {
        return nil;
    }
    struct hf_slice copy = copy_terminated(scope, name);
    const char *value = copy.data != NULL ? getenv((const char *)copy.data) : NULL;
    return hf_expr_text(value != NULL ? value : "");
}

/* The label of that name, of the variable that the parser put behind the arguments. */
static bool label_argument(struct scope *scope, const struct node *node,
                           struct hf_expr_value *ret_value)
{
    struct hf_slice name;
    struct hf_expr_value labels = argument(scope, node, 1);
    if (!text_argument(scope, node, 0, &name) || labels.type != HF_EXPR_MAP) {
        return false;
    }
    const struct hf_expr_pair *pair = hf_expr_map_find(labels.map, name);
    *ret_value = pair != NULL ? pair->value : nil;
    return pair != NULL;
}

static struct hf_expr_value call_has_label(struct scope *scope, const struct node *node)
{
    struct hf_expr_value value;
    return hf_expr_boolean(label_argument(scope, node, &value));
}

/* What is no text reads as an empty one. */
static struct hf_expr_value call_label(struct scope *scope, const struct node *node)
{
    struct hf_expr_value value;
    bool is_text = label_argument(scope, node, &value) && value.type == HF_EXPR_STRING;
    return is_text ? value : hf_expr_text("");
}

/* A bare name or address. */
static bool is_host(struct hf_slice host)
{
    bool is_good = host.size != 0;
    for (size_t i = 0; i < host.size; i++) {
        is_good = is_good && host.data[i] > ' ' && host.data[i] != 0x7f &&
                  strchr("[]/?#@\\'\"`", host.data[i]) == NULL;
    }
    return is_good;
}

static bool port_of(const struct hf_expr_value *value, int64_t *ret_port)
{
    *ret_port = value->type == HF_EXPR_INT ? value->integer : 0;
    if (value->type == HF_EXPR_STRING) {
        for (size_t i = 0; i < value->text.size && i < 6; i++) {
            bool is_digit = isdigit(value->text.data[i]) != 0;
            *ret_port = is_digit ? 10 * *ret_port + (value->text.data[i] - '0') : 65536;
        }
    }
    return *ret_port >= 1 && *ret_port <= 65535;
}

/* "host:port", with brackets around an address of IPv6. */
static struct hf_expr_value call_join_host_port(struct scope *scope, const struct node *node)
{
    struct hf_slice host;
    int64_t port;
    if (!text_argument(scope, node, 0, &host)) {
        return nil;
    }
    struct hf_expr_value value = argument(scope, node, 1);
    if (!is_host(host) || !port_of(&value, &port)) {
        return expr_fail(scope, "joinHostPort needs a bare host and a port from 1 to 65535");
    }
    char *text = hf_arena_take(scope->arena, host.size + 10);
    if (text == NULL) {
        return expr_no_memory(scope);
    }
    bool is_ipv6 = memchr(host.data, ':', host.size) != NULL;
    int size = snprintf(text, host.size + 10, is_ipv6 ? "[%.*s]:%d" : "%.*s:%d", (int)host.size,
                        (const char *)host.data, (int)port);
    return hf_expr_string(hf_slice_of(text, (size_t)size));
}

static const struct expr_function functions[] = {
    {"len", call_len, 1, 1, false, false},
    {"all", call_all, 2, 2, true, false},
    {"any", call_any, 2, 2, true, false},
    {"none", call_none, 2, 2, true, false},
    {"one", call_one, 2, 2, true, false},
    {"count", call_count, 2, 2, true, false},
    {"map", call_map, 2, 2, true, false},
    {"filter", call_filter, 2, 2, true, false},
    {"find", call_find, 2, 2, true, false},
    {"lower", call_lower, 1, 1, false, false},
    {"upper", call_upper, 1, 1, false, false},
    {"trim", call_trim, 1, 2, false, false},
    {"trimPrefix", call_trim_prefix, 2, 2, false, false},
    {"trimSuffix", call_trim_suffix, 2, 2, false, false},
    {"hasPrefix", call_has_prefix, 2, 2, false, false},
    {"hasSuffix", call_has_suffix, 2, 2, false, false},
    {"split", call_split, 2, 2, false, false},
    {"join", call_join, 1, 2, false, false},
    {"indexOf", call_index_of, 2, 2, false, false},
    {"int", call_int, 1, 1, false, false},
    {"float", call_float, 1, 1, false, false},
    {"string", call_string, 1, 1, false, false},
    {"type", call_type, 1, 1, false, false},
    {"typeOf", call_type, 1, 1, false, false},
    {"joinHostPort", call_join_host_port, 2, 2, false, false},
    {"keys", call_keys, 1, 1, false, false},
    {"values", call_values, 1, 1, false, false},
    {"abs", call_abs, 1, 1, false, false},
    {"first", call_first, 1, 1, false, false},
    {"last", call_last, 1, 1, false, false},
    {"env", call_env, 1, 1, false, false},
    {"HasLabel", call_has_label, 1, 1, false, true},
    {"Label", call_label, 1, 1, false, true},
};

const struct expr_function *expr_function_find(struct hf_slice name)
{
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        if (hf_slice_is(name, functions[i].name)) {
            return &functions[i];
        }
    }
    return NULL;
}
