/*
 * receiver_creator: starts receivers for the endpoints that observers find, and stops them when
 * these are gone.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "creator.h"
#include "util/time/clock.h"

#define FORGET_NS (3600 * HF_NS_PER_S)
#define LOOK_NS (500 * HF_NS_PER_MS)
#define ARENA_BYTES_MAX ((size_t)64 << 20)

/* ---- the creator's thread ---- */

static void fire(struct hf_timer *timer, uint64_t now_ns)
{
    struct creator *creator = HF_CONTAINER(timer, struct creator, timer);
    creator_look(creator, now_ns);
    if (now_ns >= creator->forget_ns) {
        creator_forget(creator);
        creator->forget_ns = now_ns + FORGET_NS;
    }
    enum hf_status status = hf_loop_timer_set(creator->loop, timer, now_ns + LOOK_NS);
    (void)status; /* the place of a timer that fires is free */
}

static void end(struct hf_task *task)
{
    struct creator *creator = HF_CONTAINER(task, struct creator, end);
    hf_loop_timer_stop(creator->loop, &creator->timer);
    creator_end_all(creator);
    sem_post(&creator->stopped);
}

/* ---- life; the main thread ---- */

static void close_creator(void *self)
{
    struct creator *creator = self;
    creator_sweep(creator); /* no thread uses them any more */
    hf_loop_free(creator->loop);
    for (size_t i = 0; creator->rules != NULL && i < creator->config->templates.count; i++) {
        hf_expr_free(creator->rules[i]);
    }
    free(creator->rules);
    free(creator->observers);
    free(creator->absent);
    hf_arena_release(&creator->arena);
    sem_destroy(&creator->stopped);
    free(creator);
}

static enum hf_status make_rules(struct creator *creator, char *reterr)
{
    const struct creator_template *templates = creator->config->templates.items;
    size_t count = creator->config->templates.count;
    creator->rules = calloc(count + 1, sizeof(struct hf_expr *));
    enum hf_status status = creator->rules != NULL ? HF_OK : HF_NOMEM;
    for (size_t i = 0; i < count && status == HF_OK; i++) {
        char why[HF_EXPR_ERROR_MAX] = "out of memory";
        status = hf_expr_new(templates[i].rule, creator_names, &creator->rules[i], why);
        snprintf(reterr, HF_ERROR_MAX, "receivers::%.100s::rule: %s",
                 creator->config->templates.keys[i], why);
    }
    return status;
}

static enum hf_status find_observers(struct creator *creator, char *reterr)
{
    const struct hf_string_list *ids = &creator->config->observers;
    creator->observers = calloc(ids->count + 1, sizeof(*creator->observers));
    enum hf_status status = creator->observers != NULL ? HF_OK : HF_NOMEM;
    for (size_t i = 0; i < ids->count && status == HF_OK; i++) {
        struct creator_observer *observer = &creator->observers[i];
        status = hf_node_observer(creator->node, ids->items[i], &observer->ops, &observer->self);
        snprintf(reterr, HF_ERROR_MAX, "watch_observers: the extension \"%.100s\" is no observer",
                 ids->items[i]);
        creator->observer_count += status == HF_OK;
    }
    return status;
}

static enum hf_status open_creator(struct hf_node *node, const void *config, void **ret_self,
                                   char *reterr)
{
    struct creator *creator = calloc(1, sizeof(*creator));
    if (creator == NULL) {
        return HF_NOMEM;
    }
    creator->node = node;
    creator->config = config;
    creator->timer.fire = fire;
    creator->end.run = end;
    creator->arena.limit = ARENA_BYTES_MAX;
    sem_init(&creator->stopped, 0, 0);
    enum hf_status status = make_rules(creator, reterr);
    if (status == HF_OK) {
        status = find_observers(creator, reterr);
    }
    if (status == HF_OK) {
        status = hf_loop_new(&creator->loop);
    }
    if (status == HF_OK) {
        status = hf_loop_timer_set(creator->loop, &creator->timer, hf_loop_now_ns(creator->loop));
    }
    if (status != HF_OK) {
        close_creator(creator);
        return status;
    }
    *ret_self = creator;
    return HF_OK;
}

static enum hf_status start_creator(void *self, char *reterr)
{
    struct creator *creator = self;
    (void)reterr;
    return hf_loop_start_thread(creator->loop, "creator");
}

static void stop_creator(void *self)
{
    struct creator *creator = self;
    hf_loop_post(creator->loop, &creator->end);
    while (sem_wait(&creator->stopped) != 0 && errno == EINTR) {
    }
    hf_loop_join(creator->loop);
}

const struct hf_component hf_receiver_receiver_creator = {
    .type = "receiver_creator",
    .help = "Starts receivers for the pods, ports, containers and services that observers find, by "
            "rules.",
    .kind = HF_RECEIVER,
    .signals = HF_ALL_SIGNALS_AND_PROFILES,
    .config_size = sizeof(struct creator_config),
    .fields = creator_fields,
    .check = creator_check,
    .open = open_creator,
    .start = start_creator,
    .stop = stop_creator,
    .close = close_creator,
};
