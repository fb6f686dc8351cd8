/*
 * interval: a queued processor that gathers for an interval: what it keeps of its inputs becomes
 * one aggregate, and the inputs are done with when that is durable behind. Until then they are in
 * the queue in front: a kill repeats the interval.
 *
 * What of an input passes at once is done with by itself. Owned by the thread of the node's own
 * loop; new and free on the main thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/queued_processor.h>
#include <holdfast/status.h>

struct hf_interval;

/* Batches that become the output of an interval; freed with hf_interval_list_release(). */
struct hf_interval_list {
    struct hf_batch **items;
    void **parts; /* memory that sending each of them needs */
    size_t count, capacity;
};

/* Takes the reference over, also when it fails. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_interval_list_add(struct hf_interval_list *list,
                                                struct hf_batch *batch);
void hf_interval_list_release(struct hf_interval_list *list);

struct hf_interval_ops {
    /*
     * Puts what is to wait into the aggregate. `ret_passed`: the batch of what passes at once, or
     * NULL. HF_INVALID: the input is dropped. Anything else but HF_OK: it is offered again, and the
     * aggregate must be as before.
     */
    enum hf_status (*take)(void *user, struct hf_batch *batch, struct hf_batch **ret_passed);
    /* Is the aggregate as large as it may be? It is flushed at once then. */
    bool (*is_full)(void *user);
    /* Appends the aggregate as batches and empties it. HF_NOMEM: it is as before, and flushed
     * again soon. */
    enum hf_status (*flush)(void *user, struct hf_interval_list *list);
    void *user;
    uint64_t interval_ns;
};

/* HF_NOMEM. */
HF_MUST_USE enum hf_status hf_interval_new(struct hf_node *node, const struct hf_interval_ops *ops,
                                           struct hf_interval **ret_held);
void hf_interval_free(struct hf_interval *held);

/* In the component's start and stop. */
void hf_interval_start(struct hf_interval *held);
void hf_interval_stop(struct hf_interval *held);

/* As process_queued(). */
HF_MUST_USE enum hf_status hf_interval_take(struct hf_interval *held, struct hf_input *input);

/* start, stop and process_queued of a component whose struct begins with a struct hf_interval *. */
HF_MUST_USE enum hf_status hf_interval_self_start(void *self, char *reterr);
void hf_interval_self_stop(void *self);
HF_MUST_USE enum hf_status hf_interval_self_process(void *self, struct hf_input *input);
