#include "cursor.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "amount.h"
#include "util/checksum.h"

#define CURSOR_MAGIC UINT32_C(0x31554348) /* "HCU1" */

/* In front of the ranges. Plain machine order, like the records. */
struct stored {
    uint32_t magic;
    uint32_t crc; /* of all with this field zero */
    uint16_t version;
    uint16_t drop_count;
    uint32_t range_count;
    uint64_t low;
    struct wal_amount start, low_total, delivered, dead_lettered, dropped[WAL_DROP_COUNT];
};

static_assert(sizeof(struct stored) == 24 + 24 * (4 + WAL_DROP_COUNT), "no padding");
static_assert(sizeof(struct wal_range) == 40, "stored as it is");

void wal_cursor_init(struct wal_cursor *cursor, struct wal_place place)
{
    *cursor =
        (struct wal_cursor){.start = place.total, .low = place.sequence, .low_total = place.total};
}

void wal_cursor_release(struct wal_cursor *cursor)
{
    free(cursor->ranges);
    *cursor = (struct wal_cursor){0};
}

enum wal_status wal_cursor_reserve(struct wal_cursor *cursor, size_t count)
{
    if (count <= cursor->range_room) {
        return WAL_OK;
    }
    size_t room = count < 16 ? 16 : count + count / 2;
    struct wal_range *ranges = reallocarray(cursor->ranges, room, sizeof(*ranges));
    if (ranges == NULL) {
        return WAL_NOMEM;
    }
    cursor->ranges = ranges;
    cursor->range_room = room;
    return WAL_OK;
}

