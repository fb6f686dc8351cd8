/* A function and its arguments: found, matched with each other, and checked as far as literals go.
 */
#include <string.h>

#include "glob.h"
#include "lambda.h"
#include "resolve_internal.h"
#include "util/regex/regex.h"

static enum hf_ottl_argument_kind kind_of(const struct hf_ottl_function *function, size_t argument)
{
    return function->arguments[argument].kind & HF_ARG_KIND_MASK;
}

static bool has_flag(const struct hf_ottl_function *function, size_t argument, unsigned flag)
{
    return (function->arguments[argument].kind & flag) != 0;
}

static size_t count_arguments(const struct hf_ottl_function *function)
{
    size_t count = 0;
    while (count < HF_OTTL_ARGUMENTS_MAX && function->arguments[count].name != NULL) {
        count++;
    }
    return count;
}

static int shown(struct hf_slice text)
{
    return (int)(text.size < 60 ? text.size : 60);
}

/* ---- which argument is which ---- */

static enum hf_status place_argument(struct hf_ottl_resolve *resolve, struct hf_ottl_node *node,
                                     size_t item)
{
    struct hf_ottl_call *call = node->call;
    struct hf_slice name = node->argument_names[item];
    size_t argument = item;
    if (name.size > 0) {
        argument = 0;
        while (argument < call->count &&
               !hf_slice_is(name, call->function->arguments[argument].name)) {
            argument++;
        }
        if (argument == call->count) {
            return hf_ottl_refuse(resolve->fault, node->items[item]->at,
                                  "%s has no such parameter: %.*s", call->function->name,
                                  shown(name), (const char *)name.data);
        }
        if (call->nodes[argument] != NULL) {
            return hf_ottl_refuse(resolve->fault, node->items[item]->at,
                                  "the parameter %.*s is given twice", shown(name),
                                  (const char *)name.data);
        }
    }
    call->nodes[argument] = node->items[item];
    return HF_OK;
}

static enum hf_status place_arguments(struct hf_ottl_resolve *resolve, struct hf_ottl_node *node)
{
    struct hf_ottl_call *call = node->call;
    size_t least = 0;
    enum hf_status status = HF_OK;
    while (least < call->count && !has_flag(call->function, least, HF_ARG_OPTIONAL)) {
        least++;
    }
    if (node->count < least || node->count > call->count) {
        return hf_ottl_refuse(resolve->fault, node->at,
                              "incorrect number of arguments of %s: expected %zu%s, received %zu",
                              call->function->name, node->count < least ? least : call->count,
                              least == call->count  ? ""
                              : node->count < least ? " or more"
                                                    : " or fewer",
                              node->count);
    }
    for (size_t i = 0; status == HF_OK && i < node->count; i++) {
        status = place_argument(resolve, node, i);
    }
    for (size_t i = 0; status == HF_OK && i < least; i++) {
        if (call->nodes[i] == NULL) {
            return hf_ottl_refuse(resolve->fault, node->at, "the parameter %s of %s is missing",
                                  call->function->arguments[i].name, call->function->name);
        }
    }
    return status;
}

/* ---- what an argument must be ---- */

static enum hf_status refuse_argument(struct hf_ottl_resolve *resolve,
                                      const struct hf_ottl_call *call, size_t argument,
                                      const char *expected)
{
    return hf_ottl_refuse(resolve->fault, call->nodes[argument]->at,
                          "the parameter %s of %s must be %s",
                          call->function->arguments[argument].name, call->function->name, expected);
}

static enum hf_status resolve_applied(struct hf_ottl_resolve *resolve, struct hf_ottl_call *call,
                                      size_t argument)
{
    struct hf_ottl_node *node = call->nodes[argument];
    if (node->kind != HF_NODE_NAME) {
        return refuse_argument(resolve, call, argument, "the name of a converter");
    }
    call->applied = hf_ottl_function_find(node->name, resolve->functions, resolve->context, false);
    if (call->applied == NULL) {
        return hf_ottl_refuse(resolve->fault, node->at, "undefined function \"%.*s\"",
                              shown(node->name), (const char *)node->name.data);
    }
    return HF_OK;
}

