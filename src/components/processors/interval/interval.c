/*
 * interval: passes the latest point of each cumulative series, gauge and summary on once per
 * interval.
 */
#include <stdlib.h>

#include <holdfast/component.h>

#include "latest.h"
#include "pdata/metric_fields.h"
#include "support/state/interval.h"

#define BYTES_MAX ((size_t)256 << 20) /* of an interval; a larger one ends early */

struct interval_config {
    uint64_t interval_ns;
    struct {
        bool gauge, summary;
    } pass_through;
};

struct processor {
    struct hf_interval *held; /* first: its functions are the component's */
    const struct interval_config *config;
    struct interval_latest *latest;
};

struct pass {
    struct hf_visitor visitor;
    struct processor *processor;
    struct hf_series_memory memory;
    enum hf_status status;
};

/* Or else it passes at once. */
static bool waits(const struct interval_config *config, struct hf_message *data)
{
    switch (data != NULL ? hf_message_type(data)->index : HF_SCHEMA_MESSAGE_COUNT) {
    case HF_MESSAGE_GAUGE:
        return !config->pass_through.gauge;
    case HF_MESSAGE_SUMMARY:
        return !config->pass_through.summary;
    case HF_MESSAGE_SUM:
        return hf_message_u64(data, HF_SUM_IS_MONOTONIC) != 0 &&
               hf_message_u64(data, HF_DATA_TEMPORALITY) == HF_TEMPORALITY_CUMULATIVE;
    case HF_MESSAGE_HISTOGRAM:
    case HF_MESSAGE_EXPONENTIAL_HISTOGRAM:
        return hf_message_u64(data, HF_DATA_TEMPORALITY) == HF_TEMPORALITY_CUMULATIVE;
    default:
        return false;
    }
}

static enum hf_visit see_metric(struct hf_visitor *visitor, const struct hf_place *place)
{
    struct pass *pass = HF_CONTAINER(visitor, struct pass, visitor);
    struct hf_place inner = *place;
    inner.data = hf_place_data(place->metric);
    if (!waits(pass->processor->config, inner.data)) {
        return HF_VISIT_SKIP;
    }
    inner.item = hf_message_first(inner.data, HF_DATA_POINTS);
    for (; inner.item != NULL; inner.item = hf_message_next(inner.item)) {
        pass->status = interval_latest_put(pass->processor->latest, &pass->memory, &inner);
        if (pass->status != HF_OK) {
            return HF_VISIT_STOP;
        }
    }
    return HF_VISIT_DROP;
}

/* Putting a point again changes nothing, so that an input that failed half-way may come again. */
static enum hf_status take(void *user, struct hf_batch *batch, struct hf_batch **ret_passed)
{
    struct pass pass = {.visitor = {.metric = see_metric, .prune = true}, .processor = user};
    return hf_walk_batch(batch, &pass.visitor, &pass.status, ret_passed);
}

static bool is_full(void *user)
{
    const struct processor *processor = user;
    return interval_latest_is_full(processor->latest);
}

static enum hf_status flush(void *user, struct hf_interval_list *list)
{
    const struct processor *processor = user;
    return interval_latest_flush(processor->latest, list);
}

static void close_processor(void *self)
{
    struct processor *processor = self;
    hf_interval_free(processor->held);
    interval_latest_free(processor->latest);
    free(processor);
}

static enum hf_status open_processor(struct hf_node *node, const void *config, void **ret_self,
                                     char *reterr)
{
    const struct interval_config *configured = config;
    struct processor *processor = calloc(1, sizeof(*processor));
    (void)reterr;
    if (processor == NULL) {
        return HF_NOMEM;
    }
    processor->config = configured;
    processor->latest = interval_latest_new(BYTES_MAX);
    const struct hf_interval_ops ops = {.take = take,
                                        .is_full = is_full,
                                        .flush = flush,
                                        .user = processor,
                                        .interval_ns = configured->interval_ns};
    if (processor->latest == NULL || hf_interval_new(node, &ops, &processor->held) != HF_OK) {
        close_processor(processor);
        return HF_NOMEM;
    }
    *ret_self = processor;
    return HF_OK;
}

static const struct hf_field pass_fields[] = {
    {.key = "gauge",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct interval_config, pass_through.gauge) -
               offsetof(struct interval_config, pass_through),
     .help = "Gauges pass at once."},
    {.key = "summary",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct interval_config, pass_through.summary) -
               offsetof(struct interval_config, pass_through),
     .help = "Summaries pass at once."},
    HF_FIELDS_END,
};

static const struct hf_field fields[] = {
    {.key = "interval",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct interval_config, interval_ns),
     .default_text = "60s",
     .min = 1e6,
     .max = 1e18,
     .help = "How often the latest points pass. Until then they are in the queue in front."},
    {.key = "pass_through",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct interval_config, pass_through),
     .inner = pass_fields,
     .help = "What passes at once. Deltas and sums that are not monotonic always do."},
    HF_FIELDS_END,
};

static const struct hf_queued_ops queued_ops = {
    .process_queued = hf_interval_self_process,
};

const struct hf_component hf_processor_interval = {
    .type = "interval",
    .help = "Passes the latest point of each series on once per interval.",
    .kind = HF_PROCESSOR,
    .signals = HF_SIGNAL_BIT(HF_METRICS),
    .config_size = sizeof(struct interval_config),
    .fields = fields,
    .open = open_processor,
    .start = hf_interval_self_start,
    .stop = hf_interval_self_stop,
    .close = close_processor,
    .queued = &queued_ops,
};
