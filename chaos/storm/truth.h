/*
 * truth: what was acknowledged and what arrived, in files outside the victim: one byte a request or
 * an item, mapped and shared, so that a reader sees them at any moment and they outlive their
 * writer.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct storm_truth {
    _Atomic uint8_t *marks; /* saturates at 255 */
    uint64_t count;
};

/* Opens or makes a file of `count` marks (sparse). False: errno says why. */
bool storm_truth_open(struct storm_truth *truth, const char *path, uint64_t count);
/* Counts one more for `number`; beyond the file is ignored and false. */
bool storm_truth_mark(struct storm_truth *truth, uint64_t number);
void storm_truth_close(struct storm_truth *truth);
