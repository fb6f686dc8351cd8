/*
 * requeued: the lane of dead letters that an operator wants sent again. It is one of the sender's
 * like a pipeline's, but has its queue only when there is one: from the start, or when it is made.
 * So an exporter whose dead letters nobody ever requeues has no file and no thread for it.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/status.h>

struct hf_sender;
struct lane;

/* Makes the lane, without a queue. HF_NOMEM. Main thread, as the next two. */
HF_MUST_USE enum hf_status hf_requeued_new(struct hf_sender *sender);
/* Watches for its queue; opens it when it is there. Before the sender's thread starts. */
void hf_requeued_watch(struct hf_sender *sender);
/* When that thread has ended, or never was. */
void hf_requeued_unwatch(struct hf_sender *sender);

/* True when the lane has a consumer or got one now. The sender's loop. */
HF_MUST_USE bool hf_requeued_is_open(struct lane *lane);
