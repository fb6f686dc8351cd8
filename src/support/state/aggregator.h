/*
 * aggregator: what a connector needs that folds requests into sums and passes the sums on from time
 * to time.
 *
 * A request is folded when it comes, and its input is done with when a snapshot of the state that
 * contains it is on disk (state_file.h); snapshots are at least a second apart. The snapshot also
 * says up to which input of each queue it goes: what is given again after a kill and is in it
 * already is not folded twice, so that sums survive a kill exactly. A flush passes the state on
 * batch by batch, each when the one before is durable behind; what of the state changes by it (a
 * delta begins again with 0) changes when all of it is durable. A kill in between repeats that
 * flush.
 *
 * A state that was saved under another configuration is passed on as it is, and then forgotten.
 *
 * Owned by the thread of the node's own loop; new, start, stop and free on the main thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/batch.h>
#include <holdfast/queued_processor.h>
#include <holdfast/status.h>

#include "state_file.h"

struct hf_aggregator;

/* `self` is what hf_aggregator_new() was given. */
struct hf_aggregator_ops {
    /* Folds a request (borrowed). Anything but HF_OK: nothing of it has been folded, and it comes
     * again. HF_FULL: there is room again after a flush, which begins at once. */
    enum hf_status (*fold)(void *self, const struct hf_batch *batch);

    /* A flush begins, at that Unix time. It walks through the state as it is now, and may show what
     * is folded meanwhile. */
    void (*flush_begin)(void *self, uint64_t unix_ns);
    /* Its next batch, NULL when there is none left. HF_NOMEM: it is asked again later. */
    enum hf_status (*flush_next)(void *self, struct hf_batch **ret_batch);
    /* All of it is durable behind, or never will be. */
    void (*flush_end)(void *self);

    /* Writes the state, and reads it into an empty one; the reader's status says whether it could.
     * `ret_is_foreign`: the state is that of another configuration. The flush that follows passes
     * it on, and its flush_end() forgets it. */
    void (*save)(void *self, struct hf_state_writer *writer);
    void (*load)(void *self, struct hf_state_reader *reader, bool *ret_is_foreign);
    /* Forgets all: a state could not be read to its end. */
    void (*clear)(void *self);

    const char *magic; /* HF_STATE_MAGIC_SIZE bytes, the format of the state */
};

struct hf_aggregator_options {
    struct hf_node *node;
    const struct hf_aggregator_ops *ops;
    void *self;
    uint64_t flush_interval_ns; /* 0: after each request */
    bool takes_none_in_flush;   /* no request is folded while a flush is on its way */
};

/* HF_NOMEM. */
HF_MUST_USE enum hf_status hf_aggregator_new(const struct hf_aggregator_options *options,
                                             struct hf_aggregator **ret_aggregator);
void hf_aggregator_start(struct hf_aggregator *aggregator);
/* After the loop's thread has ended: saves what was folded. */
void hf_aggregator_stop(struct hf_aggregator *aggregator);
/* NULL is nothing. Inputs that are not in a snapshot stay in their queues. */
void hf_aggregator_free(struct hf_aggregator *aggregator);

/* As process_queued(). */
HF_MUST_USE enum hf_status hf_aggregator_take(struct hf_aggregator *aggregator,
                                              struct hf_input *input);

/* The state has changed without an input, as time passed: it is to be saved soon. */
void hf_aggregator_touch(struct hf_aggregator *aggregator);
