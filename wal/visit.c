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
    struct wal_place place; /* how far it was visited */
    bool has_total;         /* place.total is known */
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

enum wal_status wal_scan(struct wal *wal, uint64_t from,
                         bool (*visit)(void *user, const struct wal_record *record, bool damaged),
                         void *user)
{
    struct scan scan = {.wal = wal, .visit = visit, .user = user, .place = {from, {0}}};
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
