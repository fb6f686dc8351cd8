/*
 * isolation_state: what a request and a queue reader keep about isolated requests; see isolation.h.
 * Owned by the delivery's loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/backoff.h"

struct export_request;

/* What is known about a request that failed. */
struct isolation_state {
    bool is_suspect;             /* the backend failed at it */
    bool is_dead_letter_waiting; /* refused for good, and the dead letters have no room */
    unsigned lone_failures;      /* failures while other requests were delivered */
    unsigned shared_failures;    /* failures while no other was delivered, since it was halved */
    uint64_t passed;             /* the reader's count when it was first sent, or failed last */
    uint64_t since_ns;  /* it has failed since then while others were delivered; 0: not known */
    uint64_t resume_ns; /* no attempt before */
    struct hf_backoff backoff;
};

/* Isolated requests, least recently tried first. */
struct isolated_list {
    struct export_request *first, **end;
    size_t count;
    uint64_t bytes;
};
