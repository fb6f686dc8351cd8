/*
 * spanmetrics: counts spans and their durations by service, name, kind, status and attributes of
 * the user's choice, and makes metrics of them at intervals.
 *
 * How requests, state and flushes keep together: support/state/aggregator.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "spanmetrics_config.h"
#include "spanmetrics_dimensions.h"
#include "spanmetrics_fold.h"
#include "spanmetrics_state.h"
#include "support/state/aggregator.h"
#include "util/time/clock.h"

/* Owned by the thread of the node's own loop while that runs. */
struct spanmetrics {
    struct hf_node *node;
    struct hf_aggregator *aggregator;
    struct spanmetrics_dimensions dimensions;
    struct spanmetrics_state state;
    struct spanmetrics_fold fold;
};

/* ---- what the aggregator asks for ---- */

static enum hf_status fold(void *self, const struct hf_batch *batch)
{
    struct spanmetrics *spanmetrics = self;
    return spanmetrics_fold_request(&spanmetrics->fold, batch->raw, hf_clock_unix_ns());
}

static void flush_begin(void *self, uint64_t unix_ns)
{
    struct spanmetrics *spanmetrics = self;
    if (spanmetrics->fold.overflowed > 0) {
        hf_node_log(spanmetrics->node, HF_LOG_WARN,
                    "%zu values counted in overflow series since the last flush: there are more "
                    "series than aggregation_cardinality_limit or max_series allow",
                    spanmetrics->fold.overflowed);
        spanmetrics->fold.overflowed = 0;
    }
    spanmetrics_flush_begin(&spanmetrics->state, unix_ns);
}

static enum hf_status flush_next(void *self, struct hf_batch **ret_batch)
{
    struct spanmetrics *spanmetrics = self;
    return spanmetrics_flush_next(&spanmetrics->state, ret_batch);
}

static void flush_end(void *self)
{
    struct spanmetrics *spanmetrics = self;
    spanmetrics_flush_end(&spanmetrics->state);
}

static void save(void *self, struct hf_state_writer *writer)
{
    const struct spanmetrics *spanmetrics = self;
    spanmetrics_state_save(&spanmetrics->state, writer);
}

static void load(void *self, struct hf_state_reader *reader, bool *ret_is_foreign)
{
    struct spanmetrics *spanmetrics = self;
    spanmetrics_state_load(&spanmetrics->state, reader, ret_is_foreign);
}

static void clear(void *self)
{
    struct spanmetrics *spanmetrics = self;
    spanmetrics_state_clear(&spanmetrics->state);
}

static const struct hf_aggregator_ops aggregator_ops = {
    .fold = fold,
    .flush_begin = flush_begin,
    .flush_next = flush_next,
    .flush_end = flush_end,
    .save = save,
    .load = load,
    .clear = clear,
    .magic = "HFSPANM1",
};

/* ---- life ---- */

static enum hf_status process_queued(void *self, struct hf_input *input)
{
    const struct spanmetrics *spanmetrics = self;
    return hf_aggregator_take(spanmetrics->aggregator, input);
}

static void close_spanmetrics(void *self)
{
    struct spanmetrics *spanmetrics = self;
    hf_aggregator_free(spanmetrics->aggregator);
    spanmetrics_fold_release(&spanmetrics->fold);
    spanmetrics_state_release(&spanmetrics->state);
    spanmetrics_dimensions_release(&spanmetrics->dimensions);
    free(spanmetrics);
}

static enum hf_status init(struct spanmetrics *spanmetrics, const struct spanmetrics_config *config)
{
    const struct hf_aggregator_options options = {.node = spanmetrics->node,
                                                  .ops = &aggregator_ops,
                                                  .self = spanmetrics,
                                                  .flush_interval_ns =
                                                      config->metrics_flush_interval_ns,
                                                  .takes_none_in_flush = config->is_delta != 0};
    enum hf_status status = spanmetrics_dimensions_init(&spanmetrics->dimensions, config);
    if (status == HF_OK) {
        status = spanmetrics_state_init(&spanmetrics->state, config);
    }
    if (status == HF_OK) {
        status = spanmetrics_fold_init(&spanmetrics->fold, config, &spanmetrics->dimensions,
                                       &spanmetrics->state.table);
        spanmetrics->fold.instance_id = spanmetrics->state.instance_id;
    }
    return status == HF_OK ? hf_aggregator_new(&options, &spanmetrics->aggregator) : status;
}

static enum hf_status open_spanmetrics(struct hf_node *node, const void *config, void **ret_self,
                                       char *reterr)
{
    struct spanmetrics *spanmetrics = calloc(1, sizeof(*spanmetrics));
    (void)reterr;
    if (spanmetrics == NULL) {
        return HF_NOMEM;
    }
    spanmetrics->node = node;
    enum hf_status status = init(spanmetrics, config);
    if (status != HF_OK) {
        close_spanmetrics(spanmetrics);
        return status;
    }
    *ret_self = spanmetrics;
    return HF_OK;
}

static enum hf_status start_spanmetrics(void *self, char *reterr)
{
    const struct spanmetrics *spanmetrics = self;
    (void)reterr;
    hf_aggregator_start(spanmetrics->aggregator);
    return HF_OK;
}

static void stop_spanmetrics(void *self)
{
    const struct spanmetrics *spanmetrics = self;
    hf_aggregator_stop(spanmetrics->aggregator);
}

static const struct hf_queued_ops queued_ops = {
    .process_queued = process_queued,
};

static const struct hf_connector_ops connector_ops = {
    .makes = {[HF_TRACES] = HF_SIGNAL_BIT(HF_METRICS)},
};

static const char *const aliases[] = {"span_metrics", NULL};

const struct hf_component hf_connector_spanmetrics = {
    .type = "spanmetrics",
    .aliases = aliases,
    .help = "Makes metrics of spans: calls and durations by service, name, kind and status.",
    .kind = HF_CONNECTOR,
    .signals = HF_SIGNAL_BIT(HF_TRACES),
    .config_size = sizeof(struct spanmetrics_config),
    .fields = spanmetrics_fields,
    .check = spanmetrics_check,
    .open = open_spanmetrics,
    .start = start_spanmetrics,
    .stop = stop_spanmetrics,
    .close = close_spanmetrics,
    .queued = &queued_ops,
    .connector = &connector_ops,
};
