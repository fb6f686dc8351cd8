/*
 * sum: a connector that makes metrics of the sums of an attribute of spans, span events, data
 * points or log records, for each resource of a request. It keeps nothing and has no queue.
 */
#include <holdfast/component.h>

#include "support/items/item_metrics.h"

static const struct hf_item_metrics_rules rules = {
    .are_sums = true,
    .scope = "",
};

static const char *check(const void *config)
{
    return hf_item_metrics_check(&rules, config);
}

static enum hf_status open_sum(struct hf_node *node, const void *config, void **ret_self,
                               char *reterr)
{
    return hf_item_metrics_open(&rules, node, config, ret_self, reterr);
}

static const struct hf_field metric_fields[] = {
    {.key = "description",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_item_metric_config, description),
     .help = "Of the metric."},
    {.key = "source_attribute",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_item_metric_config, source_attribute),
     .help = "The attribute of the item whose values are added: a number, or a text that is one; "
             "anything else adds nothing."},
    {.key = "conditions",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct hf_item_metric_config, conditions),
     .help = "Conditions of OTTL: an item is taken when one is true; without any, all are. One "
             "that fails is not true, and is counted and logged."},
    {.key = "attributes",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = offsetof(struct hf_item_metric_config, attributes),
     .inner = hf_item_attribute_fields,
     .inner_size = sizeof(struct hf_item_attribute_config),
     .help = "Attributes of the points: of the item, as text."},
    HF_FIELDS_END,
};

static const struct hf_field fields[] = {
    HF_ITEM_LEVEL_FIELD(HF_ITEM_SPANS, "spans", metric_fields, "Metrics of spans, by name."),
    HF_ITEM_LEVEL_FIELD(HF_ITEM_SPANEVENTS, "spanevents", metric_fields,
                        "Metrics of span events, by name."),
    HF_ITEM_LEVEL_FIELD(HF_ITEM_METRICS, "metrics", metric_fields, "Metrics of metrics, by name."),
    HF_ITEM_LEVEL_FIELD(HF_ITEM_DATAPOINTS, "datapoints", metric_fields,
                        "Metrics of data points, by name."),
    HF_ITEM_LEVEL_FIELD(HF_ITEM_LOGS, "logs", metric_fields, "Metrics of log records, by name."),
    HF_FIELDS_END,
};

static const struct hf_connector_ops connector_ops = {
    .makes = {HF_SIGNAL_BIT(HF_METRICS), HF_SIGNAL_BIT(HF_METRICS), HF_SIGNAL_BIT(HF_METRICS)},
    .connect = hf_item_metrics_connect,
};

const struct hf_component hf_connector_sum = {
    .type = "sum",
    .help = "Adds up an attribute of spans, span events, data points and log records: a delta for "
            "each resource and request, on disk before the sender is told OK.",
    .kind = HF_CONNECTOR,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct hf_item_metrics_config),
    .fields = fields,
    .check = check,
    .open = open_sum,
    .close = hf_item_metrics_close,
    .connector = &connector_ops,
};
