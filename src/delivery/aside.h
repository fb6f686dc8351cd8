/*
 * aside: what a request and a reader know of standing aside; see isolated.h. Owned by the
 * delivery's loop, as what they are ranges of.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/backoff.h"

struct export_request;

/* What is known of a request that others may overtake. */
struct aside {
    bool is_suspect;    /* the backend failed at it */
    bool is_unburied;   /* refused for good, and the dead letters have no room */
    unsigned strikes;   /* failures while others passed */
    unsigned misses;    /* failures while none did, since it was cut */
    uint64_t passed;    /* reader's count when it was first sent, or failed last */
    uint64_t since_ns;  /* it fails while others pass; 0: that is not known */
    uint64_t resume_ns; /* no attempt before */
    struct hf_backoff backoff;
};

/* Requests that stand aside, least recently tried first. */
struct isolated {
    struct export_request *first, **end;
    size_t count;
    uint64_t bytes;
};
