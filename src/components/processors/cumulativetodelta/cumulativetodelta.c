/*
 * cumulativetodelta: makes deltas of cumulative monotonic sums and of cumulative histograms.
 *
 * The point before of each series is remembered, beside the queue too: a cumulative sum continues
 * after a kill.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "delta.h"
#include "pdata/metric_fields.h"
#include "pdata/point.h"
#include "pdata/series.h"
#include "support/items/metric_names.h"
#include "support/items/point_state.h"
#include "support/state/durable_steps.h"
#include "util/metrics/metrics.h"
#include "util/time/clock.h"

#define FORMAT "cumulativetodelta/1"
#define STATE_BYTES_MAX ((size_t)512 << 20)
#define SCRATCH_LIMIT_BYTES (64u << 20)

enum initial { INITIAL_AUTO = 0, INITIAL_KEEP, INITIAL_DROP };

enum reason {
    REASON_NONE = 0,
    REASON_RESET,
    REASON_INITIAL,
    REASON_MISMATCH,
    REASON_OLD,
    REASON_COUNT
};

struct match_config {
    struct hf_string_list metrics, metric_types;
    int64_t match_type;
    bool has_match_type;
};

struct delta_config {
    uint64_t max_staleness_ns;
    int64_t initial_value, max_streams;
    struct match_config include, exclude;
};

/* Which metrics one list means. */
struct matcher {
    struct hf_metric_names *names; /* NULL: any */
    unsigned kinds;                /* a bit each by enum hf_point_kind; 0: any */
};

struct processor {
    struct hf_steps *steps; /* first: its functions are the component's */
    struct hf_node *node;
    const struct delta_config *config;
    struct matcher include, exclude;
    struct hf_series *converted[3], *dropped[3][REASON_COUNT], *streams;
    struct hf_arena scratch;
};

/* ---- which metrics ---- */

static const char *const kinds[] = {"sum", "histogram", "exponentialhistogram", NULL};

static enum hf_status open_matcher(const struct match_config *config, const char *name,
                                   struct matcher *matcher, char *reterr)
{
    for (size_t i = 0; i < config->metric_types.count; i++) {
        for (unsigned kind = 0; kinds[kind] != NULL; kind++) {
            matcher->kinds |=
                (unsigned)(strcasecmp(kinds[kind], config->metric_types.items[i]) == 0) << kind;
        }
    }
    return config->metrics.count == 0
               ? HF_OK
               : hf_metric_names_new(name, config->metrics, config->match_type == 1,
                                     &matcher->names, reterr);
}

static bool is_meant(const struct matcher *matcher, enum hf_point_kind kind, struct hf_slice name,
                     bool otherwise)
{
    if (matcher->names == NULL && matcher->kinds == 0) {
        return otherwise;
    }
    return (matcher->kinds == 0 || (matcher->kinds >> kind & 1) != 0) &&
           (matcher->names == NULL || hf_metric_names_match(matcher->names, name));
}

/* Of exclude one of both is enough. */
static bool is_excluded(const struct matcher *matcher, enum hf_point_kind kind,
                        struct hf_slice name)
{
    return (matcher->kinds >> kind & 1) != 0 ||
           (matcher->names != NULL && hf_metric_names_match(matcher->names, name));
}

/* Cumulative, monotonic if a sum, and meant. */
static bool is_to_convert(const struct processor *processor, const struct hf_place *place,
                          enum hf_point_kind *ret_kind)
{
    struct hf_message *data = place->data;
    struct hf_slice name = hf_message_bytes(place->metric, HF_METRIC_NAME);
    if (!hf_point_kind_of(data, ret_kind) || hf_message_type(data)->index == HF_MESSAGE_GAUGE ||
        hf_message_u64(data, HF_DATA_TEMPORALITY) != HF_TEMPORALITY_CUMULATIVE ||
        (*ret_kind == HF_POINT_NUMBER && hf_message_u64(data, HF_SUM_IS_MONOTONIC) == 0)) {
        return false;
    }
    return is_meant(&processor->include, *ret_kind, name, true) &&
           !is_excluded(&processor->exclude, *ret_kind, name);
}

/* ---- one point ---- */

struct pass {
    struct hf_visitor visitor;
    struct processor *processor;
    struct hf_series_memory memory;
    uint64_t unix_ns;
    enum hf_status status;
};

static void count(const struct processor *processor, enum hf_point_kind kind, enum reason reason)
{
    struct hf_series *series =
        reason == REASON_NONE ? processor->converted[kind] : processor->dropped[kind][reason];
    if (series != NULL) {
        hf_series_add(series, 1);
    }
}

