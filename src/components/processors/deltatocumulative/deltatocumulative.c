/*
 * deltatocumulative: makes cumulative sums and histograms of deltas.
 *
 * What each series has come to is remembered, beside the queue too: it goes on after a kill. A
 * delta that was counted already is known by its time.
 */
#include <stdlib.h>

#include <holdfast/component.h>

#include "accumulate.h"
#include "pdata/metric_fields.h"
#include "pdata/series.h"
#include "support/items/point_state.h"
#include "support/state/durable_steps.h"
#include "util/metrics/metrics.h"
#include "util/time/clock.h"

#define FORMAT "deltatocumulative/1"
#define STATE_BYTES_MAX ((size_t)1 << 30)
#define SCRATCH_LIMIT_BYTES (64u << 20)

struct cumulative_config {
    uint64_t max_stale_ns;
    int64_t max_streams;
};

enum outcome {
    OUTCOME_OK = 0,
    OUTCOME_LIMIT,
    OUTCOME_OLDER_START,
    OUTCOME_OUT_OF_ORDER,
    OUTCOME_COUNT
};

struct processor {
    struct hf_steps *steps; /* first: its functions are the component's */
    struct hf_node *node;
    const struct cumulative_config *config;
    struct hf_series *points[OUTCOME_COUNT], *streams;
    struct hf_arena scratch;
};

struct pass {
    struct hf_visitor visitor;
    struct processor *processor;
    struct hf_series_memory memory;
    uint64_t unix_ns;
    enum hf_status status;
};

/* ---- one point ---- */

/* Makes `point` what its series has come to. */
static enum outcome accumulate(struct pass *pass, const struct hf_place *place,
                               struct hf_point *point)
{
    struct hf_state *state = hf_steps_state(pass->processor->steps);
    struct hf_hash key = hf_series_point(&pass->memory, place);
    struct hf_point sum;
    enum hf_status found =
        hf_point_state_get(state, key, point->kind, &pass->processor->scratch, &sum);
    if (found == HF_NOMEM) {
        pass->status = found;
        return OUTCOME_OK;
    }
    if (found == HF_OK) {
        if (point->start_ns < sum.start_ns) {
            return OUTCOME_OLDER_START;
        }
        if (point->time_ns <= sum.time_ns) {
            return OUTCOME_OUT_OF_ORDER;
        }
        pass->status = deltatocumulative_add(&sum, point, &pass->processor->scratch);
        *point = sum;
    }
    if (pass->status == HF_OK) {
        pass->status = hf_point_state_put(state, key, point, pass->unix_ns);
    }
    if (pass->status == HF_FULL) {
        pass->status = HF_OK;
        return OUTCOME_LIMIT;
    }
    return OUTCOME_OK;
}

static enum hf_status change_point(struct pass *pass, const struct hf_place *place,
                                   enum hf_point_kind kind)
{
    struct processor *processor = pass->processor;
    struct hf_point point;
    hf_arena_rewind(&processor->scratch, SCRATCH_LIMIT_BYTES);
    enum hf_status status =
        hf_point_read(hf_message_content(place->item), kind, &processor->scratch, &point);
    if (status != HF_OK) {
        return status;
    }
    enum outcome outcome = accumulate(pass, place, &point);
    if (pass->status != HF_OK) {
        return pass->status;
    }
    if (processor->points[outcome] != NULL) {
        hf_series_add(processor->points[outcome], 1);
    }
    if (outcome == OUTCOME_OK) {
        hf_point_set(&point, place->item);
    } else {
        hf_message_remove(place->item);
    }
    return HF_OK;
}

static enum hf_visit see_metric(struct hf_visitor *visitor, const struct hf_place *place)
{
    struct pass *pass = HF_CONTAINER(visitor, struct pass, visitor);
    enum hf_point_kind kind;
    struct hf_place inner = *place;
    inner.data = hf_place_data(place->metric);
    if (!hf_point_kind_of(inner.data, &kind) ||
        hf_message_type(inner.data)->index == HF_MESSAGE_GAUGE ||
        hf_message_u64(inner.data, HF_DATA_TEMPORALITY) != HF_TEMPORALITY_DELTA) {
        return HF_VISIT_SKIP;
    }
    inner.item = hf_message_first(inner.data, HF_DATA_POINTS);
    for (; inner.item != NULL; inner.item = hf_message_next(inner.item)) {
        pass->status = change_point(pass, &inner, kind);
        if (pass->status != HF_OK) {
            return HF_VISIT_STOP;
        }
    }
    if (hf_message_first(inner.data, HF_DATA_POINTS) == NULL) {
        return HF_VISIT_DROP;
    }
    hf_message_set_u64(inner.data, HF_DATA_TEMPORALITY, HF_TEMPORALITY_CUMULATIVE);
    return HF_VISIT_SKIP;
}

static enum hf_status step(void *user, struct hf_batch *batch, struct hf_batch **ret_batch)
{
    struct pass pass = {.visitor = {.metric = see_metric, .prune = true},
                        .processor = user,
                        .unix_ns = hf_clock_unix_ns()};
    return hf_walk_batch(batch, &pass.visitor, &pass.status, ret_batch);
}

