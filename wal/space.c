/*
 * space: decides whether an append is admitted: limits of the queue and of its consumers, free
 * space of the file system. Retires drained segments.
 */
#include <assert.h>
#include <limits.h>

#include "amount.h"
#include "internal.h"
#include "util/time/clock.h"

#define FLOOR_PERCENT 5u
#define FLOOR_MAX (UINT64_C(1) << 30)
/* Free space is read once per second, and when this part of the remaining space has been admitted:
 * others fill it too. */
#define CHECK_NS HF_NS_PER_S
#define CHECK_PART 8u
/* After a failed commit one append is let through that often to see whether it works again. */
#define TRY_NS (100 * HF_NS_PER_MS)
/* What a segment with one record needs besides the record. */
#define SEGMENT_FIXED_BYTES (UINT64_C(64) << 10)
/* A queue that has no room for a record of this size counts as full. */
#define USUAL_BYTES (UINT64_C(64) << 10)

/* A full queue of one or two segments would wait long for the first to be drained. */
#define SEGMENTS_OF_FULL 8u

void wal_space_limit(struct wal *wal, const struct wal_limits *limits)
{
    uint64_t part = limits->max_bytes / SEGMENTS_OF_FULL;

    wal->limits = *limits;
    wal->segment_bytes = wal->options.segment_bytes;
    if (limits->max_bytes != 0 && wal->segment_bytes > part) {
        wal->segment_bytes = part > WAL_SEGMENT_BYTES_MIN ? part : WAL_SEGMENT_BYTES_MIN;
    }
}

void wal_set_limits(struct wal *wal, const struct wal_limits *limits)
{
    assert(limits != NULL);
    pthread_mutex_lock(&wal->lock);
    bool is_smaller = limits->max_bytes != 0 &&
                      (wal->limits.max_bytes == 0 || limits->max_bytes < wal->limits.max_bytes);
    wal_space_limit(wal, limits);
    if (is_smaller) {
        wal->janitor.is_spare_drop_asked = true;
        wal_janitor_call(wal);
    }
    pthread_mutex_unlock(&wal->lock);
}

static bool is_check_due(const struct wal_space *space, uint64_t now)
{
    return space->checked_ns == 0 || now - space->checked_ns >= CHECK_NS ||
           (space->available >= space->floor && space->unchecked_bytes > 0 &&
            space->unchecked_bytes >= (space->available - space->floor) / CHECK_PART);
}

bool wal_space_is_low(struct wal *wal)
{
    struct wal_space *space = &wal->space;
    uint64_t now = hf_clock_coarse_ns();

    if (is_check_due(space, now)) {
        space->checked_ns = now;
        space->unchecked_bytes = 0;
        if (wal_fs_space(wal->directory_fd, &space->available, &space->size) != WAL_OK) {
            return false;
        }
        space->floor = wal->options.free_floor_bytes;
        if (space->floor == 0) {
            space->floor = space->size / 100 * FLOOR_PERCENT;
            space->floor = space->floor < FLOOR_MAX ? space->floor : FLOOR_MAX;
        }
    }
    return space->available < space->floor ||
           space->available - space->floor < space->outstanding_bytes;
}

uint64_t wal_needed_from(const struct wal *wal)
{
    uint64_t needed = UINT64_MAX;

    for (const struct wal_consumer *c = wal->consumers; c != NULL; c = c->next) {
        needed = c->cursor.low < needed ? c->cursor.low : needed;
    }
    return needed;
}

void wal_retire(struct wal *wal, struct wal_segment *segment)
{
    assert(wal->janitor.retired_count < wal->janitor.retired_room);
    for (uint32_t i = 0; segment->tenants != NULL && i < segment->tenants->count; i++) {
        const struct wal_tenant_bytes *item = &segment->tenants->items[i];
        wal_tenants_remove(&wal->tenants, item->tenant, item->bytes);
    }
    wal->space.used -= segment->bytes;
    wal->space.retired += segment->bytes;
    wal->janitor.retired[wal->janitor.retired_count++] = segment;
}

