/*
 * failover: a connector that gives everything to the first level of pipelines that works.
 *
 * A level works while none of its exporters fails: the deliveries say so (hf_pipeline_look()).
 * While all levels fail the data stays in the connector's own queue. Pipelines store what they are
 * given, so a level is given no more than LEVEL_BYTES ahead of what its exporters have delivered:
 * that much at most waits in a level that has stopped working, until it works again; the rest goes
 * to the next level.
 *
 * All of it runs on the connector's own thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "levels.h"
#include "util/loop.h"

#define LEVEL_BYTES ((int64_t)8 << 20)
#define IN_FLIGHT_BYTES ((size_t)8 << 20) /* given on and not stored yet */
#define LOOK_NS UINT64_C(20000000)        /* how old what is known of a level may be */
#define LEVELS_MAX 64u

struct failover_config {
    struct hf_value priority_levels;
    uint64_t retry_interval_ns;
};

struct level {
    const char *name; /* of its first pipeline, for the log */
    struct hf_pipeline **pipelines;
    size_t count;
    int64_t room_bytes; /* that it may be given until it is looked at again */
};

/* The levels of one signal. */
struct route {
    struct levels levels;
    struct level *items;
    struct level_state *states;
    uint64_t looked_ns; /* 0: never */
    size_t said;        /* the level that the log has named last */
};

struct failover {
    struct hf_node *node;
    struct route routes[HF_SIGNAL_COUNT];
    size_t in_flight_bytes;
};

/* A request that was given on. */
struct sent {
    struct hf_output output;
    struct failover *failover;
    struct hf_input *input;
    size_t bytes;
};

/* ---- the configuration ---- */

/* The pipelines of one level: a list of ids, or one id. */
static size_t level_size(const struct hf_value *level)
{
    return level->type == HF_VALUE_LIST ? level->count : 1;
}

static const char *level_id(const struct hf_value *level, size_t index)
{
    return level->type == HF_VALUE_LIST ? level->items[index].string : level->string;
}

static bool is_level(const struct hf_value *level)
{
    bool is_good =
        level->type == HF_VALUE_STRING || (level->type == HF_VALUE_LIST && level->count > 0);
    for (size_t i = 0; is_good && level->type == HF_VALUE_LIST && i < level->count; i++) {
        is_good = level->items[i].type == HF_VALUE_STRING;
    }
    return is_good;
}

static const char *check(const void *config)
{
    const struct hf_value *levels = &((const struct failover_config *)config)->priority_levels;
    if (levels->type != HF_VALUE_LIST || levels->count == 0) {
        return "priority_levels: give a list of levels, each a list of pipelines, such as "
               "[[traces/first], [traces/second]] (No pipelines are defined in the priority list)";
    }
    if (levels->count > LEVELS_MAX) {
        return "priority_levels: at most 64 levels are possible";
    }
    for (size_t i = 0; i < levels->count; i++) {
        if (!is_level(&levels->items[i])) {
            return "priority_levels: each level is a list of pipelines, such as [traces/first]";
        }
    }
    return NULL;
}

static const char *pipeline_named(const void *config, size_t index)
{
    const struct hf_value *levels = &((const struct failover_config *)config)->priority_levels;
    for (size_t i = 0; levels->type == HF_VALUE_LIST && i < levels->count; i++) {
        if (index < level_size(&levels->items[i])) {
            return level_id(&levels->items[i], index);
        }
        index -= level_size(&levels->items[i]);
    }
    return NULL;
}

/* ---- life ---- */

static void close_failover(void *self)
{
    struct failover *failover = self;
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        struct route *route = &failover->routes[signal];
        for (size_t i = 0; i < route->levels.count; i++) {
            free(route->items[i].pipelines);
        }
        free(route->items);
        free(route->states);
    }
    free(failover);
}

static struct hf_pipeline *find_output(const struct hf_node *node, enum hf_signal signal,
                                       const char *id)
{
    size_t count = 0;
    struct hf_pipeline *const *outputs = hf_node_outputs(node, signal, &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(hf_pipeline_id(outputs[i]), id) == 0) {
            return outputs[i];
        }
    }
    return NULL;
}

