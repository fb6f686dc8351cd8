/*
 * judge: compares what was promised with what was found. It knows the truth alone, in the order it
 * was told.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "truth.h"

#define JUDGE_NUMBERS 32768u /* above all numbers used */

struct verdict {
    uint64_t acked, lost, repeated;
    uint64_t ghosts;  /* found though refused */
    uint64_t extra;   /* found, never answered: in flight when it ended */
    uint64_t faults;  /* anything else that must not be */
    bool is_complete; /* the verification came to its end */
    char words[200];  /* the first thing that is wrong */
};

struct judge_rules {
    bool may_repeat; /* cursors may not be stored: even after a good end */
    uint64_t extra_max;
};

/* The truths of all lives of a directory, the verification's last. */
void judge(const struct truth *truths, size_t count, const struct judge_rules *rules,
           struct verdict *ret);
/* Whether nothing is wrong. */
bool judge_is_good(const struct verdict *verdict);