void wal_release_drained(struct wal *wal)
{
    uint64_t needed = wal_needed_from(wal);
    size_t count = 0;

    if (wal->consumers == NULL || wal->options.read_only) {
        return;
    }
    /* The last one stays even when it is drained: it holds the checkpoints and the totals that the
     * next record begins from.
     */
    while (count + 1 < wal->segment_count && wal->segments[count]->end <= needed &&
           wal->janitor.retired_count < wal->janitor.retired_room) {
        wal_retire(wal, wal->segments[count]);
        count++;
    }
    if (count > 0) {
        wal->segment_count -= count;
        for (size_t i = 0; i < wal->segment_count; i++) {
            wal->segments[i] = wal->segments[i + count];
        }
        wal_janitor_call(wal);
    }
}

/* Whether eviction, as far as the options allow it, would free a segment. */
static bool can_make_room(const struct wal *wal)
{
    if (wal->limits.drop_oldest) {
        return true;
    }
    if (wal->segment_count < 2 || wal->consumers == NULL) {
        return false;
    }
    for (const struct wal_consumer *c = wal->consumers; c != NULL; c = c->next) {
        if (c->is_open && c->cursor.low < wal->segments[0]->end) {
            return false;
        }
    }
    return true;
}

static bool is_over(uint64_t limit, uint64_t queued, uint64_t outstanding, uint64_t more)
{
    /* One record always fits into an empty queue. */
    return limit != 0 && queued + outstanding > 0 && queued + outstanding + more > limit;
}

static bool is_consumer_full(const struct wal *wal, const struct wal_consumer *consumer,
                             struct wal_amount more)
{
    const struct wal_consumer_options *options = &consumer->options;
    const struct wal_amount *outstanding = &wal->space.outstanding;

    if (!consumer->is_open ||
        (options->limit_records | options->limit_items | options->limit_bytes) == 0) {
        return false;
    }
    struct wal_amount queued = wal_amount_less(
        wal_amount_less(wal->total, consumer->cursor.low_total), consumer->cursor.range_sum);
    return is_over(options->limit_records, queued.records, outstanding->records, more.records) ||
           is_over(options->limit_items, queued.items, outstanding->items, more.items) ||
           is_over(options->limit_bytes, queued.bytes, outstanding->bytes, more.bytes);
}

static bool is_full(struct wal *wal, uint64_t bytes, struct wal_amount more)
{
    const struct wal_space *space = &wal->space;
    uint64_t max = wal->limits.max_bytes;

    if (max != 0 && space->used + space->outstanding_bytes + bytes > max) {
        /* Eviction makes room at the commit; appends that wait for the commit are limited all the
         * same. */
        if (!can_make_room(wal) || space->outstanding_bytes + bytes > max) {
            if (wal_needed_from(wal) >= wal->next_sequence && space->outstanding_bytes == 0 &&
                wal->consumers != NULL) {
                /* Nothing in it is needed any more but the tail is still that one file. */
                wal->janitor.is_replace_asked = true;
                wal_janitor_call(wal);
            }
            return true;
        }
    }
    if (wal->limits.drop_oldest) {
        return false;
    }
    for (const struct wal_consumer *c = wal->consumers; c != NULL; c = c->next) {
        if (is_consumer_full(wal, c, more)) {
            return true;
        }
    }
    return false;
}

bool wal_space_is_full(struct wal *wal)
{
    return is_full(wal, USUAL_BYTES, (struct wal_amount){1, 1, 1});
}

/* The table of the segment that is written, or of the last one. Lock held. */
static const struct wal_tenant_table *tenants_of_tail(const struct wal *wal)
{
    return wal->segment_count != 0 ? wal->segments[wal->segment_count - 1]->tenants : NULL;
}