/* Those pipelines of the level that carry the signal; a level without any is not there. */
static enum hf_status add_level(struct route *route, const struct hf_node *node,
                                enum hf_signal signal, const struct hf_value *from)
{
    struct level level = {.pipelines = calloc(level_size(from), sizeof(struct hf_pipeline *))};
    if (level.pipelines == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < level_size(from); i++) {
        struct hf_pipeline *output = find_output(node, signal, level_id(from, i));
        if (output != NULL) {
            level.name = level.count == 0 ? level_id(from, i) : level.name;
            level.pipelines[level.count++] = output;
        }
    }
    if (level.count == 0) {
        free(level.pipelines);
    } else {
        route->items[route->levels.count++] = level;
    }
    return HF_OK;
}

static enum hf_status open_route(struct route *route, const struct hf_node *node,
                                 enum hf_signal signal, const struct failover_config *config)
{
    const struct hf_value *levels = &config->priority_levels;
    route->levels.retry_interval_ns = config->retry_interval_ns;
    route->items = calloc(levels->count, sizeof(*route->items));
    route->states = calloc(levels->count, sizeof(*route->states));
    enum hf_status status = route->items != NULL && route->states != NULL ? HF_OK : HF_NOMEM;
    for (size_t i = 0; i < levels->count && status == HF_OK; i++) {
        status = add_level(route, node, signal, &levels->items[i]);
    }
    return status;
}

static enum hf_status open_failover(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    struct failover *failover = calloc(1, sizeof(*failover));
    enum hf_status status = failover != NULL ? HF_OK : HF_NOMEM;
    (void)reterr;
    for (int signal = 0; status == HF_OK && signal < HF_SIGNAL_COUNT; signal++) {
        status = open_route(&failover->routes[signal], node, (enum hf_signal)signal, config);
    }
    if (status != HF_OK) {
        if (failover != NULL) {
            close_failover(failover);
        }
        return status;
    }
    failover->node = node;
    *ret_self = failover;
    return HF_OK;
}

/* ---- one request ---- */

static void look_at(struct level *level, struct level_state *state)
{
    *state = (struct level_state){.is_failing = false};
    level->room_bytes = LEVEL_BYTES;
    for (size_t i = 0; i < level->count; i++) {
        struct hf_pipeline_state found;
        hf_pipeline_look(level->pipelines[i], &found);
        int64_t queued = found.queued_bytes < INT64_MAX ? (int64_t)found.queued_bytes : INT64_MAX;
        state->is_failing = state->is_failing || found.is_failing;
        state->has_backlog = state->has_backlog || queued > 0;
        level->room_bytes =
            LEVEL_BYTES - queued < level->room_bytes ? LEVEL_BYTES - queued : level->room_bytes;
    }
}

static void look(struct route *route, uint64_t now_ns)
{
    for (size_t i = 0; i < route->levels.count; i++) {
        look_at(&route->items[i], &route->states[i]);
    }
    route->looked_ns = now_ns;
}

static void say_change(struct failover *failover, struct route *route, size_t level)
{
    if (level == route->said) {
        return;
    }
    if (level == LEVELS_NONE) {
        hf_node_log(failover->node, HF_LOG_ERROR,
                    "all levels fail; the data stays in the queue until one works");
    } else if (level == 0) {
        hf_node_log(failover->node, HF_LOG_INFO, "the first level (%s) takes the data again",
                    route->items[0].name);
    } else {
        hf_node_log(failover->node, HF_LOG_WARN,
                    "level %zu (%s) takes the data: those before it fail; they are tried again "
                    "every %.0f s",
                    level + 1, route->items[level].name,
                    (double)route->levels.retry_interval_ns / 1e9);
    }
    route->said = level;
}

