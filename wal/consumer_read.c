/*
 * consumer_read: the records that a consumer is given next. They come from the ring in memory when
 * it follows at the end, from the files otherwise.
 *
 * All records below `position` are accounted for: done with, or in flight. All records below `look`
 * were looked at; `look` moves ahead of `position` over records that cannot be read. The totals of
 * the next good record, or of the end of the queue, then give the size of the gap, which is counted
 * as dropped{damaged}.
 *
 * A consumer that is far behind may have a second position, `live`, which begins at the end of the
 * queue and follows it. The records that it has read are a live range; the backlog position skips a
 * live range as it skips a range of the cursor. So no record is given twice, and the cursor gets at
 * most one range more for each live range. When the live position itself has fallen far behind,
 * after another outage or because its share is too small, its range is closed and it begins at the
 * end again. Nothing of this is stored: after a start, reading begins at the lowest record that is
 * not done with.
 */
#include <assert.h>
#include <string.h>

#include "amount.h"
#include "internal.h"

#define IO_FAILURES_MAX 3u

/* Records that were found missing; reported when the lock is released. */
struct damage {
    uint64_t first, upto;
    struct wal_amount amount;
};

/* With more ranges than this the live position does not read: it must not block the backlog
 * position.
 */
#define LIVE_RANGES_MAX (WAL_RANGES_MAX / 4)

/* Lock held. Room for the ranges that reading and acknowledging may need. */
static enum wal_status reserve(struct wal_consumer *consumer, size_t most)
{
    struct wal_cursor *cursor = &consumer->cursor;

    return wal_cursor_reserve(cursor, cursor->range_count + consumer->in_flight + 2 * most +
                                          consumer->live_range_count + 3);
}

void wal_read_position_reset(struct wal_consumer *consumer)
{
    struct wal_place low = {consumer->cursor.low, consumer->cursor.low_total};

    consumer->backlog = (struct wal_read_position){low, low.sequence};
    consumer->has_live = false;
    consumer->live_range_count = 0;
    consumer->in_flight = 0;
}

/* Lock held. Skips records that are done with, also when eviction has moved `low` past the
 * position. */
static void skip_done(const struct wal_cursor *cursor, struct wal_read_position *read_pos)
{
    while (wal_cursor_skip(cursor, &read_pos->position)) {
        /* A place only stands at the beginning of a range, never inside. */
    }
    if (read_pos->look <= read_pos->position.sequence) {
        read_pos->look = read_pos->position.sequence;
        return;
    }
    struct wal_place ahead = {read_pos->look, {0}};
    (void)wal_cursor_skip(cursor, &ahead);
    read_pos->look = ahead.sequence;
}

/* Lock held. Everything not done with below `place` is lost. */
static void close_gap(struct wal_consumer *consumer, struct wal_read_position *read_pos,
                      struct wal_place place, struct damage *damage)
{
    struct wal_cursor *cursor = &consumer->cursor;

    if (read_pos->position.sequence >= place.sequence) {
        return;
    }
    struct wal_amount amount =
        wal_cursor_absorb(cursor, read_pos->position, place, &cursor->dropped[WAL_DROP_DAMAGED]);
    if (amount.records != 0) {
        if (damage->amount.records == 0) {
            damage->first = read_pos->position.sequence;
        }
        damage->upto = place.sequence;
        damage->amount = wal_amount_add(damage->amount, amount);
    }
    read_pos->position = place;
    wal_mark_dirty(consumer->wal, consumer);
}

/* Lock held. The lowest live range, and where the backlog position continues behind it.
 */
static bool next_live_range(const struct wal_consumer *consumer, struct wal_read_range *ret_range,
                            uint64_t *ret_look)
{
    if (consumer->live_range_count != 0) {
        *ret_range = consumer->live_ranges[0];
        *ret_look = consumer->live_ranges[0].end.sequence;
        return true;
    }
    *ret_range = (struct wal_read_range){consumer->live_first, consumer->live.position};
    *ret_look = consumer->live.look;
    return consumer->has_live;
}

static void forget_live_range(struct wal_consumer *consumer)
{
    if (consumer->live_range_count == 0) {
        consumer->has_live = false; /* caught up: one position is enough */
        return;
    }
    consumer->live_range_count--;
    memmove(consumer->live_ranges, consumer->live_ranges + 1,
            consumer->live_range_count * sizeof(struct wal_read_range));
}

