/*
 * queued_processor: a component between two queues: a processor that must wait or remember, or a
 * connector.
 *
 * It is fed from the queue in front of it and writes to the queues of what follows. Its input stays
 * in the first queue until the component is done with it, which is when the result is durable in
 * the second. So the component may wait for any time, and a kill loses nothing: after the
 * start it is given again every input that it was not done with. What it had passed on just before
 * may then come twice: at least once, as everywhere.
 *
 * A component with `queued` is one. As HF_PROCESSOR it cuts its pipeline in two; as HF_CONNECTOR it
 * stands among the exporters of some pipelines and the receivers of others. All of it runs on one
 * thread, that of hf_node_own_loop(), where it may set timers; open, start, stop and close on the
 * main thread, while that one does not run.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "node.h"
#include "status.h"

/* A request from the queue in front, until the component is done with it. */
struct hf_input {
    /* `raw` is set. Valid during process_queued(). The component takes a reference to keep it, and
     * drops that to let go of the bytes: hf_input_load() reads them again. */
    struct hf_batch *batch;
    void *data; /* the component's own, NULL at first */
    /*
     * Where it stands: the id of the pipeline whose queue it is in, valid until close, and its
     * number there. The inputs of one queue come in the order of their numbers, and an input that
     * is given again has the same one. A queue whose files were removed begins again with 0.
     */
    const char *queue;
    uint64_t sequence;
};

/*
 * The component is done with all items of the input that are left: their results are durable, but
 * for `dropped_items` of them, which are counted as dropped{processor}. The input is gone. Inputs
 * may be done in any order; but while thousands are done and older ones in between are not, nothing
 * more is read.
 */
void hf_input_done(struct hf_input *input, uint32_t dropped_items);

/*
 * Likewise with `items` of them, `dropped_items` included: at most those that are left, and with
 * the last one the input is gone. After a kill an input that was done in part is given again as a
 * whole.
 */
void hf_input_done_items(struct hf_input *input, uint32_t items, uint32_t dropped_items);

/*
 * Reads an input again from the queue, so that it can wait on disk and not in memory: a batch with
 * `raw` set, the caller's. HF_NOT_FOUND, HF_CORRUPT: the queue does not have it any more, because
 * it overflowed, was purged by an operator or is damaged; be done with it. HF_IO, HF_NOMEM: try
 * later.
 */
HF_MUST_USE enum hf_status hf_input_load(const struct hf_input *input, struct hf_batch **ret_batch);

/* Embed in what waits for the answer. The component's memory, lent from hf_emit() until `done`. */
struct hf_output {
    /*
     * HF_OK: it is durable in every pipeline that follows. HF_CLOSED: the graph is stopping; leave
     * the input undone. Anything else (HF_TOO_LARGE, HF_INVALID): it never will be.
     */
    void (*done)(struct hf_output *output, enum hf_status status);
    void *room[9]; /* for the queued processor */
};

/*
 * Passes a batch (borrowed; identity coded, `raw` set) on: through the processors that follow into
 * the queues of all pipelines behind that carry its signal. What they refuse for now is tried again
 * until they take it. `done` is called once: later, or at once with HF_CLOSED.
 */
void hf_emit(struct hf_node *node, struct hf_batch *batch, struct hf_output *output);

/* Likewise to `count` of the pipelines of hf_node_outputs() alone: all of them take the batch or
 * none does. The array is borrowed until `done`. At least one. */
void hf_emit_to(struct hf_node *node, struct hf_pipeline *const *pipelines, size_t count,
                struct hf_batch *batch, struct hf_output *output);
