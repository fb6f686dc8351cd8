/*
 * connector: what joins pipelines: it stands among the exporters of some and the receivers of
 * others.
 *
 * One that answers at once has `connect` and stands between no queues: what it makes of a batch is
 * committed with the rest of what the receiver handed in, before the sender is told OK. One that
 * waits, remembers or chooses by what happens later is queued (queued_processor.h).
 */
#pragma once

#include <stddef.h>

#include "batch.h"
#include "node.h"
#include "status.h"

/* Takes what a connector makes of one batch. */
struct hf_onward;

struct hf_connector_ops {
    /* For each signal that it reads, the signals that it makes of it, as HF_SIGNAL_BIT()s; 0: it
     * does not read that signal. `signals` of the component says the signals that it reads. */
    unsigned makes[HF_SIGNAL_COUNT];
    /*
     * A connector that answers at once and keeps nothing: it has no queue in front and no `queued`.
     * The receiving thread, many at a time, so `self` is immutable after start or is a meeting
     * place. Gives what it makes of `batch` (borrowed, `raw` set) to hf_pass_on(). The sender is
     * told OK when all of that is on disk, with what the other parts of the pipelines keep of the
     * batch; a failure is what the sender is told, and nothing is kept anywhere.
     */
    enum hf_status (*connect)(void *self, struct hf_batch *batch, struct hf_onward *onward);
    const char *const *(*context_keys)(void *self, size_t *ret_count); /* with `connect` */
    /* The pipelines that `config` names, by an index from 0 on; NULL behind the last. The loader
     * checks that each is there and that the connector is among its receivers. NULL: none. */
    const char *(*pipeline_named)(const void *config, size_t index);
};

/*
 * In connect(): passes a batch (borrowed, identity coded, `raw` set) on to `count` of the pipelines
 * of hf_node_outputs(), through their processors. What it returns other than HF_OK is to be
 * returned by connect() too.
 */
HF_MUST_USE enum hf_status hf_pass_on(struct hf_onward *onward, struct hf_batch *batch,
                                      struct hf_pipeline *const *pipelines, size_t count);