/* Lock held. Both positions skip records that are done with; the backlog position also skips the
 * live ranges. */
static void skip(struct wal_consumer *consumer, struct damage *damage)
{
    struct wal_read_position *read_pos = &consumer->backlog;
    struct wal_read_range range;
    uint64_t look = 0;

    if (consumer->has_live) {
        skip_done(&consumer->cursor, &consumer->live);
    }
    skip_done(&consumer->cursor, read_pos);
    while (next_live_range(consumer, &range, &look) && read_pos->look >= range.first.sequence) {
        close_gap(consumer, read_pos, range.first, damage);
        if (read_pos->position.sequence < range.end.sequence) {
            read_pos->position = range.end;
        }
        if (read_pos->look < look) {
            read_pos->look = look;
        }
        forget_live_range(consumer);
        skip_done(&consumer->cursor, read_pos);
    }
}

/* Lock held. Hands a good record out. */
static void pass(struct wal_consumer *consumer, struct wal_read_position *read_pos,
                 const struct wal_record *record, struct wal_amount before, struct damage *damage)
{
    struct wal_amount amount = {1, record->items, record->raw_bytes};

    close_gap(consumer, read_pos, (struct wal_place){record->sequence, before}, damage);
    assert(read_pos->position.sequence == record->sequence);
    read_pos->position.sequence++;
    read_pos->position.total = wal_amount_add(before, amount);
    if (read_pos->look < read_pos->position.sequence) {
        read_pos->look = read_pos->position.sequence;
    }
    consumer->in_flight++;
    /* Now, while a range that begins here begins just here: the next acknowledgement may join it to
     * what is below. */
    skip(consumer, damage);
}

/* Lock held. How many of the records that follow `look` the ring gives. */
static size_t take_from_tail(struct wal_consumer *consumer, struct wal_read_position *read_pos,
                             const struct wal_request *request, struct wal_record *records,
                             struct damage *damage)
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
        pass(consumer, read_pos, &entry->record, entry->before, damage);
        sequence++;
    }
    return count;
}

static bool is_far_behind(const struct wal *wal, const struct wal_read_position *read_pos,
                          size_t patience)
{
    return (wal->total.bytes - read_pos->position.total.bytes) >> patience > wal->tail.bytes_max;
}

/* How far the live position may fall behind doubles with every eighth range, so that the ranges do
 * not run out however long it is too slow. */
static bool has_fallen_behind(const struct wal_consumer *consumer)
{
    return is_far_behind(consumer->wal, &consumer->live, consumer->live_range_count / 8);
}

/* Lock held. Keeps the range that the live position has read; false: there is no room for it. */
static bool close_live_range(struct wal_consumer *consumer)
{
    struct wal_read_range range = {consumer->live_first, consumer->live.position};

    if (range.first.sequence < range.end.sequence) {
        if (consumer->live_range_count == WAL_LIVE_RANGES_MAX) {
            return false;
        }
        consumer->live_ranges[consumer->live_range_count++] = range;
    }
    consumer->has_live = false;
    return true;
}

/* Lock held. Whether there is a live position that may read; makes one when the backlog is long.
 */
static bool may_read_live(struct wal_consumer *consumer)
{
    const struct wal *wal = consumer->wal;
    const struct wal_cursor *cursor = &consumer->cursor;

    if (cursor->range_count >= LIVE_RANGES_MAX) {
        return false;
    }
    if (consumer->has_live && (!has_fallen_behind(consumer) || !close_live_range(consumer))) {
        return true; /* without room for one more range it continues in order */
    }
    bool touches_range = cursor->range_count != 0 &&
                         cursor->ranges[cursor->range_count - 1].end == wal->next_sequence;
    if (!is_far_behind(wal, &consumer->backlog, 0) || touches_range) {
        return false; /* no range may hold the place where a range begins */
    }
    consumer->live_first = (struct wal_place){wal->next_sequence, wal->total};
    consumer->live = (struct wal_read_position){consumer->live_first, wal->next_sequence};
    consumer->has_live = true;
    return false; /* nothing is there yet */
}

