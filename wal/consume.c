/*
 * consume: what a consumer is given next. From the ring in memory when it follows at the end, from
 * the files otherwise.
 *
 * `position` is how far everything is accounted for: done with, or in the consumer's hands. `look`
 * is how far was looked; it runs ahead over records that cannot be read, until the next good one,
 * or the end of the queue, tells by its totals how much was between: that becomes dropped{damaged}.
 */
#include <assert.h>

#include "amount.h"
#include "internal.h"

#define IO_FAILURES_MAX 3u

/* What was found missing, told when the lock is released. */
struct damage {
    uint64_t first, upto;
    struct wal_amount amount;
};

/* Lock held. Room for the ranges that reading and acknowledging may need. */
static enum wal_status reserve(struct wal_consumer *consumer, size_t most)
{
    struct wal_cursor *cursor = &consumer->cursor;

    return wal_cursor_reserve(cursor, cursor->range_count + consumer->in_flight + 2 * most + 2);
}

/* Lock held. Goes over what is done with, also when relief has pushed low past the position. */
static void skip_done(struct wal_consumer *consumer)
{
    const struct wal_cursor *cursor = &consumer->cursor;

    while (wal_cursor_skip(cursor, &consumer->position)) {
        /* A place only stands at the beginning of a range, never inside. */
    }
    if (consumer->look <= consumer->position.sequence) {
        consumer->look = consumer->position.sequence;
        return;
    }
    struct wal_place ahead = {consumer->look, {0}};
    (void)wal_cursor_skip(cursor, &ahead);
    consumer->look = ahead.sequence;
}

/* Lock held. Everything not done with below `place` is lost. */
static void close_gap(struct wal_consumer *consumer, struct wal_place place, struct damage *damage)
{
    struct wal_cursor *cursor = &consumer->cursor;

    if (consumer->position.sequence >= place.sequence) {
        return;
    }
    struct wal_amount amount =
        wal_cursor_absorb(cursor, consumer->position, place, &cursor->dropped[WAL_DROP_DAMAGED]);
    if (amount.records != 0) {
        if (damage->amount.records == 0) {
            damage->first = consumer->position.sequence;
        }
        damage->upto = place.sequence;
        damage->amount = wal_amount_add(damage->amount, amount);
    }
    consumer->position = place;
    wal_mark_dirty(consumer->wal, consumer);
}

/* Lock held. Hands a good record out. */
static void pass(struct wal_consumer *consumer, const struct wal_record *record,
                 struct wal_amount before, struct damage *damage)
{
    struct wal_amount amount = {1, record->items, record->raw_bytes};

    close_gap(consumer, (struct wal_place){record->sequence, before}, damage);
    assert(consumer->position.sequence == record->sequence);
    consumer->position.sequence++;
    consumer->position.total = wal_amount_add(before, amount);
    if (consumer->look < consumer->position.sequence) {
        consumer->look = consumer->position.sequence;
    }
    consumer->in_flight++;
    /* Now, while a range that begins here begins just here: the next acknowledgement may join it to
     * what is below. */
    skip_done(consumer);
}

/* Lock held. How many of the records that follow `look` the ring gives. */
static size_t take_from_tail(struct wal_consumer *consumer, const struct wal_request *request,
                             struct wal_record *records, struct damage *damage)
{
    struct wal *wal = consumer->wal;
    uint64_t sequence = request->from;
    size_t count = 0, bytes = 0;

    while (count < request->most && sequence < request->until &&
           (count == 0 || bytes < request->most_bytes)) {
        const struct wal_tail_entry *entry = wal_tail_find(&wal->tail, sequence);
        if (entry == NULL) {
            break;
        }
        hf_ref_take(entry->record.owner);
        records[count++] = entry->record;
        bytes += entry->record.body.size;
        pass(consumer, &entry->record, entry->before, damage);
        sequence++;
    }
    return count;
}

enum step { STEP_NOTHING, STEP_GIVEN, STEP_READ, STEP_AGAIN };

struct reading {
    struct wal_request request;
    struct wal_hold hold;
    struct wal_drops drops;
    struct damage damage;
};

/* Lock held. */
static enum step prepare(struct wal_consumer *consumer, struct reading *reading,
                         struct wal_record *records, size_t *ret_count)
{
    struct wal *wal = consumer->wal;
    struct wal_request *request = &reading->request;