/* Whether a tenant has its share. Something of it always fits, as in an empty queue. Lock held. */
static bool is_over_share(const struct wal *wal, const struct wal_append *append)
{
    uint64_t limit = wal->limits.max_bytes / 1000 * append->tenant_share;
    if (append->tenant == 0 || limit == 0) {
        return false;
    }
    uint64_t tenant = wal_tenant_of(tenants_of_tail(wal), append->tenant);
    uint64_t bytes = wal_tenants_bytes(&wal->tenants, tenant);
    return bytes != 0 && bytes + append->admitted_bytes > limit;
}

/* Lock held. */
static enum wal_status decide(struct wal *wal, uint64_t bytes, struct wal_amount more)
{
    struct wal_space *space = &wal->space;

    if (wal->is_closing || wal->options.read_only) {
        return WAL_CLOSED;
    }
    if (wal->limits.max_bytes != 0 && bytes + SEGMENT_FIXED_BYTES > wal->limits.max_bytes) {
        return WAL_TOO_LARGE;
    }
    if (is_full(wal, bytes, more)) {
        wal->stat.refused_full++;
        return WAL_FULL;
    }
    if (wal_space_is_low(wal) || (wal->is_row_pending && wal->janitor.status != WAL_OK)) {
        wal->stat.refused_space++;
        return WAL_NO_SPACE;
    }
    if (space->failed != WAL_OK) {
        uint64_t now = hf_clock_coarse_ns();
        if (space->outstanding.records != 0 || now - space->tried_ns < TRY_NS) {
            *(space->failed == WAL_NO_SPACE ? &wal->stat.refused_space : &wal->stat.refused_io) +=
                1;
            return space->failed;
        }
        space->tried_ns = now;
    }
    return WAL_OK;
}

static bool is_too_large(const struct wal_append *append)
{
    if (append->body.size > WAL_BODY_BYTES_MAX || append->meta.size > WAL_META_BYTES_MAX) {
        return true;
    }
    for (size_t i = 0; i < append->checkpoint_count; i++) {
        if (append->checkpoints[i].name.size > WAL_NAME_BYTES_MAX ||
            append->checkpoints[i].value.size > WAL_CHECKPOINT_VALUE_MAX) {
            return true;
        }
    }
    return false;
}

enum wal_status wal_admit(struct wal *wal, struct wal_append *append)
{
    assert(append->checkpoint_count == 0 || append->checkpoints != NULL);
    struct wal_amount more = {1, append->items, append->raw_bytes};

    if (is_too_large(append)) {
        return WAL_TOO_LARGE;
    }
    append->admitted_bytes =
        (size_t)wal_segment_cost(WAL_RECORD_HEAD_BYTES + append->meta.size + append->body.size);
    pthread_mutex_lock(&wal->lock);
    enum wal_status status = decide(wal, append->admitted_bytes, more);
    if (status == WAL_OK && is_over_share(wal, append)) {
        wal->stat.refused_share++;
        status = WAL_SHARE;
    }
    if (status == WAL_OK && append->tenant != 0) {
        status = wal_tenants_add(&wal->tenants, append->tenant, append->admitted_bytes);
    }
    if (status == WAL_OK) {
        wal->space.unchecked_bytes += append->admitted_bytes;
        wal->space.outstanding_bytes += append->admitted_bytes;
        wal->space.outstanding = wal_amount_add(wal->space.outstanding, more);
    }
    pthread_mutex_unlock(&wal->lock);
    return status;
}

void wal_admit_cancel(struct wal *wal, struct wal_append *append)
{
    struct wal_amount more = {1, append->items, append->raw_bytes};

    pthread_mutex_lock(&wal->lock);
    assert(wal->space.outstanding.records > 0);
    wal->space.outstanding_bytes -= append->admitted_bytes;
    wal->space.outstanding = wal_amount_less(wal->space.outstanding, more);
    wal_tenants_remove(&wal->tenants, append->tenant, append->admitted_bytes);
    pthread_mutex_unlock(&wal->lock);
}

void wal_append(struct wal *wal, struct wal_append *append)
{
    assert(append->admitted_bytes != 0 && "it was admitted");
    assert(append->done != NULL);
    wal_submit_push(&wal->submit, append);
}
