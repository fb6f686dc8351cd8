/*
 * requeue: the queue reader of dead letters that an operator has requeued. It is a reader like that
 * of a pipeline, but its queue exists only after the first requeue. So an exporter whose dead
 * letters were never requeued has no file and no thread for it.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/status.h>

struct hf_delivery;
struct queue_reader;

/* `reader` reads the requeued dead letters; it has no queue yet. Main thread, as the next two. */
void hf_requeued_init(struct hf_delivery *delivery, struct queue_reader *reader);
/* Watches for its queue; opens it when it is there. Before the delivery's thread starts. */
void hf_requeued_watch(struct hf_delivery *delivery);
/* When that thread has ended, or never was. */
void hf_requeued_unwatch(struct hf_delivery *delivery);

/* True when the reader has a consumer or got one now. The delivery's loop. */
HF_MUST_USE bool hf_requeued_is_open(struct queue_reader *reader);