/* Stages the point as what the next one is compared with. */
static enum hf_status remember(struct pass *pass, struct hf_hash key, const struct hf_point *point)
{
    struct hf_state *state = hf_steps_state(pass->processor->steps);
    enum hf_status status = hf_point_state_push(state, key, point, pass->unix_ns);
    /* A request that alone has more series than there may be: the rest begins again each time. */
    return status == HF_FULL ? HF_OK : status;
}

/* The first point of a series: its value says all since its start, if the start is known. */
static enum reason begin_series(const struct pass *pass, struct hf_point *point)
{
    uint64_t born_ns = hf_state_born_ns(hf_steps_state(pass->processor->steps));
    switch (pass->processor->config->initial_value) {
    case INITIAL_KEEP:
        point->start_ns = 0;
        return REASON_NONE;
    case INITIAL_DROP:
        return REASON_INITIAL;
    default:
        return point->start_ns < born_ns || point->start_ns == point->time_ns ? REASON_INITIAL
                                                                              : REASON_NONE;
    }
}

static enum reason compare(struct pass *pass, struct hf_point *point, struct hf_point *before)
{
    switch (cumulativetodelta_subtract(point, before, &pass->processor->scratch)) {
    case CUMULATIVETODELTA_NO_MEMORY:
        pass->status = HF_NOMEM;
        return REASON_RESET;
    case CUMULATIVETODELTA_RESET:
        return REASON_RESET;
    case CUMULATIVETODELTA_BUCKET_MISMATCH:
        return REASON_MISMATCH;
    default:
        return REASON_NONE;
    }
}

/* What becomes of the point; its own values as they came are remembered. */
static enum reason convert(struct pass *pass, const struct hf_place *place, struct hf_point *point)
{
    struct hf_state *state = hf_steps_state(pass->processor->steps);
    struct hf_hash key = hf_hash_mix(hf_series_point(&pass->memory, place),
                                     (struct hf_hash){point->start_ns, point->is_double});
    struct hf_point as_it_came = *point, before;
    enum reason reason;
    enum hf_status found =
        hf_point_state_get(state, key, point->kind, &pass->processor->scratch, &before);
    if (found == HF_NOT_FOUND || found == HF_CORRUPT) {
        reason = begin_series(pass, point);
        pass->status = remember(pass, key, &as_it_came);
        return reason;
    }
    if (found != HF_OK) {
        pass->status = found;
        return REASON_RESET;
    }
    if (point->time_ns <= before.time_ns && before.time_ns != 0) {
        return REASON_OLD; /* after a kill it may come again */
    }
    if (isnan(as_it_came.sum)) {
        as_it_came.sum = before.sum;
    }
    reason = compare(pass, point, &before);
    if (pass->status == HF_OK) {
        pass->status = remember(pass, key, &as_it_came);
    }
    return reason;
}

static void finish(const struct hf_point *point, struct hf_message *message, bool has_sum)
{
    struct hf_point made = *point;
    made.has_min = false;
    made.has_max = false;
    made.has_sum = has_sum;
    hf_point_set(&made, message);
}

static enum hf_visit see_point(struct hf_visitor *visitor, const struct hf_place *place)
{
    struct pass *pass = HF_CONTAINER(visitor, struct pass, visitor);
    struct hf_point point;
    enum hf_point_kind kind = HF_POINT_NUMBER;
    bool is_known = hf_point_kind_of(place->data, &kind);
    hf_arena_rewind(&pass->processor->scratch, SCRATCH_LIMIT_BYTES);
    pass->status = is_known ? hf_point_read(hf_message_content(place->item), kind,
                                            &pass->processor->scratch, &point)
                            : HF_OK;
    if (pass->status != HF_OK || !is_known) {
        return pass->status != HF_OK ? HF_VISIT_STOP : HF_VISIT_KEEP;
    }
    if ((point.flags & HF_POINT_NO_RECORDED_VALUE) != 0) {
        return HF_VISIT_DROP;
    }
    if (point.kind == HF_POINT_NUMBER && point.is_double && isnan(point.number)) {
        return HF_VISIT_KEEP;
    }
    bool has_sum = point.has_sum;
    enum reason reason = convert(pass, place, &point);
    if (pass->status != HF_OK) {
        return HF_VISIT_STOP;
    }
    count(pass->processor, kind, reason);
    if (reason != REASON_NONE) {
        return HF_VISIT_DROP;
    }
    finish(&point, place->item, has_sum);
    return HF_VISIT_KEEP;
}

