/*
 * exposition_values: the values of a text exposition, and a hash of all that stands around them.
 * Two expositions of one shape have the same series in the same order, and the same comments, so
 * that what has been made of the one tells what to make of the other. That is much less work than
 * reading it (exposition.h).
 *
 * The shape tells nothing unless the first of them has been read, and every sample of it was a
 * series and a value on a line of its own. Kept for reuse: zeroed at first. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "exposition.h"

struct hf_expo_values {
    uint64_t shape;
    double *items;
    size_t count, capacity;
};

/* False: it is none of the text formats, a line does not end in a number, or there is no memory. */
HF_MUST_USE bool hf_expo_values_read(struct hf_expo_values *values, enum hf_expo_format format,
                                     struct hf_slice body);
/* Appends a value that is not in the exposition. False: no memory. */
HF_MUST_USE bool hf_expo_values_add(struct hf_expo_values *values, double value);
void hf_expo_values_release(struct hf_expo_values *values);
