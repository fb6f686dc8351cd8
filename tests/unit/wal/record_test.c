/* A record is what was written, whole and unchanged, or it is damaged. */
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs those before it */

#include "util/checksum.h"
#include "wal/record.h"

static const struct {
    const char *meta, *body;
} contents[] = {{"", ""}, {"m", ""}, {"", "b"}, {"tenant=a", "a longer body, to be sure"}};

static size_t write_record(uint8_t *value, size_t i)
{
    struct wal_record_head head = {.kind = 1,
                                   .coding = 2,
                                   .flags = 0x8003,
                                   .items = 4,
                                   .raw_bytes = 5,
                                   .time_ns = 6,
                                   .sequence = 7,
                                   .before = {8, 9, 10}};

    wal_record_write(value, &head, hf_slice_text(contents[i].meta),
                     hf_slice_text(contents[i].body));
    return wal_record_size(&head);
}

static void knows_the_checksum_of_the_standard(void **state)
{
    (void)state;
    assert_int_equal(hf_crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(hf_crc32c(hf_crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
    assert_int_equal(hf_crc32c(0, "", 0), 0);
}

static void gives_back_what_was_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
        uint8_t room[201];
        uint8_t *value = room + 1; /* anywhere */
        struct wal_record_head head;
        size_t size = write_record(value, i);
        assert_int_equal(wal_record_check(value, size, &head), WAL_OK);
        assert_true(head.kind == 1 && head.coding == 2 && head.flags == 0x8003 && head.items == 4);
        assert_true(head.raw_bytes == 5 && head.time_ns == 6 && head.sequence == 7);
        assert_true(head.before.records == 8 && head.before.items == 9 && head.before.bytes == 10);
        assert_true(hf_slice_is(wal_record_meta(value, &head), contents[i].meta));
        assert_true(hf_slice_is(wal_record_body(value, &head), contents[i].body));
    }
}

static void sees_every_flipped_bit_and_every_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
        uint8_t value[200] = {0};
        struct wal_record_head head;
        size_t size = write_record(value, i);
        for (size_t bit = 0; bit < size * 8; bit++) {
            value[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_not_equal(wal_record_check(value, size, &head), WAL_OK);
            value[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (size_t cut = 0; cut < size; cut++) {
            assert_int_equal(wal_record_check(value, cut, &head), WAL_CORRUPT);
        }
        assert_int_equal(wal_record_check(value, size + 1, &head), WAL_CORRUPT);
        assert_int_equal(wal_record_check(value, size, &head), WAL_OK);
    }
}

static void tells_a_newer_version_apart(void **state)
{
    uint8_t value[200];
    struct wal_record_head head;
    size_t whole = 0;
    (void)state;

    size_t size = write_record(value, 3);
    value[offsetof(struct wal_record_head, version)]++;
    assert_int_equal(wal_record_check(value, size, &head), WAL_TOO_NEW);
    assert_int_equal(wal_record_peek(value, size, &whole), WAL_TOO_NEW);
}

static void sees_the_whole_size_from_the_head(void **state)
{
    uint8_t value[200];
    size_t whole = 0;
    (void)state;

    size_t size = write_record(value, 3);
    assert_int_equal(wal_record_peek(value, WAL_RECORD_HEAD_BYTES, &whole), WAL_OK);
    assert_int_equal(whole, size);
    assert_int_equal(wal_record_peek(value, WAL_RECORD_HEAD_BYTES - 1, &whole), WAL_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_checksum_of_the_standard),
        cmocka_unit_test(gives_back_what_was_written),
        cmocka_unit_test(sees_every_flipped_bit_and_every_cut),
        cmocka_unit_test(tells_a_newer_version_apart),
        cmocka_unit_test(sees_the_whole_size_from_the_head),
    };
    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