static enum hf_visit see_metric(struct hf_visitor *visitor, const struct hf_place *place)
{
    struct pass *pass = HF_CONTAINER(visitor, struct pass, visitor);
    enum hf_point_kind kind;
    struct hf_place inner = *place;
    inner.data = hf_place_data(place->metric);
    if (inner.data == NULL || !is_to_convert(pass->processor, &inner, &kind)) {
        return HF_VISIT_SKIP;
    }
    inner.item = hf_message_first(inner.data, HF_DATA_POINTS);
    bool had_points = inner.item != NULL;
    for (; inner.item != NULL; inner.item = hf_message_next(inner.item)) {
        enum hf_visit visit = see_point(visitor, &inner);
        if (visit == HF_VISIT_STOP) {
            return visit;
        }
        if (visit == HF_VISIT_DROP) {
            hf_message_remove(inner.item);
        }
    }
    if (had_points && hf_message_first(inner.data, HF_DATA_POINTS) == NULL) {
        return HF_VISIT_DROP;
    }
    hf_message_set_u64(inner.data, HF_DATA_TEMPORALITY, HF_TEMPORALITY_DELTA);
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

static const char *check_match(const struct match_config *config)
{
    if (config->metrics.count > 0 && !config->has_match_type) {
        return "match_type must be set if metrics are given";
    }
    if (config->metrics.count == 0 && config->has_match_type) {
        return "metrics must be given if match_type is set";
    }
    for (size_t i = 0; i < config->metric_types.count; i++) {
        unsigned kind = 0;
        while (kinds[kind] != NULL && strcasecmp(kinds[kind], config->metric_types.items[i]) != 0) {
            kind++;
        }
        if (kinds[kind] == NULL) {
            return "metric_types must be sum, histogram or exponentialhistogram";
        }
    }
    return NULL;
}

static const char *check(const void *config)
{
    const struct delta_config *configured = config;
    static _Thread_local char sentence[HF_ERROR_MAX];
    struct matcher include = {0}, exclude = {0};
    const char *why = check_match(&configured->include);
    why = why != NULL ? why : check_match(&configured->exclude);
    snprintf(sentence, sizeof(sentence), "out of memory");
    if (why == NULL &&
        (open_matcher(&configured->include, "include", &include, sentence) != HF_OK ||
         open_matcher(&configured->exclude, "exclude", &exclude, sentence) != HF_OK)) {
        why = sentence;
    }
    hf_metric_names_free(include.names);
    hf_metric_names_free(exclude.names);
    return why;
}

static void count_streams(void *user, size_t keys)
{
    const struct processor *processor = user;
    if (processor->streams != NULL) {
        hf_series_set(processor->streams, (int64_t)keys);
    }
}

static const struct hf_metric_family of_points = {.name = "otelcol_cumulativetodelta_datapoints",
                                                  .type = HF_COUNTER,
                                                  .unit = "",
                                                  .help = "Data points that became deltas."};
static const struct hf_metric_family of_dropped = {
    .name = "otelcol_cumulativetodelta_datapoints_dropped",
    .type = HF_COUNTER,
    .unit = "",
    .help = "Data points that could not become deltas."};
static const struct hf_metric_family of_streams = {.name =
                                                       "otelcol_cumulativetodelta_streams_tracked",
                                                   .type = HF_GAUGE,
                                                   .unit = "",
                                                   .help = "Series that are remembered."};

static void open_counters(struct processor *processor)
{
    static const char *const types[] = {"sum", "histogram", "exponential_histogram"};
    static const char *const reasons[REASON_COUNT] = {[REASON_RESET] = "reset",
                                                      [REASON_INITIAL] = "initial",
                                                      [REASON_MISMATCH] = "bucket_mismatch",
                                                      [REASON_OLD] = "out_of_order"};
    struct hf_metrics *metrics = hf_node_metrics(processor->node);
    if (metrics == NULL) {
        return;
    }
    const struct hf_label alone[] = {{"processor", hf_node_id(processor->node)}, {NULL, NULL}};
    processor->streams = hf_metrics_series(metrics, &of_streams, alone);
    for (size_t i = 0; i < 3; i++) {
        const struct hf_label labels[] = {
            {"processor", hf_node_id(processor->node)}, {"metric_type", types[i]}, {NULL, NULL}};
        processor->converted[i] = hf_metrics_series(metrics, &of_points, labels);
        for (size_t reason = 1; reason < REASON_COUNT; reason++) {
            const struct hf_label with[] = {{"processor", hf_node_id(processor->node)},
                                            {"metric_type", types[i]},
                                            {"reason", reasons[reason]},
                                            {NULL, NULL}};
            processor->dropped[i][reason] = hf_metrics_series(metrics, &of_dropped, with);
        }
    }
}

static void close_processor(void *self)
{
    struct processor *processor = self;
    hf_steps_free(processor->steps);
    hf_metric_names_free(processor->include.names);
    hf_metric_names_free(processor->exclude.names);
    hf_arena_release(&processor->scratch);
    free(processor);
}

static enum hf_status open_processor(struct hf_node *node, const void *config, void **ret_self,
                                     char *reterr)
{
    const struct delta_config *configured = config;
    struct processor *processor = calloc(1, sizeof(*processor));
    if (processor == NULL) {
        return HF_NOMEM;
    }
    processor->node = node;
    processor->config = configured;
    processor->scratch.limit = SCRATCH_LIMIT_BYTES;
    open_counters(processor);
    const struct hf_steps_options options = {.ops = {.step = step,
                                                     .user = processor,
                                                     .expiry_ns = configured->max_staleness_ns,
                                                     .counted = count_streams},
                                             .format = FORMAT,
                                             .keys_max = (size_t)configured->max_streams,
                                             .bytes_max = STATE_BYTES_MAX};
    enum hf_status status =
        open_matcher(&configured->include, "include", &processor->include, reterr);
    if (status == HF_OK) {
        status = open_matcher(&configured->exclude, "exclude", &processor->exclude, reterr);
    }
    if (status == HF_OK) {
        status = hf_steps_new(node, &options, &processor->steps);
    }
    if (status != HF_OK) {
        close_processor(processor);
        return status;
    }
    *ret_self = processor;
    return HF_OK;
}

/* ---- fields ---- */

static const char *const match_types[] = {"strict", "regexp", NULL};
static const char *const initial_values[] = {"auto", "keep", "drop", NULL};

static const struct hf_field match_fields[] = {
    {.key = "metrics",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct match_config, metrics),
     .help = "Names of metrics, or patterns that match anywhere in them."},
    {.key = "match_type",
     .type = HF_FIELD_ENUM,
     .offset = offsetof(struct match_config, match_type),
     .choices = match_types,
     .present_offset = offsetof(struct match_config, has_match_type),
     .help = "How names compare; needed with metrics."},
    {.key = "metric_types",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct match_config, metric_types),
     .help = "Kinds of metrics: sum, histogram, exponentialhistogram."},
    {.key = "regexp",
     .type = HF_FIELD_IGNORED,
     .help = "Results are not cached: patterns are compiled to machine code."},
    HF_FIELDS_END,
};

