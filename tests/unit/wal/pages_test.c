#include "wal/pages.h"
#include "wal/pages_find.h"

#include "lmdb_file.h"

/* ---- what LMDB reads ---- */

struct row {
    uint64_t key, offset, size;
};

struct rows {
    struct row *row;
    size_t count, room;
    uint64_t file_size;
    size_t stop_after; /* 0: never */
};

static bool keep_row(void *user, uint64_t key, uint64_t offset, uint64_t size)
{
    struct rows *rows = user;

    if (rows->count == rows->room) {
        rows->room = rows->room * 2 + 64;
        rows->row = realloc(rows->row, rows->room * sizeof(*rows->row));
        assert_non_null(rows->row);
    }
    assert_true(rows->count == 0 || key > rows->row[rows->count - 1].key);
    assert_true(offset <= rows->file_size && size <= rows->file_size - offset);
    rows->row[rows->count++] = (struct row){key, offset, size};
    return rows->count != rows->stop_after;
}

static enum wal_status walk_bytes(const uint8_t *bytes, size_t size, struct rows *ret)
{
    int fd = memory_file(bytes, size);

    *ret = (struct rows){.file_size = size};
    enum wal_status status = wal_pages_walk(fd, size, NULL, keep_row, ret);
    close(fd);
    return status;
}

/* Each key that was walked over is found alone, at the same place, and none between two of them. */
static void expect_found_alone(int fd, const struct rows *rows)
{
    uint64_t offset = 0, size = 0;

    for (size_t i = 0; i < rows->count; i++) {
        const struct row *row = &rows->row[i];
        assert_int_equal(wal_pages_find(fd, rows->file_size, row->key, &offset, &size), WAL_OK);
        assert_int_equal(offset, row->offset);
        assert_int_equal(size, row->size);
        if (i + 1 == rows->count || row[1].key != row->key + 1) {
            assert_int_equal(wal_pages_find(fd, rows->file_size, row->key + 1, &offset, &size),
                             WAL_MISSING);
        }
    }
    assert_int_equal(wal_pages_find(fd, rows->file_size, 0, &offset, &size),
                     rows->count != 0 && rows->row[0].key == 0 ? WAL_OK : WAL_MISSING);
}

/* Compares with LMDB's own reading of the same file. */
static void expect_lmdb_agrees(struct lmdb_file *file, bool is_replaced)
{
    struct wal_pages_result result;
    struct stat stat;
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    MDB_stat lmdb;
    MDB_val key, value;
    size_t i = 0;

    int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0 && fstat(fd, &stat) == 0);
    struct rows rows = {.file_size = (uint64_t)stat.st_size};
    assert_int_equal(wal_pages_walk(fd, rows.file_size, &result, keep_row, &rows), WAL_OK);
    assert_int_equal(wal_pages_check(fd, rows.file_size), WAL_OK);
    expect_found_alone(fd, &rows);

    uint8_t *bytes = malloc(rows.file_size);
    assert_non_null(bytes);
    assert_int_equal(pread(fd, bytes, rows.file_size, 0), stat.st_size);
    close(fd);
    assert_int_equal(mdb_txn_begin(file->env, NULL, MDB_RDONLY, &txn), 0);
    assert_int_equal(mdb_stat(txn, file->dbi, &lmdb), 0);
    assert_int_equal(mdb_cursor_open(txn, file->dbi, &cursor), 0);
    for (; mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0; i++) {
        uint64_t number = 0;
        memcpy(&number, key.mv_data, sizeof(number));
        assert_true(i < rows.count && rows.row[i].key == number);
        assert_int_equal(rows.row[i].size, value.mv_size);
        assert_memory_equal(&bytes[rows.row[i].offset], value.mv_data, value.mv_size);
    }
    assert_int_equal(rows.count, i);
    assert_int_equal(result.entries, lmdb.ms_entries);
    assert_int_equal(result.depth, lmdb.ms_depth);
    assert_int_equal(result.branch_pages, lmdb.ms_branch_pages);
    assert_int_equal(result.leaf_pages, lmdb.ms_leaf_pages);
    /* A value replaced by a smaller one keeps its pages. */
    assert_true(result.overflow_pages == lmdb.ms_overflow_pages ||
                (is_replaced && result.overflow_pages < lmdb.ms_overflow_pages));
    assert_int_equal(result.txnid, mdb_txn_id(txn));
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    free(rows.row);
    free(bytes);
}

