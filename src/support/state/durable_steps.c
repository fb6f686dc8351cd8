#include "durable_steps.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "util/loop.h"
#include "util/time/clock.h"

#define GROUP_MAX 64u
#define TICK_NS HF_NS_PER_S
#define AGAIN_NS (100 * HF_NS_PER_MS)
#define SOON_NS HF_NS_PER_MS

/* An input whose output is on its way, or is durable while others of its group are not. */
struct step {
    struct hf_output output;
    struct hf_steps *steps;
    struct hf_input *input;
    uint32_t items, dropped;
    struct step *next;
};

struct hf_steps {
    struct hf_node *node;
    struct hf_steps_ops ops;
    struct hf_state *state;
    bool is_loaded, is_closed;
    bool is_failing;    /* the last commit failed, and that was said */
    struct step *group; /* not done with */
    size_t group_count, in_flight;
    struct hf_timer commit_timer, expiry_timer;
};

/* ---- life ---- */

static char *path_of(const struct hf_node *node)
{
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        size_t count = 0;
        struct hf_pipeline *const *outputs = hf_node_outputs(node, (enum hf_signal)signal, &count);
        if (count > 0) {
            return hf_state_path(hf_node_directory(node), hf_pipeline_id(outputs[0]));
        }
    }
    return NULL;
}

static void commit_due(struct hf_timer *timer, uint64_t now_ns);
static void expiry_due(struct hf_timer *timer, uint64_t now_ns);

enum hf_status hf_steps_new(struct hf_node *node, const struct hf_steps_options *options,
                            struct hf_steps **ret_steps)
{
    struct hf_steps *steps = calloc(1, sizeof(*steps));
    char *path = path_of(node);
    const struct hf_state_options of_state = {.path = path,
                                              .format = options->format,
                                              .keys_max = options->keys_max,
                                              .bytes_max = options->bytes_max};
    enum hf_status status = steps != NULL && (path != NULL || hf_node_directory(node) == NULL)
                                ? hf_state_new(&of_state, &steps->state)
                                : HF_NOMEM;
    free(path);
    if (status != HF_OK) {
        free(steps);
        return status;
    }
    steps->node = node;
    steps->ops = options->ops;
    steps->commit_timer.fire = commit_due;
    steps->expiry_timer.fire = expiry_due;
    *ret_steps = steps;
    return HF_OK;
}

void hf_steps_free(struct hf_steps *steps)
{
    if (steps == NULL) {
        return;
    }
    /* What is left here is in the queue in front. */
    while (steps->group != NULL) {
        struct step *next = steps->group->next;
        free(steps->group);
        steps->group = next;
    }
    hf_state_free(steps->state);
    free(steps);
}

struct hf_state *hf_steps_state(struct hf_steps *steps)
{
    return steps->state;
}

static void set_timer(struct hf_steps *steps, struct hf_timer *timer, uint64_t after_ns)
{
    struct hf_loop *loop = hf_node_own_loop(steps->node);
    enum hf_status set = hf_loop_timer_set(loop, timer, hf_loop_now_ns(loop) + after_ns);
    (void)set; /* it never fails for a loop's first timers */
}

void hf_steps_start(struct hf_steps *steps)
{
    set_timer(steps, &steps->expiry_timer, TICK_NS);
}

void hf_steps_stop(struct hf_steps *steps)
{
    hf_loop_timer_stop(hf_node_own_loop(steps->node), &steps->expiry_timer);
    hf_loop_timer_stop(hf_node_own_loop(steps->node), &steps->commit_timer);
}

static void count_keys(const struct hf_steps *steps)
{
    if (steps->ops.counted != NULL) {
        steps->ops.counted(steps->ops.user, hf_state_count(steps->state));
    }
}

/* ---- the state ---- */

static enum hf_status load(struct hf_steps *steps)
{
    uint64_t lost = 0;
    enum hf_status status = hf_state_load(steps->state, &lost);
    if (status == HF_UNSUPPORTED) {
        hf_node_log(steps->node, HF_LOG_WARN,
                    "the state beside the queue was written by another version; starting with "
                    "none");
        status = HF_OK;
    }
    if (status == HF_OK && lost > 0) {
        hf_node_log(steps->node, HF_LOG_WARN,
                    "%llu bytes at the end of the state beside the queue are damaged and left out",
                    (unsigned long long)lost);
    }
    if (status != HF_OK) {
        hf_node_log(steps->node, HF_LOG_ERROR, "cannot read the state beside the queue: %s",
                    status == HF_IO ? strerror(errno) : hf_status_row(status)->says);
        return status;
    }
    steps->is_loaded = true;
    count_keys(steps);
    return HF_OK;
}