/* What a literal of an argument of that kind has to be; NIL: anything. */
static enum hf_ottl_type literal_type(enum hf_ottl_argument_kind kind)
{
    static const enum hf_ottl_type types[] = {
        [HF_ARG_STRING] = HF_OTTL_STRING,  [HF_ARG_INT] = HF_OTTL_INT,
        [HF_ARG_DOUBLE] = HF_OTTL_DOUBLE,  [HF_ARG_BOOL] = HF_OTTL_BOOL,
        [HF_ARG_MAP] = HF_OTTL_MAP,        [HF_ARG_LIST] = HF_OTTL_LIST,
        [HF_ARG_TIME] = HF_OTTL_TIME,      [HF_ARG_DURATION] = HF_OTTL_DURATION,
        [HF_ARG_REGEX] = HF_OTTL_STRING,   [HF_ARG_GLOB] = HF_OTTL_STRING,
        [HF_ARG_STRINGS] = HF_OTTL_STRING, [HF_ARG_ANYS] = HF_OTTL_NIL,
    };
    return types[kind];
}

static enum hf_status check_literal(struct hf_ottl_resolve *resolve,
                                    const struct hf_ottl_call *call, size_t argument,
                                    const struct hf_ottl_node *node)
{
    enum hf_ottl_type type = literal_type(kind_of(call->function, argument));
    if (node->kind != HF_NODE_LITERAL) {
        return has_flag(call->function, argument, HF_ARG_LITERAL)
                   ? refuse_argument(resolve, call, argument, "a literal")
                   : HF_OK;
    }
    if (type != HF_OTTL_NIL && node->value.type != type) {
        return hf_ottl_refuse(resolve->fault, node->at,
                              "the parameter %s of %s: expected %s but got %s",
                              call->function->arguments[argument].name, call->function->name,
                              hf_ottl_type_name(type), hf_ottl_type_name(node->value.type));
    }
    return HF_OK;
}

static enum hf_status resolve_list(struct hf_ottl_resolve *resolve, struct hf_ottl_call *call,
                                   size_t argument)
{
    struct hf_ottl_node *node = call->nodes[argument];
    enum hf_status status = HF_OK;
    if (node->kind != HF_NODE_LIST) {
        return refuse_argument(resolve, call, argument, "a list in brackets");
    }
    node->evaluate = hf_ottl_evaluate_list;
    for (size_t i = 0; status == HF_OK && i < node->count; i++) {
        status = resolve->resolve(resolve, node->items[i]);
        if (status == HF_OK) {
            status = check_literal(resolve, call, argument, node->items[i]);
        }
    }
    return status;
}

static enum hf_status compile_pattern(struct hf_ottl_resolve *resolve, struct hf_ottl_call *call,
                                      size_t argument)
{
    const struct hf_ottl_value *pattern = hf_ottl_literal(call, argument);
    char reterr[HF_REGEX_ERROR_MAX] = "";
    if (pattern == NULL) {
        return HF_OK;
    }
    enum hf_status status =
        kind_of(call->function, argument) == HF_ARG_GLOB
            ? hf_ottl_glob_new(pattern->bytes, &call->regexes[argument], reterr)
            : hf_ottl_regex_new(pattern->bytes, &call->regexes[argument], reterr);
    return status == HF_INVALID
               ? hf_ottl_refuse(resolve->fault, call->nodes[argument]->at, "the pattern of %s: %s",
                                call->function->name, reterr)
               : status;
}

