/*
 * server_connection: an accepted connection, for src/http/server*.c only. The library's thread that
 * reads it and the watch, which ends what is too slow, share it.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server_handshake.h"
#include "util/intake.h"
#include "util/peer.h"

/* Of a body, between its thread and the watch: only one of them takes it from COMING further. */
enum body_state {
    BODY_NONE = 0,
    BODY_COMING,
    BODY_WHOLE, /* the handler's turn */
    BODY_ENDED, /* by the watch, which has said so on the socket */
};

/* An accepted connection: what the watch needs to know of it. */
struct http_connection {
    struct http_connection *next, *previous;        /* under the server's lock */
    struct http_connection *next_idle, **idle_link; /* likewise; NULL: it has a request */
    uint64_t idle_since_ns;                         /* likewise */
    bool is_counted;                                /* likewise: in the census */
    struct hf_peer who;
    int fd;
    struct http_credentials *credentials; /* NULL: cleartext */
    struct http_handshake handshake;
    char peer[64];
    /* Of the request that is being read; its own thread. */
    size_t uri_bytes;
    bool uri_is_sound;
    char *target; /* NULL: not kept */
    /* Monotonic; 0: nothing is awaited, or no body is being read. */
    _Atomic uint64_t deadline_ns; /* when the peer has been too slow */
    _Atomic uint64_t body_since_ns;
    _Atomic uint64_t body_bytes; /* of it so far */
    atomic_size_t held;          /* what is counted for it */
    atomic_int body;             /* enum body_state */
    struct hf_intake_peer *sender;
    struct hf_intake_pace pace; /* the watch's */
};
