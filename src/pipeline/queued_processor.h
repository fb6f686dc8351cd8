/*
 * queued_processor: feeds one component with `take` (see holdfast/queued_processor.h) from the
 * queues in front of it, and carries what it emits to the queues behind. One thread, one loop, one
 * consumer for each queue.
 *
 * Bounded by inputs that are not done with; when the component or what follows takes no more, the
 * queue in front fills, and then its deliveries are told. Main thread, but for what says otherwise.
 */
#pragma once

#include <stdint.h>

#include <holdfast/queued_processor.h>

#include "graph.h"

struct hf_queued_processor;

/* HF_NOMEM, HF_IO. The thread runs from hf_queued_processor_start(). */
HF_MUST_USE enum hf_status
hf_queued_processor_new(struct hf_node *node, struct hf_queued_processor **ret_queued_processor);

/*
 * A pipeline whose queue feeds it. Where exporters of `from` (NULL: none) still have a place in
 * that queue, because the queued_processor was not there before, it takes their backlog over: that
 * of the one that is farthest back, which may repeat some to the others.
 */
HF_MUST_USE enum hf_status hf_queued_processor_add(struct hf_queued_processor *queued_processor,
                                                   const struct hf_pipeline *pipeline,
                                                   const struct hf_config_pipeline *from);

/* Opens the consumers; with `only_new`, just those whose place is not open. On failure, of the disk
 * or of memory, `reterr` (HF_ERROR_MAX) is a sentence. */
HF_MUST_USE enum hf_status
hf_queued_processor_open_consumers(struct hf_queued_processor *queued_processor, bool only_new,
                                   char *reterr);

/* HF_IO: there is no thread. */
HF_MUST_USE enum hf_status hf_queued_processor_start(struct hf_queued_processor *queued_processor);

/* Reads no more, waits for what is being written, ends the thread. The component's stop and close
 * come after it, then hf_queued_processor_close_consumers(). */
void hf_queued_processor_stop(struct hf_queued_processor *queued_processor);

/* What was not done with is read again by the next of its name. */
void hf_queued_processor_close_consumers(struct hf_queued_processor *queued_processor);
/* NULL is nothing. */
void hf_queued_processor_free(struct hf_queued_processor *queued_processor);
