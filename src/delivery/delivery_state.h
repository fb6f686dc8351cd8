/*
 * delivery_state: what every file of the delivery does with the delivery itself. The delivery's
 * loop, except where it says otherwise.
 */
#pragma once

#include "delivery_internal.h"

/* Uniform in [0, 1), for jitter. */
double hf_delivery_draw(struct hf_delivery *delivery);
/* Logs `why` once, until a request is delivered. */
void hf_delivery_set_unhealthy(struct hf_delivery *delivery, const char *why);
/* What is queued for the exporter, in units of the sizer (enum hf_sizer). Any thread after start.
 */
uint64_t hf_delivery_queued(const struct hf_delivery *delivery, int64_t sizer);
/* For the history: an attempt failed for now, and the next comes in `wait_ns`. */
void hf_delivery_failed(struct hf_delivery *delivery, const struct hf_outcome *outcome,
                        uint64_t wait_ns);
/* Likewise: the backend took a request. Ends the outage, if there is one. */
void hf_delivery_recovered(struct hf_delivery *delivery);
/* All queue readers send what can be sent, at the end of this turn of the loop. */
void hf_delivery_pump_later(struct hf_delivery *delivery);
/* `wake` of a queue reader's consumer. Any thread. */
void hf_queue_reader_wake(void *reader);
/* The message of the backend, or else that of the status. Any thread. */
const char *hf_outcome_message(const struct hf_outcome *outcome);
