/*
 * requeued: the reader of dead letters that an operator wants sent again. It is one of the
 * delivery's like a pipeline's, but has its queue only when there is one: from the start, or when
 * it is made. So an exporter whose dead letters nobody ever requeues has no file and no thread for
 * it.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/status.h>

struct hf_delivery;
struct queue_reader;

/* Makes the reader, without a queue. HF_NOMEM. Main thread, as the next two. */
HF_MUST_USE enum hf_status hf_requeued_new(struct hf_delivery *delivery);
/* Watches for its queue; opens it when it is there. Before the delivery's thread starts. */
void hf_requeued_watch(struct hf_delivery *delivery);
/* When that thread has ended, or never was. */
void hf_requeued_unwatch(struct hf_delivery *delivery);

/* True when the reader has a consumer or got one now. The delivery's loop. */
HF_MUST_USE bool hf_requeued_is_open(struct queue_reader *reader);