static const struct hf_field fields[] = {
    {.key = "max_staleness",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct delta_config, max_staleness_ns),
     .default_text = "1h",
     .help = "A series that gets no points for that long is forgotten; 0: never."},
    {.key = "initial_value",
     .type = HF_FIELD_ENUM,
     .offset = offsetof(struct delta_config, initial_value),
     .choices = initial_values,
     .default_text = "auto",
     .help = "The first point of a series: auto sends it when its start is known and after the "
             "processor's first start, keep always, drop never."},
    {.key = "max_streams",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct delta_config, max_streams),
     .default_text = "1000000",
     .min = 1,
     .max = 100e6,
     .help = "Series that are remembered; the one that was silent longest makes room for another."},
    {.key = "include",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct delta_config, include),
     .inner = match_fields,
     .help = "Only these metrics become deltas."},
    {.key = "exclude",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct delta_config, exclude),
     .inner = match_fields,
     .help = "These metrics do not."},
    HF_FIELDS_END,
};

static const struct hf_queued_ops queued_ops = {
    .process_queued = hf_steps_self_process,
};

static const char *const aliases[] = {"cumulative_to_delta", NULL};

const struct hf_component hf_processor_cumulativetodelta = {
    .type = "cumulativetodelta",
    .aliases = aliases,
    .help = "Makes deltas of cumulative monotonic sums and histograms.",
    .kind = HF_PROCESSOR,
    .signals = HF_SIGNAL_BIT(HF_METRICS),
    .config_size = sizeof(struct delta_config),
    .fields = fields,
    .check = check,
    .open = open_processor,
    .start = hf_steps_self_start,
    .stop = hf_steps_self_stop,
    .close = close_processor,
    .queued = &queued_ops,
};
