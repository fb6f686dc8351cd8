/*
 * request_lists: the requests of a queue reader that are to be sent again: those that wait, in
 * order of their sequence numbers, and the isolated ones (isolation.h). The delivery's loop.
 */
#pragma once

#include "delivery_internal.h"

/* Puts a request among the waiting ones, in order. */
void hf_waiting_add(struct queue_reader *reader, struct export_request *request);

/* Isolates a request: no attempt before `resume_ns`. */
void hf_isolated_add(struct export_request *request, uint64_t resume_ns);
/* The first request that is due, or, when `is_probe`, the first one; NULL: none. */
struct export_request *hf_isolated_take(struct queue_reader *reader, uint64_t now_ns,
                                        bool is_probe);
/* The backend takes data again: all may be tried now. */
void hf_isolated_release(struct queue_reader *reader, uint64_t now_ns);
/* When the first of them is due; 0: there is none. */
uint64_t hf_isolated_due_ns(const struct queue_reader *reader);
/* Whether the reader may read more. */
bool hf_isolated_has_room(const struct queue_reader *reader);
/* The time of the next attempt, by the request's own backoff; at least `at_least_ns` from now. */
uint64_t hf_isolated_next_try(struct export_request *request, uint64_t now_ns,
                              uint64_t at_least_ns);
/* The request is done with, or was halved: its state no longer counts. */
void hf_isolated_forget(struct export_request *request);
/* `to` is a half of `from`: it gets its state and goes to the same list. */
void hf_isolated_inherit(const struct export_request *from, struct export_request *to);
