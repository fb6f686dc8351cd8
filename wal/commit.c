/*
 * commit: the committer's thread. Takes the waiting appends, up to a group, writes them in one
 * transaction, and completes them when that is durable. It never waits for more: appends that
 * arrive during a commit are the next group.
 *
 * A commit that failed is never repeated on the same file: after a failed sync the kernel may have
 * forgotten what was not written. The group is refused, the file is closed (what was acknowledged
 * before is safe in it), and the next append begins another one at the same sequence.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "amount.h"
#include "head.h"
#include "internal.h"
#include "util/time/clock.h"

struct group {
    struct wal_append *first; /* linked by next */
    size_t count;
    uint64_t cost;
    bool has_checkpoints, has_tenants;
    struct wal_tenant_table *tenants; /* of the segment, with this group */
    struct wal_times times;
};

/* The result of a group. */
struct outcome {
    enum wal_status status;
    int error; /* errno */
    uint64_t began_ns, synced_ns, ended_ns;
};

static void take_waiting(struct wal *wal)
{
    struct wal_append *taken = wal_submit_take(&wal->submit);

    if (taken == NULL) {
        return;
    }
    if (wal->waiting == NULL) {
        wal->waiting = taken;
    } else {
        wal->waiting_last->next = taken;
    }
    wal->waiting_last = taken;
    while (wal->waiting_last->next != NULL) {
        wal->waiting_last = wal->waiting_last->next;
    }
}

static struct group cut_group(struct wal *wal)
{
    struct group group = {.first = wal->waiting, .times = WAL_TIMES_NONE};
    struct wal_append *last = NULL;
    size_t bytes = 0;

    for (struct wal_append *a = wal->waiting; a != NULL; a = a->next) {
        bytes += a->body.size + a->meta.size;
        if (group.count > 0 &&
            (group.count == wal->options.group_records || bytes > wal->options.group_bytes)) {
            break;
        }
        group.count++;
        group.cost += a->admitted_bytes;
        group.has_checkpoints |= a->checkpoint_count != 0;
        group.has_tenants |= a->tenant != 0;
        wal_times_add(&group.times, a->time_ns);
        last = a;
    }
    wal->waiting = last->next;
    last->next = NULL;
    return group;
}

static enum wal_status stage_checkpoints(struct wal *wal, const struct group *group)
{
    enum wal_status status = WAL_OK;

    if (!group->has_checkpoints) {
        return WAL_OK;
    }
    pthread_mutex_lock(&wal->lock);
    for (struct wal_append *a = group->first; a != NULL; a = a->next) {
        for (size_t i = 0; i < a->checkpoint_count && status == WAL_OK; i++) {
            status = wal_checkpoints_stage(&wal->checkpoints, &a->checkpoints[i]);
        }
    }
    pthread_mutex_unlock(&wal->lock);
    return status == WAL_TOO_LARGE ? WAL_NOMEM
                                   : status; /* one too many names: not this group's fault */
}

static void settle_checkpoints(struct wal *wal, const struct group *group, bool committed)
{
    if (group->has_checkpoints) {
        pthread_mutex_lock(&wal->lock);
        wal_checkpoints_settle(&wal->checkpoints, committed);
        pthread_mutex_unlock(&wal->lock);
    }
}

