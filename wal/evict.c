/*
 * evict: makes room for new records before an append is refused. A consumer skips its oldest
 * records: every consumer with drop_oldest, otherwise only consumers that are not open (orphans).
 * The committer's thread.
 */
#include <string.h>
#include <time.h>

#include "amount.h"
#include "internal.h"
#include "util/time/clock.h"

#define RECLAIM_WAIT_NS HF_NS_PER_S

static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

/* Moves the next consumer that stands below `place` and may skip records up to `place`. True: there
 * was one. `place` moves up when that consumer has acknowledged the record there. */
static bool evict_for_one(struct wal *wal, struct wal_place *place, const char *only)
{
    struct wal_amount amount = {0};
    char name[WAL_NAME_BYTES_MAX + 1] = "";
    bool is_found = false;

    pthread_mutex_lock(&wal->lock);
    for (struct wal_consumer *c = wal->consumers; c != NULL && !is_found; c = c->next) {
        struct wal_cursor *cursor = &c->cursor;
        if (cursor->low >= place->sequence || (c->is_open && !wal->limits.drop_oldest) ||
            (only != NULL && strcmp(only, c->name) != 0)) {
            continue;
        }
        is_found = true;
        if (wal_cursor_has(cursor, place->sequence)) {
            struct wal_place end = *place;
            (void)wal_cursor_skip(cursor, &end);
            place->sequence = end.sequence; /* its total is not known here: the caller locates it */
            place->total = (struct wal_amount){0};
            break;
        }
        enum wal_drop reason = c->is_open ? WAL_DROP_OVERFLOW : WAL_DROP_ORPHANED;
        struct wal_place low = {cursor->low, cursor->low_total};
        amount = wal_cursor_absorb(cursor, low, *place, &cursor->dropped[reason]);
        wal_mark_dirty(wal, c);
        memcpy(name, c->name, sizeof(name));
    }
    pthread_mutex_unlock(&wal->lock);
    if (amount.records != 0) {
        wal_notify(wal, &(struct wal_event){.kind = WAL_EVENT_DROPPED,
                                            .records = amount.records,
                                            .bytes = amount.bytes,
                                            .consumer = name});
    }
    return is_found;
}

/* Moves every consumer that may skip records (or only the one named `only`) up to the first good
 * record at or above `sequence`. */
static void evict_below(struct wal *wal, uint64_t sequence, const char *only)
{
    struct wal_place place;

    if (wal_locate(wal, sequence, &place, NULL) != WAL_OK) {
        return;
    }
    uint64_t located = place.sequence;
    while (evict_for_one(wal, &place, only)) {
        if (place.sequence != located && wal_locate(wal, place.sequence, &place, NULL) != WAL_OK) {
            return;
        }
        located = place.sequence;
    }
    pthread_mutex_lock(&wal->lock);
    wal_release_drained(wal);
    pthread_mutex_unlock(&wal->lock);
}

enum step { STEP_DONE, STEP_EVICT, STEP_ROTATE, STEP_RELEASE };

/* Lock held. */
static enum step next_step(const struct wal *wal, uint64_t bytes)
{
    bool may_evict_all = wal->limits.drop_oldest;

    if (wal->limits.max_bytes == 0 || wal->segment_count == 0 ||
        wal->space.used + bytes <= wal->limits.max_bytes) {
        return STEP_DONE;
    }
    if (wal->segment_count == 1) {
        bool has_records = wal->segments[0]->first < wal->next_sequence;
        return may_evict_all && has_records && !wal->segments[0]->is_closed ? STEP_ROTATE
                                                                            : STEP_DONE;
    }
    if (wal->consumers == NULL) {
        return may_evict_all ? STEP_RELEASE : STEP_DONE;
    }
    for (const struct wal_consumer *c = wal->consumers; c != NULL; c = c->next) {
        if (c->is_open && !may_evict_all && c->cursor.low < wal->segments[0]->end) {
            return STEP_DONE;
        }
    }
    return STEP_EVICT;
}

/* Retires the oldest segment of a queue without consumers. Lock held. */
static void release_first(struct wal *wal)
{
    if (wal->janitor.retired_count == wal->janitor.retired_room) {
        return;
    }
    wal_retire(wal, wal->segments[0]);
    wal->segment_count--;
    memmove(wal->segments, wal->segments + 1, wal->segment_count * sizeof(*wal->segments));
    wal_janitor_call(wal);
}

