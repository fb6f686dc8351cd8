#include "store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs.h"
#include "pages.h"
#include "util/checksum.h"

#define FRESH_NAME "cursors.tmp"
#define MAP_BYTES ((size_t)64 << 20)
/* Blocks taken ahead, so that cursors can be written on a full disk. */
#define RESERVE_BYTES (128 * 1024)
#define END_KEY "e"
#define CONSUMER_KEY 'c'
#define END_MAGIC UINT32_C(0x314e4548) /* "HEN1" */

struct stored_end {
    uint32_t magic;
    uint32_t crc; /* of all with this field zero */
    uint16_t version;
    uint16_t are_cursors_lost;
    uint32_t reserved32;
    uint64_t next_sequence;
    struct wal_amount total;
};

static_assert(sizeof(struct stored_end) == 48, "no padding");

struct loading {
    const struct wal_store_visitor *visitor;
    enum wal_status status;
};

static enum wal_status parse_end(struct hf_slice value, struct wal_store_end *ret_end)
{
    struct stored_end stored;

    if (value.size < sizeof(stored)) {
        return WAL_CORRUPT;
    }
    memcpy(&stored, value.data, sizeof(stored));
    uint32_t crc = stored.crc;
    stored.crc = 0;
    uint32_t sum = hf_crc32c(0, &stored, sizeof(stored));
    sum = hf_crc32c(sum, value.data + sizeof(stored), value.size - sizeof(stored));
    if (stored.magic != END_MAGIC || sum != crc) {
        return WAL_CORRUPT;
    }
    if (stored.version > WAL_FORMAT_VERSION) {
        return WAL_TOO_NEW;
    }
    *ret_end = (struct wal_store_end){
        .place = {stored.next_sequence, stored.total},
        .are_cursors_lost = stored.are_cursors_lost != 0,
    };
    return WAL_OK;
}

static enum wal_status load_consumer(struct loading *loading, struct hf_slice key,
                                     struct hf_slice value)
{
    char name[WAL_NAME_BYTES_MAX + 1];
    struct wal_cursor cursor;

    if (key.size < 1 || key.size > sizeof(name) || key.data[0] != (uint8_t)CONSUMER_KEY ||
        memchr(key.data, '\0', key.size) != NULL) {
        return WAL_CORRUPT;
    }
    memcpy(name, key.data + 1, key.size - 1);
    name[key.size - 1] = '\0';
    enum wal_status status = wal_cursor_parse(value, &cursor);
    if (status == WAL_OK) {
        loading->visitor->consumer(loading->visitor->user, name, &cursor);
    }
    return status;
}

static bool load_row(void *user, struct hf_slice key, struct hf_slice value)
{
    struct loading *loading = user;
    enum wal_status status = WAL_OK;

    if (hf_slice_is(key, END_KEY)) {
        struct wal_store_end end;
        status = parse_end(value, &end);
        if (status == WAL_OK) {
            loading->visitor->end(loading->visitor->user, &end);
        }
    } else {
        status = load_consumer(loading, key, value);
    }
    if (status == WAL_TOO_NEW || status == WAL_NOMEM) {
        loading->status = status;
        return false;
    }
    if (status != WAL_OK) {
        loading->status = status;
    }
    return true;
}

enum wal_status wal_store_load(int directory_fd, const struct wal_store_visitor *visitor)
{
    struct loading loading = {.visitor = visitor};
    struct stat info;

    int fd = openat(directory_fd, WAL_STORE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return errno == ENOENT ? WAL_MISSING : WAL_CORRUPT;
    }
    enum wal_status status = WAL_CORRUPT;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) {
        status = wal_pages_walk_bytes(fd, (uint64_t)info.st_size, load_row, &loading);
    }
    (void)close(fd);
    if (loading.status == WAL_TOO_NEW || loading.status == WAL_NOMEM || status == WAL_OK) {
        return loading.status;
    }
    return status;
}

enum wal_status wal_store_row_of(struct wal_store_row *ret_row, const char *name,
                                 const struct wal_cursor *cursor)
{
    size_t size = wal_cursor_size(cursor);
    uint8_t *value = malloc(size);

    if (value == NULL) {
        return WAL_NOMEM;
    }
    wal_cursor_write(cursor, value);
    wal_store_row_of_removal(ret_row, name);
    ret_row->value = value;
    ret_row->size = size;
    return WAL_OK;
}

enum wal_status wal_store_row_of_end(struct wal_store_row *ret_row, const struct wal_store_end *end)
{
    struct stored_end *stored = malloc(sizeof(*stored));

