/*
 * subreceiver: receivers that another one starts while the process runs (holdfast/subreceiver.h).
 * Each has a node of its own with the routes of its parent; the graph does not list it.
 */
#include <holdfast/subreceiver.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/late.h"
#include "graph_internal.h"

struct hf_subreceiver {
    struct hf_node node;
    char *id, *place;
    char *counted_id;
    struct hf_late *late;
    struct hf_string_pair *added; /* and their texts behind them, in one piece */
};

/* Copies the pairs with their texts. NULL: out of memory. */
static struct hf_string_pair *copy_pairs(const struct hf_string_pair *pairs, size_t count)
{
    size_t size = count * sizeof(*pairs) + 1;
    for (size_t i = 0; i < count; i++) {
        size += strlen(pairs[i].key) + strlen(pairs[i].value) + 2;
    }
    struct hf_string_pair *copies = malloc(size);
    char *text = (char *)(copies + count);
    for (size_t i = 0; copies != NULL && i < count; i++) {
        copies[i].key = text;
        text = stpcpy(text, pairs[i].key) + 1;
        copies[i].value = text;
        text = stpcpy(text, pairs[i].value) + 1;
    }
    return copies;
}

static void release(struct hf_subreceiver *sub)
{
    hf_graph_close_node(&sub->node);
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        free(sub->node.routes[signal]);
    }
    hf_late_free(sub->late);
    free(sub->added);
    free(sub->id);
    free(sub->place);
    free(sub->counted_id);
    free(sub);
}

static enum hf_status copy_routes(struct hf_node *node, const struct hf_node *parent)
{
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        size_t count =
            (node->signals & HF_SIGNAL_BIT(signal)) != 0 ? parent->route_count[signal] : 0;
        node->routes[signal] = calloc(count + 1, sizeof(struct hf_pipeline *));
        if (node->routes[signal] == NULL) {
            return HF_NOMEM;
        }
        for (size_t i = 0; i < count; i++) {
            node->routes[signal][i] = parent->routes[signal][i];
        }
        node->route_count[signal] = count;
    }
    return HF_OK;
}

/* All but what the component itself makes. */
static enum hf_status fill(struct hf_subreceiver *sub, struct hf_node *parent,
                           const struct hf_subreceiver_options *options,
                           const struct hf_component *component, char *reterr)
{
    struct hf_node *node = &sub->node;
    enum hf_status status =
        hf_late_bind(component, options->config, options->endpoint, &sub->late, reterr);
    if (status != HF_OK) {
        return status;
    }
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    sub->id = strdup(options->id);
    sub->place = strdup(options->place);
    sub->added = copy_pairs(options->attributes, options->attribute_count);
    if (asprintf(&sub->counted_id, "%s/%s", component->type, parent->id) < 0) {
        sub->counted_id = NULL;
    }
    if (sub->id == NULL || sub->place == NULL || sub->added == NULL || sub->counted_id == NULL) {
        return HF_NOMEM;
    }
    node->id = sub->id;
    node->place_id = sub->place;
    node->counted_id = sub->counted_id;
    node->component = component;
    node->config = hf_late_config(sub->late);
    node->graph = parent->graph;
    node->host = parent->host;
    node->added = sub->added;
    node->added_count = options->attribute_count;
    node->signals = options->signals & parent->signals & component->signals;
    return copy_routes(node, parent);
}

enum hf_status hf_subreceiver_start(struct hf_node *parent,
                                    const struct hf_subreceiver_options *options,
                                    struct hf_subreceiver **ret_subreceiver, char *reterr)
{
    const struct hf_component *component =
        hf_config_find_type(parent->graph->config, HF_RECEIVER, options->type);
    assert(strlen(options->place) <= HF_SUBRECEIVER_PLACE_MAX);
    if (component == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "there is no receiver of the type \"%.100s\"",
                 options->type);
        return HF_INVALID;
    }
    if ((options->signals & parent->signals & component->signals) == 0) {
        snprintf(reterr, HF_ERROR_MAX,
                 "a receiver of the type %s gives nothing for the pipelines "
                 "of this one",
                 component->type);
        return HF_NOT_FOUND;
    }
    struct hf_subreceiver *sub = calloc(1, sizeof(*sub));
    if (sub == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    enum hf_status status = fill(sub, parent, options, component, reterr);
    if (status == HF_OK) {
        status = hf_graph_open_node(&sub->node, reterr);
    }
    if (status == HF_OK) {
        status = hf_graph_start_node(&sub->node, reterr);
    }
    if (status != HF_OK) {
        release(sub);
        return status;
    }
    *ret_subreceiver = sub;
    return HF_OK;
}

unsigned hf_subreceiver_signals(const struct hf_subreceiver *subreceiver)
{
    return subreceiver->node.signals;
}

void hf_subreceiver_stop(struct hf_subreceiver *subreceiver)
{
    hf_graph_stop_node(&subreceiver->node);
}

bool hf_subreceiver_free(struct hf_subreceiver *subreceiver)
{
    /* Acquire: what was done with it happens before its freeing. */
    if (atomic_load_explicit(&subreceiver->node.holds, memory_order_acquire) != 0) {
        return false;
    }
    release(subreceiver);
    return true;
}
