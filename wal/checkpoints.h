/*
 * checkpoints: the latest value of each input checkpoint, and the row (slot) each is stored in.
 *
 * A segment holds all live ones from its first transaction on, so that none is lost with an old
 * segment. What an append brings is staged, written in its transaction, and becomes the value when
 * that is committed. The committer alone changes the table, with the queue's lock held; others read
 * it with the lock held; the committer reads it without.
 */
#pragma once

#include "wal.h"

#define WAL_CHECKPOINTS_MAX 65535u
#define WAL_CHECKPOINT_VALUE_MAX WAL_CHECKPOINT_BYTES_MAX

struct wal_checkpoint_entry {
    uint8_t *name; /* NULL: the slot is free */
    uint8_t *value, *staged;
    size_t name_size, value_size, staged_size;
    bool is_stored; /* has a committed value */
    bool is_staged;
    uint32_t next_staged, next_same_hash; /* slots; 0: none */
};

struct wal_checkpoints {
    struct wal_checkpoint_entry *entries; /* slot 1 is the first */
    uint32_t count, room;                 /* slots ever used */
    uint32_t free_slot;                   /* head of the free ones, by next_same_hash */
    uint32_t staged;                      /* head, by next_staged */
    uint32_t *buckets;
    uint32_t bucket_count; /* a power of two, or 0 */
};

void wal_checkpoints_release(struct wal_checkpoints *table);

/* WAL_NOMEM; WAL_TOO_LARGE: name, value or the number of names. */
WAL_MUST_USE enum wal_status wal_checkpoints_stage(struct wal_checkpoints *table,
                                                   const struct wal_checkpoint *checkpoint);
/* What was staged becomes the value, or is forgotten. */
void wal_checkpoints_settle(struct wal_checkpoints *table, bool committed);

const struct wal_checkpoint_entry *wal_checkpoints_find(const struct wal_checkpoints *table,
                                                        struct hf_slice name);

/* A row is at most this long. */
#define WAL_CHECKPOINT_ROW_MAX (20u + WAL_NAME_BYTES_MAX + WAL_CHECKPOINT_VALUE_MAX)

/*
 * The row of a slot as the next commit shall store it, written to `row`; returns its size, 0 when
 * the slot shall have no row.
 */
size_t wal_checkpoints_row(const struct wal_checkpoints *table, uint32_t slot, uint8_t *row);

/* Takes a row read from a segment. WAL_CORRUPT, WAL_NOMEM. */
WAL_MUST_USE enum wal_status wal_checkpoints_load(struct wal_checkpoints *table, uint64_t slot,
                                                  struct hf_slice row);
