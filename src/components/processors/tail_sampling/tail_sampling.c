/*
 * tail_sampling: keeps or drops whole traces, by what all of their spans say.
 */
#include <stdlib.h>

#include <holdfast/component.h>

#include "tail.h"
#include "tail_config.h"
#include "util/loop.h"
#include "util/time/clock.h"

struct tail_sampling {
    struct hf_node *node;
    struct hf_tail *tail;
    struct hf_timer timer;
    uint64_t tick_ns; /* when the next tick is; monotonic */
};

static void set_timer(struct tail_sampling *sampling, uint64_t due_ns)
{
    enum hf_status set =
        hf_loop_timer_set(hf_node_own_loop(sampling->node), &sampling->timer, due_ns);
    (void)set; /* it never fails for a loop's first timers */
}

/* What is due is decided in parts: in between the inputs get their turn. */
static void fire(struct hf_timer *timer, uint64_t now_ns)
{
    struct tail_sampling *sampling = HF_CONTAINER(timer, struct tail_sampling, timer);
    uint64_t unix_ns = hf_clock_unix_ns(), wait_ns;
    if (now_ns >= sampling->tick_ns) {
        sampling->tick_ns = now_ns + HF_TAIL_TICK_NS;
        wait_ns = hf_sampling_tail_tick(sampling->tail, unix_ns);
    } else {
        wait_ns = hf_sampling_tail_go_on(sampling->tail, unix_ns);
    }
    uint64_t due_ns = now_ns + wait_ns;
    set_timer(sampling, due_ns < sampling->tick_ns ? due_ns : sampling->tick_ns);
}

static enum hf_status process_queued(void *self, struct hf_input *input)
{
    const struct tail_sampling *sampling = self;
    return hf_sampling_tail_take(sampling->tail, input);
}

static enum hf_status open_sampling(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    struct tail_sampling *sampling = calloc(1, sizeof(*sampling));
    (void)reterr;
    if (sampling == NULL) {
        return HF_NOMEM;
    }
    sampling->node = node;
    sampling->timer.fire = fire;
    enum hf_status status = hf_sampling_tail_new(node, config, &sampling->tail);
    if (status != HF_OK) {
        free(sampling);
        return status;
    }
    *ret_self = sampling;
    return HF_OK;
}

static enum hf_status start_sampling(void *self, char *reterr)
{
    struct tail_sampling *sampling = self;
    (void)reterr;
    sampling->tick_ns = hf_loop_now_ns(hf_node_own_loop(sampling->node)) + HF_TAIL_TICK_NS;
    set_timer(sampling, sampling->tick_ns);
    return HF_OK;
}

static void stop_sampling(void *self)
{
    struct tail_sampling *sampling = self;
    hf_loop_timer_stop(hf_node_own_loop(sampling->node), &sampling->timer);
}

static void close_sampling(void *self)
{
    struct tail_sampling *sampling = self;
    hf_sampling_tail_free(sampling->tail);
    free(sampling);
}

static const struct hf_queued_ops queued_ops = {
    .process_queued = process_queued,
};

const struct hf_component hf_processor_tail_sampling = {
    .type = "tail_sampling",
    .help = "Keeps or drops whole traces by policies; their spans wait on disk.",
    .kind = HF_PROCESSOR,
    .signals = HF_SIGNAL_BIT(HF_TRACES),
    .config_size = sizeof(struct hf_sampling_tail_config),
    .fields = hf_sampling_tail_fields,
    .check = hf_sampling_tail_check,
    .open = open_sampling,
    .start = start_sampling,
    .stop = stop_sampling,
    .close = close_sampling,
    .queued = &queued_ops,
};
