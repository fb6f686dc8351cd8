#include "levels.h"

static void change(struct levels *levels, size_t current, uint64_t now_ns)
{
    levels->current = current;
    levels->retry_at_ns = now_ns + levels->retry_interval_ns;
}

/* The first that works, from `from` up to `end`. */
static size_t find_working(const struct level_state *states, size_t from, size_t end)
{
    for (size_t i = from; i < end; i++) {
        if (!states[i].is_failing) {
            return i;
        }
    }
    return LEVELS_NONE;
}

/* The first up to `end` that works again; or that has nothing to try with: then this request is the
 * try. */
static size_t find_to_try(const struct level_state *states, size_t end)
{
    for (size_t i = 0; i < end; i++) {
        if (!states[i].is_failing || !states[i].has_backlog) {
            return i;
        }
    }
    return LEVELS_NONE;
}

size_t levels_choose(struct levels *levels, const struct level_state *states, uint64_t now_ns)
{
    size_t found = LEVELS_NONE;
    if (levels->current > 0 && now_ns >= levels->retry_at_ns) {
        found = find_to_try(states, levels->current);
        change(levels, found != LEVELS_NONE ? found : levels->current, now_ns);
        if (found != LEVELS_NONE) {
            return found;
        }
    }
    if (!states[levels->current].is_failing) {
        return levels->current;
    }
    found = find_working(states, levels->current + 1, levels->count);
    if (found == LEVELS_NONE) {
        /* All below fail too: any that works will do, without waiting for the interval. */
        found = find_working(states, 0, levels->current);
    }
    if (found == LEVELS_NONE) {
        found = find_to_try(states, levels->count);
    }
    if (found != LEVELS_NONE) {
        change(levels, found, now_ns);
    }
    return found;
}
