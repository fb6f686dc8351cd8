/*
 * call_values: functions of values of any type, and of the environment.
 */
#include <stdio.h>
#include <stdlib.h>

#include "call.h"
#include "value_json.h"

static const struct hf_expr_value nil;

static size_t characters(struct hf_slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++) {
        count += (text.data[i] & 0xc0) != 0x80;
    }
    return count;
}

struct hf_expr_value call_len(struct scope *scope, const struct node *node)
{
    struct hf_expr_value of = expr_argument(scope, node, 0);
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

struct hf_expr_value call_string(struct scope *scope, const struct node *node)
{
    struct hf_expr_value of = expr_argument(scope, node, 0);
    char text[HF_EXPR_DOUBLE_MAX];
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
        hf_expr_print_double(of.number, text);
        break;
    default:
        return expr_fail(scope, "string needs a scalar");
    }
    struct hf_slice copy = hf_expr_copy_text(scope->arena, hf_slice_text(text));
    return copy.data != NULL ? hf_expr_string(copy) : expr_no_memory(scope);
}

struct hf_expr_value call_type(struct scope *scope, const struct node *node)
{
    static const char *const names[] = {"nil", "string", "bytes", "bool",
                                        "int", "float",  "array", "map"};
    return hf_expr_text(names[expr_argument(scope, node, 0).type]);
}

/* As Go's collectors indent it: by two blanks, a member per line, keys in their order. */
struct hf_expr_value call_to_json(struct scope *scope, const struct node *node)
{
    struct hf_expr_value value = expr_argument(scope, node, 0);
    struct hf_slice text = hf_expr_json_print(scope->arena, &value);
    return expr_text_value(scope, text.data, text.size);
}

struct hf_expr_value call_from_json(struct scope *scope, const struct node *node)
{
    struct hf_slice text;
    struct hf_expr_value value;
    if (!expr_text_argument(scope, node, 0, &text)) {
        return nil;
    }
    return hf_expr_json_read(scope->arena, text, false, &value)
               ? value
               : expr_fail(scope, "fromJSON needs JSON");
}

struct hf_expr_value call_env(struct scope *scope, const struct node *node)
{
    struct hf_slice name;
    if (!expr_text_argument(scope, node, 0, &name)) {
        return nil;
    }
    struct hf_slice copy = expr_terminated(scope, name);
    const char *value = copy.data != NULL ? getenv((const char *)copy.data) : NULL;
    return hf_expr_text(value != NULL ? value : "");
}
