/*
 * cursor: which records one consumer is done with, and its accounting.
 *
 * All records below `low` are done with, and so are those in `ranges` above it. Each range carries
 * the sums of its records, and `low_total` the sums of everything before low, so the accounts never
 * need to look at a record:
 *
 *   accepted = tail - start        queued = tail - low_total - sums of the ranges
 *
 * Whatever enters a range or moves low adds the same amounts to delivered, dead_lettered or
 * dropped: that is what makes the equation of wal.h hold at every moment. Plain data and pure
 * functions; guarded by the queue's lock.
 */
#pragma once

#include "wal.h"

/* Ranges above which a consumer is given nothing new until it acknowledges the records in the gaps.
 */
#define WAL_RANGES_MAX 4096u

struct wal_range {
    uint64_t first, end; /* end is the first sequence after it */
    struct wal_amount sum;
};

struct wal_cursor {
    struct wal_amount start; /* sums of everything appended before this consumer began */
    uint64_t low;
    struct wal_amount low_total;
    struct wal_range *ranges; /* ascending, never touching each other or low */
    size_t range_count, range_room;
    struct wal_amount range_sum;
    struct wal_amount delivered, dead_lettered, dropped[WAL_DROP_COUNT];
};

/* A place in the queue: a sequence and the sums of all before it. */
struct wal_place {
    uint64_t sequence;
    struct wal_amount total;
};

void wal_cursor_init(struct wal_cursor *cursor, struct wal_place place);
void wal_cursor_release(struct wal_cursor *cursor);

/* Makes room for `count` ranges, so that acknowledging cannot fail later. WAL_NOMEM. */
WAL_MUST_USE enum wal_status wal_cursor_reserve(struct wal_cursor *cursor, size_t count);

/* Whether the record is done with. */
bool wal_cursor_has(const struct wal_cursor *cursor, uint64_t sequence);

/*
 * Moves a place that stands at the beginning of a range behind it, and one below low up to it; true
 * if it moved. From inside of a range only the sequence is right then, not the total.
 */
bool wal_cursor_skip(const struct wal_cursor *cursor, struct wal_place *place);

/* First sequence of the first range above `sequence`; UINT64_MAX when there is none. */
uint64_t wal_cursor_until(const struct wal_cursor *cursor, uint64_t sequence);

/* False when it was done with already, or when no room was reserved: then it counts as not
 * acknowledged. */
bool wal_cursor_ack(struct wal_cursor *cursor, const struct wal_ack *ack);

/*
 * Adds the records of [from, upto) that are not done with to `into` (one of the cursor's own
 * amounts), and marks them as done with; the difference of the totals gives their number. Neither
 * `from` nor `upto` may stand inside a range. Returns the amount that was added. Needs room for one
 * range unless from is low.
 */
struct wal_amount wal_cursor_absorb(struct wal_cursor *cursor, struct wal_place from,
                                    struct wal_place upto, struct wal_amount *into);

void wal_cursor_accounting(const struct wal_cursor *cursor, struct wal_amount tail,
                           struct wal_accounting *ret_accounting);

/* The stored form. `ret` needs wal_cursor_size() bytes. Reading checks everything; WAL_CORRUPT,
 * WAL_TOO_NEW, WAL_NOMEM. */
size_t wal_cursor_size(const struct wal_cursor *cursor);
void wal_cursor_write(const struct wal_cursor *cursor, void *ret);
WAL_MUST_USE enum wal_status wal_cursor_parse(struct hf_slice value, struct wal_cursor *ret_cursor);
