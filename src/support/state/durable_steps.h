/*
 * durable_steps: a queued processor that remembers: each input becomes one output and a change of
 * what is remembered (state_store.h), and is done with when both are durable.
 *
 *     input -> step: output and staged changes -> output durable behind -> changes committed ->
 * done
 *
 * Inputs go through in their order, up to 64 at once; then their changes are committed together. A
 * kill gives inputs again whose output may be behind already: at least once. When their changes
 * were committed too, the step sees by their times that it had them.
 *
 * The store is read when the first input comes: after a reload that is when the node before has
 * ended. Owned by the thread of the node's own loop; new and free on the main thread.
 */
#pragma once

#include <stdint.h>

#include <holdfast/queued_processor.h>
#include <holdfast/status.h>

#include "state_store.h"

struct hf_steps;

struct hf_steps_ops {
    /*
     * Makes of the input's batch the one that goes on: the same with a reference taken, a new one,
     * or NULL with HF_OK; changes of the state are staged. HF_INVALID: the input is dropped.
     * Anything else: it is offered again. The changes are discarded then.
     */
    enum hf_status (*step)(void *user, struct hf_batch *batch, struct hf_batch **ret_batch);
    void *user;
    uint64_t expiry_ns; /* keys that were not touched that long are dropped; 0: never */
    void (*counted)(void *user, size_t keys); /* after each change of their number; or NULL */
};

struct hf_steps_options {
    struct hf_steps_ops ops;
    const char *format; /* of the values, with a version: "cumulativetodelta/1" */
    size_t keys_max, bytes_max;
};

/* HF_NOMEM. The file is beside the queue, named after the pipeline behind. */
HF_MUST_USE enum hf_status hf_steps_new(struct hf_node *node,
                                        const struct hf_steps_options *options,
                                        struct hf_steps **ret_steps);
void hf_steps_free(struct hf_steps *steps);

/* In the component's start and stop. */
void hf_steps_start(struct hf_steps *steps);
void hf_steps_stop(struct hf_steps *steps);

/* As process_queued(). */
HF_MUST_USE enum hf_status hf_steps_take(struct hf_steps *steps, struct hf_input *input);

/* What is remembered, for the step. */
struct hf_state *hf_steps_state(struct hf_steps *steps);

/* start, stop and process_queued of a component whose struct begins with a struct hf_steps *. */
HF_MUST_USE enum hf_status hf_steps_self_start(void *self, char *reterr);
void hf_steps_self_stop(void *self);
HF_MUST_USE enum hf_status hf_steps_self_process(void *self, struct hf_input *input);