static void release(struct lmdb_file *file)
{
    free(file->bytes);
    file->bytes = NULL;
}

static void reads_what_lmdb_reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHAPES; i++) {
        struct lmdb_file file;
        make_segment(&file, &shapes[i]);
        expect_lmdb_agrees(&file, false);
        lmdb_file_close(&file);
        release(&file);
    }
}

/* Random puts, replacements and deletions, so that pages are split, merged, freed and used again.
 */
static void reads_what_lmdb_reads_after_long_use(void **state)
{
    struct lmdb_file file;
    uint64_t seed = 4711;
    MDB_txn *txn = NULL;
    static uint8_t bytes[20000];

    (void)state;
    lmdb_file_open(&file, MDB_INTEGERKEY);
    for (unsigned round = 0; round < 150; round++) {
        assert_int_equal(mdb_txn_begin(file.env, NULL, 0, &txn), 0);
        put_row(&file, txn, 5000 + round, &(MDB_val){10, bytes}, MDB_APPEND);
        for (unsigned i = 0; i < 200; i++) {
            uint64_t number = draw(&seed) % 3000;
            MDB_val key = {sizeof(number), &number};
            MDB_val value = {draw(&seed) % (draw(&seed) % 8 == 0 ? 20000 : 300), bytes};
            if (draw(&seed) % 3 == 0) {
                int rc = mdb_del(txn, file.dbi, &key, NULL);
                assert_true(rc == 0 || rc == MDB_NOTFOUND);
            } else {
                assert_int_equal(mdb_put(txn, file.dbi, &key, &value, 0), 0);
            }
        }
        assert_int_equal(mdb_txn_commit(txn), 0);
        expect_lmdb_agrees(&file, true);
    }
    lmdb_file_close(&file);
    release(&file);
}

/* ---- keys of bytes ---- */

struct seen {
    unsigned count;
    MDB_cursor *cursor;
};

static bool same_as_lmdb(void *user, struct hf_slice key, struct hf_slice value)
{
    struct seen *seen = user;
    MDB_val lmdb_key, lmdb_value;

    assert_int_equal(mdb_cursor_get(seen->cursor, &lmdb_key, &lmdb_value, MDB_NEXT), 0);
    assert_true(hf_slice_equal(key, hf_slice_of(lmdb_key.mv_data, lmdb_key.mv_size)));
    assert_true(hf_slice_equal(value, hf_slice_of(lmdb_value.mv_data, lmdb_value.mv_size)));
    seen->count++;
    return true;
}

static void reads_keys_of_bytes_too(void **state)
{
    struct lmdb_file file;
    struct stat stat;
    uint64_t seed = 99;
    MDB_txn *txn = NULL;
    static uint8_t bytes[9000];
    struct seen seen = {0};

    (void)state;
    lmdb_file_open(&file, 0);
    for (unsigned round = 0; round < 50; round++) {
        assert_int_equal(mdb_txn_begin(file.env, NULL, 0, &txn), 0);
        for (unsigned i = 0; i < 30; i++) {
            char name[256];
            int length = snprintf(name, sizeof(name), "%0*u", (int)(1 + draw(&seed) % 200),
                                  (unsigned)(draw(&seed) % 150));
            MDB_val key = {(size_t)length, name};
            MDB_val value = {draw(&seed) % (draw(&seed) % 4 == 0 ? sizeof(bytes) : 200), bytes};
            assert_int_equal(mdb_put(txn, file.dbi, &key, &value, 0), 0);
        }
        assert_int_equal(mdb_txn_commit(txn), 0);
        int fd = open(file.path, O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0 && fstat(fd, &stat) == 0);
        assert_int_equal(wal_pages_check(fd, (uint64_t)stat.st_size), WAL_OK);
        assert_int_equal(mdb_txn_begin(file.env, NULL, MDB_RDONLY, &txn), 0);
        assert_int_equal(mdb_cursor_open(txn, file.dbi, &seen.cursor), 0);
        assert_int_equal(wal_pages_walk_bytes(fd, (uint64_t)stat.st_size, same_as_lmdb, &seen),
                         WAL_OK);
        mdb_cursor_close(seen.cursor);
        mdb_txn_abort(txn);
        /* A segment has numbers for keys. */
        assert_int_equal(wal_pages_walk(fd, (uint64_t)stat.st_size, NULL, NULL, NULL), WAL_CORRUPT);
        close(fd);
    }
    assert_true(seen.count > 1000);
    lmdb_file_close(&file);
    release(&file);
}

