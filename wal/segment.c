#include "segment.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pages.h"

/* LMDB keeps a value in the leaf page up to a half page with its node; a little less here, to be
 * sure. */
#define INLINE_VALUE_MAX 2000u
/* LMDB's lock file for its default of 126 readers. */
#define LOCK_FILE_BYTES 8192u

bool wal_is_map_full(int error)
{
    return error == MDB_MAP_FULL;
}

int wal_errno_of(int error)
{
    if (error > 0) {
        return error;
    }
    return error == MDB_MAP_FULL ? ENOSPC : EIO;
}

uint64_t wal_segment_cost(size_t value_size)
{
    if (value_size <= INLINE_VALUE_MAX) {
        /* Node, key and the page's unused end. */
        return value_size + value_size / 4 + 64;
    }
    return (value_size + WAL_PAGE_HEADER_BYTES + WAL_PAGE_BYTES - 1) / WAL_PAGE_BYTES *
               WAL_PAGE_BYTES +
           64;
}

static int open_env(const char *path, const struct wal_segment_options *options, MDB_env **ret_env)
{
    unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | MDB_NOMEMINIT;
    MDB_env *env = NULL;
    MDB_stat stat;

    int error = mdb_env_create(&env);
    if (error != 0) {
        return error;
    }
    error = mdb_env_set_mapsize(env, options->map_bytes);
    if (error == 0) {
        error = mdb_env_open(env, path, flags | (options->no_fsync ? MDB_NOSYNC : 0), 0600);
    }
    if (error == 0) {
        error = mdb_env_stat(env, &stat);
    }
    if (error == 0 && stat.ms_psize != WAL_PAGE_BYTES) {
        error = EINVAL; /* the readers of files know this page size only */
    }
    if (error != 0) {
        mdb_env_close(env);
        return error;
    }
    *ret_env = env;
    return 0;
}

static int learn_file(struct wal_segment *segment, uint8_t *ret_empty_pages)
{
    struct stat info;

    int error = mdb_env_get_fd(segment->env, &segment->fd);
    if (error == 0 && fstat(segment->fd, &info) != 0) {
        error = errno;
    }
    if (error == 0 && ret_empty_pages != NULL &&
        pread(segment->fd, ret_empty_pages, 2 * WAL_PAGE_BYTES, 0) != 2 * (ssize_t)WAL_PAGE_BYTES) {
        error = EIO;
    }
    if (error == 0) {
        segment->file_bytes = (uint64_t)info.st_size;
    }
    return error;
}

enum wal_status wal_segment_open(struct wal_segment *segment,
                                 const struct wal_segment_options *options,
                                 uint8_t *ret_empty_pages, int *ret_errno)
{
    char path[PATH_MAX];
    char lock_name[WAL_FILE_NAME_BYTES + 8];

    int length = snprintf(path, sizeof(path), "%s/%s", options->directory, segment->name);
    if (length < 0 || (size_t)length >= sizeof(path)) {
        *ret_errno = ENAMETOOLONG;
        return WAL_IO;
    }
    (void)snprintf(lock_name, sizeof(lock_name), "%s-lock", segment->name);
    /* LMDB writes the lock file through a map: on a full disk its missing blocks are a SIGBUS. */
    int error = wal_fs_reserve(options->directory_fd, lock_name, LOCK_FILE_BYTES);
    if (error == 0) {
        error = open_env(path, options, &segment->env);
    }
    /* The lock file is not needed: only this process opens the environment, and only once. */
    (void)unlinkat(options->directory_fd, lock_name, 0);
    if (error == 0) {
        error = learn_file(segment, ret_empty_pages);
        if (error != 0) {
            wal_segment_close_env(segment);
        }
    }
    if (error != 0) {
        *ret_errno = wal_errno_of(error);
        return wal_fs_status(*ret_errno);
    }
    return WAL_OK;
}

void wal_segment_close_env(struct wal_segment *segment)
{
    if (segment->env != NULL) {
        mdb_env_close(segment->env);
        segment->env = NULL;
        segment->map = NULL;
        segment->fd = -1;
    }
}

int wal_writing_begin(struct wal_segment *segment, struct wal_writing *ret_writing)
{
    struct wal_writing writing = {.segment = segment};
    MDB_dbi table = 1; /* the main database */

    int error = mdb_txn_begin(segment->env, NULL, 0, &writing.txn);
    if (error != 0) {
        return error;
    }
    /* In the first batch's transaction: on its own it would cost two flushes. Later it only looks.
     */
    error = mdb_dbi_open(writing.txn, NULL, MDB_INTEGERKEY, &table);
    if (error == 0) {
        error = mdb_cursor_open(writing.txn, table, &writing.cursor);
    }
    if (error != 0) {
        mdb_txn_abort(writing.txn);
        return error;
    }
    writing.table = table;
    *ret_writing = writing;
    return 0;
}

int wal_writing_append(struct wal_writing *writing, uint64_t key, size_t size, void **ret_room)
{
    MDB_val k = {sizeof(key), &key};
    MDB_val v = {size, NULL};

    int error = mdb_cursor_put(writing->cursor, &k, &v, MDB_APPEND | MDB_RESERVE);
    if (error == 0) {
        *ret_room = v.mv_data;
    }
    return error;
}

