/*
 * delivery: sends the queues of its pipelines to one exporter. One thread, one loop, one consumer
 * (cursor) for each pipeline the exporter is in.
 *
 * Records are read ahead within a limit, joined into requests as the pipeline's `batch` says, lent
 * to the exporter, and acknowledged when it reports success. After a retryable failure the reader
 * waits: one request at a time probes the backend until it answers again, the others wait, nothing
 * more is read. A request that is too large is halved. A request that is refused for good is halved
 * too, until the refused record is alone; that record goes to the dead letters.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/component.h>
#include <holdfast/overview.h>

#include "node/node.h"

struct hf_delivery;

/* Makes the delivery and its loop; its thread runs from hf_delivery_start. HF_NOMEM, HF_IO. Main
 * thread, as all below. */
HF_MUST_USE enum hf_status hf_delivery_new(struct hf_node *node, struct hf_delivery **ret_delivery);

/* Adds a pipeline that the exporter is in; it outlives the delivery. Before the start. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_delivery_add(struct hf_delivery *delivery,
                                           const struct hf_pipeline *pipeline);

/*
 * Dead letters go through that pipeline, which outlives the delivery, by `submit`:
 * hf_submit_to() of pipeline/ingest.h, which stands above this layer.
 */
void hf_delivery_lead_dead_letters(struct hf_delivery *delivery, struct hf_pipeline *pipeline,
                                   void (*submit)(struct hf_node *node,
                                                  struct hf_pipeline *const *pipelines,
                                                  size_t count, struct hf_batch *batch,
                                                  struct hf_reply *reply));

/*
 * Opens the consumers: with `only_new`, just those whose names no other delivery holds open. A name
 * that the queue has not seen begins at the present. When `attach` names no stored consumer, that
 * is logged, and the consumer is opened without it.
 */
HF_MUST_USE enum hf_status hf_delivery_open_consumers(struct hf_delivery *delivery, bool only_new,
                                                      char *reterr);

/* Sets the limit of this configuration for dead letters that exist already. */
void hf_delivery_apply_limits(struct hf_delivery *delivery);

/* While it runs: closes its consumer in a queue that nothing is appended to any more, soon, unless
 * something of it is still being sent. */
void hf_delivery_let_go(struct hf_delivery *delivery, const struct hf_pipeline *pipeline);

/* HF_NOMEM; HF_IO: there is no thread. */
HF_MUST_USE enum hf_status hf_delivery_start(struct hf_delivery *delivery);

/* Starts no more requests; returns at once, so that several deliveries share one grace period. */
void hf_delivery_begin_stop(struct hf_delivery *delivery);

/*
 * Begins the stop if it has not begun, waits for requests in flight at most `grace_ns`, leaves the
 * rest in the queue, ends the thread. The exporter's stop and close come after it; then
 * hf_delivery_free(), which closes the consumers.
 */
void hf_delivery_stop(struct hf_delivery *delivery, uint64_t grace_ns);
/* Closes the consumers, so that another delivery may open them. */
void hf_delivery_close_consumers(struct hf_delivery *delivery);
void hf_delivery_free(struct hf_delivery *delivery);

/* The counter of items that found the queue full. */
struct hf_series *hf_delivery_enqueue_failed(const struct hf_delivery *delivery,
                                             enum hf_signal signal);
struct hf_loop *hf_delivery_loop(const struct hf_delivery *delivery);
/* Sets the gauges of the exporter. Any thread after start. */
void hf_delivery_refresh(struct hf_delivery *delivery);
/* What a delivery does now. */
struct hf_delivery_look {
    unsigned in_flight, window;    /* requests; the second: at most */
    size_t held_records;           /* wait for one of several backends of the exporter */
    size_t isolated;               /* requests that failed while others were delivered */
    bool is_unhealthy;             /* refused for a credential, or past max_elapsed_time */
    bool is_failing;               /* the last attempt failed, and the next one is awaited */
    unsigned dead_letters_waiting; /* requests that the dead letters have no room for */
};

/* As of the last look at its queues. Any thread after start. */
void hf_delivery_look(const struct hf_delivery *delivery, struct hf_delivery_look *ret_look);
/* Refused for a credential, or failing for longer than max_elapsed_time. Any thread. */
bool hf_delivery_is_unhealthy(const struct hf_delivery *delivery);
/* Why it does not deliver, and since when. False, and `ret_look` is untouched: it does, as far as
 * is known. Of full dead letters the time is not known, and stays. Any thread. */
bool hf_delivery_fault(struct hf_delivery *delivery, struct hf_state_look *ret_look);
/* The last attempt with data of that pipeline failed, or it is unhealthy. Any thread after start.
 */
bool hf_delivery_is_failing(const struct hf_delivery *delivery, const struct hf_pipeline *pipeline);
