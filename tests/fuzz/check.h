/*
 * check: what a fuzz target asserts: also without assert(), since a release may have none of them.
 * It is included, not linked.
 */
#pragma once

#include <stdbool.h>
#include <stdlib.h>

static inline void check(bool holds)
{
    if (!holds) {
        abort();
    }
}
