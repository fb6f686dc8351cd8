/*
 * metricstarttime: gives cumulative points that came without one a start time.
 *
 * The start and the point before of each series are remembered, beside the queue too: a start time
 * stays after a kill.
 */
#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "pdata/document.h"
#include "pdata/metric_fields.h"
#include "pdata/series.h"
#include "reset.h"
#include "support/items/point_state.h"
#include "support/state/durable_steps.h"
#include "util/regex/regex.h"
#include "util/time/clock.h"

#define FORMAT "metricstarttime/1"
#define STATE_BYTES_MAX ((size_t)512 << 20)
#define SCRATCH_LIMIT_BYTES (64u << 20)
#define START_TIME_METRIC "process_start_time_seconds"

enum strategy { TRUE_RESET = 0, SUBTRACT_INITIAL, START_TIME };

struct start_config {
    int64_t strategy, max_streams;
    uint64_t gc_interval_ns;
    const char *regex;
};

struct processor {
    struct hf_steps *steps; /* first: its functions are the component's */
    const struct start_config *config;
    struct hf_regex *pattern; /* NULL: the usual name */
    struct hf_arena scratch;
};

struct pass {
    struct hf_visitor visitor;
    struct processor *processor;
    struct hf_series_memory memory;
    uint64_t unix_ns;
    uint64_t start_ns; /* START_TIME: of series that are new */
    enum hf_status status;
};

/* ---- what is remembered of a series ---- */

/* The point before, with the start of the series as its own; and of SUBTRACT_INITIAL, under a key
 * beside, the first point. */
static struct hf_hash key_of_first(struct hf_hash key)
{
    return (struct hf_hash){~key.low, key.high};
}

static void remember(struct pass *pass, struct hf_hash key, const struct hf_point *point,
                     uint64_t start_ns)
{
    struct hf_point kept = *point;
    kept.start_ns = start_ns;
    enum hf_status status =
        hf_point_state_push(hf_steps_state(pass->processor->steps), key, &kept, pass->unix_ns);
    /* A request that alone has more series than there may be: the rest begins again each time. */
    pass->status = status == HF_FULL ? HF_OK : status;
}

static enum hf_status recall(const struct pass *pass, struct hf_hash key, enum hf_point_kind kind,
                             struct hf_point *ret_point)
{
    return hf_point_state_get(hf_steps_state(pass->processor->steps), key, kind,
                              &pass->processor->scratch, ret_point);
}

/* ---- one point ---- */

static enum hf_visit begin_series(struct pass *pass, struct hf_hash key, struct hf_point *point,
                                  struct hf_message *message)
{
    int64_t strategy = pass->processor->config->strategy;
    uint64_t start_ns = strategy == START_TIME ? pass->start_ns : point->time_ns;
    remember(pass, key, point, start_ns);
    if (strategy == SUBTRACT_INITIAL) {
        if (pass->status == HF_OK) {
            remember(pass, key_of_first(key), point, start_ns);
        }
        return HF_VISIT_DROP;
    }
    hf_message_set_u64(message, HF_POINT_START, start_ns);
    return HF_VISIT_KEEP;
}

/* The point as it goes on, less the first one. */
static enum hf_visit subtract(struct pass *pass, struct hf_hash key, struct hf_point *point,
                              struct hf_message *message, uint64_t start_ns)
{
    struct hf_point first;
    enum hf_status found = recall(pass, key_of_first(key), point->kind, &first);
    if (found == HF_OK && first.start_ns == start_ns) {
        if (point->time_ns <= first.time_ns) {
            return HF_VISIT_DROP; /* the first one, which came again after a kill */
        }
        found = metricstarttime_subtract(point, &first, &pass->processor->scratch);
    }
    pass->status = found == HF_NOMEM ? HF_NOMEM : HF_OK;
    point->start_ns = start_ns;
    hf_point_set(point, message);
    return HF_VISIT_KEEP;
}

static enum hf_visit continue_series(struct pass *pass, struct hf_hash key, struct hf_point *point,
                                     const struct hf_point *before, struct hf_message *message)
{
    int64_t strategy = pass->processor->config->strategy;
    uint64_t start_ns = before->start_ns;
    bool has_value = (point->flags & HF_POINT_NO_RECORDED_VALUE) == 0;
    /* One that is not newer came again after a kill. */
    if ((has_value || strategy == START_TIME) && point->time_ns > before->time_ns) {
        if (metricstarttime_is_reset(point, before)) {
            start_ns = point->time_ns - HF_NS_PER_MS;
        }
        remember(pass, key, point, start_ns);
        if (pass->status == HF_OK && strategy == SUBTRACT_INITIAL) {
            struct hf_point first;
            /* Touched as often as the other. */
            if (recall(pass, key_of_first(key), point->kind, &first) == HF_OK) {
                remember(pass, key_of_first(key), &first, first.start_ns);
            }
        }
    }
    if (pass->status == HF_OK && strategy == SUBTRACT_INITIAL && has_value) {
        return subtract(pass, key, point, message, start_ns);
    }
    hf_message_set_u64(message, HF_POINT_START, start_ns);
    return HF_VISIT_KEEP;
}

