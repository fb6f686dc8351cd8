/*
 * deltatorate: makes gauges of delta sums: their value per second.
 */
#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "pdata/metric_fields.h"
#include "pdata/walk.h"
#include "util/time/clock.h"

struct rate_config {
    struct hf_string_list metrics;
};

struct processor {
    const struct hf_node *node;
    const struct rate_config *config;
};

struct pass {
    struct hf_visitor visitor;
    const struct processor *processor;
    enum hf_status status;
};

static bool is_listed(const struct rate_config *config, struct hf_slice name)
{
    return hf_string_list_has(&config->metrics, name);
}

static void change_point(struct hf_message *point)
{
    uint64_t start_ns = hf_message_u64(point, HF_POINT_START);
    uint64_t time_ns = hf_message_u64(point, HF_POINT_TIME);
    bool is_int = hf_message_has(point, HF_NUMBER_INT);
    if (!is_int && !hf_message_has(point, HF_NUMBER_DOUBLE)) {
        return;
    }
    double value = is_int ? (double)hf_message_i64(point, HF_NUMBER_INT)
                          : hf_message_double(point, HF_NUMBER_DOUBLE);
    double seconds = time_ns > start_ns ? (double)(time_ns - start_ns) / (double)HF_NS_PER_S : 0;
    hf_message_set_double(point, HF_NUMBER_DOUBLE, seconds > 0 ? value / seconds : 0);
}

static void add_to_unit(struct hf_message *metric)
{
    struct hf_slice unit = hf_message_bytes(metric, HF_METRIC_UNIT);
    char text[256];
    if (unit.size > 0 && unit.size < sizeof(text) - 2) {
        int size = snprintf(text, sizeof(text), "%.*s/s", (int)unit.size, (const char *)unit.data);
        hf_message_set_bytes(metric, HF_METRIC_UNIT, hf_slice_of(text, (size_t)size));
    }
}

/* The points move from the sum to a gauge in its place. */
static bool change_metric(struct hf_message *metric, struct hf_message *sum)
{
    struct hf_message *gauge = hf_message_append(metric, HF_METRIC_GAUGE);
    struct hf_message *point = gauge != NULL ? hf_message_first(sum, HF_DATA_POINTS) : NULL;
    while (point != NULL) {
        struct hf_message *next = hf_message_next(point);
        change_point(point);
        if (hf_message_move(point, gauge, HF_DATA_POINTS) == NULL) {
            return false;
        }
        point = next;
    }
    add_to_unit(metric);
    return gauge != NULL;
}

static enum hf_visit see_metric(struct hf_visitor *visitor, const struct hf_place *place)
{
    struct pass *pass = HF_CONTAINER(visitor, struct pass, visitor);
    struct hf_slice name = hf_message_bytes(place->metric, HF_METRIC_NAME);
    struct hf_message *data = hf_place_data(place->metric);
    if (!is_listed(pass->processor->config, name)) {
        return HF_VISIT_SKIP;
    }
    if (data == NULL || hf_message_type(data)->index != HF_MESSAGE_SUM ||
        hf_message_u64(data, HF_DATA_TEMPORALITY) != HF_TEMPORALITY_DELTA) {
        hf_node_log(pass->processor->node, HF_LOG_INFO,
                    "configured metric for rate calculation %.*s is not a delta sum",
                    (int)(name.size < 200 ? name.size : 200), (const char *)name.data);
        return HF_VISIT_SKIP;
    }
    if (!change_metric(place->metric, data)) {
        pass->status = HF_NOMEM;
        return HF_VISIT_STOP;
    }
    return HF_VISIT_SKIP;
}

static enum hf_status process(void *self, struct hf_batch *batch, struct hf_batch **ret_batch)
{
    struct pass pass = {.visitor.metric = see_metric, .processor = self};
    return hf_walk_batch(batch, &pass.visitor, &pass.status, ret_batch);
}

static enum hf_status open_processor(struct hf_node *node, const void *config, void **ret_self,
                                     char *reterr)
{
    struct processor *processor = calloc(1, sizeof(*processor));
    (void)reterr;
    if (processor == NULL) {
        return HF_NOMEM;
    }
    *processor = (struct processor){node, config};
    *ret_self = processor;
    return HF_OK;
}

static const char *check(const void *config)
{
    const struct rate_config *configured = config;
    return configured->metrics.count == 0 ? "metrics must be given" : NULL;
}

static const struct hf_field fields[] = {
    {.key = "metrics",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct rate_config, metrics),
     .help = "The names of the delta sums that become gauges of their value per second."},
    HF_FIELDS_END,
};

static const struct hf_processor_ops processor_ops = {
    .process = process,
};

static const char *const aliases[] = {"delta_to_rate", NULL};

const struct hf_component hf_processor_deltatorate = {
    .type = "deltatorate",
    .aliases = aliases,
    .help = "Makes gauges of delta sums: their value per second.",
    .kind = HF_PROCESSOR,
    .signals = HF_SIGNAL_BIT(HF_METRICS),
    .config_size = sizeof(struct rate_config),
    .fields = fields,
    .check = check,
    .open = open_processor,
    .close = free,
    .processor = &processor_ops,
};
