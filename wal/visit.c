/*
 * visit: wal_scan(): shows records to an operator in order, without a cursor.
 */
#include <string.h>

#include "amount.h"
#include "internal.h"

#define SCAN_RECORDS 64u
#define SCAN_BYTES ((size_t)1 << 20)

struct scan {
    struct wal *wal;
    bool (*visit)(void *user, const struct wal_record *record, bool damaged);
    void *user;
    const struct wal_period *period; /* NULL: all times */
    struct wal_place place;          /* how far it was visited */
    bool has_total;                  /* place.total is known */
    bool is_over;
};

/* Visits what is missing between the last place and this one. */
static void visit_gap(struct scan *scan, struct wal_place upto)
{
    uint64_t count = upto.sequence - scan->place.sequence;

    if (scan->has_total) {
        /* Sequences can be skipped without a record having been there: after damage, numbers go on
         * higher. */
        uint64_t missing = wal_less(upto.total.records, scan->place.total.records);
        count = missing < count ? missing : count;
    }
    for (uint64_t i = 0; i < count && !scan->is_over; i++) {
        const struct wal_record record = {.sequence = scan->place.sequence + i};
        scan->is_over = !scan->visit(scan->user, &record, true);
    }
}

static void visit_batch(struct scan *scan, struct wal_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct wal_record *record = &batch->records[i];
        if (!scan->is_over) {
            visit_gap(scan, (struct wal_place){record->sequence, batch->before[i]});
        }
        if (!scan->is_over) {
            scan->is_over = !scan->visit(scan->user, record, false);
        }
        struct wal_amount own = {1, record->items, record->raw_bytes};
        scan->place =
            (struct wal_place){record->sequence + 1, wal_amount_add(batch->before[i], own)};
        scan->has_total = true;
        hf_ref_drop(record->owner);
    }
}

/* Has a segment nothing of the period? With records missing in front of it, it is read: its first
 * one says how many they were. Lock held. */
static bool is_passed_over(const struct scan *scan, const struct wal_segment *segment)
{
    bool has_gap = scan->has_total && scan->place.sequence < segment->first;

    return scan->period != NULL && !has_gap && segment->has_times &&
           !wal_times_touch(&segment->times, scan->period);
}

/* Reads the times of the segment with number `i`, which the one behind it has. Lock held, released
 * meanwhile. */
static void read_times(struct wal *wal, size_t i)
{
    char name[WAL_FILE_NAME_BYTES];
    const uint64_t first = wal->segments[i]->first, end = wal->segments[i]->end;
    struct wal_times times;

    wal->segments[i]->is_times_unread = false;
    if (i + 1 == wal->segment_count) {
        return;
    }
    memcpy(name, wal->segments[i + 1]->name, sizeof(name));
    pthread_mutex_unlock(&wal->lock);
    bool is_read = wal_times_load(wal->directory_fd, name, first, end, &times);
    pthread_mutex_lock(&wal->lock);
    i = wal_segments_find(wal, first);
    if (is_read && i < wal->segment_count && wal->segments[i]->first == first) {
        wal->segments[i]->times = times;
        wal->segments[i]->has_times = true;
    }
}

/* One reading; false at the end of the queue. */
static bool step(struct scan *scan, uint64_t *look, uint64_t end, enum wal_status *ret_status)
{
    struct wal *wal = scan->wal;
    struct wal_record records[SCAN_RECORDS];
    struct wal_batch batch = {.records = records};
    struct wal_hold hold;

    pthread_mutex_lock(&wal->lock);
    if (scan->place.sequence < wal_first_sequence(wal)) {
        /* Below the oldest there is nothing to miss: it was acknowledged, perhaps just now. */
        scan->place.sequence = wal_first_sequence(wal);
        scan->has_total = false;
    }
    size_t i = wal_segments_find(wal, *look);
    if (*look >= end || i == wal->segment_count || wal->segments[i]->first >= end) {
        pthread_mutex_unlock(&wal->lock);
        return false;
    }
    struct wal_segment *segment = wal->segments[i];
    if (scan->period != NULL && segment->is_times_unread) {
        read_times(wal, i);
        pthread_mutex_unlock(&wal->lock);
        return true;
    }
    if (is_passed_over(scan, segment)) {
        *look = segment->end;
        scan->place.sequence = segment->end;
        scan->has_total = false;
        pthread_mutex_unlock(&wal->lock);
        return true;
    }
    struct wal_request request = {.from = *look < segment->first ? segment->first : *look,
                                  .until = segment->end < end ? segment->end : end,
                                  .most = SCAN_RECORDS,
                                  .most_bytes = SCAN_BYTES,
                                  .is_forced = true};
    wal_hold(segment, &hold);
    pthread_mutex_unlock(&wal->lock);

    *ret_status = wal_read(wal, &hold, &request, &batch);
    pthread_mutex_lock(&wal->lock);
    wal_hold_release(wal, &hold);
    pthread_mutex_unlock(&wal->lock);
    if (*ret_status == WAL_OK) {
        visit_batch(scan, &batch);
        *look = batch.look;
    }
    return *ret_status == WAL_OK && !scan->is_over;
}

enum wal_status wal_scan_period(struct wal *wal, uint64_t from, const struct wal_period *period,
                                bool (*visit)(void *user, const struct wal_record *record,
                                              bool damaged),
                                void *user)
{
    struct scan scan = {
        .wal = wal, .visit = visit, .user = user, .period = period, .place = {from, {0}}};
    enum wal_status status = WAL_OK;
    uint64_t look = from;

    pthread_mutex_lock(&wal->lock);
    struct wal_place end = {wal->next_sequence, wal->total};
    pthread_mutex_unlock(&wal->lock);
    while (step(&scan, &look, end.sequence, &status)) {
    }
    if (status == WAL_OK && !scan.is_over && scan.has_total && scan.place.sequence < end.sequence) {
        visit_gap(&scan, end);
    }
    return status;
}

enum wal_status wal_scan(struct wal *wal, uint64_t from,
                         bool (*visit)(void *user, const struct wal_record *record, bool damaged),
                         void *user)
{
    return wal_scan_period(wal, from, NULL, visit, user);
}

enum wal_status wal_stored(struct wal *wal, struct wal_amount *ret_amount)
{
    struct wal_place first;

    pthread_mutex_lock(&wal->lock);
    struct wal_place end = {wal->next_sequence, wal->total};
    uint64_t oldest = wal_first_sequence(wal);
    pthread_mutex_unlock(&wal->lock);
    enum wal_status status = wal_locate(wal, oldest, &first, NULL);
    if (status == WAL_OK) {
        *ret_amount = wal_amount_less(end.total, first.total);
    }
    return status;
}