static enum hf_status resolve_argument(struct hf_ottl_resolve *resolve, struct hf_ottl_call *call,
                                       size_t argument)
{
    enum hf_ottl_argument_kind kind = kind_of(call->function, argument);
    struct hf_ottl_node *node = call->nodes[argument];
    if (node == NULL) {
        return HF_OK;
    }
    if (kind == HF_ARG_FUNCTION) {
        return resolve_applied(resolve, call, argument);
    }
    if (kind == HF_ARG_LAMBDA) {
        return node->kind == HF_NODE_LAMBDA
                   ? hf_ottl_resolve_lambda(resolve, node)
                   : refuse_argument(resolve, call, argument, "a lambda: (name, name) => value");
    }
    if (kind == HF_ARG_STRINGS || kind == HF_ARG_STRING_LIKES || kind == HF_ARG_ANYS) {
        return resolve_list(resolve, call, argument);
    }
    enum hf_status status = resolve->resolve(resolve, node);
    if (status != HF_OK) {
        return status;
    }
    if (kind == HF_ARG_PATH || kind == HF_ARG_MAP_PATH) {
        return node->kind == HF_NODE_PATH || node->kind == HF_NODE_CACHE
                   ? HF_OK
                   : refuse_argument(resolve, call, argument, "a path");
    }
    status = check_literal(resolve, call, argument, node);
    if (status == HF_OK && (kind == HF_ARG_REGEX || kind == HF_ARG_GLOB)) {
        status = compile_pattern(resolve, call, argument);
    }
    return status;
}

/* ---- the whole call ---- */

/* With literals alone it always yields the same. */
static bool is_constant(const struct hf_ottl_call *call)
{
    if (call->function->varies) {
        return false;
    }
    for (size_t i = 0; i < call->count; i++) {
        const struct hf_ottl_node *node = call->nodes[i];
        if (node == NULL || kind_of(call->function, i) == HF_ARG_FUNCTION) {
            continue;
        }
        if (node->kind == HF_NODE_LIST) {
            for (size_t j = 0; j < node->count; j++) {
                if (node->items[j]->kind != HF_NODE_LITERAL) {
                    return false;
                }
            }
        } else if (node->kind != HF_NODE_LITERAL) {
            return false;
        }
    }
    return true;
}

static enum hf_status refuse_function(struct hf_ottl_resolve *resolve,
                                      const struct hf_ottl_node *node, bool is_editor)
{
    const char *nearest =
        hf_ottl_function_suggest(node->name, resolve->functions, resolve->context, is_editor);
    return hf_ottl_refuse(resolve->fault, node->at,
                          "undefined function \"%.*s\" in the context %s%s%s%s", shown(node->name),
                          (const char *)node->name.data, hf_path_context_name(resolve->context),
                          nearest != NULL ? "; did you mean \"" : "",
                          nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
}

enum hf_status hf_ottl_resolve_call(struct hf_ottl_resolve *resolve, struct hf_ottl_node *node,
                                    bool is_editor)
{
    const struct hf_ottl_function *function =
        hf_ottl_function_find(node->name, resolve->functions, resolve->context, is_editor);
    if (function == NULL) {
        return refuse_function(resolve, node, is_editor);
    }
    node->call = hf_arena_take(resolve->arena, sizeof(*node->call));
    if (node->call == NULL) {
        return HF_NOMEM;
    }
    *node->call = (struct hf_ottl_call){.function = function, .count = count_arguments(function)};
    enum hf_status status = place_arguments(resolve, node);
    for (size_t i = 0; status == HF_OK && i < node->call->count; i++) {
        status = resolve_argument(resolve, node->call, i);
    }
    if (status == HF_OK && function->check != NULL) {
        status = function->check(node->call, resolve->fault, node->at);
    }
    if (status == HF_OK && !is_editor && is_constant(node->call)) {
        status = hf_ottl_fold(resolve, node);
        if (status == HF_OK && node->kind != HF_NODE_LITERAL && function->fails_early) {
            status = hf_ottl_refuse(resolve->fault, node->at, "%s cannot take this value",
                                    function->name);
        }
    }
    return status;
}