/* Index of the first range that ends after `sequence`. */
static size_t find(const struct wal_cursor *cursor, uint64_t sequence)
{
    size_t low = 0, high = cursor->range_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (cursor->ranges[middle].end <= sequence) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool wal_cursor_has(const struct wal_cursor *cursor, uint64_t sequence)
{
    size_t i = find(cursor, sequence);

    return sequence < cursor->low ||
           (i < cursor->range_count && cursor->ranges[i].first <= sequence);
}

bool wal_cursor_skip(const struct wal_cursor *cursor, struct wal_place *place)
{
    size_t i = find(cursor, place->sequence);

    if (place->sequence < cursor->low) {
        *place = (struct wal_place){cursor->low, cursor->low_total};
        return true;
    }
    if (i == cursor->range_count || cursor->ranges[i].first > place->sequence) {
        return false;
    }
    place->sequence = cursor->ranges[i].end;
    place->total = wal_amount_add(place->total, cursor->ranges[i].sum);
    return true;
}

uint64_t wal_cursor_until(const struct wal_cursor *cursor, uint64_t sequence)
{
    size_t i = find(cursor, sequence);

    return i < cursor->range_count ? cursor->ranges[i].first : UINT64_MAX;
}

static void remove_ranges(struct wal_cursor *cursor, size_t at, size_t count)
{
    if (count == 0) {
        return; /* there may be no array yet */
    }
    for (size_t i = at; i < at + count; i++) {
        cursor->range_sum = wal_amount_less(cursor->range_sum, cursor->ranges[i].sum);
    }
    memmove(cursor->ranges + at, cursor->ranges + at + count,
            (cursor->range_count - at - count) * sizeof(*cursor->ranges));
    cursor->range_count -= count;
}

/* Lets low swallow the first range when it has reached it. */
static void advance(struct wal_cursor *cursor)
{
    if (cursor->range_count > 0 && cursor->ranges[0].first == cursor->low) {
        cursor->low = cursor->ranges[0].end;
        cursor->low_total = wal_amount_add(cursor->low_total, cursor->ranges[0].sum);
        remove_ranges(cursor, 0, 1);
    }
}

/* Adds a range that overlaps none, and joins it with those that it touches. False: no room. */
static bool insert(struct wal_cursor *cursor, struct wal_range range)
{
    size_t i = find(cursor, range.first);
    struct wal_range *ranges = cursor->ranges;
    bool joins_left = i > 0 && ranges[i - 1].end == range.first;
    bool joins_right = i < cursor->range_count && ranges[i].first == range.end;

    if (range.first == cursor->low && !joins_right) {
        cursor->low = range.end;
        cursor->low_total = wal_amount_add(cursor->low_total, range.sum);
        return true;
    }
    if (joins_left && joins_right) {
        range.sum = wal_amount_add(range.sum, ranges[i].sum);
        range.end = ranges[i].end;
        remove_ranges(cursor, i, 1);
        joins_right = false;
    }
    cursor->range_sum = wal_amount_add(cursor->range_sum, range.sum);
    if (joins_left) {
        ranges[i - 1].end = range.end;
        ranges[i - 1].sum = wal_amount_add(ranges[i - 1].sum, range.sum);
    } else if (joins_right) {
        ranges[i].first = range.first;
        ranges[i].sum = wal_amount_add(ranges[i].sum, range.sum);
    } else if (cursor->range_count < cursor->range_room) {
        memmove(ranges + i + 1, ranges + i, (cursor->range_count - i) * sizeof(*ranges));
        ranges[i] = range;
        cursor->range_count++;
    } else {
        cursor->range_sum = wal_amount_less(cursor->range_sum, range.sum);
        return false;
    }
    advance(cursor);
    return true;
}

static void count_outcome(struct wal_cursor *cursor, const struct wal_ack *ack)
{
    struct wal_amount amount = {1, ack->items, ack->raw_bytes};

    assert((unsigned)ack->drop < WAL_DROP_COUNT);
    switch (ack->outcome) {
    case WAL_DELIVERED: {
        uint64_t rejected = ack->rejected_items < ack->items ? ack->rejected_items : ack->items;
        amount.items -= rejected;
        uint64_t dead_lettered =
            ack->dead_lettered_items < amount.items ? ack->dead_lettered_items : amount.items;
        amount.items -= dead_lettered;
        cursor->dead_lettered.items += dead_lettered;
        cursor->delivered = wal_amount_add(cursor->delivered, amount);
        cursor->dropped[ack->drop].items += rejected;
        return;
    }
    case WAL_DEAD_LETTERED:
        cursor->dead_lettered = wal_amount_add(cursor->dead_lettered, amount);
        return;
    case WAL_DROPPED:
        cursor->dropped[ack->drop] = wal_amount_add(cursor->dropped[ack->drop], amount);
        return;
    }
}

bool wal_cursor_ack(struct wal_cursor *cursor, const struct wal_ack *ack)
{
    struct wal_range range = {ack->sequence, ack->sequence + 1, {1, ack->items, ack->raw_bytes}};

    if (wal_cursor_has(cursor, ack->sequence) || !insert(cursor, range)) {
        return false;
    }
    count_outcome(cursor, ack);
    return true;
}

struct wal_amount wal_cursor_absorb(struct wal_cursor *cursor, struct wal_place from,
                                    struct wal_place upto, struct wal_amount *into)
{
    assert(from.sequence >= cursor->low && from.sequence < upto.sequence);
    struct wal_range range = {from.sequence, upto.sequence, {0}};
    size_t first = find(cursor, from.sequence);
    size_t last = first;
    struct wal_amount inside = {0};

    while (last < cursor->range_count && cursor->ranges[last].end <= upto.sequence) {
        inside = wal_amount_add(inside, cursor->ranges[last].sum);
        last++;
    }
    range.sum = wal_amount_less(upto.total, from.total);
    struct wal_amount counted = wal_amount_less(range.sum, inside);
    /* As much as is counted and no more, also where the totals of a damaged file do not add up. */
    range.sum = wal_amount_add(counted, inside);
    remove_ranges(cursor, first, last - first);
    if (!insert(cursor, range)) {
        assert(!"room was reserved");
    }
    *into = wal_amount_add(*into, counted);
    return counted;
}

void wal_cursor_accounting(const struct wal_cursor *cursor, struct wal_amount tail,
                           struct wal_accounting *ret_accounting)
{
    ret_accounting->accepted = wal_amount_less(tail, cursor->start);
    ret_accounting->queued =
        wal_amount_less(wal_amount_less(tail, cursor->low_total), cursor->range_sum);
    ret_accounting->delivered = cursor->delivered;
    ret_accounting->dead_lettered = cursor->dead_lettered;
    memcpy(ret_accounting->dropped, cursor->dropped, sizeof(cursor->dropped));
}

size_t wal_cursor_size(const struct wal_cursor *cursor)
{
    return sizeof(struct stored) + cursor->range_count * sizeof(struct wal_range);
}

void wal_cursor_write(const struct wal_cursor *cursor, void *ret)
{
    struct stored stored = {.magic = CURSOR_MAGIC,
                            .version = WAL_FORMAT_VERSION,
                            .drop_count = WAL_DROP_COUNT,
                            .range_count = (uint32_t)cursor->range_count,
                            .low = cursor->low,
                            .start = cursor->start,
                            .low_total = cursor->low_total,
                            .delivered = cursor->delivered,
                            .dead_lettered = cursor->dead_lettered};
    uint8_t *at = ret;

    memcpy(stored.dropped, cursor->dropped, sizeof(stored.dropped));
    memcpy(at, &stored, sizeof(stored));
    if (cursor->range_count != 0) {
        memcpy(at + sizeof(stored), cursor->ranges, cursor->range_count * sizeof(struct wal_range));
    }
    stored.crc = hf_crc32c(0, at, wal_cursor_size(cursor));
    memcpy(at, &stored, sizeof(stored));
}

/* Ranges must ascend and leave gaps. The checksum does not prove that: it only proves that the row
 * is as it was written. */
static bool are_ordered(const struct wal_cursor *cursor)
{
    uint64_t before = cursor->low;

    for (size_t i = 0; i < cursor->range_count; i++) {
        if (cursor->ranges[i].first <= before || cursor->ranges[i].end <= cursor->ranges[i].first) {
            return false;
        }
        before = cursor->ranges[i].end;
    }
    return true;
}

/* Who wrote it may have known fewer reasons: those it did not know are zero. */
static enum wal_status check_stored(struct hf_slice value, struct stored *ret_stored,
                                    struct hf_slice *ret_ranges)
{
    const size_t fixed = offsetof(struct stored, dropped);
    struct stored stored = {0};

    if (value.size < fixed) {
        return WAL_CORRUPT;
    }
    memcpy(&stored, value.data, fixed);
    uint32_t crc = stored.crc;
    stored.crc = 0;
    uint32_t sum = hf_crc32c(0, &stored, fixed);
    sum = hf_crc32c(sum, value.data + fixed, value.size - fixed);
    if (stored.magic != CURSOR_MAGIC || sum != crc) {
        return WAL_CORRUPT;
    }
    size_t dropped = stored.drop_count * sizeof(stored.dropped[0]);
    if (stored.version > WAL_FORMAT_VERSION || stored.drop_count > WAL_DROP_COUNT) {
        return WAL_TOO_NEW;
    }
    if (value.size < fixed + dropped ||
        value.size - fixed - dropped != stored.range_count * sizeof(struct wal_range)) {
        return WAL_CORRUPT;
    }
    memcpy(stored.dropped, value.data + fixed, dropped);
    *ret_stored = stored;
    *ret_ranges = hf_slice_of(value.data + fixed + dropped, value.size - fixed - dropped);
    return WAL_OK;
}

enum wal_status wal_cursor_parse(struct hf_slice value, struct wal_cursor *ret_cursor)
{
    struct stored stored;
    struct hf_slice ranges;
    enum wal_status status = check_stored(value, &stored, &ranges);

    if (status != WAL_OK) {
        return status;
    }
    struct wal_cursor cursor = {.start = stored.start,
                                .low = stored.low,
                                .low_total = stored.low_total,
                                .delivered = stored.delivered,
                                .dead_lettered = stored.dead_lettered};
    memcpy(cursor.dropped, stored.dropped, sizeof(cursor.dropped));
    status = wal_cursor_reserve(&cursor, stored.range_count);
    if (status != WAL_OK) {
        return status;
    }
    cursor.range_count = stored.range_count;
    if (cursor.range_count != 0) {
        memcpy(cursor.ranges, ranges.data, ranges.size);
    }
    for (size_t i = 0; i < cursor.range_count; i++) {
        cursor.range_sum = wal_amount_add(cursor.range_sum, cursor.ranges[i].sum);
    }
    if (!are_ordered(&cursor)) {
        wal_cursor_release(&cursor);
        return WAL_CORRUPT;
    }
    *ret_cursor = cursor;
    return WAL_OK;
}