static void finish_group(struct hf_steps *steps)
{
    struct step *step = steps->group;
    steps->group = NULL;
    steps->group_count = 0;
    while (step != NULL) {
        struct step *next = step->next;
        hf_input_done(step->input, step->dropped);
        free(step);
        step = next;
    }
}

/* All outputs of the group are durable: so is the state, then the inputs are done with. */
static void commit(struct hf_steps *steps)
{
    assert(steps->in_flight == 0);
    if (steps->is_closed) {
        return;
    }
    enum hf_status status = hf_state_commit(steps->state);
    if (status != HF_OK) {
        if (!steps->is_failing) {
            hf_node_log(steps->node, HF_LOG_ERROR,
                        "cannot write the state beside the queue: %s; trying again, and the input "
                        "waits in its queue",
                        status == HF_IO ? strerror(errno) : hf_status_row(status)->says);
        }
        steps->is_failing = true;
        set_timer(steps, &steps->commit_timer, AGAIN_NS);
        return;
    }
    steps->is_failing = false;
    finish_group(steps);
}

static void commit_due(struct hf_timer *timer, uint64_t now_ns)
{
    struct hf_steps *steps = HF_CONTAINER(timer, struct hf_steps, commit_timer);
    (void)now_ns;
    if (steps->in_flight == 0) {
        commit(steps);
    }
}

static void expiry_due(struct hf_timer *timer, uint64_t now_ns)
{
    struct hf_steps *steps = HF_CONTAINER(timer, struct hf_steps, expiry_timer);
    uint64_t unix_ns = hf_clock_unix_ns();
    (void)now_ns;
    if (steps->is_loaded && steps->ops.expiry_ns != 0 && unix_ns > steps->ops.expiry_ns &&
        hf_state_expire(steps->state, unix_ns - steps->ops.expiry_ns) > 0) {
        count_keys(steps);
        if (steps->group_count == 0) {
            commit(steps);
        }
    }
    set_timer(steps, &steps->expiry_timer, TICK_NS);
}

/* ---- steps ---- */

static void emitted(struct hf_output *output, enum hf_status status)
{
    struct step *step = HF_CONTAINER(output, struct step, output);
    struct hf_steps *steps = step->steps;
    steps->in_flight--;
    if (status == HF_CLOSED) {
        steps->is_closed = true; /* all of the group stays in the queue in front */
        return;
    }
    step->dropped = status != HF_OK ? step->items : step->dropped;
    if (steps->in_flight == 0) {
        commit(steps);
    }
}

static struct step *add_step(struct hf_steps *steps, struct hf_input *input)
{
    struct step *step = calloc(1, sizeof(*step));
    if (step != NULL) {
        *step = (struct step){.output.done = emitted,
                              .steps = steps,
                              .input = input,
                              .items = input->batch->items,
                              .next = steps->group};
        steps->group = step;
        steps->group_count++;
    }
    return step;
}

static void remove_step(struct hf_steps *steps, struct step *step)
{
    assert(steps->group == step);
    steps->group = step->next;
    steps->group_count--;
    free(step);
}

enum hf_status hf_steps_take(struct hf_steps *steps, struct hf_input *input)
{
    struct hf_batch *batch = NULL;
    if (steps->is_closed || steps->is_failing || steps->group_count >= GROUP_MAX) {
        return HF_BUSY;
    }
    enum hf_status status = steps->is_loaded ? HF_OK : load(steps);
    struct step *step = status == HF_OK ? add_step(steps, input) : NULL;
    if (step == NULL) {
        return status == HF_OK ? HF_NOMEM : status;
    }
    status = steps->ops.step(steps->ops.user, input->batch, &batch);
    if (status != HF_OK && status != HF_INVALID) {
        hf_state_discard(steps->state);
        remove_step(steps, step);
        return status;
    }
    if (status == HF_OK) {
        hf_state_apply(steps->state);
        count_keys(steps);
    } else {
        hf_state_discard(steps->state);
    }
    uint32_t left = batch != NULL ? batch->items : 0;
    step->dropped = left < step->items ? step->items - left : 0;
    if (batch == NULL) {
        if (steps->in_flight == 0) {
            set_timer(steps, &steps->commit_timer, SOON_NS);
        }
        return HF_OK;
    }
    steps->in_flight++;
    hf_emit(steps->node, batch, &step->output);
    hf_ref_drop(&batch->ref);
    return HF_OK;
}

enum hf_status hf_steps_self_start(void *self, char *reterr)
{
    struct hf_steps **first = self;
    (void)reterr;
    hf_steps_start(*first);
    return HF_OK;
}

void hf_steps_self_stop(void *self)
{
    struct hf_steps **first = self;
    hf_steps_stop(*first);
}

enum hf_status hf_steps_self_process(void *self, struct hf_input *input)
{
    struct hf_steps **first = self;
    return hf_steps_take(*first, input);
}
