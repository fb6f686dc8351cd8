#include "wal/salvage.h"

#include "lmdb_file.h"
#include "wal/pages.h"

enum { FIRST = 100, RECORDS_MAX = 10000 };

/* Which of the records FIRST, FIRST + 1, ... were found whole. */
struct finds {
    const uint8_t *bytes;
    size_t size;
    uint64_t last_offset;
    unsigned visits;
    unsigned stop_after;
    unsigned invented; /* good by the checksum, but nobody wrote it */
    uint8_t found[RECORDS_MAX];
};

static void look(struct finds *finds, uint64_t offset, uint64_t size)
{
    struct wal_record_head head;

    assert_true(offset <= finds->size && size <= finds->size - offset);
    if (wal_record_check(&finds->bytes[offset], size, &head) != WAL_OK) {
        return;
    }
    if (head.sequence < FIRST || head.sequence >= FIRST + RECORDS_MAX) {
        finds->invented++;
        return;
    }
    finds->found[head.sequence - FIRST] = 1;
}

static bool find(void *user, uint64_t offset, uint64_t size)
{
    struct finds *finds = user;
    struct wal_record_head head;

    assert_true(offset > finds->last_offset);
    finds->last_offset = offset;
    finds->visits++;
    assert_int_equal(wal_record_check(&finds->bytes[offset], size, &head), WAL_OK);
    look(finds, offset, size);
    return finds->visits != finds->stop_after;
}

static bool find_by_walk(void *user, uint64_t key, uint64_t offset, uint64_t size)
{
    (void)key;
    look(user, offset, size);
    return true;
}

static void salvage(const uint8_t *bytes, size_t size, struct finds *ret)
{
    int fd = memory_file(bytes, size);

    *ret = (struct finds){.bytes = bytes, .size = size};
    assert_int_equal(wal_salvage(fd, size, find, ret), WAL_OK);
    close(fd);
}

static unsigned found_of(const struct finds *finds, unsigned records)
{
    unsigned count = 0;

    for (unsigned i = 0; i < records; i++) {
        count += finds->found[i];
    }
    return count;
}

static void finds_every_record_without_its_tree(void **state)
{
    static struct finds finds;

    (void)state;
    for (size_t i = 0; i < SHAPES; i++) {
        struct lmdb_file file;
        make_segment(&file, &shapes[i]);
        lmdb_file_close(&file);
        memset(file.bytes, 0, file.size < 8192 ? file.size : 8192);
        salvage(file.bytes, file.size, &finds);
        assert_int_equal(found_of(&finds, RECORDS_MAX), shapes[i].records);
        assert_int_equal(finds.invented, 0);
        free(file.bytes);
    }
}

static const struct shape small_shapes[] = {
    {"inline", 30, 3, 0, 300, 2},
    {"overflow", 8, 2, 3000, 9000, 0},
    {"mixed", 40, 5, 100, 4500, 3},
};

struct place {
    uint64_t offset, size;
};

static bool note_place(void *user, uint64_t key, uint64_t offset, uint64_t size)
{
    struct place *places = user;

    if (key >= WAL_KEY_RECORDS) {
        places[key - WAL_KEY_RECORDS - FIRST] = (struct place){offset, size};
    }
    return true;
}

