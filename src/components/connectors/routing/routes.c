#include "routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "route_request.h"
#include "util/mistake.h"

#define BIT(context) (1u << HF_PATH_##context)
#define OTTL_CONTEXTS (BIT(RESOURCE) | BIT(SPAN) | BIT(METRIC) | BIT(DATAPOINT) | BIT(LOG))

static enum hf_status refuse(char *reterr, size_t index, const char *why)
{
    snprintf(reterr, HF_ERROR_MAX, "table[%zu]: %.400s", index, why);
    return HF_INVALID;
}

/* ---- texts ---- */

static const enum hf_path_context contexts[] = {
    [ROUTE_ANY] = HF_PATH_RESOURCE, [ROUTE_RESOURCE] = HF_PATH_RESOURCE,
    [ROUTE_SPAN] = HF_PATH_SPAN,    [ROUTE_METRIC] = HF_PATH_METRIC,
    [ROUTE_LOG] = HF_PATH_LOG,      [ROUTE_DATAPOINT] = HF_PATH_DATAPOINT,
};

/* A statement may only say what is routed, and take keys away on the way. */
static bool may_be_called(const char *statement)
{
    static const char *const names[] = {"route", "delete_key", "delete_matching_keys"};
    size_t size = strcspn(statement, " \t\n(");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strlen(names[i]) == size && strncmp(names[i], statement, size) == 0) {
            return true;
        }
    }
    return false;
}

static struct hf_ottl_group *add_group(struct hf_ottl_groups *groups)
{
    struct hf_ottl_group *items =
        reallocarray(groups->items, groups->count + 1, sizeof(*groups->items));
    if (items == NULL) {
        return NULL;
    }
    groups->items = items;
    groups->items[groups->count] = (struct hf_ottl_group){.ottl = NULL};
    return &groups->items[groups->count++];
}

/* What the paths name, or else, as with paths without a prefix, the resource. */
static enum hf_status compile_any(struct hf_ottl_source *source, struct hf_ottl **ret_ottl,
                                  char *reterr)
{
    char first[HF_ERROR_MAX];
    source->infers = true;
    enum hf_status status = hf_ottl_new(source, ret_ottl, first);
    if (status != HF_INVALID) {
        return status;
    }
    source->infers = false;
    source->context = HF_PATH_RESOURCE;
    status = hf_ottl_new(source, ret_ottl, reterr);
    if (status == HF_INVALID && strstr(first, "no path says") == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "%.500s", first); /* it is nearer to what was meant */
    }
    return status;
}

static enum hf_status compile_text(struct routes *routes, const struct route_config *config,
                                   size_t index, struct route *route, char *reterr)
{
    char name[48];
    struct hf_ottl_source source = {.context = contexts[config->context],
                                    .contexts = OTTL_CONTEXTS,
                                    .functions = HF_OTTL_ROUTE,
                                    .name = name};
    if (config->condition != NULL) {
        source.conditions = (struct hf_string_list){&config->condition, 1};
    } else {
        source.statements = (struct hf_string_list){&config->statement, 1};
    }
    if (config->condition == NULL && !may_be_called(config->statement)) {
        return refuse(reterr, index,
                      "statement: expected route(), delete_key() or delete_matching_keys()");
    }
    snprintf(name, sizeof(name), "table[%zu]::%s", index,
             config->condition != NULL ? "condition" : "statement");
    struct hf_ottl_group *group = add_group(&routes->groups);
    if (group == NULL) {
        return HF_NOMEM;
    }
    enum hf_status status = config->context == ROUTE_ANY
                                ? compile_any(&source, &group->ottl, reterr)
                                : hf_ottl_new(&source, &group->ottl, reterr);
    if (status == HF_OK) {
        route->ottl = group->ottl;
        route->context = hf_ottl_context(group->ottl);
    }
    return status;
}

/* ---- the table ---- */

static enum hf_status check_route(const struct routing_config *config, size_t index, char *reterr)
{
    const struct route_config *route = &((const struct route_config *)config->table.items)[index];
    bool is_of_resources = route->context == ROUTE_ANY || route->context == ROUTE_RESOURCE;
    if (route->condition == NULL && route->statement == NULL) {
        return refuse(reterr, index,
                      "give a condition (invalid route: no condition or statement provided)");
    }
    if (route->condition != NULL && route->statement != NULL) {
        return refuse(reterr, index,
                      "give either condition or statement (invalid route: both condition and "
                      "statement provided)");
    }
    if (route->pipelines.count == 0) {
        return refuse(reterr, index,
                      "pipelines: name at least one (invalid route: no pipelines defined)");
    }
    if (route->context == ROUTE_REQUEST && route->condition == NULL) {
        return refuse(reterr, index, "\"request\" context requires a 'condition'");
    }
    if (config->match_once_given && !config->match_once && !is_of_resources) {
        return refuse(reterr, index,
                      "match_once: false is only for the context resource; use action: copy");
    }
    return HF_OK;
}

