/*
 * groupbytrace: passes each trace on as one request, when its spans have had time to come.
 */
#include <stddef.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "groups.h"
#include "util/loop.h"
#include "util/time/clock.h"

#define TICK_NS (HF_NS_PER_S / 20)

struct groupbytrace_config {
    uint64_t wait_duration_ns;
    int64_t num_traces, num_workers;
    bool discard_orphans, store_on_disk;
    int64_t emit_strategy;
};

struct groupbytrace {
    struct hf_node *node;
    struct groups *groups;
    struct hf_timer timer;
};

static void set_timer(struct groupbytrace *by_trace)
{
    struct hf_loop *loop = hf_node_own_loop(by_trace->node);
    enum hf_status set = hf_loop_timer_set(loop, &by_trace->timer, hf_loop_now_ns(loop) + TICK_NS);
    (void)set; /* it never fails for a loop's first timers */
}

static void tick(struct hf_timer *timer, uint64_t now_ns)
{
    struct groupbytrace *by_trace = HF_CONTAINER(timer, struct groupbytrace, timer);
    (void)now_ns;
    groups_tick(by_trace->groups, hf_clock_unix_ns());
    set_timer(by_trace);
}

static enum hf_status process_queued(void *self, struct hf_input *input)
{
    const struct groupbytrace *by_trace = self;
    return groups_take(by_trace->groups, input);
}

static enum hf_status open_groupbytrace(struct hf_node *node, const void *config, void **ret_self,
                                        char *reterr)
{
    const struct groupbytrace_config *wanted = config;
    const struct groups_options options = {.wait_ns = wanted->wait_duration_ns,
                                           .num_traces = (size_t)wanted->num_traces};
    struct groupbytrace *by_trace = calloc(1, sizeof(*by_trace));
    (void)reterr;
    if (by_trace == NULL) {
        return HF_NOMEM;
    }
    by_trace->node = node;
    by_trace->timer.fire = tick;
    enum hf_status status = groups_new(node, &options, &by_trace->groups);
    if (status != HF_OK) {
        free(by_trace);
        return status;
    }
    *ret_self = by_trace;
    return HF_OK;
}

static enum hf_status start_groupbytrace(void *self, char *reterr)
{
    (void)reterr;
    set_timer(self);
    return HF_OK;
}

static void stop_groupbytrace(void *self)
{
    struct groupbytrace *by_trace = self;
    hf_loop_timer_stop(hf_node_own_loop(by_trace->node), &by_trace->timer);
}

static void close_groupbytrace(void *self)
{
    struct groupbytrace *by_trace = self;
    groups_free(by_trace->groups);
    free(by_trace);
}

static const char *check(const void *config)
{
    const struct groupbytrace_config *wanted = config;
    if (wanted->emit_strategy != 0) {
        return "emit_strategy: service is not supported; a trace is passed on as a whole";
    }
    return wanted->discard_orphans ? "discard_orphans: traces without a root span are passed on, "
                                     "here as in the Go collector; remove the key"
                                   : NULL;
}

#define AT(member) offsetof(struct groupbytrace_config, member)

static const struct hf_field fields[] = {
    {.key = "wait_duration",
     .type = HF_FIELD_DURATION,
     .offset = AT(wait_duration_ns),
     .default_text = "1s",
     .min = 0,
     .max = 31536000e9,
     .help = "From the receipt of a trace's first span until it is passed on."},
    {.key = "num_traces",
     .type = HF_FIELD_INT,
     .offset = AT(num_traces),
     .default_text = "1000000",
     .min = 1,
     .max = 1e9,
     .help = "Traces that wait. Of more the oldest is passed on early; none is lost."},
    {.key = "num_workers",
     .type = HF_FIELD_INT,
     .offset = AT(num_workers),
     .default_text = "1",
     .min = 1,
     .max = 1e6,
     .help = "Accepted; one thread does it."},
    {.key = "discard_orphans",
     .type = HF_FIELD_BOOL,
     .offset = AT(discard_orphans),
     .help = "Must be false, as in the Go collector."},
    {.key = "emit_strategy",
     .type = HF_FIELD_ENUM,
     .choices = (const char *const[]){"trace", "service", NULL},
     .offset = AT(emit_strategy),
     .default_text = "trace",
     .help = "Only trace: all spans of a trace are passed on together."},
    {.key = "store_on_disk",
     .type = HF_FIELD_BOOL,
     .offset = AT(store_on_disk),
     .help = "Accepted; spans wait in the queue on disk in any case."},
    HF_FIELDS_END};

static const struct hf_queued_ops queued_ops = {
    .process_queued = process_queued,
};

static const char *const aliases[] = {"group_by_trace", NULL};

const struct hf_component hf_processor_groupbytrace = {
    .type = "groupbytrace",
    .aliases = aliases,
    .help = "Passes each trace on as one request; its spans wait on disk.",
    .kind = HF_PROCESSOR,
    .signals = HF_SIGNAL_BIT(HF_TRACES),
    .config_size = sizeof(struct groupbytrace_config),
    .fields = fields,
    .check = check,
    .open = open_groupbytrace,
    .start = start_groupbytrace,
    .stop = stop_groupbytrace,
    .close = close_groupbytrace,
    .queued = &queued_ops,
};
