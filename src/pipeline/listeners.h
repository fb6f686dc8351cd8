/*
 * listeners: the listening sockets of the process, by endpoint, so that a reload finds the socket
 * open and no connection is refused. Any thread, but for free and the rounds: the main thread.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/status.h>

struct hf_listeners;

/* HF_NOMEM. */
HF_MUST_USE enum hf_status hf_listeners_new(struct hf_listeners **ret_listeners);
/* Closes what is left and removes the files of Unix sockets. NULL is nothing. */
void hf_listeners_free(struct hf_listeners *listeners);

/*
 * A duplicate of the socket that listens on `endpoint`: "host:port", ":port", "[v6]:port",
 * "unix:///path", "/path"; or one that receives datagrams, "udp://host:port", "unixgram:///path".
 * The caller closes it. HF_IO with a sentence in `reterr` (HF_ERROR_MAX): the port is taken, not
 * allowed, no such address; HF_INVALID, likewise, when it was given away in this round already: two
 * servers on one socket would each get some of the connections.
 */
HF_MUST_USE enum hf_status hf_listeners_get(struct hf_listeners *listeners, const char *endpoint,
                                            int *ret_fd, char *reterr);

/* No mode of its own: a Unix socket gets what the process's umask leaves. */
#define HF_LISTENERS_MODE_UMASK (-1)

/* Likewise; a Unix socket gets the mode, also one that is open already. To connect one needs the
 * right to write. */
HF_MUST_USE enum hf_status hf_listeners_get_mode(struct hf_listeners *listeners,
                                                 const char *endpoint, int mode, int *ret_fd,
                                                 char *reterr);

/* A new socket that no round knows: it is the caller's alone. Errors as above. */
HF_MUST_USE enum hf_status hf_listeners_open(const char *endpoint, int mode, int *ret_fd,
                                             char *reterr);

/* Lets a socket outlive this round for its user of an earlier one. False: another has been
 * given it meanwhile. */
bool hf_listeners_keep(struct hf_listeners *listeners, const char *endpoint);

/* Begins a new round; at its end, sockets that were not asked for in it are closed. */
void hf_listeners_begin_round(struct hf_listeners *listeners);
void hf_listeners_end_round(struct hf_listeners *listeners);