int wal_writing_put(struct wal_writing *writing, uint64_t key, const void *value, size_t size)
{
    MDB_val k = {sizeof(key), &key};
    MDB_val v = {size, NULL};

    if (size == 0) {
        int error = mdb_del(writing->txn, writing->table, &k, NULL);
        return error == MDB_NOTFOUND ? 0 : error;
    }
    int error = mdb_put(writing->txn, writing->table, &k, &v, MDB_RESERVE);
    if (error == 0) {
        memcpy(v.mv_data, value, size);
    }
    return error;
}

int wal_writing_commit(struct wal_writing *writing)
{
    mdb_cursor_close(writing->cursor);
    int error = mdb_txn_commit(writing->txn); /* frees it, whatever comes */
    *writing = (struct wal_writing){0};
    return error;
}

void wal_writing_abort(struct wal_writing *writing)
{
    if (writing->txn != NULL) {
        mdb_cursor_close(writing->cursor);
        mdb_txn_abort(writing->txn);
        *writing = (struct wal_writing){0};
    }
}

/* Each page begins with its own number, which tells where the map begins. Asked of row 0, which
 * never has pages of its own. */
static enum wal_status learn_map(struct wal_segment *segment)
{
    struct wal_reading reading;
    uint64_t key = 0, page_number = 0;
    uint8_t copy[64];
    MDB_val k = {sizeof(key), &key};
    MDB_val v;

    enum wal_status status = wal_reading_begin(segment, &reading);
    if (status != WAL_OK) {
        return status;
    }
    status = WAL_IO;
    if (mdb_get(reading.txn, 1, &k, &v) == 0 && v.mv_size <= sizeof(copy)) {
        const uint8_t *page = (const uint8_t *)((uintptr_t)v.mv_data & ~(uintptr_t)4095);
        memcpy(&page_number, page, sizeof(page_number));
        const uint8_t *map = page - page_number * WAL_PAGE_BYTES;
        off_t offset = (const uint8_t *)v.mv_data - map;
        if (pread(segment->fd, copy, v.mv_size, offset) == (ssize_t)v.mv_size &&
            memcmp(copy, v.mv_data, v.mv_size) == 0) {
            segment->map = map;
            status = WAL_OK;
        }
    }
    wal_reading_end(&reading);
    return status;
}

bool wal_segment_has_name(const struct wal_segment *segment)
{
    struct stat info;

    return fstat(segment->fd, &info) != 0 || info.st_nlink > 0;
}

enum wal_status wal_segment_measure(struct wal_segment *segment, uint64_t *ret_bytes)
{
    MDB_envinfo info;

    if (segment->map == NULL) {
        enum wal_status status = learn_map(segment);
        if (status != WAL_OK) {
            return status;
        }
    }
    if (mdb_env_info(segment->env, &info) != 0) {
        return WAL_IO;
    }
    *ret_bytes = (info.me_last_pgno + 1) * WAL_PAGE_BYTES;
    return WAL_OK;
}

enum wal_status wal_reading_begin(const struct wal_segment *segment,
                                  struct wal_reading *ret_reading)
{
    struct wal_reading reading = {NULL};
    int error = mdb_txn_begin(segment->env, NULL, MDB_RDONLY, &reading.txn);

    if (error != 0) {
        return error == ENOMEM ? WAL_NOMEM : WAL_IO;
    }
    *ret_reading = reading;
    return WAL_OK;
}

enum wal_status wal_reading_find(const struct wal_segment *segment, struct wal_reading *reading,
                                 uint64_t from, uint64_t until, struct wal_spot *spots, size_t most,
                                 size_t most_bytes, size_t *ret_count)
{
    MDB_cursor *cursor = NULL;
    uint64_t key = from + WAL_KEY_RECORDS;
    MDB_val k = {sizeof(key), &key};
    MDB_val v;
    size_t count = 0, bytes = 0;

    assert(segment->map != NULL);
    int error = mdb_cursor_open(reading->txn, 1, &cursor);
    if (error != 0) {
        return error == ENOMEM ? WAL_NOMEM : WAL_IO;
    }
    error = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
    while (error == 0 && count < most && (count == 0 || bytes < most_bytes)) {
        memcpy(&key, k.mv_data, sizeof(key));
        if (key - WAL_KEY_RECORDS >= until) {
            break;
        }
        spots[count++] = (struct wal_spot){
            .sequence = key - WAL_KEY_RECORDS,
            .offset = (uint64_t)((const uint8_t *)v.mv_data - segment->map),
            .size = v.mv_size,
        };
        bytes += v.mv_size;
        error = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    if (error != 0 && error != MDB_NOTFOUND) {
        return error == ENOMEM ? WAL_NOMEM : WAL_IO;
    }
    *ret_count = count;
    return WAL_OK;
}

void wal_reading_end(struct wal_reading *reading)
{
    mdb_txn_abort(reading->txn);
}
