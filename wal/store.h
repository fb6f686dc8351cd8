/*
 * store: cursors.lmdb, where the consumers' cursors are kept; one row each and one for the queue
 * itself.
 *
 * It is read once, by a reader that trusts nothing, then all rows are written to a new file, which
 * is renamed: LMDB never opens a file that this process did not make. Written without sync unless
 * asked, so a power cut can cost repeats. One thread (the janitor) after the opening.
 */
#pragma once

#include "cursor.h"
#include "wal.h"

#define WAL_STORE_NAME "cursors.lmdb"

struct MDB_env;

struct wal_store {
    const char *directory;
    int directory_fd;
    bool no_fsync;
    struct MDB_env *env; /* NULL: not made yet, or given up after an error */
    int last_error;      /* errno of the last write; 0: it succeeded */
};

/* The queue's own row: where it ended, for when the last records cannot be read. */
struct wal_store_end {
    struct wal_place place;
    bool are_cursors_lost;
};

struct wal_store_row {
    char key[WAL_NAME_BYTES_MAX + 2];
    uint8_t *value; /* NULL: remove the row */
    size_t size;
};

struct wal_store_visitor {
    void (*consumer)(void *user, const char *name, struct wal_cursor *cursor_take);
    void (*end)(void *user, const struct wal_store_end *end);
    void *user;
};

/* Visits what is stored and good. WAL_MISSING: there is none; WAL_CORRUPT: something was damaged;
 * WAL_TOO_NEW, WAL_IO, WAL_NOMEM. */
WAL_MUST_USE enum wal_status wal_store_load(int directory_fd,
                                            const struct wal_store_visitor *visitor);

/* Fill a row; WAL_NOMEM. Free with wal_store_row_release(). */
WAL_MUST_USE enum wal_status wal_store_row_of(struct wal_store_row *ret_row, const char *name,
                                              const struct wal_cursor *cursor);
WAL_MUST_USE enum wal_status wal_store_row_of_end(struct wal_store_row *ret_row,
                                                  const struct wal_store_end *end);
void wal_store_row_of_removal(struct wal_store_row *ret_row, const char *name);
void wal_store_row_release(struct wal_store_row *row);

/* Whether the next write must bring every row. */
bool wal_store_wants_all(const struct wal_store *store);
/* One transaction. WAL_NO_SPACE, WAL_IO, WAL_NOMEM: the rows before are still there. */
WAL_MUST_USE enum wal_status
wal_store_write(struct wal_store *store, const struct wal_store_row *rows, size_t count, bool sync);
void wal_store_close(struct wal_store *store);