static void make_room_for_bytes(struct wal *wal, uint64_t bytes)
{
    for (;;) {
        pthread_mutex_lock(&wal->lock);
        size_t before = wal->segment_count;
        uint64_t target = before > 0 ? wal->segments[0]->end : 0;
        enum step step = next_step(wal, bytes);
        if (step == STEP_RELEASE) {
            release_first(wal);
        }
        pthread_mutex_unlock(&wal->lock);
        if (step == STEP_EVICT) {
            evict_below(wal, target, NULL);
        } else if (step == STEP_ROTATE) {
            /* The next commit begins a new file; this one can go after that. */
            wal_rotate_close_tail(wal);
        }
        pthread_mutex_lock(&wal->lock);
        bool is_stuck = wal->segment_count == before;
        pthread_mutex_unlock(&wal->lock);
        if (is_stuck) {
            return;
        }
    }
}

/* The backlog that a consumer keeps: a little less than its limit, so that not every append evicts.
 */
static uint64_t keep(uint64_t limit)
{
    return limit == 0 ? UINT64_MAX : limit - limit / 16;
}

static bool is_within(struct wal_amount queued, const struct wal_consumer_options *options,
                      uint64_t (*bound)(uint64_t limit))
{
    return queued.records <= bound(options->limit_records) &&
           queued.items <= bound(options->limit_items) &&
           queued.bytes <= bound(options->limit_bytes);
}

static uint64_t whole(uint64_t limit)
{
    return limit == 0 ? UINT64_MAX : limit;
}

/* The lowest sequence from which on a consumer may keep everything, by halving: totals only grow.
 */
static enum wal_status search(struct wal *wal, const struct wal_consumer_options *options,
                              uint64_t low, struct wal_place end, uint64_t *ret_sequence)
{
    uint64_t high = end.sequence;

    while (low < high) {
        struct wal_place place;
        uint64_t middle = low + (high - low) / 2;
        enum wal_status status = wal_locate(wal, middle, &place, NULL);
        if (status != WAL_OK) {
            return status;
        }
        if (is_within(wal_amount_less(end.total, place.total), options, keep)) {
            high = middle;
        } else {
            low = place.sequence + 1;
        }
    }
    *ret_sequence = low;
    return WAL_OK;
}

/* With drop_oldest a consumer over its own limit loses its oldest records. */
static void enforce_consumer_limits(struct wal *wal)
{
    for (size_t round = 0;; round++) {
        struct wal_consumer_options options = {0};
        char name[WAL_NAME_BYTES_MAX + 1];
        uint64_t low = 0, target = 0;
        size_t at = 0;
        pthread_mutex_lock(&wal->lock);
        struct wal_place end = {wal->next_sequence, wal->total};
        const struct wal_consumer *c = wal->consumers;
        while (c != NULL && at < round) {
            c = c->next;
            at++;
        }
        bool is_over = false;
        if (c != NULL) {
            struct wal_amount queued = wal_amount_less(
                wal_amount_less(wal->total, c->cursor.low_total), c->cursor.range_sum);
            is_over = c->is_open && !is_within(queued, &c->options, whole);
            options = c->options;
            low = c->cursor.low;
            memcpy(name, c->name, sizeof(name));
        }
        pthread_mutex_unlock(&wal->lock);
        if (c == NULL) {
            return;
        }
        if (is_over && search(wal, &options, low, end, &target) == WAL_OK &&
            less(target, low) > 0) {
            evict_below(wal, target, name);
        }
    }
}

/*
 * A drained segment takes its space until the janitor has reclaimed it. The limit holds, so a
 * janitor with a slow disk slows the senders down.
 */
static void wait_for_reclaim(struct wal *wal, uint64_t bytes)
{
    uint64_t until_ns = hf_clock_monotonic_ns() + RECLAIM_WAIT_NS;
    const struct timespec until = {.tv_sec = (time_t)(until_ns / HF_NS_PER_S),
                                   .tv_nsec = (long)(until_ns % HF_NS_PER_S)};
    const struct wal_space *space = &wal->space;
    int waited = 0;

    pthread_mutex_lock(&wal->lock);
    while (wal->limits.max_bytes != 0 && space->retired != 0 && waited == 0 &&
           space->used + space->retired + bytes > wal->limits.max_bytes + wal->segment_bytes) {
        wal_janitor_call(wal);
        waited = pthread_cond_clockwait(&wal->janitor.done, &wal->lock, CLOCK_MONOTONIC, &until);
    }
    pthread_mutex_unlock(&wal->lock);
}

void wal_make_room(struct wal *wal, uint64_t bytes)
{
    make_room_for_bytes(wal, bytes);
    wait_for_reclaim(wal, bytes);
    pthread_mutex_lock(&wal->lock);
    bool may_evict_all = wal->limits.drop_oldest;
    pthread_mutex_unlock(&wal->lock);
    if (may_evict_all) {
        enforce_consumer_limits(wal);
    }
}
