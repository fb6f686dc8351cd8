/*
 * routing: a connector that sends what its table says to the pipelines that the table names, by
 * conditions of OTTL or by the sender's metadata. It keeps nothing and has no queue.
 */
#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "route_run.h"
#include "util/metrics/metrics.h"

/* ---- life ---- */

static const char *check(const void *config)
{
    static _Thread_local char sentence[HF_ERROR_MAX];
    struct routes routes;
    snprintf(sentence, sizeof(sentence), "out of memory");
    enum hf_status status = routes_compile(&routes, config, sentence);
    routes_release(&routes);
    return status == HF_OK ? NULL : sentence;
}

static void close_routing(void *self)
{
    struct routing *routing = self;
    hf_ottl_errors_free(routing->errors);
    routes_release(&routing->routes);
    free(routing);
}

static const struct hf_metric_family dropped_family = {
    .name = "holdfast_connector_routing_unmatched",
    .type = HF_COUNTER,
    .unit = "",
    .help = "Items that no route took, without default_pipelines: they went nowhere.",
};

static enum hf_status open_series(struct routing *routing, const struct hf_node *node)
{
    for (int signal = 0; hf_node_metrics(node) != NULL && signal < HF_SIGNAL_COUNT; signal++) {
        size_t count = 0;
        hf_node_outputs(node, (enum hf_signal)signal, &count);
        if (count == 0) {
            continue;
        }
        const struct hf_label labels[] = {{"connector", hf_node_id(node)},
                                          {"signal", hf_signal_name((enum hf_signal)signal)},
                                          {NULL, NULL}};
        routing->dropped[signal] =
            hf_metrics_series(hf_node_metrics(node), &dropped_family, labels);
    }
    routing->errors = hf_ottl_errors_new(node, &routing->routes.groups);
    return routing->errors != NULL ? HF_OK : HF_NOMEM;
}

static enum hf_status open_routing(struct hf_node *node, const void *config, void **ret_self,
                                   char *reterr)
{
    struct routing *routing = calloc(1, sizeof(*routing));
    if (routing == NULL) {
        return HF_NOMEM;
    }
    enum hf_status status = routes_compile(&routing->routes, config, reterr);
    if (status == HF_OK) {
        status = routes_join(&routing->routes, config, node, reterr);
    }
    if (status == HF_OK) {
        status = open_series(routing, node);
    }
    if (status != HF_OK) {
        close_routing(routing);
        return status;
    }
    *ret_self = routing;
    return HF_OK;
}

static const char *const *context_keys(void *self, size_t *ret_count)
{
    const struct routing *routing = self;
    *ret_count = routing->routes.key_count;
    return routing->routes.keys;
}

static const char *pipeline_named(const void *config, size_t index)
{
    const struct routing_config *routing = config;
    const struct route_config *table = routing->table.items;
    if (index < routing->default_pipelines.count) {
        return routing->default_pipelines.items[index];
    }
    index -= routing->default_pipelines.count;
    for (size_t i = 0; i < routing->table.count; i++) {
        if (index < table[i].pipelines.count) {
            return table[i].pipelines.items[index];
        }
        index -= table[i].pipelines.count;
    }
    return NULL;
}

/* ---- fields ---- */

static const char *const contexts[] = {"",          "resource", "span",    "metric",
                                       "datapoint", "log",      "request", NULL};
static const char *const actions[] = {"move", "copy", NULL};

static const struct hf_field route_fields[] = {
    {.key = "context",
     .type = HF_FIELD_ENUM,
     .offset = offsetof(struct route_config, context),
     .choices = contexts,
     .default_text = "",
     .help = "What is asked and sent as one: resource, span, metric, datapoint or log; request is "
             "the sender's metadata. Not given: what the paths of the condition name, or else "
             "resource. A context that the signal does not have matches nothing."},
    {.key = "condition",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct route_config, condition),
     .help = "A condition of OTTL; of the context request: request[\"key\"] == \"value\", or !=."},
    {.key = "statement",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct route_config, statement),
     .help = "Instead of a condition: route() where CONDITION; or delete_key or "
             "delete_matching_keys, which change what is sent on."},
    {.key = "action",
     .type = HF_FIELD_ENUM,
     .offset = offsetof(struct route_config, action),
     .choices = actions,
     .default_text = "move",
     .help = "move: later routes do not see what matches; copy: they do."},
    {.key = "pipelines",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct route_config, pipelines),
     .required = true,
     .help = "The pipelines that get what matches; of another signal's data they get nothing."},
    HF_FIELDS_END,
};

static const struct hf_field fields[] = {
    {.key = "error_mode",
     .type = HF_FIELD_ENUM,
     .offset = offsetof(struct routing_config, error_mode),
     .choices = hf_ottl_error_modes,
     .default_text = "ignore",
     .help = "What an error of a condition does: ignore and silent (without a line in the log) "
             "count it as no match, propagate refuses the request."},
    {.key = "default_pipelines",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct routing_config, default_pipelines),
     .help = "They get what no route has moved. Without them it goes nowhere, and is counted."},
    {.key = "table",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = offsetof(struct routing_config, table),
     .required = true,
     .inner = route_fields,
     .inner_size = sizeof(struct route_config),
     .help = "The routes, which are asked in this order."},
    {.key = "match_once",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct routing_config, match_once),
     .default_text = "true",
     .present_offset = offsetof(struct routing_config, match_once_given),
     .help = "false, as older releases have it by default: a resource goes by every route that it "
             "matches, and to default_pipelines when it matches none."},
    HF_FIELDS_END,
};

static const struct hf_connector_ops connector_ops = {
    .makes = {HF_SIGNAL_BIT(HF_TRACES), HF_SIGNAL_BIT(HF_METRICS), HF_SIGNAL_BIT(HF_LOGS)},
    .connect = routing_connect,
    .context_keys = context_keys,
    .pipeline_named = pipeline_named,
};

const struct hf_component hf_connector_routing = {
    .type = "routing",
    .help = "Sends spans, metrics and log records to the pipelines that a table of conditions "
            "names. What is sent is on disk behind before the sender is told OK.",
    .kind = HF_CONNECTOR,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct routing_config),
    .fields = fields,
    .check = check,
    .open = open_routing,
    .close = close_routing,
    .connector = &connector_ops,
};