/* The level that takes the next request; NULL: none does now. */
static struct level *choose(struct failover *failover, struct route *route, uint64_t now_ns)
{
    bool is_old = route->looked_ns == 0 || now_ns - route->looked_ns >= LOOK_NS;
    if (is_old || route->items[route->levels.current].room_bytes <= 0) {
        look(route, now_ns);
    }
    size_t level = levels_choose(&route->levels, route->states, now_ns);
    say_change(failover, route, level);
    return level != LEVELS_NONE && route->items[level].room_bytes > 0 ? &route->items[level] : NULL;
}

/* HF_CLOSED: the graph is stopping. The request is given to the connector again after the start. */
static void sent_done(struct hf_output *output, enum hf_status status)
{
    struct sent *sent = HF_CONTAINER(output, struct sent, output);
    sent->failover->in_flight_bytes -= sent->bytes;
    if (status != HF_CLOSED) {
        hf_input_done(sent->input, status == HF_OK ? 0 : UINT32_MAX);
    }
    free(sent);
}

static enum hf_status process_queued(void *self, struct hf_input *input)
{
    struct failover *failover = self;
    struct route *route = &failover->routes[input->batch->signal];
    if (route->levels.count == 0) { /* the loader lets no such pipeline lead here */
        hf_input_done(input, UINT32_MAX);
        return HF_OK;
    }
    if (failover->in_flight_bytes >= IN_FLIGHT_BYTES) {
        return HF_BUSY;
    }
    struct level *level = choose(failover, route, hf_loop_now_ns(hf_node_own_loop(failover->node)));
    if (level == NULL) {
        return HF_BUSY;
    }
    struct sent *sent = calloc(1, sizeof(*sent));
    if (sent == NULL) {
        return HF_NOMEM;
    }
    *sent = (struct sent){.output.done = sent_done,
                          .failover = failover,
                          .input = input,
                          .bytes = input->batch->raw.size};
    failover->in_flight_bytes += sent->bytes;
    level->room_bytes -= (int64_t)sent->bytes;
    hf_emit_to(failover->node, level->pipelines, level->count, input->batch, &sent->output);
    return HF_OK;
}

/* ---- fields ---- */

static const struct hf_field fields[] = {
    {.key = "priority_levels",
     .type = HF_FIELD_VALUE,
     .offset = offsetof(struct failover_config, priority_levels),
     .required = true,
     .help = "Lists of pipelines, the preferred ones first, such as [[traces/a, traces/b], "
             "[traces/c]]. All pipelines of a level get everything; it fails when one of their "
             "exporters does."},
    {.key = "retry_interval",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct failover_config, retry_interval_ns),
     .default_text = "10m",
     .min = 1,
     .max = 1e18,
     .help = "How often higher levels are tried again. While all levels fail the first that works "
             "takes the data at once."},
    {.key = "sending_queue",
     .type = HF_FIELD_IGNORED,
     .help = "The connector has a queue on disk in any case; its size is that of its pipeline."},
    {.key = "retry_gap",
     .type = HF_FIELD_IGNORED,
     .help = "Deprecated in the Go collector, and without effect."},
    {.key = "max_retries",
     .type = HF_FIELD_IGNORED,
     .help = "Deprecated in the Go collector, and without effect: every level is tried for ever."},
    HF_FIELDS_END,
};

static const struct hf_queued_ops queued_ops = {
    .process_queued = process_queued,
};

static const struct hf_connector_ops connector_ops = {
    .makes = {HF_SIGNAL_BIT(HF_TRACES), HF_SIGNAL_BIT(HF_METRICS), HF_SIGNAL_BIT(HF_LOGS)},
    .pipeline_named = pipeline_named,
};

const struct hf_component hf_connector_failover = {
    .type = "failover",
    .help = "Gives everything to the first level of pipelines whose exporters work. While all "
            "levels fail the data stays in its queue. Up to 8 MiB that a level was given before it "
            "failed wait there until it works again.",
    .kind = HF_CONNECTOR,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct failover_config),
    .fields = fields,
    .check = check,
    .open = open_failover,
    .close = close_failover,
    .queued = &queued_ops,
    .connector = &connector_ops,
};
