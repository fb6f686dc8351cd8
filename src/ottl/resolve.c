/*
 * From what a text says to what runs: paths are compiled, symbols become numbers, and constant
 * parts become literals. Functions and their arguments are in resolve_call.c.
 */
#include <stdio.h>
#include <string.h>

#include "lambda.h"
#include "resolve_internal.h"
#include "util/suggest.h"

/* ---- paths ---- */

/* The nearest path of a context. */
static void suggest_path(struct hf_ottl_resolve *resolve, enum hf_path_context context,
                         const char *written)
{
    struct hf_suggestion suggestion = {.word = written};
    struct hf_path_name room;
    const struct hf_path_name *path;
    for (size_t i = 0; (path = hf_path_each(i, &room)) != NULL; i++) {
        if (path->context == context) {
            hf_suggest(&suggestion, path->name);
        }
    }
    if (suggestion.best != NULL) {
        size_t size = strlen(resolve->fault->sentence);
        snprintf(resolve->fault->sentence + size, sizeof(resolve->fault->sentence) - size,
                 "; did you mean \"%s\"?", suggestion.best);
    }
}

static void join_names(const struct hf_slice *names, size_t count, char *room, size_t size)
{
    size_t at = 0;
    room[0] = '\0';
    for (size_t i = 0; i < count && at + names[i].size + 2 < size; i++) {
        at += (size_t)snprintf(room + at, size - at, "%s%.*s", i > 0 ? "." : "", (int)names[i].size,
                               (const char *)names[i].data);
    }
}

/* Literal keys as those of a path. False: one is not fixed. */
static bool fixed_keys(const struct hf_ottl_node *node, struct hf_any_key *keys)
{
    for (size_t i = 0; i < node->count; i++) {
        const struct hf_ottl_node *item = node->items[i];
        if (item->kind != HF_NODE_LITERAL ||
            (item->value.type != HF_OTTL_STRING && item->value.type != HF_OTTL_INT)) {
            return false;
        }
        keys[i] = item->value.type == HF_OTTL_STRING
                      ? (struct hf_any_key){.text = item->value.bytes}
                      : (struct hf_any_key){.is_index = true, .index = item->value.integer};
    }
    return true;
}

/* The context that a path names in front, or the own one. `ret_skip`: names that say so. */
static enum hf_status find_context(struct hf_ottl_resolve *resolve, const struct hf_ottl_node *node,
                                   enum hf_path_context *ret_context, size_t *ret_skip)
{
    char text[120];
    join_names(node->names, node->name_count, text, sizeof(text));
    if (hf_path_context_find(node->names[0], ret_context) && node->name_count > 1) {
        *ret_skip = 1;
        if (!hf_ottl_context_has(resolve->context, *ret_context)) {
            return hf_ottl_refuse(resolve->fault, node->at,
                                  "the path \"%s\" is not there in the context %s", text,
                                  hf_path_context_name(resolve->context));
        }
        return HF_OK;
    }
    *ret_context = resolve->context;
    *ret_skip = 0;
    if (!resolve->is_bare) {
        return hf_ottl_refuse(resolve->fault, node->at,
                              "missing context name for path \"%s\"; write %s.%s", text,
                              hf_path_context_name(resolve->context), text);
    }
    return HF_OK;
}

static enum hf_status resolve_path(struct hf_ottl_resolve *resolve, struct hf_ottl_node *node)
{
    struct hf_any_key keys[HF_ANY_KEYS_MAX];
    enum hf_path_context context;
    char reterr[HF_ERROR_MAX] = "";
    char written[120];
    size_t skip = 0;
    enum hf_status status = find_context(resolve, node, &context, &skip);
    if (status != HF_OK) {
        return status;
    }
    if (node->count > HF_ANY_KEYS_MAX) {
        return hf_ottl_refuse(resolve->fault, node->at, "more than %u keys", HF_ANY_KEYS_MAX);
    }
    const struct hf_slice *names = node->names + skip;
    size_t name_count = node->name_count - skip;
    join_names(names, name_count, written, sizeof(written));
    node->has_fixed_keys = fixed_keys(node, keys);
    if (name_count == 1 && hf_slice_is(names[0], "cache")) {
        if (context != resolve->context) {
            return hf_ottl_refuse(resolve->fault, node->at,
                                  "\"cache\" is that of the context %s alone",
                                  hf_path_context_name(resolve->context));
        }
        node->kind = HF_NODE_CACHE;
        node->evaluate = hf_ottl_evaluate_cache;
        return HF_OK;
    }
    status = hf_path_new(context, names, name_count, keys, node->has_fixed_keys ? node->count : 0,
                         &node->path, reterr);
    if (status == HF_OK && !node->has_fixed_keys && !hf_path_takes_keys(node->path)) {
        return hf_ottl_refuse(resolve->fault, node->at, "the path \"%s\" takes no key", written);
    }
    if (status == HF_NOT_FOUND || status == HF_UNSUPPORTED) {
        hf_ottl_refuse(resolve->fault, node->at, "%s", reterr);
        if (status == HF_NOT_FOUND) {
            suggest_path(resolve, context, written);
        }
        return HF_INVALID;
    }
    node->evaluate = hf_ottl_evaluate_path;
    return status;
}

