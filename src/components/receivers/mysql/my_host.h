/*
 * my_host: the client of a process as a server names it. Any thread; no state.
 */
#pragma once

#include <stdint.h>

#include <holdfast/slice.h>

/* The parts of "host:port"; a host alone has the port 0. */
void my_host_split(struct hf_slice host, struct hf_slice *ret_address, int64_t *ret_port);