/* ---- life ---- */

static void count_streams(void *user, size_t keys)
{
    const struct processor *processor = user;
    if (processor->streams != NULL) {
        hf_series_set(processor->streams, (int64_t)keys);
    }
}

static const struct hf_metric_family of_points = {
    .name = "otelcol_deltatocumulative_datapoints",
    .type = HF_COUNTER,
    .unit = "",
    .help = "Delta data points, and why they were dropped if they were."};
static const struct hf_metric_family of_streams = {.name =
                                                       "otelcol_deltatocumulative_streams_tracked",
                                                   .type = HF_GAUGE,
                                                   .unit = "",
                                                   .help = "Series that are remembered."};
static const struct hf_metric_family of_limit = {.name = "otelcol_deltatocumulative_streams_limit",
                                                 .type = HF_GAUGE,
                                                 .unit = "",
                                                 .help = "Series that may be remembered."};
static const struct hf_metric_family of_stale = {
    .name = "otelcol_deltatocumulative_streams_max_stale",
    .type = HF_GAUGE,
    .unit = "s",
    .help = "How long a series without points is remembered."};

static void set_gauge(struct hf_metrics *metrics, const struct hf_metric_family *family,
                      const struct hf_label *labels, int64_t value)
{
    struct hf_series *series = hf_metrics_series(metrics, family, labels);
    if (series != NULL) {
        hf_series_set(series, value);
    }
}

static void open_counters(struct processor *processor)
{
    static const char *const errors[OUTCOME_COUNT] = {NULL, "limit", "delta.ErrOlderStart",
                                                      "delta.ErrOutOfOrder"};
    struct hf_metrics *metrics = hf_node_metrics(processor->node);
    if (metrics == NULL) {
        return;
    }
    const struct hf_label alone[] = {{"processor", hf_node_id(processor->node)}, {NULL, NULL}};
    processor->streams = hf_metrics_series(metrics, &of_streams, alone);
    set_gauge(metrics, &of_limit, alone, processor->config->max_streams);
    set_gauge(metrics, &of_stale, alone, (int64_t)(processor->config->max_stale_ns / HF_NS_PER_S));
    processor->points[OUTCOME_OK] = hf_metrics_series(metrics, &of_points, alone);
    for (size_t i = 1; i < OUTCOME_COUNT; i++) {
        const struct hf_label labels[] = {
            {"processor", hf_node_id(processor->node)}, {"error", errors[i]}, {NULL, NULL}};
        processor->points[i] = hf_metrics_series(metrics, &of_points, labels);
    }
}

static void close_processor(void *self)
{
    struct processor *processor = self;
    hf_steps_free(processor->steps);
    hf_arena_release(&processor->scratch);
    free(processor);
}

static enum hf_status open_processor(struct hf_node *node, const void *config, void **ret_self,
                                     char *reterr)
{
    const struct cumulative_config *configured = config;
    struct processor *processor = calloc(1, sizeof(*processor));
    (void)reterr;
    if (processor == NULL) {
        return HF_NOMEM;
    }
    processor->node = node;
    processor->config = configured;
    processor->scratch.limit = SCRATCH_LIMIT_BYTES;
    open_counters(processor);
    const struct hf_steps_options options = {.ops = {.step = step,
                                                     .user = processor,
                                                     .expiry_ns = configured->max_stale_ns,
                                                     .counted = count_streams},
                                             .format = FORMAT,
                                             .keys_max = (size_t)configured->max_streams,
                                             .bytes_max = STATE_BYTES_MAX};
    enum hf_status status = hf_steps_new(node, &options, &processor->steps);
    if (status != HF_OK) {
        close_processor(processor);
        return status;
    }
    *ret_self = processor;
    return HF_OK;
}

static const struct hf_field fields[] = {
    {.key = "max_stale",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct cumulative_config, max_stale_ns),
     .default_text = "5m",
     .min = 1,
     .max = 1e18,
     .help = "A series that gets no points for that long is forgotten and begins again."},
    {.key = "max_streams",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct cumulative_config, max_streams),
     .default_text = "1000000",
     .min = 1,
     .max = 9e18,
     .help = "Series that are remembered; the points of others are dropped and counted."},
    HF_FIELDS_END,
};

static const struct hf_queued_ops queued_ops = {
    .process_queued = hf_steps_self_process,
};

static const char *const aliases[] = {"delta_to_cumulative", NULL};

const struct hf_component hf_processor_deltatocumulative = {
    .type = "deltatocumulative",
    .aliases = aliases,
    .help = "Makes cumulative sums and histograms of deltas.",
    .kind = HF_PROCESSOR,
    .signals = HF_SIGNAL_BIT(HF_METRICS),
    .config_size = sizeof(struct cumulative_config),
    .fields = fields,
    .open = open_processor,
    .start = hf_steps_self_start,
    .stop = hf_steps_self_stop,
    .close = close_processor,
    .queued = &queued_ops,
};
