/*
 * Which context the texts are about: the most detailed that their paths name; and where that has
 * not all functions and symbols that they use, the first more detailed one that has.
 */
#include <stdio.h>

#include "function.h"
#include "node.h"

#define BIT(context) (1u << HF_PATH_##context)

/* By context: the prefixes that are legal in it. */
static const unsigned inner_contexts[HF_PATH_CONTEXT_COUNT] = {
    [HF_PATH_RESOURCE] = BIT(RESOURCE),
    [HF_PATH_SCOPE] = BIT(RESOURCE) | BIT(SCOPE),
    [HF_PATH_SPAN] = BIT(RESOURCE) | BIT(SCOPE) | BIT(SPAN),
    [HF_PATH_SPANEVENT] = BIT(RESOURCE) | BIT(SCOPE) | BIT(SPAN) | BIT(SPANEVENT),
    [HF_PATH_METRIC] = BIT(RESOURCE) | BIT(SCOPE) | BIT(METRIC),
    [HF_PATH_DATAPOINT] = BIT(RESOURCE) | BIT(SCOPE) | BIT(METRIC) | BIT(DATAPOINT),
    [HF_PATH_EXEMPLAR] = BIT(RESOURCE) | BIT(SCOPE) | BIT(METRIC) | BIT(DATAPOINT) | BIT(EXEMPLAR),
    [HF_PATH_LOG] = BIT(RESOURCE) | BIT(SCOPE) | BIT(LOG),
    [HF_PATH_PROFILE] = BIT(RESOURCE) | BIT(SCOPE) | BIT(PROFILE),
};

bool hf_ottl_context_has(enum hf_path_context context, enum hf_path_context inner)
{
    return (inner_contexts[context] >> inner & 1) != 0;
}

/* The most detailed first. */
static const enum hf_path_context by_priority[HF_PATH_CONTEXT_COUNT] = {
    HF_PATH_PROFILE,   HF_PATH_LOG,  HF_PATH_EXEMPLAR, HF_PATH_DATAPOINT, HF_PATH_METRIC,
    HF_PATH_SPANEVENT, HF_PATH_SPAN, HF_PATH_SCOPE,    HF_PATH_RESOURCE};

struct hints {
    const struct hf_ottl_source *source;
    struct hf_ottl_fault *fault;
    unsigned contexts; /* that paths name */
    enum hf_path_context candidate;
    bool is_judging; /* can `candidate` do it all? */
    bool fits;
};

static void look_at(struct hints *hints, const struct hf_ottl_node *node, bool is_editor)
{
    enum hf_path_context context;
    int64_t value;
    if (node == NULL) {
        return;
    }
    if (!hints->is_judging) {
        if (node->kind == HF_NODE_PATH && hf_path_context_find(node->names[0], &context)) {
            hints->contexts |= 1u << context;
        }
    } else if (node->kind == HF_NODE_CALL) {
        hints->fits &= hf_ottl_function_find(node->name, hints->source->functions, hints->candidate,
                                             is_editor) != NULL;
    } else if (node->kind == HF_NODE_NAME) {
        hints->fits &= hf_ottl_enum_find(hints->candidate, node->name, &value) ||
                       hf_ottl_function_find(node->name, hints->source->functions, hints->candidate,
                                             false) != NULL;
    }
    for (size_t i = 0; i < node->count; i++) {
        look_at(hints, node->items[i], false);
    }
}

static bool fits(struct hints *hints, struct hf_ottl_node *const *nodes, size_t count,
                 enum hf_path_context candidate)
{
    unsigned allowed = hints->source->contexts;
    hints->is_judging = true;
    hints->candidate = candidate;
    hints->fits = allowed == 0 || (allowed >> candidate & 1) != 0;
    for (size_t i = 0; i < count; i++) {
        look_at(hints, nodes[i], nodes[i] != NULL && nodes[i]->kind == HF_NODE_CALL);
    }
    return hints->fits && (hints->contexts & ~inner_contexts[candidate]) == 0;
}

enum hf_status hf_ottl_infer(struct hf_ottl_node *const *nodes, size_t count,
                             const struct hf_ottl_source *source, enum hf_path_context *ret_context,
                             struct hf_ottl_fault *fault)
{
    struct hints hints = {.source = source, .fault = fault};
    size_t first = 0;
    for (size_t i = 0; i < count; i++) {
        look_at(&hints, nodes[i], false);
    }
    if (hints.contexts == 0) {
        return hf_ottl_refuse(fault, 0,
                              "no path says what this is about; write a path with its prefix, such "
                              "as span.name, or give a context");
    }
    while ((hints.contexts >> by_priority[first] & 1) == 0) {
        first++;
    }
    if (fits(&hints, nodes, count, by_priority[first])) {
        *ret_context = by_priority[first];
        return HF_OK;
    }
    for (size_t i = 0; i < HF_PATH_CONTEXT_COUNT; i++) {
        if (hf_ottl_context_has(by_priority[i], by_priority[first]) &&
            fits(&hints, nodes, count, by_priority[i])) {
            *ret_context = by_priority[i];
            return HF_OK;
        }
    }
    /* What is missing there is said when the texts are resolved. */
    unsigned allowed = source->contexts;
    if ((allowed == 0 || (allowed >> by_priority[first] & 1) != 0)) {
        *ret_context = by_priority[first];
        return HF_OK;
    }
    return hf_ottl_refuse(fault, 0, "the context \"%s\" is not for this",
                          hf_path_context_name(by_priority[first]));
}
