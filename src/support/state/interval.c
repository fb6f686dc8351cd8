#include "interval.h"

#include <stdlib.h>

#include <holdfast/component.h>

#include "util/loop.h"
#include "util/time/clock.h"

#define AGAIN_NS (100 * HF_NS_PER_MS)

/* An input of which something waits or is on its way. */
struct held_input {
    struct hf_output output; /* of what passes */
    struct hf_interval *held;
    struct hf_input *input;
    uint32_t passed, kept; /* items that are not done with */
    bool is_in_window;
    struct held_input *next; /* of its window */
};

/* The inputs of one interval, while its aggregate is on its way. */
struct window {
    struct held_input *inputs;
    size_t left;      /* outputs that are not durable */
    uint64_t dropped; /* items that are not in the aggregate, or whose output failed */
    struct window *next;
};

/* One batch of an aggregate. */
struct part {
    struct hf_output output;
    struct hf_interval *held;
    struct window *window;
    uint32_t items;
};

struct hf_interval {
    struct hf_node *node;
    struct hf_interval_ops ops;
    struct held_input *inputs; /* of the interval that is gathered */
    struct window *windows;
    bool is_closed;
    struct hf_timer timer;
};

/* ---- lists of batches ---- */

static bool grow_list(struct hf_interval_list *list)
{
    size_t capacity = 2 * list->capacity + 4;
    struct hf_batch **items = realloc(list->items, capacity * sizeof(struct hf_batch *));
    list->items = items != NULL ? items : list->items;
    void **parts = items != NULL ? realloc(list->parts, capacity * sizeof(void *)) : NULL;
    list->parts = parts != NULL ? parts : list->parts;
    list->capacity = parts != NULL ? capacity : list->capacity;
    return parts != NULL;
}

enum hf_status hf_interval_list_add(struct hf_interval_list *list, struct hf_batch *batch)
{
    bool has_room = list->count < list->capacity || grow_list(list);
    struct part *part = has_room ? malloc(sizeof(*part)) : NULL;
    if (part == NULL) {
        hf_ref_drop(&batch->ref);
        return HF_NOMEM;
    }
    list->parts[list->count] = part;
    list->items[list->count++] = batch;
    return HF_OK;
}

void hf_interval_list_release(struct hf_interval_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        hf_ref_drop(&list->items[i]->ref);
        free(list->parts[i]);
    }
    free(list->items);
    free(list->parts);
    *list = (struct hf_interval_list){NULL, NULL, 0, 0};
}

/* ---- done with ---- */

static void free_if_done(struct held_input *input)
{
    if (input->passed == 0 && !input->is_in_window) {
        free(input);
    }
}

static void passed(struct hf_output *output, enum hf_status status)
{
    struct held_input *input = HF_CONTAINER(output, struct held_input, output);
    uint32_t items = input->passed;
    if (status == HF_CLOSED) {
        input->held->is_closed = true; /* it stays in the queue in front */
        return;
    }
    input->passed = 0;
    hf_input_done_items(input->input, items, status != HF_OK ? items : 0);
    free_if_done(input);
}

static void finish_window(struct hf_interval *held, struct window *window)
{
    struct held_input *input = window->inputs;
    struct window **at = &held->windows;
    while (*at != window) {
        at = &(*at)->next;
    }
    *at = window->next;
    while (input != NULL) {
        struct held_input *next = input->next;
        uint32_t dropped = window->dropped < input->kept ? (uint32_t)window->dropped : input->kept;
        window->dropped -= dropped;
        input->is_in_window = false;
        hf_input_done_items(input->input, input->kept, dropped);
        free_if_done(input);
        input = next;
    }
    free(window);
}

static void emitted(struct hf_output *output, enum hf_status status)
{
    struct part *part = HF_CONTAINER(output, struct part, output);
    struct hf_interval *held = part->held;
    struct window *window = part->window;
    uint32_t items = part->items;
    free(part);
    if (status == HF_CLOSED) {
        held->is_closed = true; /* the window stays in the queue in front */
        return;
    }
    window->dropped += status != HF_OK ? items : 0;
    if (--window->left == 0) {
        finish_window(held, window);
    }
}

/* ---- flushing ---- */

static void emit_part(struct hf_interval *held, struct window *window,
                      struct hf_interval_list *list, size_t index)
{
    struct part *part = list->parts[index];
    list->parts[index] = NULL;
    *part = (struct part){
        .output.done = emitted, .held = held, .window = window, .items = list->items[index]->items};
    hf_emit(held->node, list->items[index], &part->output);
}

/* All inputs so far, with all of their items as dropped. */
static struct window *new_window(struct hf_interval *held)
{
    struct window *window = calloc(1, sizeof(*window));
    uint64_t kept = 0;
    if (window == NULL) {
        return NULL;
    }
    for (const struct held_input *input = held->inputs; input != NULL; input = input->next) {
        kept += input->kept;
    }
    *window = (struct window){.inputs = held->inputs, .dropped = kept, .next = held->windows};
    held->windows = window;
    held->inputs = NULL;
    return window;
}

