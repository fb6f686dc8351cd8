/*
 * control: the Unix socket DIR/control by which the other commands of `holdfast` ask and steer the
 * process that has the data directory.
 *
 * One request a connection, as control_protocol.h has it; docs/control.md lists the commands. Each
 * is answered on a thread of its own (servers.h). The socket is 0600: a user who may write the
 * queue may control it.
 */
#pragma once

#include <holdfast/status.h>

#include "commands.h"

struct hf_control;

/* Listens in `directory` (borrowed) on a thread of its own. HF_IO with a sentence in
 * `reterr`. */
HF_MUST_USE enum hf_status hf_control_open(const char *directory, struct hf_commands *commands,
                                           struct hf_control **ret_control, char *reterr);
/* Ends the threads, removes the socket. NULL is nothing. */
void hf_control_close(struct hf_control *control);
