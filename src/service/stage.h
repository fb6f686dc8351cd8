/*
 * stage: feeds one component with `take` (see holdfast/stage.h) from the queues in front of it, and
 * carries what it emits to the queues behind. One thread, one loop, one consumer for each queue.
 *
 * Bounded by inputs that are not done with; when the component or what follows takes no more, the
 * queue in front fills, and then its senders are told. Main thread, but for what says otherwise.
 */
#pragma once

#include <stdint.h>

#include <holdfast/stage.h>

#include "graph.h"

struct hf_stage;

/* HF_NOMEM, HF_IO. The thread runs from hf_stage_start(). */
HF_MUST_USE enum hf_status hf_stage_new(struct hf_node *node, struct hf_stage **ret_stage);

/*
 * A pipeline whose queue feeds it. Where exporters of `from` (NULL: none) still have a place in
 * that queue, because the stage was not there before, it takes their backlog over: that of the one
 * that is farthest back, which may repeat some to the others.
 */
HF_MUST_USE enum hf_status hf_stage_add(struct hf_stage *stage, const struct hf_pipeline *pipeline,
                                        const struct hf_config_pipeline *from);

/* Opens the consumers; with `only_new`, just those whose place nobody holds open. */
HF_MUST_USE enum hf_status hf_stage_open_consumers(struct hf_stage *stage, bool only_new,
                                                   char *reterr);

HF_MUST_USE enum hf_status hf_stage_start(struct hf_stage *stage);

/* Reads no more, waits for what is being written, ends the thread. The component's stop and close
 * come after it, then hf_stage_close_consumers(). */
void hf_stage_stop(struct hf_stage *stage);

/* What was not done with is read again by the next of its name. */
void hf_stage_close_consumers(struct hf_stage *stage);
/* NULL is nothing. */
void hf_stage_free(struct hf_stage *stage);

struct hf_loop *hf_stage_loop(const struct hf_stage *stage);
