/*
 * queue_reader: reads records ahead and sends them in requests, as far as the window, the rate
 * limit and the state of the backend allow. The delivery's loop.
 */
#pragma once

#include "delivery_internal.h"

/* Adds a reader without a queue to the delivery. `pipeline` NULL: it reads requeued dead letters.
 * NULL: out of memory. Main thread, before the start. */
struct queue_reader *hf_queue_reader_new(struct hf_delivery *delivery,
                                         const struct hf_pipeline *pipeline);
/* Sends what can be sent now, and sets the timer for the rest. */
void hf_queue_reader_pump(struct queue_reader *reader);
/* Releases all its records, unacknowledged. */
void hf_queue_reader_drop_all(struct queue_reader *reader);
