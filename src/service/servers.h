/*
 * servers: the threads that answer the clients of the control socket, one for each request, so that
 * a long command or a stream keeps no other client waiting. Bounded.
 *
 * Made, used and freed by the control thread.
 */
#pragma once

#include <stdbool.h>

#include "commands.h"
#include "control_protocol.h"

struct hf_servers;

/* A whole request, as it came. */
struct hf_request {
    size_t size;
    char text[HF_CONTROL_REQUEST_MAX];
};

/* `wake_fd` (an eventfd) is written to when a server is free again. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_servers_new(struct hf_commands *commands, int wake_fd,
                                          struct hf_servers **ret_servers);
/* Cuts off every client, waits for the threads. NULL is nothing. */
void hf_servers_free(struct hf_servers *servers);

/* Closes what servers that are free again have left. */
void hf_servers_reap(struct hf_servers *servers);
/* Answers on a thread of its own, and closes `fd`. False: all are busy, or there is no thread to be
 * had; the client is still the caller's. */
HF_MUST_USE bool hf_servers_take(struct hf_servers *servers, int fd,
                                 const struct hf_request *request);
