/*
 * control: the control protocol from inside the process: what `holdfast queue` asks over the
 * socket, a component asks here. Both get the same answers.
 */
#pragma once

#include <stddef.h>

#include "node.h"
#include "status.h"

struct hf_control_answer {
    char *text; /* ends with a zero byte; malloc'd, the caller frees */
    size_t size;
    int exit_code; /* that of the command line: 0 done, 1 failed, 2 wrong words, ... */
};

/*
 * Runs one command: `words` are the request as docs/control.md has it ("stat", "--json"). Commands
 * that change a queue wait for each other, so not on a loop's thread: it may take long. From start
 * until close. HF_CLOSED: the process does not answer commands (yet); HF_NOMEM; HF_TOO_LARGE: the
 * answer is longer than `limit_bytes`.
 */
HF_MUST_USE enum hf_status hf_node_control(const struct hf_node *node, const char *const *words,
                                           size_t limit_bytes,
                                           struct hf_control_answer *ret_answer);