static enum hf_visit change_point(struct pass *pass, const struct hf_place *place,
                                  enum hf_point_kind kind)
{
    struct hf_point point, before;
    hf_arena_rewind(&pass->processor->scratch, SCRATCH_LIMIT_BYTES);
    pass->status =
        hf_point_read(hf_message_content(place->item), kind, &pass->processor->scratch, &point);
    if (pass->status != HF_OK || (point.start_ns != 0 && point.start_ns != point.time_ns)) {
        return HF_VISIT_KEEP; /* it has one */
    }
    struct hf_hash key = hf_series_point(&pass->memory, place);
    enum hf_status found = recall(pass, key, kind, &before);
    if (found == HF_NOMEM) {
        pass->status = HF_NOMEM;
        return HF_VISIT_KEEP;
    }
    return found == HF_OK ? continue_series(pass, key, &point, &before, place->item)
                          : begin_series(pass, key, &point, place->item);
}

/* ---- one metric ---- */

static bool is_to_change(const struct processor *processor, struct hf_message *data,
                         enum hf_point_kind *ret_kind)
{
    uint8_t index = data != NULL ? hf_message_type(data)->index : HF_SCHEMA_MESSAGE_COUNT;
    if (index == HF_MESSAGE_SUMMARY) {
        *ret_kind = HF_POINT_SUMMARY;
        return true;
    }
    if (!hf_point_kind_of(data, ret_kind) || index == HF_MESSAGE_GAUGE) {
        return false;
    }
    bool is_cumulative = hf_message_u64(data, HF_DATA_TEMPORALITY) == HF_TEMPORALITY_CUMULATIVE;
    switch (processor->config->strategy) {
    case SUBTRACT_INITIAL:
        return is_cumulative;
    case TRUE_RESET:
        return is_cumulative || index == HF_MESSAGE_SUM;
    default:
        return true;
    }
}

static enum hf_visit see_metric(struct hf_visitor *visitor, const struct hf_place *place)
{
    struct pass *pass = HF_CONTAINER(visitor, struct pass, visitor);
    enum hf_point_kind kind;
    struct hf_place inner = *place;
    inner.data = hf_place_data(place->metric);
    if (!is_to_change(pass->processor, inner.data, &kind)) {
        return HF_VISIT_SKIP;
    }
    bool had_points = hf_message_first(inner.data, HF_DATA_POINTS) != NULL;
    inner.item = hf_message_first(inner.data, HF_DATA_POINTS);
    for (; inner.item != NULL; inner.item = hf_message_next(inner.item)) {
        enum hf_visit visit = change_point(pass, &inner, kind);
        if (pass->status != HF_OK) {
            return HF_VISIT_STOP;
        }
        if (visit == HF_VISIT_DROP) {
            hf_message_remove(inner.item);
        }
    }
    bool is_empty = hf_message_first(inner.data, HF_DATA_POINTS) == NULL;
    return had_points && is_empty ? HF_VISIT_DROP : HF_VISIT_SKIP;
}

/* ---- the start time that a metric tells ---- */

struct search {
    struct hf_visitor visitor;
    const struct processor *processor;
    bool is_found;
    uint64_t start_ns;
};

static enum hf_visit see_name(struct hf_visitor *visitor, const struct hf_place *place)
{
    struct search *search = HF_CONTAINER(visitor, struct search, visitor);
    const struct hf_regex *pattern = search->processor->pattern;
    struct hf_slice name = hf_message_bytes(place->metric, HF_METRIC_NAME);
    if (pattern != NULL ? !hf_regex_matches(pattern, name)
                        : !hf_slice_is(name, START_TIME_METRIC)) {
        return HF_VISIT_SKIP;
    }
    struct hf_message *data = hf_place_data(place->metric);
    enum hf_point_kind kind;
    struct hf_message *point = hf_point_kind_of(data, &kind) && kind == HF_POINT_NUMBER
                                   ? hf_message_first(data, HF_DATA_POINTS)
                                   : NULL;
    double seconds = hf_message_double(point, HF_NUMBER_DOUBLE);
    if (point != NULL && seconds >= 0 && seconds < 1e10) {
        uint64_t whole = (uint64_t)seconds;
        search->start_ns =
            whole * HF_NS_PER_S + (uint64_t)((seconds - (double)whole) * (double)HF_NS_PER_S);
        search->is_found = true;
    }
    return HF_VISIT_STOP;
}

/* Without such a metric, since when the processor knows of everything. */
static uint64_t find_start(const struct processor *processor, struct hf_document *document)
{
    struct search search = {.visitor.metric = see_name, .processor = processor};
    hf_walk(document, &search.visitor);
    uint64_t born_ns = hf_state_born_ns(hf_steps_state(processor->steps));
    return search.is_found ? search.start_ns : born_ns / HF_NS_PER_S * HF_NS_PER_S;
}

