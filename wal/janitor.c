/*
 * janitor: the thread that writes cursors and reclaims the files of drained segments, so that
 * neither a consumer nor the committer waits for a disk. It sleeps while there is nothing to do.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "internal.h"
#include "util/time/clock.h"

#define WRITE_NS (200 * HF_NS_PER_MS)
#define IDLE_NS (2 * HF_NS_PER_S)
/* An empty queue whose last file is not larger than this is left as it is. */
#define SMALL_BYTES (UINT64_C(512) << 10)

/* What is written now: rows copied under the lock, so that the writing needs none. */
struct snapshot {
    struct wal_store_row *rows;
    size_t count;
    uint64_t ticket;
};

static enum wal_status add_rows(struct wal *wal, struct snapshot *snapshot, bool all)
{
    const struct wal_store_end end = {.place = {wal->next_sequence, wal->total},
                                      .are_cursors_lost = wal->are_cursors_lost};

    enum wal_status status = wal_store_row_of_end(&snapshot->rows[0], &end);
    if (status != WAL_OK) {
        return status;
    }
    snapshot->count = 1;
    for (struct wal_consumer *c = wal->removed; c != NULL; c = c->next) {
        wal_store_row_of_removal(&snapshot->rows[snapshot->count++], c->name);
    }
    for (struct wal_consumer *c = wal->consumers; c != NULL; c = c->next) {
        if (!all && !c->is_dirty) {
            continue;
        }
        status = wal_store_row_of(&snapshot->rows[snapshot->count], c->name, &c->cursor);
        if (status != WAL_OK) {
            return status;
        }
        snapshot->count++;
        c->is_dirty = false;
    }
    return WAL_OK;
}

static enum wal_status take_snapshot(struct wal *wal, struct snapshot *snapshot, bool all)
{
    size_t most = 1;

    for (struct wal_consumer *c = wal->consumers; c != NULL; c = c->next) {
        most++;
    }
    for (struct wal_consumer *c = wal->removed; c != NULL; c = c->next) {
        most++;
    }
    snapshot->rows = calloc(most, sizeof(*snapshot->rows));
    snapshot->ticket = wal->janitor.asked;
    return snapshot->rows == NULL ? WAL_NOMEM : add_rows(wal, snapshot, all);
}

static void release_snapshot(struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->count; i++) {
        wal_store_row_release(&snapshot->rows[i]);
    }
    free(snapshot->rows);
}

static void free_removed(struct wal *wal, struct wal_consumer *upto)
{
    while (wal->removed != NULL && wal->removed != upto) {
        struct wal_consumer *next = wal->removed->next;
        wal_consumer_free(wal->removed);
        wal->removed = next;
    }
}

/* Lock held. */
static void note_written(struct wal *wal, const struct snapshot *snapshot, enum wal_status status)
{
    struct wal_janitor *janitor = &wal->janitor;

    janitor->status = status;
    janitor->error = status == WAL_NOMEM ? ENOMEM : janitor->store.last_error;
    janitor->done_upto = snapshot->ticket;
    if (status == WAL_OK) {
        wal_retry_reset(&janitor->retry);
    } else {
        wal_retry_fail(&janitor->retry, hf_clock_monotonic_ns());
        for (struct wal_consumer *c = wal->consumers; c != NULL; c = c->next) {
            c->is_dirty = true; /* which of them does not matter: all are written again */
        }
    }
    pthread_cond_broadcast(&janitor->done);
}

/* Reports once when writing begins to fail, once when that also stops the intake, and once when it
 * works again. */
static void notify_written(struct wal *wal, enum wal_status status)
{
    struct wal_janitor *janitor = &wal->janitor;

    pthread_mutex_lock(&wal->lock);
    bool is_failing = status != WAL_OK;
    bool is_refusing = is_failing && wal->is_row_pending;
    int error = janitor->error;
    bool is_news = is_failing != janitor->is_failing || (is_refusing && !janitor->is_refusing);
    janitor->is_failing = is_failing;
    janitor->is_refusing = is_refusing;
    pthread_mutex_unlock(&wal->lock);
    if (is_news) {
        wal_notify(wal, &(struct wal_event){.kind = is_failing ? WAL_EVENT_CURSORS_FAILED
                                                               : WAL_EVENT_CURSORS_BACK,
                                            .error = error,
                                            .is_refusing = is_refusing});
    }
}

