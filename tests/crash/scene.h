/*
 * scene: two queues in one directory and what is done with them: the part of the crash tests that
 * gets killed, and the part that looks at what is left.
 *
 * DIR/queue has the consumers "fast" and "slow"; what the fast one cannot deliver moves to
 * DIR/dead. Segments are as small as they can be, so that a short run rotates, recycles and removes
 * many.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct scene_options {
    const char *directory; /* exists */
    int truth_fd;
    uint64_t first;  /* the first number */
    unsigned count;  /* records to append */
    bool is_patient; /* a refused append is tried again, until the queue takes it: for faults that
                        pass */
};

/* Appends, reads, acknowledges, closes and opens again half way. */
void scene_fill(const struct scene_options *options);
/* Reads and acknowledges all there is. */
void scene_drain(const struct scene_options *options);
/* Reads all there is and tells; acknowledges nothing. */
void scene_verify(const struct scene_options *options);