static enum hf_status add_key(struct routes *routes, const char *key)
{
    const char **keys = reallocarray(routes->keys, routes->key_count + 1, sizeof(*keys));
    if (keys == NULL) {
        return HF_NOMEM;
    }
    routes->keys = keys;
    routes->keys[routes->key_count++] = key;
    return HF_OK;
}

static enum hf_status compile_route(struct routes *routes, const struct routing_config *config,
                                    size_t index, char *reterr)
{
    const struct route_config *from = &((const struct route_config *)config->table.items)[index];
    struct route *route = &routes->items[routes->count++];
    enum hf_status status = check_route(config, index, reterr);
    if (status != HF_OK) {
        return status;
    }
    route->copies = from->action == ROUTE_COPY;
    if (from->context != ROUTE_REQUEST) {
        status = compile_text(routes, from, index, route, reterr);
        if (status == HF_OK && routes->matches_all && route->context != HF_PATH_RESOURCE) {
            return refuse(reterr, index,
                          "match_once: false is only for the context resource; use action: copy");
        }
        return status;
    }
    char why[HF_ERROR_MAX];
    route->is_request = true;
    status = route_request_read(from->condition, &route->request, why);
    if (status != HF_OK) {
        return status == HF_INVALID ? refuse(reterr, index, why) : status;
    }
    return add_key(routes, route->request.key);
}

enum hf_status routes_compile(struct routes *routes, const struct routing_config *config,
                              char *reterr)
{
    enum hf_status status = HF_OK, worst = HF_OK;
    *routes = (struct routes){.error_mode = (enum hf_ottl_error_mode)config->error_mode,
                              .matches_all = config->match_once_given && !config->match_once};
    if (config->table.count == 0) {
        snprintf(reterr, HF_ERROR_MAX,
                 "table: give at least one route (invalid routing table: the routing table is "
                 "empty)");
        return HF_INVALID;
    }
    routes->items = calloc(config->table.count, sizeof(*routes->items));
    if (routes->items == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < config->table.count && status == HF_OK; i++) {
        status = compile_route(routes, config, i, reterr);
        if (status == HF_INVALID && hf_mistake(reterr)) {
            worst = status;
            status = HF_OK;
        }
    }
    return status == HF_OK ? worst : status;
}

/* ---- pipelines ---- */

/* Adds the pipeline of that id to the targets of its signal. */
static enum hf_status join_one(struct route_targets *targets, const struct hf_node *node,
                               const char *id, size_t most, char *reterr)
{
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        size_t count = 0;
        struct hf_pipeline *const *outputs = hf_node_outputs(node, (enum hf_signal)signal, &count);
        for (size_t i = 0; i < count; i++) {
            if (strcmp(hf_pipeline_id(outputs[i]), id) != 0) {
                continue;
            }
            struct route_targets *to = &targets[signal];
            if (to->items == NULL) {
                to->items = calloc(most, sizeof(struct hf_pipeline *));
            }
            if (to->items == NULL) {
                return HF_NOMEM;
            }
            to->items[to->count++] = outputs[i];
            return HF_OK;
        }
    }
    snprintf(reterr, HF_ERROR_MAX, "the pipeline \"%.200s\" is not behind it (pipeline not found)",
             id);
    return HF_INVALID;
}

static enum hf_status join(struct route_targets *targets, const struct hf_node *node,
                           struct hf_string_list ids, char *reterr)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < ids.count && status == HF_OK; i++) {
        status = join_one(targets, node, ids.items[i], ids.count, reterr);
    }
    return status;
}

enum hf_status routes_join(struct routes *routes, const struct routing_config *config,
                           const struct hf_node *node, char *reterr)
{
    const struct route_config *table = config->table.items;
    enum hf_status status = join(routes->rest, node, config->default_pipelines, reterr);
    for (size_t i = 0; i < routes->count && status == HF_OK; i++) {
        status = join(routes->items[i].targets, node, table[i].pipelines, reterr);
    }
    return status;
}

void routes_release(struct routes *routes)
{
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        free(routes->rest[signal].items);
        for (size_t i = 0; i < routes->count; i++) {
            free(routes->items[i].targets[signal].items);
        }
    }
    for (size_t i = 0; i < routes->count; i++) {
        free(routes->items[i].request.key);
    }
    hf_ottl_groups_release(&routes->groups);
    free(routes->keys);
    free(routes->items);
    *routes = (struct routes){.count = 0};
}