    skip_done(consumer);
    if (consumer->look >= wal->next_sequence) {
        close_gap(consumer, (struct wal_place){wal->next_sequence, wal->total}, &reading->damage);
        wal_release_drained(wal);
        (void)wal_trim_tail(wal, &reading->drops); /* the rest by the next read or commit */
        consumer->is_armed = true;
        return STEP_NOTHING;
    }
    if (consumer->cursor.range_count >= WAL_RANGES_MAX) {
        consumer->is_blocked = true;
        return STEP_NOTHING;
    }
    request->from = consumer->look;
    request->until = wal_cursor_until(&consumer->cursor, consumer->look);
    if (request->until > wal->next_sequence) {
        request->until = wal->next_sequence;
    }
    *ret_count = take_from_tail(consumer, request, records, &reading->damage);
    if (*ret_count > 0) {
        (void)wal_trim_tail(wal, &reading->drops); /* the rest by the next read or commit */
        return STEP_GIVEN;
    }
    size_t i = wal_segments_find(wal, request->from);
    if (i == wal->segment_count || wal->segments[i]->first >= request->until) {
        consumer->look = request->until; /* no file has it */
        return STEP_AGAIN;
    }
    struct wal_segment *segment = wal->segments[i];
    request->from = request->from < segment->first ? segment->first : request->from;
    request->until = request->until < segment->end ? request->until : segment->end;
    wal_hold(segment, &reading->hold);
    return STEP_READ;
}

/* Lock held. True when something was given. */
static bool accept(struct wal_consumer *consumer, struct reading *reading, struct wal_batch *batch)
{
    if (consumer->cursor.low > reading->request.from) {
        return false; /* pushed on meanwhile: what was read is not its any more */
    }
    skip_done(consumer);
    for (size_t i = 0; i < batch->count; i++) {
        pass(consumer, &batch->records[i], batch->before[i], &reading->damage);
    }
    if (consumer->look < batch->look) {
        consumer->look = batch->look;
    }
    return batch->count > 0;
}

/* One reading from a file, prepared with the lock held. */
static enum wal_status read_file(struct wal_consumer *consumer, struct reading *reading,
                                 struct wal_record *records, size_t *ret_count)
{
    struct wal *wal = consumer->wal;
    struct wal_batch batch = {.records = records};

    reading->request.is_forced = consumer->io_failures >= IO_FAILURES_MAX;
    enum wal_status status = wal_read(wal, &reading->hold, &reading->request, &batch);
    pthread_mutex_lock(&wal->lock);
    wal_hold_release(wal, &reading->hold);
    bool is_given = status == WAL_OK && accept(consumer, reading, &batch);
    pthread_mutex_unlock(&wal->lock);
    if (status == WAL_IO) {
        consumer->io_failures++;
    } else if (status == WAL_OK) {
        consumer->io_failures = 0;
    }
    for (size_t i = 0; i < batch.count && !is_given; i++) {
        hf_ref_drop(records[i].owner);
    }
    *ret_count = is_given ? batch.count : 0;
    return status;
}

enum wal_status wal_consumer_read(struct wal_consumer *consumer, size_t most, size_t most_bytes,
                                  struct wal_record *records, size_t *ret_count)
{
    struct wal *wal = consumer->wal;
    enum wal_status status = WAL_OK;
    enum step step = STEP_AGAIN;
    size_t count = 0;

    assert(most > 0);
    while (status == WAL_OK && count == 0 && step != STEP_NOTHING) {
        struct reading reading = {.request = {.most = most < WAL_READ_MOST ? most : WAL_READ_MOST,
                                              .most_bytes = most_bytes}};
        pthread_mutex_lock(&wal->lock);
        status = reserve(consumer, reading.request.most);
        step = status == WAL_OK ? prepare(consumer, &reading, records, &count) : STEP_NOTHING;
        pthread_mutex_unlock(&wal->lock);
        wal_drops_flush(&reading.drops);
        if (step == STEP_READ) {
            status = read_file(consumer, &reading, records, &count);
        }
        wal_tell_damage(wal, reading.damage.first, reading.damage.upto, reading.damage.amount);
    }
    *ret_count = count;
    return status;
}
