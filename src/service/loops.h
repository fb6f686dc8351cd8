/*
 * loops: the event loops that receivers share, each with a thread. Main thread.
 */
#pragma once

#include "pipeline/graph.h"

/* The cores that this process may use: a container can have fewer than the machine. */
unsigned hf_loops_usable_cores(void);

/* Starts a loop per usable core, at most four, and puts them into `host`. HF_NOMEM, HF_IO: those
 * that were started are in `host`, to be stopped. */
HF_MUST_USE enum hf_status hf_loops_start(struct hf_host *host);
/* Ends and frees them. */
void hf_loops_stop(struct hf_host *host);