enum step { STEP_NOTHING, STEP_GIVEN, STEP_READ, STEP_AGAIN };

struct reading {
    struct wal_read_position *read_pos; /* of the consumer */
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
    struct wal_read_position *read_pos = reading->read_pos;
    bool is_ahead = read_pos == &consumer->live;
    struct wal_read_range range;
    uint64_t look = 0;

    skip(consumer, &reading->damage);
    if (is_ahead && !may_read_live(consumer)) {
        return STEP_NOTHING;
    }
    if (read_pos->look >= wal->next_sequence) {
        close_gap(consumer, read_pos, (struct wal_place){wal->next_sequence, wal->total},
                  &reading->damage);
        wal_release_drained(wal);
        (void)wal_trim_tail(wal, &reading->drops); /* the rest by the next read or commit */
        consumer->is_armed = consumer->is_armed || !is_ahead;
        return STEP_NOTHING;
    }
    if (!is_ahead && consumer->cursor.range_count >= WAL_RANGES_MAX && consumer->in_flight != 0) {
        consumer->is_blocked = true;
        return STEP_NOTHING;
    }
    request->from = read_pos->look;
    request->until = wal_cursor_until(&consumer->cursor, read_pos->look);
    if (!is_ahead && next_live_range(consumer, &range, &look) &&
        range.first.sequence < request->until) {
        request->until = range.first.sequence;
    }
    if (request->until > wal->next_sequence) {
        request->until = wal->next_sequence;
    }
    *ret_count = take_from_tail(consumer, read_pos, request, records, &reading->damage);
    if (*ret_count > 0) {
        (void)wal_trim_tail(wal, &reading->drops); /* the rest by the next read or commit */
        return STEP_GIVEN;
    }
    size_t i = wal_segments_find(wal, request->from);
    if (i == wal->segment_count || wal->segments[i]->first >= request->until) {
        read_pos->look = request->until; /* no file has it */
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
    struct wal_read_position *read_pos = reading->read_pos;

    if (consumer->cursor.low > reading->request.from) {
        return false; /* evicted meanwhile: these records are no longer for this consumer */
    }
    skip(consumer, &reading->damage);
    if (read_pos == &consumer->live && !consumer->has_live) {
        return false; /* the backlog position was moved up to it meanwhile and reads all */
    }
    for (size_t i = 0; i < batch->count; i++) {
        pass(consumer, read_pos, &batch->records[i], batch->before[i], &reading->damage);
    }
    if (read_pos->look < batch->look) {
        read_pos->look = batch->look;
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

static enum wal_status read_at(struct wal_consumer *consumer, struct wal_read_position *read_pos,
                               size_t most, size_t most_bytes, struct wal_record *records,
                               size_t *ret_count)
{
    struct wal *wal = consumer->wal;
    enum wal_status status = WAL_OK;
    enum step step = STEP_AGAIN;
    size_t count = 0;

    assert(most > 0);
    while (status == WAL_OK && count == 0 && step != STEP_NOTHING) {
        struct reading reading = {.read_pos = read_pos,
                                  .request = {.most = most < WAL_READ_MOST ? most : WAL_READ_MOST,
                                              .most_bytes = most_bytes}};
        pthread_mutex_lock(&wal->lock);
        status = reserve(consumer, reading.request.most);
        step = status == WAL_OK ? prepare(consumer, &reading, records, &count) : STEP_NOTHING;
        pthread_mutex_unlock(&wal->lock);
        wal_drops_flush(&reading.drops);
        if (step == STEP_READ) {
            status = read_file(consumer, &reading, records, &count);
        }
        wal_notify_damage(wal, reading.damage.first, reading.damage.upto, reading.damage.amount);
    }
    *ret_count = count;
    return status;
}

enum wal_status wal_consumer_read(struct wal_consumer *consumer, size_t most, size_t most_bytes,
                                  struct wal_record *records, size_t *ret_count)
{
    return read_at(consumer, &consumer->backlog, most, most_bytes, records, ret_count);
}

enum wal_status wal_consumer_read_live(struct wal_consumer *consumer, size_t most,
                                       size_t most_bytes, struct wal_record *records,
                                       size_t *ret_count)
{
    return read_at(consumer, &consumer->live, most, most_bytes, records, ret_count);
}
