/*
 * tail: the traces that wait for their verdict, from the input to what is emitted.
 *
 * The spans stay in the queue in front. In memory is what the policies noted, and in which inputs a
 * trace has spans. A verdict against a trace is done with its spans at once. For one in favour,
 * each input is read again, its sampled spans go on as one request, and a trace is done with when
 * all its spans are durable behind: whenever it is killed, a sampled trace is behind, or whole in
 * front.
 *
 * Owned by the thread of the node's own loop.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/queued_processor.h>
#include <holdfast/status.h>

#include "tail_config.h"

struct hf_tail;

/* `config` has passed hf_sampling_tail_check() and outlives it. HF_NOMEM, HF_INVALID. */
HF_MUST_USE enum hf_status hf_sampling_tail_new(struct hf_node *node,
                                                const struct hf_sampling_tail_config *config,
                                                struct hf_tail **ret_tail);
/* NULL is nothing. What waits stays in the queue. */
void hf_sampling_tail_free(struct hf_tail *tail);

/* As process_queued(). */
HF_MUST_USE enum hf_status hf_sampling_tail_take(struct hf_tail *tail, struct hf_input *input);

/* Ticks are so far apart. */
#define HF_TAIL_TICK_NS UINT64_C(100000000)

/*
 * Decides what is due, at most a few thousand at once, and goes on with what could not be read
 * before. `unix_ns` is the time now. While inputs come, what counts is the time of receipt of the
 * newest one: spans that still stand in the queue belong to their trace.
 *
 * Returns after how many nanoseconds hf_sampling_tail_go_on() is to be called, which decides the
 * rest of what was due; HF_TAIL_TICK_NS: not before the next tick.
 */
uint64_t hf_sampling_tail_tick(struct hf_tail *tail, uint64_t unix_ns);
uint64_t hf_sampling_tail_go_on(struct hf_tail *tail, uint64_t unix_ns);