static enum hf_status step(void *user, struct hf_batch *batch, struct hf_batch **ret_batch)
{
    struct pass pass = {.visitor = {.metric = see_metric, .prune = true},
                        .processor = user,
                        .unix_ns = hf_clock_unix_ns()};
    struct hf_document *document = hf_document_borrow(batch->signal, batch->raw);
    if (document == NULL) {
        return HF_NOMEM;
    }
    if (pass.processor->config->strategy == START_TIME) {
        pass.start_ns = find_start(pass.processor, document);
    }
    hf_walk(document, &pass.visitor);
    enum hf_status status = pass.status;
    if (status == HF_OK) {
        status = hf_document_batch(document, batch, ret_batch);
    }
    hf_document_return(document);
    return status;
}

/* ---- life ---- */

static const char *check(const void *config)
{
    static _Thread_local char sentence[HF_REGEX_ERROR_MAX + 40];
    const struct start_config *configured = config;
    struct hf_regex *pattern = NULL;
    char why[HF_REGEX_ERROR_MAX];
    if (configured->regex == NULL || configured->regex[0] == '\0') {
        return NULL;
    }
    if (hf_regex_new(configured->regex, &pattern, why) == HF_INVALID) {
        snprintf(sentence, sizeof(sentence), "start_time_metric_regex: %s", why);
        return sentence;
    }
    hf_regex_free(pattern);
    return configured->strategy == START_TIME
               ? NULL
               : "start_time_metric_regex can only be used with the strategy start_time_metric";
}

static void close_processor(void *self)
{
    struct processor *processor = self;
    hf_steps_free(processor->steps);
    hf_regex_free(processor->pattern);
    hf_arena_release(&processor->scratch);
    free(processor);
}

static enum hf_status open_processor(struct hf_node *node, const void *config, void **ret_self,
                                     char *reterr)
{
    const struct start_config *configured = config;
    struct processor *processor = calloc(1, sizeof(*processor));
    (void)reterr;
    if (processor == NULL) {
        return HF_NOMEM;
    }
    processor->config = configured;
    processor->scratch.limit = SCRATCH_LIMIT_BYTES;
    const struct hf_steps_options options = {
        .ops = {.step = step, .user = processor, .expiry_ns = configured->gc_interval_ns},
        .format = FORMAT,
        .keys_max = 2 * (size_t)configured->max_streams,
        .bytes_max = STATE_BYTES_MAX};
    char why[HF_REGEX_ERROR_MAX];
    enum hf_status status = HF_OK;
    if (configured->regex != NULL && configured->regex[0] != '\0') {
        status = hf_regex_new(configured->regex, &processor->pattern, why);
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

static const char *const strategies[] = {"true_reset_point", "subtract_initial_point",
                                         "start_time_metric", NULL};

#define AT(name) offsetof(struct start_config, name)

static const struct hf_field fields[] = {
    {.key = "strategy",
     .type = HF_FIELD_ENUM,
     .offset = AT(strategy),
     .choices = strategies,
     .default_text = "true_reset_point",
     .help = "true_reset_point: the first point starts at its own time; subtract_initial_point: "
             "the first point is dropped and taken away from those that follow; "
             "start_time_metric: a metric tells the start, or else it is the processor's."},
    {.key = "gc_interval",
     .type = HF_FIELD_DURATION,
     .offset = AT(gc_interval_ns),
     .default_text = "10m",
     .min = 1,
     .max = 1e18,
     .help = "A series that gets no points for that long is forgotten."},
    {.key = "start_time_metric_regex",
     .type = HF_FIELD_STRING,
     .offset = AT(regex),
     .help = "start_time_metric: a pattern for the name of that metric, instead of "
             "process_start_time_seconds."},
    {.key = "max_streams",
     .type = HF_FIELD_INT,
     .offset = AT(max_streams),
     .default_text = "1000000",
     .min = 1,
     .max = 100e6,
     .help = "Series that are remembered; the one that was silent longest makes room for another."},
    HF_FIELDS_END,
};

static const struct hf_queued_ops queued_ops = {
    .process_queued = hf_steps_self_process,
};

static const char *const aliases[] = {"metric_start_time", NULL};

const struct hf_component hf_processor_metricstarttime = {
    .type = "metricstarttime",
    .aliases = aliases,
    .help = "Gives cumulative points that came without one a start time.",
    .kind = HF_PROCESSOR,
    .signals = HF_SIGNAL_BIT(HF_METRICS),
    .config_size = sizeof(struct start_config),
    .fields = fields,
    .check = check,
    .open = open_processor,
    .start = hf_steps_self_start,
    .stop = hf_steps_self_stop,
    .close = close_processor,
    .queued = &queued_ops,
};
