/*
 * submitter: hands batches to the pipelines from a thread that may wait, one after another, each
 * with the checkpoints of what it was read from. The next one is built while the last is on its
 * way; a batch that is refused for now is offered again until it is taken, and reading waits for
 * it. What is refused for good is dropped and logged; its checkpoints are committed without it.
 *
 * Owned by the receiver's thread, but for hf_submitter_stop(): any thread.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <holdfast/node.h>

#include "util/compress/compress.h"

struct hf_submitter {
    struct hf_node *node;
    const char *transport;               /* of the counters; a literal, "" at first */
    uint64_t wait_first_ns, wait_max_ns; /* between two offers of a batch; to be set */
    struct hf_batch *batch;              /* in flight; NULL: none */
    struct hf_checkpoint *checkpoints;
    size_t checkpoint_count, checkpoint_capacity;
    struct hf_bytes bytes; /* of the checkpoints */
    struct hf_reply reply;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    bool answered, stopping;
    enum hf_status status;
};

/* Released once no batch is on its way. */
void hf_submitter_init(struct hf_submitter *submit, struct hf_node *node);
void hf_submitter_release(struct hf_submitter *submit);

/* Takes the reference of `batch` over. False: stopping, and nothing was handed over. */
HF_MUST_USE bool hf_submitter_add(struct hf_submitter *submit, struct hf_batch *batch,
                                  const struct hf_checkpoint *checkpoints, size_t count);
/* Returns when nothing is in flight. False: stopping, and the batch in flight was refused. */
HF_MUST_USE bool hf_submitter_wait(struct hf_submitter *submit);

/* No more waiting. */
void hf_submitter_stop(struct hf_submitter *submit);
/* Waits so long, or until stopped. False: stopped. */
HF_MUST_USE bool hf_submitter_sleep(struct hf_submitter *submit, uint64_t wait_ns);
