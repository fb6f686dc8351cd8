/*
 * retry: when to try again what failed: soon at first, then less often. The wait grows with the
 * time since the first failure, so that a short fault is over at once and a long one costs nothing.
 * Owned by one thread, or under the queue's lock.
 */
#pragma once

#include <stdint.h>

struct wal_retry {
    uint64_t began_ns; /* of the first failure in this row; 0: none */
    uint64_t due_ns;
};

/* Notes a failure at `now_ns`, which is not 0. */
void wal_retry_fail(struct wal_retry *retry, uint64_t now_ns);
/* It has succeeded. */
void wal_retry_reset(struct wal_retry *retry);
