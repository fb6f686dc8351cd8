/*
 * held: requests that wait for one backend of an exporter that has several, while the others of the
 * queue go on (`group` in holdfast/export.h). The delivery's loop.
 *
 * A held request has no bytes in memory: its records are read again from the queue when it is due.
 * While a group fails, one request of it is tried at a time, by the backoff of the group; when that
 * one is delivered, the others follow in order. A reader that holds HELD_RECORDS_MAX records reads
 * no more until there are fewer.
 */
#pragma once

#include "delivery_internal.h"

/* A request of the group has failed for now. True: max_elapsed_time has passed, or retries are off:
 * give it up. */
HF_MUST_USE bool hf_held_failed(struct queue_reader *reader, uint32_t group,
                                const struct hf_outcome *outcome);
/* Holds the request, which is gone then. False: out of memory, it is still the caller's. */
HF_MUST_USE bool hf_held_add(struct export_request *request, uint32_t group);
/* The next request of a group that may be tried, with its bytes; NULL: none. */
struct export_request *hf_held_take(struct queue_reader *reader, uint64_t now_ns);
/* Around the settling of a request that was held for `group`; 0: nothing. */
void hf_held_answered(struct queue_reader *reader, uint32_t group);
void hf_held_settled(struct queue_reader *reader, uint32_t group);
/* When the first of them is due; 0: none is held. */
uint64_t hf_held_due_ns(const struct queue_reader *reader);
bool hf_held_has_room(const struct queue_reader *reader);
/* Releases all of them, unacknowledged. */
void hf_held_drop_all(struct queue_reader *reader);
