/*
 * loops: the event loops that receivers share: one for each core, at most four. Main thread.
 */
#pragma once

#include "node/node.h"

/* The cores that this process may use. */
unsigned hf_loops_cores(void);

/* Makes them and starts their threads. After a failure they are to be stopped, too. */
HF_MUST_USE enum hf_status hf_loops_start(struct hf_host *host);
/* Waits for their threads, and frees them. */
void hf_loops_stop(struct hf_host *host);
