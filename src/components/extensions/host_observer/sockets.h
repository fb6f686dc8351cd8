/*
 * sockets: the sockets of this host that others can send to: TCP sockets that listen, and UDP
 * sockets without a peer, as /proc/net shows them; and the processes that have them.
 *
 * Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/status.h>

struct host_socket {
    char address[48]; /* "127.0.0.1", "::1" */
    uint16_t port;
    bool is_udp, is_ipv6;
    uint64_t inode;
    int pid; /* 0: not known, as that of another user */
};

#define HOST_SOCKETS_MAX 10000u

/*
 * Those of /proc (or of what stands for it), ordered by inode; the caller frees them. Of a socket
 * that several processes have, the process with the lowest number counts. HF_IO with errno: nothing
 * can be read; HF_NOMEM.
 */
HF_MUST_USE enum hf_status host_sockets_read(const char *proc, struct host_socket **ret_sockets,
                                             size_t *ret_count);

/* The name and the command line of a process. False: it has ended. */
HF_MUST_USE bool host_process_read(const char *proc, int pid, char *ret_name, size_t name_room,
                                   char *ret_command, size_t command_room);
