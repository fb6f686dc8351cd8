/*
 * loops: the event loops that receivers share, each with a thread. Main thread.
 */
#pragma once

#include "pipeline/graph.h"

/* The cores that this process may use: a container can have fewer than the machine. */
unsigned hf_loops_usable_cores(void);

/* As many as GOMAXPROCS says, which charts and operators of the Go collector set from the limit of
 * the container, or `cores` where it is NULL or no number; at most four. */
size_t hf_loops_wanted(const char *gomaxprocs, unsigned cores);

/* Starts so many loops and puts them into `host`. HF_NOMEM, HF_IO: those that were started are in
 * `host`, to be stopped. */
HF_MUST_USE enum hf_status hf_loops_start(struct hf_host *host);
/* Ends and frees them. */
void hf_loops_stop(struct hf_host *host);
