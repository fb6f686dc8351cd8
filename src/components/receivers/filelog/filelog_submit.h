/*
 * filelog_submit: hands batches to the pipelines, one after another, each with the places of the
 * files that it was read from. The next one is built while the last is on its way; a batch that is
 * refused is offered again until it is taken, and reading waits for it.
 *
 * Owned by the receiver's thread, but for filelog_submit_stop(): any thread.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <holdfast/node.h>

#include "util/compress.h"

struct filelog_submit {
    struct hf_node *node;
    uint64_t wait_first_ns, wait_max_ns;
    struct hf_batch *batch; /* in flight; NULL: none */
    struct hf_checkpoint *checkpoints;
    size_t checkpoint_count, checkpoint_capacity;
    struct hf_bytes bytes; /* of the checkpoints */
    struct hf_reply reply;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    bool answered, stopping;
    enum hf_status status;
};

void filelog_submit_init(struct filelog_submit *submit, struct hf_node *node);
void filelog_submit_release(struct filelog_submit *submit);

/* Takes the reference of `batch` over. False: stopping, and nothing was handed over. */
HF_MUST_USE bool filelog_submit_add(struct filelog_submit *submit, struct hf_batch *batch,
                                    const struct hf_checkpoint *checkpoints, size_t count);
/* Returns when nothing is in flight. False: stopping, and the batch in flight was refused. */
HF_MUST_USE bool filelog_submit_wait(struct filelog_submit *submit);

/* No more waiting. */
void filelog_submit_stop(struct filelog_submit *submit);
/* Waits so long, or until stopped. False: stopped. */
HF_MUST_USE bool filelog_submit_sleep(struct filelog_submit *submit, uint64_t wait_ns);
