/*
 * segment: one file of the queue. Only the tail is ever open with LMDB, and only since this process
 * made it: what an earlier process left is read by index.h, which trusts nothing. This file and
 * store.c are the only ones that know LMDB.
 *
 * A file is written under a name that ends in .tmp until its first commit is durable; only then it
 * gets its name, and the directory is synced before anything in it counts.
 *
 * Thread: the committer makes and writes it. The fields from `bytes` on are guarded by the queue's
 * lock.
 */
#pragma once

#include "fs.h"
#include "record.h"
#include "times.h"
#include "wal.h"

struct MDB_env;
struct MDB_txn;
struct MDB_cursor;
struct wal_index;
struct wal_tenant_table;

struct wal_segment {
    uint64_t first; /* sequence */
    char name[WAL_FILE_NAME_BYTES];
    struct MDB_env *env; /* NULL: closed */
    int fd;              /* of env, borrowed */
    const uint8_t *map;  /* where page 0 is mapped; known after the first commit */

    uint64_t end;        /* first sequence of the next; of the tail: UINT64_MAX */
    uint64_t bytes;      /* in use */
    uint64_t file_bytes; /* of the file, more in a recycled one */
    bool is_closed;      /* nothing is written any more */
    bool is_broken;      /* its pages do not hold together: set aside when drained */
    bool is_trimmed;     /* its unused end was given back */
    unsigned users;      /* that read it now */
    unsigned env_users;  /* of them, by LMDB */
    struct wal_index *index;
    uint64_t index_used_ns;
    uint64_t damage_upto;             /* damage below was reported already */
    struct wal_tenant_table *tenants; /* what each has in it; NULL: no one has, or not read yet */
    bool is_tenants_unread;
    struct wal_times times; /* of its records, when known */
    bool has_times, is_times_unread;
};

struct wal_segment_options {
    const char *directory;
    int directory_fd;
    uint64_t map_bytes;
    bool no_fsync;
};

/*
 * Opens (a recycled file) or makes `segment->name` with LMDB. `ret_empty_pages`, when not NULL,
 * gets the two first pages of a file just made. On failure, `*ret_errno`.
 */
WAL_MUST_USE enum wal_status wal_segment_open(struct wal_segment *segment,
                                              const struct wal_segment_options *options,
                                              uint8_t *ret_empty_pages, int *ret_errno);
/* Closes the environment; the file stays. The environment has no reader any more. */
void wal_segment_close_env(struct wal_segment *segment);

/* A write transaction. The calls return 0 or an error of LMDB or errno; after one the transaction
 * can only be aborted. */
struct wal_writing {
    struct wal_segment *segment;
    struct MDB_txn *txn;
    struct MDB_cursor *cursor;
    unsigned table;
};

WAL_MUST_USE int wal_writing_begin(struct wal_segment *segment, struct wal_writing *ret_writing);
/* Room for a row behind all others, valid until the next call. */
WAL_MUST_USE int wal_writing_append(struct wal_writing *writing, uint64_t key, size_t size,
                                    void **ret_room);
/* Stores or replaces a row; size 0 removes it. */
WAL_MUST_USE int wal_writing_put(struct wal_writing *writing, uint64_t key, const void *value,
                                 size_t size);
WAL_MUST_USE int wal_writing_commit(struct wal_writing *writing);
/* After a commit or an abort: nothing. */
void wal_writing_abort(struct wal_writing *writing);

/* Whether the transaction failed because the file is full, so that a new file would take it.
 */
bool wal_is_map_full(int error);
/* The errno in it; EIO for one of LMDB's own. */
int wal_errno_of(int error);

/* False: the file was removed; records written to it are lost when the process ends. */
WAL_MUST_USE bool wal_segment_has_name(const struct wal_segment *segment);

/* Bytes in use after a commit; learns `map` the first time (row 0 must exist). */
WAL_MUST_USE enum wal_status wal_segment_measure(struct wal_segment *segment, uint64_t *ret_bytes);

/* Bytes of file that a value of that size takes. */
uint64_t wal_segment_cost(size_t value_size);

/* Where a value lies in the file. */
struct wal_spot {
    uint64_t sequence, offset;
    size_t size;
};

/*
 * A read transaction, and the places of the records in [from, until), at most `most` and about
 * `most_bytes`. The places hold until wal_reading_end(). For the tail of this process only.
 */
struct wal_reading {
    struct MDB_txn *txn;
};
WAL_MUST_USE enum wal_status wal_reading_begin(const struct wal_segment *segment,
                                               struct wal_reading *ret_reading);
WAL_MUST_USE enum wal_status wal_reading_find(const struct wal_segment *segment,
                                              struct wal_reading *reading, uint64_t from,
                                              uint64_t until, struct wal_spot *spots, size_t most,
                                              size_t most_bytes, size_t *ret_count);
void wal_reading_end(struct wal_reading *reading);