static enum wal_status write_cursors(struct wal *wal, bool sync)
{
    struct wal_janitor *janitor = &wal->janitor;
    struct snapshot snapshot = {0};

    pthread_mutex_lock(&wal->lock);
    bool is_wake_pending = wal->is_row_pending;
    janitor->is_dirty = false;
    janitor->is_sync_asked = false;
    enum wal_status status = take_snapshot(wal, &snapshot, wal_store_wants_all(&janitor->store));
    struct wal_consumer *removed = wal->removed;
    pthread_mutex_unlock(&wal->lock);

    if (status == WAL_OK) {
        status = wal_store_write(&janitor->store, snapshot.rows, snapshot.count,
                                 sync || is_wake_pending);
    }

    pthread_mutex_lock(&wal->lock);
    note_written(wal, &snapshot, status);
    if (status == WAL_OK) {
        if (wal->removed == removed) {
            free_removed(wal, NULL);
        }
        if (is_wake_pending && wal->janitor.asked == snapshot.ticket) {
            wal->is_row_pending = false;
        }
    }
    pthread_mutex_unlock(&wal->lock);
    release_snapshot(&snapshot);
    notify_written(wal, status);
    return status;
}

/* When the janitor must run without being called; UINT64_MAX: never. Lock held. */
static uint64_t next_deadline(const struct wal *wal)
{
    const struct wal_janitor *janitor = &wal->janitor;
    uint64_t deadline = UINT64_MAX;

    if (janitor->is_dirty) {
        deadline = janitor->dirty_ns + WRITE_NS;
    }
    if (janitor->retry.began_ns != 0 && janitor->retry.due_ns < deadline) {
        deadline = janitor->retry.due_ns;
    }
    if (wal->space.failed != WAL_OK && janitor->probe.due_ns < deadline) {
        deadline = janitor->probe.due_ns;
    }
    if (!janitor->is_idle && wal->appended_ns + IDLE_NS < deadline) {
        deadline = wal->appended_ns + IDLE_NS;
    }
    return deadline;
}

static bool is_write_due(const struct wal *wal, uint64_t now)
{
    const struct wal_janitor *janitor = &wal->janitor;

    return janitor->done_upto < janitor->asked ||
           (janitor->is_dirty && now >= janitor->dirty_ns + WRITE_NS) ||
           (janitor->retry.began_ns != 0 && now >= janitor->retry.due_ns);
}

/* Lock held. Asks the committer to begin a small new file when every stored record is acknowledged.
 */
static void replace_if_drained(struct wal *wal)
{
    if (wal->segment_count == 0 || wal->consumers == NULL ||
        wal_needed_from(wal) < wal->next_sequence) {
        return;
    }
    const struct wal_segment *last = wal->segments[wal->segment_count - 1];
    if (last->bytes > SMALL_BYTES || last->file_bytes > SMALL_BYTES) {
        wal->is_rotate_asked = true;
        wal_submit_call(&wal->submit);
    }
}

static void become_idle(struct wal *wal)
{
    struct wal_drops drops = {.count = 0};
    bool is_released = false;

    wal_drop_spares(wal);
    wal_close_unused(wal, true);
    pthread_mutex_lock(&wal->lock);
    replace_if_drained(wal);
    bool is_read = wal->tail.first == wal->tail.end;
    while (is_read && !is_released) {
        is_released = wal_tail_release(&wal->tail, &drops);
    }
    pthread_mutex_unlock(&wal->lock);
}

/* Lock held. */
static void probe(struct wal *wal, uint64_t now)
{
    struct wal_janitor *janitor = &wal->janitor;

    if (wal->space.failed == WAL_OK) {
        wal_retry_reset(&janitor->probe);
    } else if (now >= janitor->probe.due_ns) {
        wal_retry_fail(&janitor->probe, now);
        wal->is_rotate_asked = true;
        wal_submit_call(&wal->submit);
    }
}

/*
 * Reads what the tenants have in one of the segments that the opening found, the newest first: one
 * without a table was written when there were no shares, and so were those before it. The janitor
 * alone frees segments, so that one is there until the lock is held again. Lock held, released
 * meanwhile.
 */
