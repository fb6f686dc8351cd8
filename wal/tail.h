/*
 * tail: the newest records, kept in memory for consumers that follow at the end of the queue.
 *
 * A ring of references to what the appends own: nothing is copied. It holds one unbroken run of
 * sequences that ends with the newest record. The oldest go when every consumer that follows has
 * read them or a bound is passed; a consumer that is behind by more than the bound reads from disk,
 * and holds nothing. Guarded by the queue's lock; references are dropped by the caller, without it.
 */
#pragma once

#include "wal.h"

#define WAL_TAIL_RECORDS_MAX 8192u
#define WAL_TAIL_DROPS 128u

struct wal_tail_entry {
    struct wal_record record; /* owner: a reference */
    struct wal_amount before;
};

struct wal_tail {
    struct wal_tail_entry *entries; /* NULL while empty for long */
    size_t room;                    /* a power of two */
    uint64_t first, end;            /* sequences held: [first, end) */
    size_t bytes, bytes_max;        /* of bodies and metas */
};

/* References taken out of the ring, to be dropped when the lock is released. */
struct wal_drops {
    struct hf_ref *refs[WAL_TAIL_DROPS];
    size_t count;
};

/* Moves as many records into `drops` as it has room for; true when all is out and the memory is
 * freed. */
bool wal_tail_release(struct wal_tail *tail, struct wal_drops *drops);

/*
 * Takes a reference of its own; `drops` has room for one. A record without owner belongs to its
 * caller and is not held: wal_tail_find() does not find it. Nor is one for which there is no
 * memory.
 */
void wal_tail_push(struct wal_tail *tail, const struct wal_record *record, struct wal_amount before,
                   struct wal_drops *drops);

/* Removes the records below `needed` and those over the bound, as far as `drops` has room; true
 * when there is more to do. */
bool wal_tail_trim(struct wal_tail *tail, uint64_t needed, struct wal_drops *drops);

/* The entry of a sequence; NULL when it is not held. */
const struct wal_tail_entry *wal_tail_find(const struct wal_tail *tail, uint64_t sequence);

void wal_drops_flush(struct wal_drops *drops);