static void set_timer(struct hf_interval *held, uint64_t after_ns)
{
    struct hf_loop *loop = hf_node_own_loop(held->node);
    enum hf_status set = hf_loop_timer_set(loop, &held->timer, hf_loop_now_ns(loop) + after_ns);
    (void)set; /* it never fails for a loop's first timers */
}

/* False: out of memory, and all is as before. */
static bool flush(struct hf_interval *held)
{
    struct hf_interval_list list = {NULL, NULL, 0, 0};
    if (held->inputs == NULL || held->is_closed) {
        return true;
    }
    /* One that cannot be made would leave an aggregate without its inputs. */
    struct window *window = new_window(held);
    if (window == NULL) {
        return false;
    }
    if (held->ops.flush(held->ops.user, &list) != HF_OK) {
        held->inputs = window->inputs;
        held->windows = window->next;
        free(window);
        hf_interval_list_release(&list);
        return false;
    }
    uint64_t made = 0;
    for (size_t i = 0; i < list.count; i++) {
        made += list.items[i]->items;
    }
    window->dropped = window->dropped > made ? window->dropped - made : 0;
    window->left = list.count + 1; /* one for this function */
    for (size_t i = 0; i < list.count; i++) {
        emit_part(held, window, &list, i);
    }
    hf_interval_list_release(&list);
    if (--window->left == 0) {
        finish_window(held, window);
    }
    return true;
}

static void interval_over(struct hf_timer *timer, uint64_t now_ns)
{
    struct hf_interval *held = HF_CONTAINER(timer, struct hf_interval, timer);
    (void)now_ns;
    set_timer(held, flush(held) ? held->ops.interval_ns : AGAIN_NS);
}

/* ---- life ---- */

enum hf_status hf_interval_new(struct hf_node *node, const struct hf_interval_ops *ops,
                               struct hf_interval **ret_held)
{
    struct hf_interval *held = calloc(1, sizeof(*held));
    if (held == NULL) {
        return HF_NOMEM;
    }
    held->node = node;
    held->ops = *ops;
    held->timer.fire = interval_over;
    *ret_held = held;
    return HF_OK;
}

static void free_inputs(struct held_input *input)
{
    while (input != NULL) {
        struct held_input *next = input->next;
        free(input);
        input = next;
    }
}

void hf_interval_free(struct hf_interval *held)
{
    if (held == NULL) {
        return;
    }
    /* What is left here is in the queue in front. */
    free_inputs(held->inputs);
    while (held->windows != NULL) {
        struct window *next = held->windows->next;
        free_inputs(held->windows->inputs);
        free(held->windows);
        held->windows = next;
    }
    free(held);
}

void hf_interval_start(struct hf_interval *held)
{
    set_timer(held, held->ops.interval_ns);
}

void hf_interval_stop(struct hf_interval *held)
{
    hf_loop_timer_stop(hf_node_own_loop(held->node), &held->timer);
}

/* ---- inputs ---- */

static void hold(struct hf_interval *held, struct held_input *input, struct hf_batch *to_pass)
{
    uint32_t items = input->input->batch->items;
    input->passed = to_pass == NULL ? 0 : to_pass->items < items ? to_pass->items : items;
    input->kept = items - input->passed;
    input->is_in_window = input->kept > 0;
    if (input->is_in_window) {
        input->next = held->inputs;
        held->inputs = input;
    }
    if (to_pass != NULL) {
        hf_emit(held->node, to_pass, &input->output);
    }
}

enum hf_status hf_interval_take(struct hf_interval *held, struct hf_input *input)
{
    struct hf_batch *to_pass = NULL;
    if (held->is_closed || held->ops.is_full(held->ops.user)) {
        return HF_BUSY; /* a flush that failed is tried again */
    }
    struct held_input *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return HF_NOMEM;
    }
    *made = (struct held_input){.output.done = passed, .held = held, .input = input};
    enum hf_status status = held->ops.take(held->ops.user, input->batch, &to_pass);
    if (status != HF_OK) {
        free(made);
        if (status == HF_INVALID) {
            hf_input_done(input, UINT32_MAX);
        }
        return status == HF_INVALID ? HF_OK : status;
    }
    hold(held, made, to_pass);
    if (to_pass != NULL) {
        hf_ref_drop(&to_pass->ref);
    }
    if (held->ops.is_full(held->ops.user) && !flush(held)) {
        set_timer(held, AGAIN_NS);
    }
    return HF_OK;
}

enum hf_status hf_interval_self_start(void *self, char *reterr)
{
    struct hf_interval **first = self;
    (void)reterr;
    hf_interval_start(*first);
    return HF_OK;
}

void hf_interval_self_stop(void *self)
{
    struct hf_interval **first = self;
    hf_interval_stop(*first);
}

enum hf_status hf_interval_self_process(void *self, struct hf_input *input)
{
    struct hf_interval **first = self;
    return hf_interval_take(*first, input);
}
