/*
 * submit: the appends that wait for the committer. Any number of threads push, one takes all.
 *
 * A stack with one compare-and-swap, reversed when it is taken. The committer sets `asleep` before
 * it looks a last time, and a push reads `asleep` after it has pushed: so one of the two sees the
 * other, and while the committer is busy a push costs no system call. Any thread.
 */
#pragma once

#include <stdatomic.h>

#include "wal.h"

struct wal_submit {
    _Atomic(struct wal_append *) head;
    atomic_uint asleep; /* the futex */
    atomic_uint called;
};

void wal_submit_init(struct wal_submit *submit);
void wal_submit_push(struct wal_submit *submit, struct wal_append *append);
/* Wakes the committer without an append. */
void wal_submit_call(struct wal_submit *submit);
/* All that was pushed, oldest first; NULL when nothing was. The committer. */
struct wal_append *wal_submit_take(struct wal_submit *submit);
/* Returns when there was a push or a call since the last return. The committer. */
void wal_submit_wait(struct wal_submit *submit);
