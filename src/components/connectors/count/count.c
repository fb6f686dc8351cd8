/*
 * count: a connector that makes metrics of how many spans, span events, metrics, data points log
 * records and profiles there are, for each resource of a request. It keeps nothing and has no
 * queue.
 */
#include <holdfast/component.h>

#include "support/items/item_metrics.h"

static const struct hf_item_metrics_rules rules = {
    .looks_outside = true,
    .scope = "github.com/open-telemetry/opentelemetry-collector-contrib/connector/countconnector",
    .default_names = {[HF_ITEM_SPANS] = "trace.span.count",
                      [HF_ITEM_SPANEVENTS] = "trace.span.event.count",
                      [HF_ITEM_METRICS] = "metric.count",
                      [HF_ITEM_DATAPOINTS] = "metric.datapoint.count",
                      [HF_ITEM_LOGS] = "log.record.count",
                      [HF_ITEM_PROFILES] = "profile.count"},
    .default_descriptions = {[HF_ITEM_SPANS] = "The number of spans observed.",
                             [HF_ITEM_SPANEVENTS] = "The number of span events observed.",
                             [HF_ITEM_METRICS] = "The number of metrics observed.",
                             [HF_ITEM_DATAPOINTS] = "The number of data points observed.",
                             [HF_ITEM_LOGS] = "The number of log records observed.",
                             [HF_ITEM_PROFILES] = "The number of profiles observed."},
};

static const char *check(const void *config)
{
    return hf_item_metrics_check(&rules, config);
}

static enum hf_status open_count(struct hf_node *node, const void *config, void **ret_self,
                                 char *reterr)
{
    return hf_item_metrics_open(&rules, node, config, ret_self, reterr);
}

static const struct hf_field metric_fields[] = {
    {.key = "description",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_item_metric_config, description),
     .help = "Of the metric."},
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
     .help = "Attributes of the points: of the item, else of its scope, else of its resource."},
    HF_FIELDS_END,
};

static const struct hf_field fields[] = {
    HF_ITEM_LEVEL_FIELD(HF_ITEM_SPANS, "spans", metric_fields,
                        "Metrics of spans, by name. Not given: trace.span.count."),
    HF_ITEM_LEVEL_FIELD(HF_ITEM_SPANEVENTS, "spanevents", metric_fields,
                        "Metrics of span events, by name. Not given: trace.span.event.count."),
    HF_ITEM_LEVEL_FIELD(HF_ITEM_METRICS, "metrics", metric_fields,
                        "Metrics of metrics, by name. Not given: metric.count."),
    HF_ITEM_LEVEL_FIELD(HF_ITEM_DATAPOINTS, "datapoints", metric_fields,
                        "Metrics of data points, by name. Not given: metric.datapoint.count."),
    HF_ITEM_LEVEL_FIELD(HF_ITEM_LOGS, "logs", metric_fields,
                        "Metrics of log records, by name. Not given: log.record.count."),
    HF_ITEM_LEVEL_FIELD(HF_ITEM_PROFILES, "profiles", metric_fields,
                        "Metrics of profiles, by name. Not given: profile.count."),
    HF_FIELDS_END,
};

static const struct hf_connector_ops connector_ops = {
    .makes = {HF_SIGNAL_BIT(HF_METRICS), HF_SIGNAL_BIT(HF_METRICS), HF_SIGNAL_BIT(HF_METRICS),
              HF_SIGNAL_BIT(HF_METRICS)},
    .connect = hf_item_metrics_connect,
};

const struct hf_component hf_connector_count = {
    .type = "count",
    .help =
        "Counts spans, span events, metrics, data points, log records and profiles: a delta for "
        "each resource and request, on disk before the sender is told OK.",
    .kind = HF_CONNECTOR,
    .signals = HF_ALL_SIGNALS_AND_PROFILES,
    .config_size = sizeof(struct hf_item_metrics_config),
    .fields = fields,
    .check = check,
    .open = open_count,
    .close = hf_item_metrics_close,
    .connector = &connector_ops,
};