/* ---- damage ---- */

/*
 * What must hold for any bytes: rows in bounds and in order (keep_row asserts it), and when all is
 * said to be well, every record is there but one that was damaged itself, which the record's own
 * sequence or checksum shows.
 */
static void expect_no_silent_loss(int fd, size_t size, const struct rows *truth, unsigned may_lose,
                                  const char *what)
{
    struct rows rows = {.file_size = size};
    unsigned lost = 0;
    size_t at = 0;
    uint64_t offset = 0, value_size = 0;

    if (wal_pages_walk(fd, size, NULL, keep_row, &rows) == WAL_OK) {
        for (size_t i = 0; i < truth->count; i++) {
            while (at < rows.count && rows.row[at].key < truth->row[i].key) {
                at++;
            }
            bool same = at < rows.count &&
                        memcmp(&rows.row[at], &truth->row[i], sizeof(truth->row[i])) == 0;
            lost += same ? 0 : 1;
        }
    }
    free(rows.row);
    /* Whatever it finds is checked by its reader. */
    (void)!wal_pages_find(fd, size, truth->row[truth->count / 2].key, &offset, &value_size);
    if (lost > may_lose) {
        fail_msg("%u rows are missing and nothing was said (%s)", lost, what);
    }
}

static const struct shape small_shapes[] = {
    {"inline", 30, 3, 0, 300, 2},
    {"overflow", 8, 2, 3000, 9000, 0},
    {"mixed, with a branch page", 40, 5, 100, 4500, 3},
};

static void flip(struct lmdb_file *file, int fd, size_t at, uint8_t mask)
{
    file->bytes[at] ^= mask;
    assert_int_equal(pwrite(fd, &file->bytes[at], 1, (off_t)at), 1);
}

static void survives_every_flipped_byte(void **state)
{
    static const uint8_t masks[] = {0xff, 0x01, 0x02, 0x80, 0x04, 0x08, 0x10, 0x20, 0x40};

    (void)state;
    for (size_t s = 0; s < sizeof(small_shapes) / sizeof(small_shapes[0]); s++) {
        struct lmdb_file file;
        struct rows truth;
        make_segment(&file, &small_shapes[s]);
        lmdb_file_close(&file);
        int fd = memory_file(file.bytes, file.size);
        assert_int_equal(walk_bytes(file.bytes, file.size, &truth), WAL_OK);
        for (size_t at = 0; at < file.size; at += at < 8192 ? 1 : 5) {
            /* All masks where it matters most. */
            for (size_t m = 0; m < (at % 4096 < 160 && at < 8192 ? sizeof(masks) : 1); m++) {
                char what[64];
                uint8_t mask = masks[(at + m) % sizeof(masks)];
                snprintf(what, sizeof(what), "%s, byte %zu ^ %u", small_shapes[s].name, at, mask);
                flip(&file, fd, at, mask);
                expect_no_silent_loss(fd, file.size, &truth, 1, what);
                flip(&file, fd, at, mask);
            }
        }
        close(fd);
        free(truth.row);
        release(&file);
    }
}

static void survives_every_truncation(void **state)
{
    (void)state;
    for (size_t s = 0; s < sizeof(small_shapes) / sizeof(small_shapes[0]); s++) {
        struct lmdb_file file;
        struct rows truth;
        make_segment(&file, &small_shapes[s]);
        lmdb_file_close(&file);
        int fd = memory_file(file.bytes, file.size);
        assert_int_equal(walk_bytes(file.bytes, file.size, &truth), WAL_OK);
        for (size_t size = file.size - 1; size >= 7; size -= 7) {
            char what[64];
            snprintf(what, sizeof(what), "%s, cut to %zu", small_shapes[s].name, size);
            if (size % 2 == 0) { /* the size told may be an old one, or the true one */
                assert_int_equal(ftruncate(fd, (off_t)size), 0);
            }
            expect_no_silent_loss(fd, size % 3 == 0 ? file.size : size, &truth, 0, what);
        }
        close(fd);
        free(truth.row);
        release(&file);
    }
}