/* Only the record that the byte belongs to is lost, whatever else the byte led to. */
static void confines_a_flipped_bit_to_its_record(void **state)
{
    static struct finds finds;
    static struct place places[RECORDS_MAX];

    (void)state;
    for (size_t s = 0; s < sizeof(small_shapes) / sizeof(small_shapes[0]); s++) {
        struct lmdb_file file;
        make_segment(&file, &small_shapes[s]);
        lmdb_file_close(&file);
        int fd = memory_file(file.bytes, file.size);
        assert_int_equal(wal_pages_walk(fd, file.size, NULL, note_place, places), WAL_OK);
        for (size_t at = s; at < file.size; at += 29) {
            file.bytes[at] ^= (uint8_t)(1u << (at % 8));
            assert_int_equal(pwrite(fd, &file.bytes[at], 1, (off_t)at), 1);
            finds = (struct finds){.bytes = file.bytes, .size = file.size};
            assert_int_equal(wal_salvage(fd, file.size, find, &finds), WAL_OK);
            assert_int_equal(finds.invented, 0);
            for (unsigned i = 0; i < small_shapes[s].records; i++) {
                bool is_hit = at >= places[i].offset && at < places[i].offset + places[i].size;
                if (finds.found[i] == 0 && !is_hit) {
                    fail_msg("%s: byte %zu cost record %u", small_shapes[s].name, at, i);
                }
            }
            file.bytes[at] ^= (uint8_t)(1u << (at % 8));
            assert_int_equal(pwrite(fd, &file.bytes[at], 1, (off_t)at), 1);
        }
        close(fd);
        free(file.bytes);
    }
}

static void confines_a_truncation_to_what_was_cut_off(void **state)
{
    static struct finds finds;
    static struct place places[RECORDS_MAX];

    (void)state;
    for (size_t s = 0; s < sizeof(small_shapes) / sizeof(small_shapes[0]); s++) {
        struct lmdb_file file;
        make_segment(&file, &small_shapes[s]);
        lmdb_file_close(&file);
        int fd = memory_file(file.bytes, file.size);
        assert_int_equal(wal_pages_walk(fd, file.size, NULL, note_place, places), WAL_OK);
        for (size_t size = file.size - 1; size > 80; size -= 67) {
            assert_int_equal(ftruncate(fd, (off_t)size), 0);
            finds = (struct finds){.bytes = file.bytes, .size = size};
            assert_int_equal(wal_salvage(fd, size, find, &finds), WAL_OK);
            for (unsigned i = 0; i < small_shapes[s].records; i++) {
                if (finds.found[i] == 0 && places[i].offset + places[i].size <= size) {
                    fail_msg("%s: cut to %zu cost record %u", small_shapes[s].name, size, i);
                }
            }
        }
        close(fd);
        free(file.bytes);
    }
}

/* Any mess: what is found by either reader are records that were written, and all untouched ones
 * are found. */
static void invents_nothing(void **state)
{
    static struct finds finds;
    static struct place places[RECORDS_MAX];
    struct lmdb_file file;
    const struct shape shape = {"", 600, 9, 0, 6000, 5};
    uint64_t seed = 271828;

    (void)state;
    make_segment(&file, &shape);
    lmdb_file_close(&file);
    int fd = memory_file(file.bytes, file.size);
    assert_int_equal(wal_pages_walk(fd, file.size, NULL, note_place, places), WAL_OK);
    close(fd);
    uint8_t *copy = malloc(file.size);
    assert_non_null(copy);
    for (unsigned round = 0; round < 100; round++) {
        size_t unit = round % 2 == 0 ? 512 : 4096;
        size_t hit[8];
        memcpy(copy, file.bytes, file.size);
        for (unsigned i = 0; i < 8; i++) {
            size_t from = draw(&seed) % (file.size / unit) * unit;
            hit[i] = draw(&seed) % (file.size / unit) * unit;
            memcpy(&copy[hit[i]], &file.bytes[from], unit);
        }
        salvage(copy, file.size, &finds);
        assert_int_equal(finds.invented, 0);
        for (unsigned i = 0; i < shape.records; i++) {
            bool is_hit = false;
            for (unsigned h = 0; h < 8; h++) {
                is_hit |=
                    hit[h] < places[i].offset + places[i].size && hit[h] + unit > places[i].offset;
            }
            assert_true(finds.found[i] != 0 || is_hit);
        }
        fd = memory_file(copy, file.size);
        (void)!wal_pages_walk(fd, file.size, NULL, find_by_walk, &finds);
        close(fd);
        assert_int_equal(finds.invented, 0);
    }
    free(copy);
    free(file.bytes);
}

