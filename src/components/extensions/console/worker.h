/*
 * worker: the thread that runs what may take long: commands of the control protocol. Requests wait
 * for it in a short queue, their connections suspended.
 *
 * A command that takes hours (an export) must not hold up a stop or a reload: the thread holds the
 * graph (hf_node_hold()) until it has come back, and stop does not wait for it.
 *
 * hf_console_worker_add() may be called by any thread.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/node.h>
#include <holdfast/status.h>

#include "request.h"

#define HF_CONSOLE_WAITING_MAX 16u /* requests in the queue */

struct hf_console_worker;

struct hf_console_worker_options {
    struct hf_node *node;
    /* The worker's thread: makes the page and answers the request, which is its own now. */
    void (*run)(void *user, struct hf_console_request *request);
    /* Likewise, of those that wait when it stops. */
    void (*refuse)(void *user, struct hf_console_request *request);
    void *user;
};

/* HF_NOMEM; HF_IO: no thread. */
HF_MUST_USE enum hf_status hf_console_worker_new(const struct hf_console_worker_options *options,
                                                 struct hf_console_worker **ret_worker);
/* False: the queue is full, or it has stopped; the request is still the caller's. */
HF_MUST_USE bool hf_console_worker_add(struct hf_console_worker *worker,
                                       struct hf_console_request *request);
/* Waits for nothing. NULL is nothing. */
void hf_console_worker_stop(struct hf_console_worker *worker);
/* When nothing holds the graph any more. NULL is nothing. */
void hf_console_worker_free(struct hf_console_worker *worker);
