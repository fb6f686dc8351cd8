/*
 * stage: a component between two queues: a processor that must wait or remember, or a connector.
 *
 * It is fed from the queue in front of it and writes to the queue of what follows. Its input stays
 * in the first queue until the component is done with it, and that is when what came of it is in
 * the second. So it may hold what it likes for as long as it likes: a kill loses nothing, for after
 * the start it is given again all that it was not done with. What it had passed on in the last
 * moment before may then come twice: at least once, as everywhere.
 *
 * A component with `take` is a stage. As HF_PROCESSOR it cuts its pipeline in two; as HF_CONNECTOR
 * it stands among the exporters of some pipelines and the receivers of others. All of it runs on
 * one thread, that of hf_node_own_loop(); open, start, stop and close on the main thread, while
 * that one does not run.
 */
#pragma once

#include <stdint.h>

#include "batch.h"
#include "node.h"
#include "status.h"

/* A request from the queue in front, until the component is done with it. */
struct hf_input {
    struct hf_batch *batch; /* `raw` is set; valid during take(): take a reference to keep it */
    void *data;             /* the component's own, NULL at first */
};

/*
 * The component is done with it: what came of its items is durable, but for `dropped_items` of
 * them, which are counted as dropped{processor}. The input is gone. In any order; but when
 * thousands are done with and older ones in between are not, nothing more is read for a while.
 */
void hf_input_done(struct hf_input *input, uint32_t dropped_items);

/* Embed in what waits for the answer. The component's memory, the stage's from hf_emit() until
 * `done`. */
struct hf_output {
    /*
     * HF_OK: it is durable in every pipeline that follows. HF_CLOSED: the graph is stopping; leave
     * the input undone. Anything else (HF_TOO_LARGE, HF_INVALID): it never will be.
     */
    void (*done)(struct hf_output *output, enum hf_status status);
    void *room[8]; /* the stage's own */
};

/*
 * Passes a batch (borrowed; identity coded, `raw` set) on: through the processors that follow into
 * their queues. What they refuse for now is tried again until they take it. `done` is called once:
 * later, or at once with HF_CLOSED.
 */
void hf_emit(struct hf_node *node, struct hf_batch *batch, struct hf_output *output);