/* Larger than the window, at its end, and inside of another. */
static void finds_records_of_any_size(void **state)
{
    static struct finds finds;
    struct lmdb_file file;

    (void)state;
    make_segment(&file, &(struct shape){"", 9, 2, 900000, 4000000, 0});
    lmdb_file_close(&file);
    salvage(file.bytes, file.size, &finds);
    assert_int_equal(found_of(&finds, RECORDS_MAX), 9);
    assert_int_equal(finds.visits, 9);
    free(file.bytes);
}

/* A body can be a copy of a record, or of a whole segment: it is that body, not records. */
static void leaves_bodies_alone(void **state)
{
    static struct finds finds;
    struct lmdb_file inner, outer;
    struct wal_record_head head = {.sequence = FIRST + 5000};
    MDB_txn *txn = NULL;

    (void)state;
    make_segment(&inner, &(struct shape){"", 50, 5, 100, 5000, 0});
    lmdb_file_close(&inner);
    lmdb_file_open(&outer, MDB_INTEGERKEY);
    assert_int_equal(mdb_txn_begin(outer.env, NULL, 0, &txn), 0);
    size_t size = WAL_RECORD_HEAD_BYTES + inner.size;
    uint8_t *value = malloc(size);
    assert_non_null(value);
    wal_record_write(value, &head, HF_EMPTY_SLICE, hf_slice_of(inner.bytes, inner.size));
    put_row(&outer, txn, WAL_KEY_RECORDS + head.sequence, &(MDB_val){size, value}, 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    lmdb_file_close(&outer);
    salvage(outer.bytes, outer.size, &finds);
    assert_int_equal(finds.visits, 1);
    assert_int_equal(finds.found[5000], 1);

    free(value);
    free(inner.bytes);
    free(outer.bytes);
}

static void stops_when_told(void **state)
{
    static struct finds finds;
    struct lmdb_file file;

    (void)state;
    make_segment(&file, &(struct shape){"", 40, 5, 100, 4500, 3});
    lmdb_file_close(&file);
    int fd = memory_file(file.bytes, file.size);
    finds = (struct finds){.bytes = file.bytes, .size = file.size, .stop_after = 7};
    assert_int_equal(wal_salvage(fd, file.size, find, &finds), WAL_OK);
    assert_int_equal(finds.visits, 7);
    close(fd);
    finds = (struct finds){.bytes = file.bytes, .size = file.size};
    assert_int_equal(wal_salvage(fd, file.size, find, &finds), WAL_IO);
    assert_int_equal(finds.visits, 0);
    free(file.bytes);
}

/* Heads at every page that claim the rest of the file: it takes no more than some times reading it.
 */
static void gives_up_on_files_made_to_be_slow(void **state)
{
    static struct finds finds;
    const size_t size = 4096u * 4096u;

    (void)state;
    uint8_t *bytes = calloc(1, size);
    assert_non_null(bytes);
    for (size_t page = 2; page < 4096; page++) {
        struct wal_record_head head = {.magic = WAL_RECORD_MAGIC, .version = WAL_FORMAT_VERSION};
        uint16_t flags = 4;
        head.body_size = (uint32_t)(size - page * 4096 - 16 - WAL_RECORD_HEAD_BYTES);
        memcpy(&bytes[page * 4096 + 10], &flags, 2);
        memcpy(&bytes[page * 4096 + 16], &head, sizeof(head));
    }
    salvage(bytes, size, &finds);
    assert_int_equal(finds.visits, 0);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_every_record_without_its_tree),
        cmocka_unit_test(confines_a_flipped_bit_to_its_record),
        cmocka_unit_test(confines_a_truncation_to_what_was_cut_off),
        cmocka_unit_test(invents_nothing),
        cmocka_unit_test(finds_records_of_any_size),
        cmocka_unit_test(leaves_bodies_alone),
        cmocka_unit_test(stops_when_told),
        cmocka_unit_test(gives_up_on_files_made_to_be_slow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
