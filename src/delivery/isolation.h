/*
 * isolated: requests that stand aside, so that the others overtake them. The delivery's loop.
 *
 * Two kinds: one that the backend fails at with a server error (500, INTERNAL) while it takes
 * others, and one that was refused for good but finds the dead letters full. Each is tried again by
 * a backoff of its own. The first kind is taken apart until its bad record is alone; that goes to
 * the dead letters when it has failed for max_elapsed_time while others passed. So a poison request
 * does not block its queue, and an outage, in which nothing passes, empties none.
 *
 * What stands aside is still in the queue. A reader that has as much aside as ISOLATED_MAX or
 * ISOLATED_BYTES_MAX say reads no more until some of it is gone.
 */
#pragma once

#include "delivery_internal.h"

/* True: it failed alone, and is dealt with. False: the whole backend may be failing, so the reader
 * has to wait; when the request is kept it goes to hf_isolated_wait(). */
HF_MUST_USE bool hf_isolated_judge(struct export_request *request,
                                   const struct hf_outcome *outcome);
/* It stands aside while the reader waits, so that the next try is another request. */
void hf_isolated_wait(struct export_request *request, uint64_t resume_ns);
/* Refused for good, but there is no room for dead letters: it waits aside. */
void hf_isolated_hold(struct export_request *request);
/* Any of them when `is_probe`, otherwise one that is due; NULL: none. */
struct export_request *hf_isolated_take(struct queue_reader *reader, uint64_t now_ns,
                                        bool is_probe);
/* The backend takes data again: all may be tried now. */
void hf_isolated_release(struct queue_reader *reader, uint64_t now_ns);
/* When the first of them is due; 0: there is none. */
uint64_t hf_isolated_due_ns(const struct queue_reader *reader);
/* May the reader read more? */
bool hf_isolated_has_room(const struct queue_reader *reader);
/* It is done with, or in pieces: forgets what was noted of it. */
void hf_isolated_forget(struct export_request *request);
/* `from` was cut: `to` is a part of it, and goes to where it stood. */
void hf_isolated_inherit(const struct export_request *from, struct export_request *to);
