/*
 * control: the Unix socket DIR/control by which `holdfast queue` and `holdfast drain` ask and steer
 * the process that has the data directory.
 *
 * One request a connection: a line of words, then the answer until the end of the stream. The first
 * line of an answer is "ok" or "error SENTENCE". The socket is 0600: a user who may write the queue
 * may control it.
 */
#pragma once

#include <holdfast/status.h>

#include "hand_over.h"
#include "pipeline/graph.h"

struct hf_control;

/* Listens and serves on a thread of its own. HF_IO with a sentence in `reterr`. */
HF_MUST_USE enum hf_status hf_control_open(const struct hf_host *host,
                                           struct hf_hand_over *hand_over,
                                           struct hf_control **ret_control, char *reterr);
/* Ends the thread, removes the socket. NULL is nothing. */
void hf_control_close(struct hf_control *control);
