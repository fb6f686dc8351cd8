/*
 * syslog_peer: the connection to a syslog server: TCP, TLS, a Unix socket or datagrams.
 *
 * Syslog has no acknowledgement. What was sent counts when the operating system of the peer has
 * confirmed all of its bytes (of a Unix socket: when the peer has read them), the peer has not
 * closed the connection, and the connection has lasted for SYSLOG_SETTLE_NS: a peer that wants TLS,
 * or a certificate, closes sooner. What fails before is to be sent again as a whole, and the
 * connection that it failed on is closed, so that the peer sees where a message breaks off.
 *
 * One message list at a time. Owned by the delivery's thread.
 */
#pragma once

#include <holdfast/node.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "grpc/target.h"
#include "util/loop.h"
#include "util/time/clock.h"
#include "util/tls/tls.h"

#define SYSLOG_SETTLE_NS (300 * HF_NS_PER_MS)

struct syslog_peer;

struct syslog_peer_options {
    struct hf_node *node;
    struct hf_loop *loop;
    struct hf_grpc_target target;
    bool is_datagrams;
    struct hf_tls *tls;      /* borrowed; NULL: in clear */
    const char *server_name; /* borrowed */
    /* Once for each syslog_peer_send(), at once or later. `why` is borrowed for the call, NULL when
     * all was sent. */
    void (*done)(void *user, enum hf_status status, const char *why);
    void *user;
};

HF_MUST_USE enum hf_status syslog_peer_new(const struct syslog_peer_options *options,
                                           struct syslog_peer **ret_peer);

/* What to send, borrowed until `done`: one stream, or datagrams that end at `ends`. */
struct syslog_sending {
    struct hf_slice bytes;
    const uint32_t *ends;
    size_t count;
    uint64_t deadline_ns; /* monotonic; later for a peer that takes some bytes until it; 0: none of
                             its own */
};

void syslog_peer_send(struct syslog_peer *peer, const struct syslog_sending *sending);

/* Ends what is in flight without calling `done`. NULL is nothing. */
void syslog_peer_free(struct syslog_peer *peer);
