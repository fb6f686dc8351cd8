/*
 * groups: traces that wait for all of their spans, which stay in the queue in front.
 *
 * In memory is in which inputs a trace has spans. When its wait is over its inputs are read again,
 * its spans become one request, and they are done with when that is durable behind. Traces that are
 * due are released in rounds, each input is read once per round.
 *
 * Owned by the thread of the node's own loop.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/queued_processor.h>
#include <holdfast/status.h>

struct groups;

struct groups_options {
    uint64_t wait_ns;
    size_t num_traces; /* that wait; of more the oldest is released early */
};

/* HF_NOMEM. */
HF_MUST_USE enum hf_status groups_new(struct hf_node *node, const struct groups_options *options,
                                      struct groups **ret_groups);
/* NULL is nothing. What waits stays in the queue. */
void groups_free(struct groups *groups);

/* As process_queued(). */
HF_MUST_USE enum hf_status groups_take(struct groups *groups, struct hf_input *input);

/*
 * Releases what is due, and goes on with what could not be read before. To be called some times per
 * second. `unix_ns` is the time now. While inputs come, what counts is the time of receipt of the
 * newest one: spans that still stand in the queue belong to their trace.
 */
void groups_tick(struct groups *groups, uint64_t unix_ns);
