/*
 * lmdb_file: data files made by LMDB itself, as bytes to be read back, damaged and compared. For
 * the tests of the readers that do not trust them.
 */
#pragma once

#include <fcntl.h>
#include <lmdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "wal/record.h"

struct lmdb_file {
    char path[64], lock_path[72];
    MDB_env *env;
    MDB_dbi dbi;
    uint8_t *bytes; /* after lmdb_file_close() */
    size_t size;
};

static inline uint64_t draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static inline void lmdb_file_open(struct lmdb_file *file, unsigned dbi_flags)
{
    MDB_txn *txn = NULL;

    snprintf(file->path, sizeof(file->path), "/tmp/hf-pages-XXXXXX");
    int fd = mkstemp(file->path);
    assert_true(fd >= 0);
    close(fd);
    unlink(file->path);
    snprintf(file->lock_path, sizeof(file->lock_path), "%s-lock", file->path);
    assert_int_equal(mdb_env_create(&file->env), 0);
    assert_int_equal(mdb_env_set_mapsize(file->env, UINT64_C(256) << 20), 0);
    assert_int_equal(mdb_env_open(file->env, file->path, MDB_NOSUBDIR | MDB_NOSYNC, 0600), 0);
    assert_int_equal(mdb_txn_begin(file->env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, NULL, dbi_flags, &file->dbi), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
}

/* Ends the environment, keeps its bytes and removes the file. */
static inline void lmdb_file_close(struct lmdb_file *file)
{
    struct stat stat;

    mdb_env_close(file->env);
    int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0 && fstat(fd, &stat) == 0);
    file->size = (size_t)stat.st_size;
    file->bytes = malloc(file->size);
    assert_non_null(file->bytes);
    assert_int_equal(pread(fd, file->bytes, file->size, 0), (ssize_t)file->size);
    close(fd);
    unlink(file->path);
    unlink(file->lock_path);
}

static inline int memory_file(const void *bytes, size_t size)
{
    int fd = memfd_create("file", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, size, 0), (ssize_t)size);
    return fd;
}

/* A record as the queue would store it, with a body made of its number. The caller's to free. */
static inline uint8_t *make_record(uint64_t sequence, size_t body_size, size_t *ret_size)
{
    uint64_t state = sequence * 2654435761u + 1;
    uint8_t *body = malloc(body_size + 1);
    struct wal_record_head head = {
        .kind = 1, .items = 3, .raw_bytes = body_size, .sequence = sequence};

    assert_non_null(body);
    for (size_t i = 0; i < body_size; i++) {
        body[i] = (uint8_t)draw(&state);
    }
    *ret_size = WAL_RECORD_HEAD_BYTES + 4 + body_size;
    uint8_t *value = malloc(*ret_size);
    assert_non_null(value);
    wal_record_write(value, &head, hf_slice_of("meta", 4), hf_slice_of(body, body_size));
    free(body);
    return value;
}

struct shape {
    const char *name;
    unsigned records, a_commit;
    size_t least, most;  /* body sizes */
    unsigned small_rows; /* rewritten with each commit, below the records' keys */
};

static inline void put_row(struct lmdb_file *file, MDB_txn *txn, uint64_t number, MDB_val *value,
                           unsigned flags)
{
    MDB_val key = {sizeof(number), &number};

    assert_int_equal(mdb_put(txn, file->dbi, &key, value, flags), 0);
}

/* A segment as the queue writes one: the records 100, 101, ... and some rows that change. */
static inline void make_segment(struct lmdb_file *file, const struct shape *shape)
{
    uint64_t state = 88172645463325252u;
    MDB_txn *txn = NULL;

    lmdb_file_open(file, MDB_INTEGERKEY);
    for (unsigned done = 0; done < shape->records;) {
        assert_int_equal(mdb_txn_begin(file->env, NULL, 0, &txn), 0);
        for (unsigned i = 0; i < shape->small_rows; i++) {
            uint8_t row[300] = {(uint8_t)i};
            MDB_val value = {20 + draw(&state) % 250, row};
            put_row(file, txn, i, &value, 0);
        }
        for (unsigned i = 0; i < shape->a_commit && done < shape->records; i++, done++) {
            MDB_val value;
            size_t size = 0;
            size_t body = shape->least + draw(&state) % (shape->most - shape->least + 1);
            uint64_t sequence = 100 + done;
            value.mv_data = make_record(sequence, body, &size);
            value.mv_size = size;
            put_row(file, txn, WAL_KEY_RECORDS + sequence, &value, MDB_APPEND);
            free(value.mv_data);
        }
        assert_int_equal(mdb_txn_commit(txn), 0);
    }
}

static const struct shape shapes[] = {
    {"nothing", 0, 1, 1, 1, 0},
    {"one small", 1, 1, 50, 50, 0},
    {"one large", 1, 1, 50000, 50000, 0},
    {"inline", 300, 7, 0, 300, 2},
    {"inline, one page a record", 200, 3, 1900, 1930, 0},
    {"about the limit of inline", 300, 10, 1900, 2100, 3},
    {"overflow of whole pages", 64, 4, 3990, 4010, 1},
    {"overflow", 300, 8, 3000, 60000, 1},
    {"mixed", 500, 8, 0, 9000, 5},
    {"thousands", 9000, 64, 100, 700, 3},
    {"thousands of large", 3000, 64, 2100, 9000, 0},
    {"only rows below the records", 1, 1, 0, 0, 200},
};
#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))