/* The table is the committer's to change, so it may be read without the lock. */
static int write_checkpoints(struct wal *wal, struct wal_writing *writing, bool all)
{
    const struct wal_checkpoints *table = &wal->checkpoints;
    uint8_t row[WAL_CHECKPOINT_ROW_MAX];

    if (!all) {
        for (uint32_t slot = table->staged; slot != 0;
             slot = table->entries[slot - 1].next_staged) {
            int error = wal_writing_put(writing, slot, row, wal_checkpoints_row(table, slot, row));
            if (error != 0) {
                return error;
            }
        }
        return 0;
    }
    for (uint32_t slot = 1; slot <= table->count; slot++) {
        size_t size = wal_checkpoints_row(table, slot, row);
        int error = size == 0 ? 0 : wal_writing_put(writing, slot, row, size);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static int write_records(struct wal *wal, struct wal_writing *writing, const struct group *group)
{
    uint64_t sequence = wal->next_sequence;
    struct wal_amount before = wal->total;

    for (struct wal_append *a = group->first; a != NULL; a = a->next) {
        struct wal_record_head head = {
            .kind = a->kind,
            .coding = a->coding,
            .flags = a->flags,
            .items = a->items,
            .raw_bytes = a->raw_bytes,
            .time_ns = a->time_ns,
            .sequence = sequence,
            .before = before,
        };
        void *room = NULL;
        int error = wal_writing_append(writing, sequence + WAL_KEY_RECORDS,
                                       WAL_RECORD_HEAD_BYTES + a->meta.size + a->body.size, &room);
        if (error != 0) {
            return error;
        }
        wal_record_write(room, &head, a->meta, a->body);
        a->sequence = sequence++;
        before = wal_amount_add(before, (struct wal_amount){1, a->items, a->raw_bytes});
    }
    return 0;
}

/* The table that the segment has after this group; that of a segment is the committer's to change,
 * so it may be read without the lock. False: no memory. */
static bool make_tenants(struct group *group, const struct wal_segment *segment)
{
    if (!group->has_tenants) {
        return true;
    }
    if (group->tenants == NULL) {
        group->tenants = malloc(sizeof(*group->tenants));
    }
    if (group->tenants == NULL) {
        return false;
    }
    if (segment->tenants != NULL) {
        *group->tenants = *segment->tenants;
    } else {
        group->tenants->count = 0;
    }
    for (const struct wal_append *a = group->first; a != NULL; a = a->next) {
        if (a->tenant != 0) {
            wal_tenant_table_add(group->tenants, a->tenant, a->admitted_bytes);
        }
    }
    return true;
}

/* After the commit. Lock held. */
static void set_tenants(struct wal_segment *segment, struct group *group)
{
    if (group->has_tenants) {
        struct wal_tenant_table *before = segment->tenants;
        segment->tenants = group->tenants;
        group->tenants = before;
    }
}

/* After the commit, before its records are seen. Lock held. */
static void set_times(struct wal_segment *segment, const struct group *group)
{
    if (group->count != 0) {
        wal_times_add(&segment->times, group->times.least_ns);
        wal_times_add(&segment->times, group->times.most_ns);
    }
}

/* The times of the segment that the one beginning at the next sequence comes behind. False: there
 * is none, or they are not known. */
static bool make_times_row(struct wal *wal, struct wal_times_row *ret_row)
{
    pthread_mutex_lock(&wal->lock);
    size_t i = wal->segment_count;
    if (i != 0 && wal->segments[i - 1]->first == wal->next_sequence) {
        i--; /* one without a record, which will be replaced */
    }
    const struct wal_segment *before = i != 0 ? wal->segments[i - 1] : NULL;
    bool is_known = before != NULL && before->has_times;
    if (is_known) {
        wal_times_row_write(ret_row, before->first, wal->next_sequence, &before->times);
    }
    pthread_mutex_unlock(&wal->lock);
    return is_known;
}

static int write_times(struct wal *wal, struct wal_writing *writing)
{
    struct wal_times_row row;

    return make_times_row(wal, &row) ? wal_writing_put(writing, WAL_KEY_TIMES, &row, sizeof(row))
                                     : 0;
}

static int write_tenants(struct wal_writing *writing, const struct group *group)
{
    uint8_t row[WAL_TENANT_ROW_MAX];
    size_t size = wal_tenant_row_write(group->tenants, row);

    return wal_writing_put(writing, WAL_KEY_TENANTS, row, size);
}

static int write_rows(struct wal *wal, struct wal_writing *writing, const struct group *group,
                      bool has_live)
{
    int error = 0;

    if (has_live) {
        struct wal_segment_head head;
        struct wal_place start = {wal->next_sequence, wal->total};
        wal_segment_head_write(&head, start, hf_clock_unix_ns());
        error = wal_writing_put(writing, 0, &head, sizeof(head));
    }
    if (error == 0 && (has_live || group->has_checkpoints)) {
        error = write_checkpoints(wal, writing, has_live);
    }
    if (error == 0 && has_live) {
        error = write_times(wal, writing);
    }
    if (error == 0 && group->has_tenants) {
        error = write_tenants(writing, group);
    }
    if (error == 0 && has_live) {
        struct wal_origin_row origin;
        wal_origin_row_write(&origin, wal->origin);
        error = wal_writing_put(writing, WAL_KEY_ORIGIN, &origin, sizeof(origin));
    }
    return error != 0 ? error : write_records(wal, writing, group);
}

/* One transaction. False with `*ret_is_spent`: the file must not be written again. */
static int write_group(struct wal *wal, struct wal_segment *segment, struct group *group,
                       bool has_live, struct outcome *outcome, bool *ret_is_spent)
{
    struct wal_writing writing;

    *ret_is_spent = false;
    int error = make_tenants(group, segment) ? wal_writing_begin(segment, &writing) : ENOMEM;
    if (error == 0) {
        error = write_rows(wal, &writing, group, has_live);
        if (error != 0) {
            wal_writing_abort(&writing);
        }
    }
    if (error != 0) {
        *ret_is_spent = error != ENOMEM;
        return error;
    }
    outcome->synced_ns = hf_clock_monotonic_ns();
    error = wal_writing_commit(&writing);
    outcome->ended_ns = hf_clock_monotonic_ns();
    *ret_is_spent = error != 0;
    return error;
}

static void fail(struct outcome *outcome, int error)
{
    outcome->error = wal_errno_of(error);
    outcome->status = wal_fs_status(outcome->error);
    if (outcome->status != WAL_NO_SPACE && outcome->status != WAL_NOMEM) {
        outcome->status = WAL_IO;
    }
}

static void commit_to_new_segment(struct wal *wal, struct group *group, struct outcome *outcome)
{
    struct wal_segment *segment = NULL;
    bool is_spent = false;
    uint64_t bytes = 0;
    int error = 0;

    if (wal_rotate_create(wal, &segment, &error) != WAL_OK) {
        fail(outcome, error);
        return;
    }
    error = write_group(wal, segment, group, true, outcome, &is_spent);
    if (error == 0 && wal_segment_measure(segment, &bytes) != WAL_OK) {
        error = EIO;
    }
    segment->bytes = bytes;
    if (error != 0 || wal_rotate_install(wal, segment, &error) != WAL_OK) {
        fail(outcome, error);
        wal_rotate_discard(wal, segment);
        return;
    }
    pthread_mutex_lock(&wal->lock);
    wal->space.used += bytes;
    set_tenants(segment, group);
    set_times(segment, group);
    pthread_mutex_unlock(&wal->lock);
    outcome->status = WAL_OK;
}

/* Into the tail. False: it has no room, nothing was written. */
static bool commit_tail(struct wal *wal, struct group *group, struct outcome *outcome)
{
    struct wal_segment *tail = wal->tail_segment;
    bool is_spent = false;
    uint64_t bytes = tail->bytes;

    int error = write_group(wal, tail, group, false, outcome, &is_spent);
    if (wal_is_map_full(error)) {
        return false;
    }
    if (error == 0 && wal_segment_measure(tail, &bytes) != WAL_OK) {
        error = EIO;
        is_spent = true;
    }
    if (error == 0 && !wal_segment_has_name(tail)) {
        error = ENOENT;
        is_spent = true;
    }
    if (error != 0) {
        fail(outcome, error);
        if (is_spent) {
            wal_rotate_close_tail(wal);
        }
        return true;
    }
    pthread_mutex_lock(&wal->lock);
    wal->space.used += bytes - tail->bytes;
    tail->bytes = bytes;
    if (tail->file_bytes < bytes) {
        tail->file_bytes = bytes;
    }
    set_tenants(tail, group);
    set_times(tail, group);
    pthread_mutex_unlock(&wal->lock);
    outcome->status = WAL_OK;
    return true;
}

static bool fits_tail(struct wal *wal, const struct group *group)
{
    const struct wal_segment *tail = wal->tail_segment;

    pthread_mutex_lock(&wal->lock);
    uint64_t segment_bytes = wal->segment_bytes;
    pthread_mutex_unlock(&wal->lock);
    return tail != NULL &&
           (tail->first == wal->next_sequence || tail->bytes + group->cost <= segment_bytes);
}

static struct outcome commit_group(struct wal *wal, struct group *group, bool has_live)
{
    struct outcome outcome = {.began_ns = hf_clock_monotonic_ns()};

    outcome.status = stage_checkpoints(wal, group);
    if (outcome.status != WAL_OK) {
        outcome.error = ENOMEM;
    } else if (has_live || !fits_tail(wal, group) || !commit_tail(wal, group, &outcome)) {
        commit_to_new_segment(wal, group, &outcome);
    }
    settle_checkpoints(wal, group, outcome.status == WAL_OK);
    free(group->tenants);
    return outcome;
}

static void note_outcome(struct wal *wal, const struct outcome *outcome)
{
    bool is_ok = outcome->status == WAL_OK;

    pthread_mutex_lock(&wal->lock);
    if (outcome->status != WAL_NOMEM) {
        wal->space.failed = outcome->status;
    }
    if (is_ok) {
        wal_retry_reset(&wal->janitor.probe);
    } else {
        wal->stat.last_error = outcome->error;
        wal_janitor_call(wal); /* frees spare files, and retries when there is no append */
    }
    pthread_mutex_unlock(&wal->lock);
    if (is_ok == wal->is_failing) {
        wal->is_failing = !is_ok;
        wal_notify(
            wal, &(struct wal_event){.kind = is_ok ? WAL_EVENT_WRITE_BACK : WAL_EVENT_WRITE_FAILED,
                                     .error = outcome->error});
    }
}

static void run_group(struct wal *wal)
{
    struct group group = cut_group(wal);

    wal_make_room(wal, group.cost);
    struct outcome outcome = commit_group(wal, &group, false);
    note_outcome(wal, &outcome);
    if (outcome.status != WAL_OK) {
        wal_refuse(wal, group.first, outcome.status);
        return;
    }
    uint64_t sync_ns = wal->options.no_fsync ? 0 : outcome.ended_ns - outcome.synced_ns;
    wal_publish(wal, group.first,
                &(struct wal_commit_times){.whole_ns = hf_clock_monotonic_ns() - outcome.began_ns,
                                           .sync_ns = sync_ns});
    wal_make_room(wal, 0);
}

/* Begins an empty tail segment, so that the segments before it can be reclaimed; or a try whether
 * writing works again. */
static void run_rotation(struct wal *wal)
{
    struct group none = {0};

    struct outcome outcome = commit_group(wal, &none, true);
    note_outcome(wal, &outcome);
    pthread_mutex_lock(&wal->lock);
    wal_release_drained(wal);
    pthread_mutex_unlock(&wal->lock);
}

void *wal_committer_run(void *user)
{
    struct wal *wal = user;

    for (;;) {
        take_waiting(wal);
        pthread_mutex_lock(&wal->lock);
        bool is_rotate_asked = wal->is_rotate_asked;
        bool is_closing = wal->is_closing;
        wal->is_rotate_asked = false;
        pthread_mutex_unlock(&wal->lock);
        if (is_rotate_asked && !is_closing) {
            run_rotation(wal);
        }
        if (wal->waiting != NULL) {
            run_group(wal);
            continue;
        }
        wal_wake_consumers(wal);
        if (is_closing) {
            break; /* nothing is admitted any more, so nothing more comes */
        }
        wal_submit_wait(&wal->submit);
    }
    wal_rotate_close_tail(wal);
    return NULL;
}
