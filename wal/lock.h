/*
 * lock: one process a data directory. The second waits and takes over as soon as the first is gone,
 * however it went.
 */
#pragma once

#include <sys/types.h>

#include "wal.h"

struct wal_lock;

/* Opens DIR/lock (DIR is made, 0700). Says WAL_NO_RIGHT, WAL_REMOTE, WAL_IO. Does not lock yet. */
WAL_MUST_USE enum wal_status wal_lock_open(const char *directory, struct wal_lock **ret_lock);
/* Tries once: WAL_OK, or WAL_CLOSED when another process holds it, whose id is in `ret_holder` (0:
 * not known). */
WAL_MUST_USE enum wal_status wal_lock_try(struct wal_lock *lock, pid_t *ret_holder);
/* Blocks until it is ours; WAL_CLOSED when a signal handler interrupted it (EINTR). */
WAL_MUST_USE enum wal_status wal_lock_wait(struct wal_lock *lock);
/* Unlocks and frees; NULL is nothing. */
void wal_lock_free(struct wal_lock *lock);
