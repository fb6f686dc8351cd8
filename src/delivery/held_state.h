/*
 * held_state: what a queue reader keeps about held requests; see held.h. Owned by the delivery's
 * loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/backoff.h"

struct held_request;

/* The requests that wait for one of the exporter's backends, first in first out. */
struct held_group {
    uint32_t number;
    bool is_failing;  /* no attempt before `resume_ns`, and one at a time */
    bool was_failing; /* before the answer that is being settled */
    unsigned in_flight;
    uint64_t resume_ns;
    struct hf_backoff backoff;
    struct held_request *first, **end;
};

struct held_list {
    struct held_group *groups;
    size_t group_count, group_capacity;
    size_t records;     /* ranges of all held requests */
    uint32_t answering; /* the group of the request that is being settled; 0: none */
};
