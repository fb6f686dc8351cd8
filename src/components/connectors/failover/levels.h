/*
 * levels: which of several levels takes the data: the current one as long as it works, then the
 * next lower one that does; after each interval a higher one is tried again, from the top.
 *
 * It knows nothing of pipelines: what is known of each level is handed in, and the time. Owned by
 * one thread; {.count, .retry_interval_ns} at first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEVELS_NONE SIZE_MAX

/* What is known of one level. */
struct level_state {
    bool is_failing;
    bool has_backlog; /* its exporters try with that, so that it shows when they work again */
};

struct levels {
    size_t count;
    uint64_t retry_interval_ns;
    size_t current;
    uint64_t retry_at_ns; /* while the current one is not the first */
};

/* The level that takes the next request, which is the current one from now on. LEVELS_NONE: all
 * fail; the data waits. `states`: one each. */
size_t levels_choose(struct levels *levels, const struct level_state *states, uint64_t now_ns);
