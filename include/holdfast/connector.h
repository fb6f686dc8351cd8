/*
 * connector: a component that joins pipelines: it is an exporter of some and a receiver of others.
 *
 * A connector that answers at once has `connect` and no queue in front: its output is committed in
 * the same submission as the batch, before the sender is told OK. A connector that waits, remembers
 * or chooses by later events is queued (queued_processor.h).
 */
#pragma once

#include <stddef.h>

#include "batch.h"
#include "node.h"
#include "status.h"

/* Takes the output of a connector for one batch. */
struct hf_onward;

struct hf_connector_ops {
    /* For each signal that it reads, the signals that it makes of it, as HF_SIGNAL_BIT()s; 0: it
     * does not read that signal. `signals` of the component are the signals that it reads. */
    unsigned makes[HF_SIGNAL_COUNT];
    /*
     * A connector that answers at once and keeps nothing: it has no queue in front and no `queued`.
     * The receiving thread, many at a time, so `self` is immutable after start or is a meeting
     * place. Passes its output for `batch` (borrowed, `raw` set) to hf_pass_on(). The sender is
     * told OK when all output is on disk, together with what other parts of the pipelines store of
     * the batch. A failure is returned to the sender, and nothing is stored anywhere.
     */
    enum hf_status (*connect)(void *self, struct hf_batch *batch, struct hf_onward *onward);
    const char *const *(*context_keys)(void *self, size_t *ret_count); /* with `connect` */
    /* The pipelines that `config` names, by an index from 0 on; NULL behind the last. The loader
     * checks that each is there and that the connector is among its receivers. NULL: none. */
    const char *(*pipeline_named)(const void *config, size_t index);
};

/*
 * In connect(): passes a batch (borrowed, identity coded, `raw` set) on to `count` of the pipelines
 * of hf_node_outputs(), through their processors. connect() must return a status other than
 * HF_OK that this returns.
 */
HF_MUST_USE enum hf_status hf_pass_on(struct hf_onward *onward, struct hf_batch *batch,
                                      struct hf_pipeline *const *pipelines, size_t count);
