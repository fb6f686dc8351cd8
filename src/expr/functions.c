/*
 * functions: the table of what expressions can call, and what the functions share.
 */
#include "call.h"

static const struct hf_expr_value nil;

struct hf_expr_value expr_argument(struct scope *scope, const struct node *node, size_t i)
{
    return i < node->count ? expr_eval_node(scope, node->items[i]) : nil;
}

/* False: it is of another type, and the evaluation failed. */
static bool typed(struct scope *scope, const struct node *node, size_t i, enum hf_expr_type type,
                  struct hf_expr_value *ret_value)
{
    static const char *const wanted[] = {
        [HF_EXPR_STRING] = "a function needs a text",
        [HF_EXPR_INT] = "a function needs an integer",
        [HF_EXPR_LIST] = "a function needs a list",
        [HF_EXPR_MAP] = "a function needs a map",
    };
    *ret_value = expr_argument(scope, node, i);
    if (ret_value->type != type) {
        expr_fail(scope, wanted[type]);
    }
    return ret_value->type == type;
}

bool expr_text_argument(struct scope *scope, const struct node *node, size_t i,
                        struct hf_slice *ret_text)
{
    struct hf_expr_value value;
    if (!typed(scope, node, i, HF_EXPR_STRING, &value)) {
        return false;
    }
    *ret_text = value.text;
    return true;
}

bool expr_int_argument(struct scope *scope, const struct node *node, size_t i, int64_t *ret_int)
{
    struct hf_expr_value value;
    if (!typed(scope, node, i, HF_EXPR_INT, &value)) {
        return false;
    }
    *ret_int = value.integer;
    return true;
}

struct hf_expr_list *expr_list_argument(struct scope *scope, const struct node *node, size_t i)
{
    struct hf_expr_value value;
    return typed(scope, node, i, HF_EXPR_LIST, &value) ? value.list : NULL;
}

struct hf_expr_map *expr_map_argument(struct scope *scope, const struct node *node, size_t i)
{
    struct hf_expr_value value;
    return typed(scope, node, i, HF_EXPR_MAP, &value) ? value.map : NULL;
}

struct hf_expr_value expr_list_value(struct scope *scope, struct hf_expr_list *list)
{
    return list != NULL ? (struct hf_expr_value){.type = HF_EXPR_LIST, .list = list}
                        : expr_no_memory(scope);
}

struct hf_expr_value expr_text_value(struct scope *scope, const void *data, size_t size)
{
    return data != NULL ? hf_expr_string(hf_slice_of(data, size)) : expr_no_memory(scope);
}

struct hf_slice expr_terminated(struct scope *scope, struct hf_slice text)
{
    struct hf_slice copy = hf_expr_copy_text(scope->arena, text);
    if (copy.data != NULL) {
        ((uint8_t *)(uintptr_t)copy.data)[copy.size] = '\0'; /* the copy has room for it */
    }
    return copy;
}

#define EXPR_FUNCTION(name, call, min, max, kind) {name, call, min, max, kind},
static const struct expr_function functions[] = {
#include "functions.def"
};
#undef EXPR_FUNCTION

const struct expr_function *expr_function_find(struct hf_slice name)
{
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        if (hf_slice_is(name, functions[i].name)) {
            return &functions[i];
        }
    }
    return NULL;
}
