/*
 * publish: after a commit, puts its records into the ring in memory, completes the appends, and
 * wakes the consumers. The committer's thread.
 */
#include <assert.h>
#include <string.h>

#include "amount.h"
#include "internal.h"
#include "util/time/clock.h"

#define HISTOGRAM_FIRST_NS UINT64_C(16000)

static void count_commit(struct wal *wal, size_t records, const struct wal_commit_times *times)
{
    struct wal_stat *stat = &wal->stat;
    size_t bucket = 0, group = 0;

    while (bucket < WAL_HISTOGRAM_BUCKETS - 1 && times->whole_ns > HISTOGRAM_FIRST_NS << bucket) {
        bucket++;
    }
    while (group < WAL_GROUP_BUCKETS - 1 && records > (size_t)1 << group) {
        group++;
    }
    stat->commits++;
    stat->commit_ns_total += times->whole_ns;
    stat->fsync_ns_total += times->sync_ns;
    stat->commit_histogram[bucket]++;
    stat->group_total += records;
    stat->group_histogram[group]++;
}

static void count_rate(struct wal *wal, uint64_t bytes)
{
    uint64_t second = hf_clock_coarse_ns() / HF_NS_PER_S;

    if (second - wal->rate_second >= WAL_RATE_SECONDS) {
        wal->rate_second = second - WAL_RATE_SECONDS;
    }
    while (wal->rate_second < second) {
        wal->rate_second++;
        wal->rate_bytes[wal->rate_second % WAL_RATE_SECONDS] = 0;
    }
    wal->rate_bytes[second % WAL_RATE_SECONDS] += bytes;
    if (wal->rate_began == 0) {
        wal->rate_began = second;
    }
}

/* A tenant that the segment's table had no room for counts with the rest. */
static void count_tenant(struct wal *wal, const struct wal_append *a)
{
    const struct wal_tenant_table *table = wal->segments[wal->segment_count - 1]->tenants;

    if (a->tenant != 0 && wal_tenant_of(table, a->tenant) == WAL_TENANT_REST) {
        wal_tenants_remove(&wal->tenants, a->tenant, a->admitted_bytes);
        /* Without memory these bytes are no one's. */
        (void)!wal_tenants_add(&wal->tenants, WAL_TENANT_REST, a->admitted_bytes);
    }
}

static void publish_one(struct wal *wal, const struct wal_append *a, struct wal_drops *drops)
{
    struct wal_record record = {
        .sequence = a->sequence,
        .kind = a->kind,
        .coding = a->coding,
        .flags = a->flags,
        .items = a->items,
        .raw_bytes = a->raw_bytes,
        .time_ns = a->time_ns,
        .meta = a->meta,
        .body = a->body,
        .owner = a->owner,
    };
    struct wal_amount amount = {1, a->items, a->raw_bytes};

    assert(a->sequence == wal->next_sequence);
    memcpy(record.origin, wal->origin, sizeof(record.origin));
    wal_tail_push(&wal->tail, &record, wal->total, drops);
    wal->total = wal_amount_add(wal->total, amount);
    wal->next_sequence++;
    wal->space.outstanding_bytes -= a->admitted_bytes;
    wal->space.outstanding = wal_amount_less(wal->space.outstanding, amount);
    count_tenant(wal, a);
}

/* One that stands far behind reads from the files until it has caught up. */
bool wal_follows(const struct wal *wal, const struct wal_read_position *read_pos)
{
    return read_pos->look >= wal->tail.first ||
           wal->total.bytes - read_pos->position.total.bytes <= wal->tail.bytes_max;
}

/* Lock held. */
static uint64_t needed_by(const struct wal *wal, const struct wal_consumer *consumer)
{
    if (!consumer->is_open) {
        return UINT64_MAX;
    }
    if (wal_follows(wal, &consumer->backlog)) {
        return consumer->backlog.look;
    }
    return consumer->has_live && wal_follows(wal, &consumer->live) ? consumer->live.look
                                                                   : UINT64_MAX;
}

