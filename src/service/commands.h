/*
 * commands: the commands of the control protocol, whichever way they come: over the socket
 * (control.h) or from a component (holdfast/control.h). docs/control.md lists them.
 */
#pragma once

#include <stdio.h>

#include "hand_over.h"
#include "pipeline/graph.h"
#include "service.h"
#include "status/reloads.h"

struct hf_commands;

/* Makes `host` answer the commands of its components. HF_NOMEM. Main thread. */
HF_MUST_USE enum hf_status hf_commands_new(struct hf_host *host, struct hf_hand_over *hand_over,
                                           struct hf_commands **ret_commands);
/* After the last thread that could ask has ended. NULL is nothing. */
void hf_commands_free(struct hf_commands *commands);

/* The graph that is asked about; NULL: none runs. Waits for a command that looks at the one before.
 */
void hf_commands_watch(struct hf_commands *commands, struct hf_graph *graph);

/* The list that the service fills. Lives as long as `commands`. */
struct hf_reloads *hf_commands_reloads(struct hf_commands *commands);

/* Runs one command and writes its answer to `out`. Any thread; those that may change a queue wait
 * for each other. */
enum hf_exit hf_commands_run(struct hf_commands *commands, int count, char *const *words,
                             FILE *out);
