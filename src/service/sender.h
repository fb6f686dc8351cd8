/*
 * sender: drains the queues to one exporter. One thread, one loop, one consumer (cursor) for each
 * pipeline the exporter is in.
 *
 * Records are read ahead within a bound, shaped into requests as the pipeline's `batch` says, lent
 * to the exporter, and acknowledged when it says so. A retryable failure pauses the lane: one
 * request probes until the backend answers again, the others wait, nothing more is read. What is
 * too large is halved; what is refused for good is isolated and buried with the dead letters.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/component.h>

#include "graph.h"

struct hf_sender;

/* Makes the sender and its loop; its thread runs from hf_sender_start. HF_NOMEM, HF_IO. Main
 * thread, as all below. */
HF_MUST_USE enum hf_status hf_sender_new(struct hf_node *node, struct hf_sender **ret_sender);

/* Adds a pipeline that the exporter is in. */
HF_MUST_USE enum hf_status hf_sender_add(struct hf_sender *sender,
                                         const struct hf_pipeline *pipeline);

/*
 * Opens the consumers: with `only_new`, just those whose names no other sender holds open. A name
 * that the queue has not seen begins at the present. HF_NOT_FOUND when `attach` names nobody:
 * logged, and the consumer is opened without it.
 */
HF_MUST_USE enum hf_status hf_sender_open_consumers(struct hf_sender *sender, bool only_new,
                                                    char *reterr);

/* The dead letters that are there get the limit of this configuration. */
void hf_sender_apply_limits(struct hf_sender *sender);

HF_MUST_USE enum hf_status hf_sender_start(struct hf_sender *sender);

/* Starts no more requests; returns at once. Several senders so share one grace. */
void hf_sender_begin_stop(struct hf_sender *sender);

/*
 * Begins the stop if nobody did, waits for requests in flight at most `grace_ns`, leaves the rest
 * in the queue, ends the thread. The exporter's stop and close come after it; then
 * hf_sender_free(), which closes the consumers.
 */
void hf_sender_stop(struct hf_sender *sender, uint64_t grace_ns);
/* Closes the consumers, so that another sender may open them. */
void hf_sender_close_consumers(struct hf_sender *sender);
void hf_sender_free(struct hf_sender *sender);

/* The counter of items that found the queue full. */
struct hf_series *hf_sender_enqueue_failed(const struct hf_sender *sender, enum hf_signal signal);
struct hf_loop *hf_sender_loop(const struct hf_sender *sender);
/* Sets the gauges of the exporter. Any thread after start. */
void hf_sender_refresh(struct hf_sender *sender);
/* Refused for a credential, or failing for longer than max_elapsed_time. Any thread. */
bool hf_sender_is_unhealthy(const struct hf_sender *sender);