/* Pages, sectors and words in wrong places: what a lost or misdirected write leaves. */
static void survives_bytes_in_wrong_places(void **state)
{
    static const size_t units[] = {4096, 512, 16, 2};
    struct lmdb_file file;
    struct rows truth;
    uint64_t seed = 31337;

    (void)state;
    make_segment(&file, &(struct shape){"", 400, 9, 0, 3000, 20});
    lmdb_file_close(&file);
    assert_int_equal(walk_bytes(file.bytes, file.size, &truth), WAL_OK);
    uint8_t *copy = malloc(file.size);
    assert_non_null(copy);
    for (unsigned round = 0; round < 600; round++) {
        memcpy(copy, file.bytes, file.size);
        size_t unit = units[round % 4];
        for (uint64_t swaps = 1 + draw(&seed) % 4; swaps > 0; swaps--) {
            size_t from = draw(&seed) % (file.size / unit) * unit;
            size_t to = draw(&seed) % (file.size / unit) * unit;
            if (draw(&seed) % 4 == 0) {
                memset(&copy[to], 0, unit);
            } else {
                memmove(&copy[to], &copy[from], unit);
            }
        }
        int fd = memory_file(copy, file.size);
        expect_no_silent_loss(fd, file.size, &truth, UINT32_MAX, "");
        (void)!wal_pages_check(fd, file.size);
        close(fd);
    }
    free(copy);
    free(truth.row);
    release(&file);
}

static void refuses_a_tree_that_bites_its_tail(void **state)
{
    struct lmdb_file file;
    struct rows rows;

    (void)state;
    make_segment(&file, &(struct shape){"", 400, 400, 300, 300, 0});
    lmdb_file_close(&file);
    /* Every branch node of the newest root leads to the root itself. */
    uint64_t root = 0;
    uint64_t newest = 0;
    memcpy(&newest, &file.bytes[4096 + 144], 8);
    memcpy(&root, &file.bytes[(newest == 1 ? 0 : 4096) + 128], 8);
    memcpy(&newest, &file.bytes[144], 8);
    memcpy(&root, &file.bytes[(newest == 2 ? 0 : 4096) + 128], 8);
    uint8_t *page = &file.bytes[root * 4096];
    assert_int_equal(page[10], 1);
    uint16_t first = 0;
    memcpy(&first, &page[16], 2);
    memcpy(&page[first], &root, 4);
    assert_int_equal(walk_bytes(file.bytes, file.size, &rows), WAL_CORRUPT);
    assert_int_equal(rows.count, 0);
    free(rows.row);
    release(&file);
}

static void falls_back_to_the_meta_page_that_is_left(void **state)
{
    (void)state;
    for (unsigned broken = 0; broken < 2; broken++) {
        struct lmdb_file file;
        struct rows rows;
        make_segment(&file, &(struct shape){"", 30, 3, 10, 300, 0});
        lmdb_file_close(&file);
        memset(&file.bytes[4096 * broken], 0, 512);
        /* Something is wrong, and what is there is shown: all, or all but the last commit. */
        assert_int_equal(walk_bytes(file.bytes, file.size, &rows), WAL_CORRUPT);
        assert_true(rows.count == 30 || rows.count == 27);
        free(rows.row);
        memset(&file.bytes[4096 * (1 - broken)], 0, 512);
        assert_int_equal(walk_bytes(file.bytes, file.size, &rows), WAL_CORRUPT);
        assert_int_equal(rows.count, 0);
        release(&file);
    }
}

static void stops_when_told(void **state)
{
    struct lmdb_file file;

    (void)state;
    make_segment(&file, &(struct shape){"", 30, 3, 10, 300, 0});
    lmdb_file_close(&file);
    int fd = memory_file(file.bytes, file.size);
    struct rows rows = {.file_size = file.size, .stop_after = 5};
    assert_int_equal(wal_pages_walk(fd, file.size, NULL, keep_row, &rows), WAL_OK);
    assert_int_equal(rows.count, 5);
    close(fd);
    /* A descriptor that cannot be read. */
    assert_int_equal(wal_pages_walk(fd, file.size, NULL, keep_row, &rows), WAL_IO);
    free(rows.row);
    release(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_lmdb_reads),
        cmocka_unit_test(reads_what_lmdb_reads_after_long_use),
        cmocka_unit_test(reads_keys_of_bytes_too),
        cmocka_unit_test(survives_every_flipped_byte),
        cmocka_unit_test(survives_every_truncation),
        cmocka_unit_test(survives_bytes_in_wrong_places),
        cmocka_unit_test(refuses_a_tree_that_bites_its_tail),
        cmocka_unit_test(falls_back_to_the_meta_page_that_is_left),
        cmocka_unit_test(stops_when_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