static void read_tenants(struct wal *wal)
{
    size_t i = wal->segment_count;

    while (i > 0 && !wal->segments[i - 1]->is_tenants_unread) {
        i--;
    }
    if (i == 0) {
        return;
    }
    struct wal_segment *segment = wal->segments[i - 1];
    char name[WAL_FILE_NAME_BYTES];
    memcpy(name, segment->name, sizeof(name));
    segment->is_tenants_unread = false;
    pthread_mutex_unlock(&wal->lock);
    struct wal_tenant_table *table = malloc(sizeof(*table));
    bool is_read = table != NULL && wal_tenant_table_load(wal->directory_fd, name, table);
    pthread_mutex_lock(&wal->lock);
    bool is_there = false;
    for (i = 0; i < wal->segment_count; i++) {
        is_there = is_there || wal->segments[i] == segment;
        wal->segments[i]->is_tenants_unread = wal->segments[i]->is_tenants_unread && is_read;
    }
    for (i = 0; is_there && is_read && i < table->count; i++) {
        /* Without memory these bytes are no one's. */
        (void)!wal_tenants_add(&wal->tenants, table->items[i].tenant, table->items[i].bytes);
    }
    if (is_there && is_read) {
        segment->tenants = table;
        table = NULL;
    }
    wal->janitor.is_called = wal->janitor.is_called || is_read;
    free(table);
}

/* Lock held, released meanwhile. */
static void run_once(struct wal *wal)
{
    struct wal_janitor *janitor = &wal->janitor;
    uint64_t now = hf_clock_monotonic_ns();
    bool has_retired = janitor->retired_count > 0;
    bool is_write = is_write_due(wal, now) || has_retired;
    bool is_sync = janitor->is_sync_asked || has_retired;
    bool is_spare_drop = wal->space.failed == WAL_NO_SPACE || janitor->is_spare_drop_asked;
    bool is_idle = now >= wal->appended_ns + IDLE_NS;
    bool is_newly_idle = is_idle && !janitor->is_idle;

    janitor->is_idle = is_idle;
    janitor->is_spare_drop_asked = false;
    probe(wal, now);
    if (janitor->is_replace_asked) {
        janitor->is_replace_asked = false;
        replace_if_drained(wal);
    }
    pthread_mutex_unlock(&wal->lock);

    enum wal_status status = is_write ? write_cursors(wal, is_sync) : WAL_OK;
    if (is_spare_drop) {
        wal_drop_spares(wal);
    }
    wal_close_unused(wal, false);
    if (has_retired) {
        /* Also when the cursors could not be written: a full disk needs just this, and a cursor
         * that points below the first segment is moved up to it at the next start. */
        wal_reclaim(wal, status == WAL_OK, false);
    }
    if (is_newly_idle) {
        become_idle(wal);
    }
    pthread_mutex_lock(&wal->lock);
    read_tenants(wal);
}

void *wal_janitor_run(void *user)
{
    struct wal *wal = user;
    struct wal_janitor *janitor = &wal->janitor;

    pthread_mutex_lock(&wal->lock);
    while (!janitor->is_stopping) {
        janitor->is_called = false;
        run_once(wal);
        uint64_t deadline = next_deadline(wal);
        if (janitor->is_called || janitor->is_stopping) {
            continue;
        }
        if (deadline == UINT64_MAX) {
            pthread_cond_wait(&janitor->wake, &wal->lock);
            continue;
        }
        struct timespec until = {.tv_sec = (time_t)(deadline / HF_NS_PER_S),
                                 .tv_nsec = (long)(deadline % HF_NS_PER_S)};
        (void)pthread_cond_timedwait(&janitor->wake, &wal->lock, &until);
    }
    wal->are_cursors_lost = false; /* every consumer of this queue was opened by now */
    wal_release_drained(wal);
    pthread_mutex_unlock(&wal->lock);

    enum wal_status status = write_cursors(wal, true);
    wal_close_unused(wal, true);
    wal_reclaim(wal, status == WAL_OK, true);
    wal_drop_spares(wal);
    wal_store_close(&janitor->store);
    pthread_mutex_lock(&wal->lock);
    janitor->is_running = false;
    pthread_cond_broadcast(&janitor->done);
    pthread_mutex_unlock(&wal->lock);
    return NULL;
}
