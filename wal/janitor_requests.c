/*
 * janitor_requests: what other threads ask of the janitor: to run, to write a cursor, to write all
 * cursors now. The janitor itself is in janitor.c. Lock held.
 */
#include "internal.h"
#include "util/time/clock.h"

void wal_janitor_call(struct wal *wal)
{
    wal->janitor.is_called = true;
    pthread_cond_signal(&wal->janitor.wake);
}

void wal_mark_dirty(struct wal *wal, struct wal_consumer *consumer)
{
    struct wal_janitor *janitor = &wal->janitor;

    consumer->is_dirty = true;
    if (!janitor->is_dirty) {
        janitor->is_dirty = true;
        janitor->dirty_ns = hf_clock_monotonic_ns();
        wal_janitor_call(wal);
    }
}

enum wal_status wal_janitor_flush(struct wal *wal, bool sync)
{
    struct wal_janitor *janitor = &wal->janitor;
    uint64_t ticket = ++janitor->asked;

    janitor->is_sync_asked |= sync;
    wal_janitor_call(wal);
    while (janitor->done_upto < ticket && janitor->is_running) {
        pthread_cond_wait(&janitor->done, &wal->lock);
    }
    return janitor->status;
}