    if (stored == NULL) {
        return WAL_NOMEM;
    }
    *stored = (struct stored_end){
        .magic = END_MAGIC,
        .version = WAL_FORMAT_VERSION,
        .are_cursors_lost = end->are_cursors_lost ? 1 : 0,
        .next_sequence = end->place.sequence,
        .total = end->place.total,
    };
    stored->crc = hf_crc32c(0, stored, sizeof(*stored));
    *ret_row =
        (struct wal_store_row){.key = END_KEY, .value = (uint8_t *)stored, .size = sizeof(*stored)};
    return WAL_OK;
}

void wal_store_row_of_removal(struct wal_store_row *ret_row, const char *name)
{
    *ret_row = (struct wal_store_row){.value = NULL};
    (void)snprintf(ret_row->key, sizeof(ret_row->key), "%c%s", CONSUMER_KEY, name);
}

void wal_store_row_release(struct wal_store_row *row)
{
    free(row->value);
    row->value = NULL;
}

bool wal_store_wants_all(const struct wal_store *store)
{
    return store->env == NULL;
}

static int open_new(struct wal_store *store)
{
    unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | MDB_NOLOCK | MDB_NOSYNC | MDB_NOMEMINIT;
    char path[PATH_MAX];
    int fd = -1;

    int length = snprintf(path, sizeof(path), "%s/%s", store->directory, FRESH_NAME);
    if (length < 0 || (size_t)length >= sizeof(path)) {
        return ENAMETOOLONG;
    }
    (void)unlinkat(store->directory_fd, FRESH_NAME, 0);
    int error = mdb_env_create(&store->env);
    if (error != 0) {
        store->env = NULL;
        return error;
    }
    error = mdb_env_set_mapsize(store->env, MAP_BYTES);
    if (error == 0) {
        error = mdb_env_open(store->env, path, flags, 0600);
    }
    if (error == 0 && mdb_env_get_fd(store->env, &fd) == 0) {
        (void)fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, RESERVE_BYTES); /* not every file system can */
    }
    return error;
}

static int write_rows(struct wal_store *store, const struct wal_store_row *rows, size_t count)
{
    MDB_txn *txn = NULL;
    MDB_dbi table = 0;

    int error = mdb_txn_begin(store->env, NULL, 0, &txn);
    if (error != 0) {
        return error;
    }
    error = mdb_dbi_open(txn, NULL, 0, &table);
    for (size_t i = 0; i < count && error == 0; i++) {
        MDB_val key = {strlen(rows[i].key), (void *)(uintptr_t)rows[i].key};
        MDB_val value = {rows[i].size, rows[i].value};
        error = rows[i].value != NULL ? mdb_put(txn, table, &key, &value, 0)
                                      : mdb_del(txn, table, &key, NULL);
        error = error == MDB_NOTFOUND ? 0 : error;
    }
    if (error != 0) {
        mdb_txn_abort(txn);
        return error;
    }
    return mdb_txn_commit(txn);
}

static int install(struct wal_store *store)
{
    int error = store->no_fsync ? 0 : mdb_env_sync(store->env, 1);

    if (error != 0) {
        return error;
    }
    if (renameat(store->directory_fd, FRESH_NAME, store->directory_fd, WAL_STORE_NAME) != 0) {
        return errno;
    }
    if (!store->no_fsync && fsync(store->directory_fd) != 0) {
        return errno;
    }
    return 0;
}

enum wal_status wal_store_write(struct wal_store *store, const struct wal_store_row *rows,
                                size_t count, bool sync)
{
    bool is_new = store->env == NULL;
    int error = is_new ? open_new(store) : 0;

    if (error == 0) {
        error = write_rows(store, rows, count);
    }
    if (error == 0 && is_new) {
        error = install(store);
    } else if (error == 0 && sync && !store->no_fsync) {
        error = mdb_env_sync(store->env, 1);
    }
    store->last_error = error > 0 ? error : error == MDB_MAP_FULL ? ENOSPC : EIO;
    if (error == 0) {
        store->last_error = 0;
        return WAL_OK;
    }
    /* After ENOSPC the environment is as it was before; after any other error it is not trusted. */
    if (is_new || error != ENOSPC) {
        wal_store_close(store);
        if (is_new) {
            (void)unlinkat(store->directory_fd, FRESH_NAME, 0);
        }
    }
    enum wal_status status = wal_fs_status(store->last_error);
    return status == WAL_NO_SPACE || status == WAL_NOMEM || status == WAL_NO_RIGHT ? status
                                                                                   : WAL_IO;
}

void wal_store_close(struct wal_store *store)
{
    if (store->env != NULL) {
        mdb_env_close(store->env);
        store->env = NULL;
    }
}