/* ---- symbols ---- */

static enum hf_status resolve_name(struct hf_ottl_resolve *resolve, struct hf_ottl_node *node)
{
    int64_t value;
    if (hf_ottl_enum_find(resolve->context, node->name, &value)) {
        return hf_ottl_become(resolve, node, hf_ottl_int(value));
    }
    const char *nearest = hf_ottl_enum_suggest(resolve->context, node->name);
    return hf_ottl_refuse(resolve->fault, node->at,
                          "unknown enum symbol %.*s in the context %s%s%s",
                          (int)(node->name.size < 60 ? node->name.size : 60),
                          (const char *)node->name.data, hf_path_context_name(resolve->context),
                          nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "");
}

/* ---- all nodes ---- */

static const struct {
    hf_ottl_evaluate *evaluate;
    hf_ottl_judge *judge;
    bool folds;
} kinds[] = {
    [HF_NODE_LITERAL] = {hf_ottl_evaluate_literal, hf_ottl_judge_literal, false},
    [HF_NODE_CALL] = {hf_ottl_evaluate_call, NULL, false},
    [HF_NODE_INDEX] = {hf_ottl_evaluate_index, NULL, true},
    [HF_NODE_LIST] = {hf_ottl_evaluate_list, NULL, true},
    [HF_NODE_MAP] = {hf_ottl_evaluate_map, NULL, true},
    [HF_NODE_MATH] = {hf_ottl_evaluate_math, NULL, true},
    [HF_NODE_NEGATE] = {hf_ottl_evaluate_negate, NULL, true},
    [HF_NODE_COMPARE] = {NULL, hf_ottl_judge_compare, true},
    [HF_NODE_AND] = {NULL, hf_ottl_judge_and, true},
    [HF_NODE_OR] = {NULL, hf_ottl_judge_or, true},
    [HF_NODE_NOT] = {NULL, hf_ottl_judge_not, true},
    [HF_NODE_TEST] = {NULL, hf_ottl_judge_test, true},
    [HF_NODE_LOCAL] = {hf_ottl_evaluate_local, NULL, false},
};

static bool are_literals(const struct hf_ottl_node *node, size_t from)
{
    for (size_t i = from; i < node->count; i++) {
        if (node->items[i]->kind != HF_NODE_LITERAL) {
            return false;
        }
    }
    return true;
}

static enum hf_status resolve_items(struct hf_ottl_resolve *resolve, struct hf_ottl_node *node)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; status == HF_OK && i < node->count; i++) {
        status = hf_ottl_resolve(resolve, node->items[i]);
    }
    return status;
}

enum hf_status hf_ottl_resolve(struct hf_ottl_resolve *resolve, struct hf_ottl_node *node)
{
    if (node->kind == HF_NODE_NAME) {
        return resolve_name(resolve, node);
    }
    if (node->kind == HF_NODE_LAMBDA) {
        return hf_ottl_refuse(resolve->fault, node->at, "a lambda is no value of its own");
    }
    if (node->kind == HF_NODE_CALL) {
        node->evaluate = hf_ottl_evaluate_call;
        return hf_ottl_resolve_call(resolve, node, false);
    }
    enum hf_status status = resolve_items(resolve, node);
    if (status != HF_OK) {
        return status;
    }
    if (node->kind == HF_NODE_PATH && !hf_ottl_become_local(resolve, node)) {
        return resolve_path(resolve, node);
    }
    node->evaluate = kinds[node->kind].evaluate;
    node->judge = kinds[node->kind].judge;
    return kinds[node->kind].folds && are_literals(node, 0) ? hf_ottl_fold(resolve, node) : HF_OK;
}