bool wal_trim_tail(struct wal *wal, struct wal_drops *drops)
{
    uint64_t needed = UINT64_MAX;

    if (wal_tail_trim(&wal->tail, 0, drops)) { /* the bound first: it says who follows */
        return true;
    }
    for (const struct wal_consumer *c = wal->consumers; c != NULL; c = c->next) {
        uint64_t wanted = needed_by(wal, c);
        needed = wanted < needed ? wanted : needed;
    }
    return wal_tail_trim(&wal->tail, needed, drops);
}

/* Trims the ring, and drops what left it without the lock. Lock held, released meanwhile. */
static void trim(struct wal *wal, struct wal_drops *drops)
{
    bool has_more = true;

    while (has_more) {
        has_more = wal_trim_tail(wal, drops);
        pthread_mutex_unlock(&wal->lock);
        wal_drops_flush(drops);
        pthread_mutex_lock(&wal->lock);
    }
}

void wal_publish(struct wal *wal, struct wal_append *group, const struct wal_commit_times *times)
{
    struct wal_drops drops = {.count = 0};
    size_t records = 0;
    uint64_t bytes = 0;

    pthread_mutex_lock(&wal->lock);
    for (struct wal_append *a = group; a != NULL; a = a->next) {
        if (drops.count == WAL_TAIL_DROPS) {
            trim(wal, &drops);
        }
        bytes += a->admitted_bytes;
        publish_one(wal, a, &drops);
        records++;
    }
    count_commit(wal, records, times);
    count_rate(wal, bytes);
    wal->appended_ns = hf_clock_coarse_ns();
    if (wal->janitor.is_idle) {
        wal->janitor.is_idle = false;
        wal_janitor_call(wal);
    }
    trim(wal, &drops);
    pthread_mutex_unlock(&wal->lock);

    while (group != NULL) {
        struct wal_append *next = group->next; /* `done` may free it */
        group->done(group, WAL_OK);
        group = next;
    }
    wal_wake_consumers(wal);
}

void wal_refuse(struct wal *wal, struct wal_append *group, enum wal_status status)
{
    pthread_mutex_lock(&wal->lock);
    for (struct wal_append *a = group; a != NULL; a = a->next) {
        struct wal_amount amount = {1, a->items, a->raw_bytes};
        wal->space.outstanding_bytes -= a->admitted_bytes;
        wal->space.outstanding = wal_amount_less(wal->space.outstanding, amount);
        wal_tenants_remove(&wal->tenants, a->tenant, a->admitted_bytes);
        *(status == WAL_NO_SPACE ? &wal->stat.refused_space : &wal->stat.refused_io) += 1;
    }
    pthread_mutex_unlock(&wal->lock);
    while (group != NULL) {
        struct wal_append *next = group->next;
        group->done(group, status);
        group = next;
    }
}

static struct wal_consumer *next_to_wake(struct wal *wal)
{
    for (struct wal_consumer *c = wal->consumers; c != NULL; c = c->next) {
        if (c->is_open &&
            ((c->is_armed && c->backlog.look < wal->next_sequence) || c->is_wake_pending)) {
            c->is_armed = false;
            c->is_wake_pending = false;
            return c;
        }
    }
    return NULL;
}

void wal_wake_consumers(struct wal *wal)
{
    pthread_mutex_lock(&wal->lock);
    struct wal_consumer *consumer = next_to_wake(wal);
    while (consumer != NULL) {
        void (*wake)(void *user) = consumer->options.wake;
        void *user = consumer->options.user;
        if (wake != NULL) {
            consumer->is_waking = true; /* wal_consumer_close() waits for it */
            pthread_mutex_unlock(&wal->lock);
            wake(user);
            pthread_mutex_lock(&wal->lock);
            consumer->is_waking = false;
            pthread_cond_broadcast(&wal->janitor.done);
        }
        consumer = next_to_wake(wal);
    }
    pthread_mutex_unlock(&wal->lock);
}
