/*
 * connections: how many TCP sockets there are in each state.
 *
 * Of the network namespace of this process the kernel is asked by netlink (sock_diag), which costs
 * it a third of writing /proc/net/tcp. Of another one, below a root_path, the files of process 1
 * are read. Listeners that share an address by SO_REUSEPORT count once, as with the Go collector.
 */
#pragma once

#include "host.h"

#define CONNECTION_LISTEN 10u
#define CONNECTION_STATES 12u /* the kernel's numbers: 1 established ... 11 closing */

/* False with errno: neither the kernel nor the files tell. `listeners` is room that is used again.
 */
HF_MUST_USE bool host_count_connections(const struct host *host, struct hf_bytes *listeners,
                                        uint64_t *counts);
