/* Acknowledged ranges: merged, in the accounting, stored and read back, checked against a plain
 * array of flags. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs those before it */

#include "util/checksum.h"
#include "wal/cursor.h"

#define RECORDS 200u

static struct wal_place place_of(uint64_t sequence)
{
    /* Record n has n items and ten bytes. */
    return (struct wal_place){sequence, {sequence, sequence * (sequence - 1) / 2, sequence * 10}};
}

static struct wal_ack ack_at(uint64_t sequence)
{
    return (struct wal_ack){.sequence = sequence, .items = (uint32_t)sequence, .raw_bytes = 10};
}

static struct wal_cursor cursor_at_start(void)
{
    struct wal_cursor cursor;

    wal_cursor_init(&cursor, place_of(0));
    assert_int_equal(wal_cursor_reserve(&cursor, RECORDS), WAL_OK);
    return cursor;
}

static uint64_t sum_dropped(const struct wal_accounting *accounting)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < WAL_DROP_COUNT; i++) {
        sum += accounting->dropped[i].items;
    }
    return sum;
}

/* The accounting, low and every membership agree with the flags. */
static void assert_is(const struct wal_cursor *cursor, const bool *is_done)
{
    struct wal_accounting accounting;
    uint64_t queued = 0, queued_items = 0, low = 0;

    while (low < RECORDS && is_done[low]) {
        low++;
    }
    assert_int_equal(cursor->low, low);
    for (uint64_t i = 0; i < RECORDS; i++) {
        assert_int_equal(wal_cursor_has(cursor, i), is_done[i]);
        queued += !is_done[i];
        queued_items += is_done[i] ? 0 : i;
    }
    wal_cursor_accounting(cursor, place_of(RECORDS).total, &accounting);
    assert_int_equal(accounting.queued.records, queued);
    assert_int_equal(accounting.queued.items, queued_items);
    assert_int_equal(accounting.queued.bytes, queued * 10);
    assert_int_equal(accounting.accepted.items,
                     accounting.queued.items + accounting.delivered.items +
                         accounting.dead_lettered.items + sum_dropped(&accounting));
    for (size_t i = 0; i < cursor->range_count; i++) {
        assert_true(cursor->ranges[i].first > (i == 0 ? cursor->low : cursor->ranges[i - 1].end));
    }
}

static void assert_reads_back(const struct wal_cursor *cursor, const bool *is_done)
{
    struct wal_cursor again;
    size_t size = wal_cursor_size(cursor);
    uint8_t *value = malloc(size);

    assert_non_null(value);
    wal_cursor_write(cursor, value);
    assert_int_equal(wal_cursor_parse(hf_slice_of(value, size), &again), WAL_OK);
    assert_is(&again, is_done);
    wal_cursor_release(&again);
    value[size / 2] ^= 4;
    assert_int_equal(wal_cursor_parse(hf_slice_of(value, size), &again), WAL_CORRUPT);
    free(value);
}

static void acknowledges_in_any_order(void **state)
{
    uint32_t seed = (uint32_t)time(NULL);
    (void)state;

    print_message("seed %u\n", seed);
    for (int round = 0; round < 20; round++) {
        struct wal_cursor cursor = cursor_at_start();
        bool is_done[RECORDS] = {false};
        for (int step = 0; step < 400; step++) {
            seed = seed * 1664525u + 1013904223u;
            uint64_t at = (seed >> 8) % RECORDS;
            struct wal_ack ack = ack_at(at);
            assert_int_equal(wal_cursor_ack(&cursor, &ack), !is_done[at]);
            is_done[at] = true;
            if (step % 40 == 0) {
                assert_is(&cursor, is_done);
                assert_reads_back(&cursor, is_done);
            }
        }
        wal_cursor_release(&cursor);
    }
}

static void absorbs_what_lies_between(void **state)
{
    static const struct {
        uint64_t acked[4]; /* 0 ends it */
        uint64_t from, upto;
        uint64_t counted;
    } cases[] = {
        {{0}, 0, 10, 10},          {{0}, 0, 1, 1},
        {{3, 4, 0}, 0, 10, 8},     {{3, 9, 0}, 0, 10, 8}, /* one ends where it ends */
        {{20, 0}, 5, 10, 5},                              /* not from low: a range of its own */
        {{4, 0}, 5, 10, 5},                               /* joins the one below */
        {{10, 0}, 5, 10, 5}, /* and the one above: 10 is done with, but it is not in [5, 10) */
        {{4, 7, 10, 0}, 5, 10, 4},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct wal_cursor cursor = cursor_at_start();
        bool is_done[RECORDS] = {false};
        for (size_t j = 0; cases[i].acked[j] != 0; j++) {
            struct wal_ack ack = ack_at(cases[i].acked[j]);
            assert_true(wal_cursor_ack(&cursor, &ack));
            is_done[cases[i].acked[j]] = true;
        }
        struct wal_amount counted =
            wal_cursor_absorb(&cursor, place_of(cases[i].from), place_of(cases[i].upto),
                              &cursor.dropped[WAL_DROP_DAMAGED]);
        assert_int_equal(counted.records, cases[i].counted);
        for (uint64_t j = cases[i].from; j < cases[i].upto; j++) {
            is_done[j] = true;
        }
        assert_is(&cursor, is_done);
        assert_int_equal(cursor.dropped[WAL_DROP_DAMAGED].bytes, counted.bytes);
        wal_cursor_release(&cursor);
    }
}

static void skips_what_is_done_with(void **state)
{
    struct wal_cursor cursor = cursor_at_start();
    const uint64_t acked[] = {0, 1, 5, 6, 9};
    (void)state;

    for (size_t i = 0; i < 5; i++) {
        struct wal_ack ack = ack_at(acked[i]);
        assert_true(wal_cursor_ack(&cursor, &ack));
    }
    struct wal_place place = place_of(0);
    assert_true(wal_cursor_skip(&cursor, &place));
    assert_int_equal(place.sequence, 2);
    assert_int_equal(place.total.items, 1);
    assert_false(wal_cursor_skip(&cursor, &place));
    place = place_of(5);
    assert_true(wal_cursor_skip(&cursor, &place));
    assert_int_equal(place.sequence, 7);
    assert_int_equal(place.total.items, place_of(7).total.items);
    assert_int_equal(wal_cursor_until(&cursor, 2), 5);
    assert_int_equal(wal_cursor_until(&cursor, 7), 9);
    assert_int_equal(wal_cursor_until(&cursor, 10), UINT64_MAX);
    wal_cursor_release(&cursor);
}

static void takes_no_more_ranges_than_were_reserved(void **state)
{
    struct wal_cursor cursor;
    (void)state;

    wal_cursor_init(&cursor, place_of(0));
    struct wal_ack ack = ack_at(5);
    assert_false(wal_cursor_ack(&cursor, &ack)); /* as if it had not been acknowledged */
    assert_int_equal(cursor.delivered.records, 0);
    ack = ack_at(0);
    assert_true(wal_cursor_ack(&cursor, &ack)); /* low needs no room */
    wal_cursor_release(&cursor);
}

/* As a version wrote it that had one reason less. */
static void reads_an_accounting_with_fewer_reasons(void **state)
{
    const size_t drop_count_at = 10, sums_end = 24 + 24 * (4 + WAL_DROP_COUNT);
    struct wal_cursor cursor = cursor_at_start();
    struct wal_cursor again;
    uint8_t value[1024];
    (void)state;

    for (uint64_t i = 0; i < 4; i += 3) {
        struct wal_ack ack = ack_at(i);
        ack.outcome = WAL_DROPPED;
        ack.drop = WAL_DROP_OPERATOR;
        assert_true(wal_cursor_ack(&cursor, &ack));
    }
    size_t size = wal_cursor_size(&cursor);
    assert_true(size > sums_end && size <= sizeof(value));
    wal_cursor_write(&cursor, value);
    memmove(value + sums_end - 24, value + sums_end, size - sums_end);
    size -= 24;
    for (int more = 0; more < 2; more++) {
        value[drop_count_at] = (uint8_t)(WAL_DROP_COUNT - 1 + 2 * more);
        memset(value + 4, 0, 4);
        uint32_t crc = hf_crc32c(0, value, size);
        memcpy(value + 4, &crc, 4);
        assert_int_equal(wal_cursor_parse(hf_slice_of(value, size), &again),
                         more ? WAL_TOO_NEW : WAL_OK);
        if (!more) {
            assert_int_equal(again.low, 1);
            assert_int_equal(again.range_count, 1);
            assert_int_equal(again.ranges[0].first, 3);
            assert_int_equal(again.dropped[WAL_DROP_OPERATOR].items, 3);
            assert_int_equal(again.dropped[WAL_DROP_PROCESSOR].items, 0);
            wal_cursor_release(&again);
        }
    }
    wal_cursor_release(&cursor);
}

static void counts_a_part_by_its_reason(void **state)
{
    struct wal_cursor cursor = cursor_at_start();
    struct wal_ack ack = ack_at(5);
    (void)state;

    ack.drop = WAL_DROP_PROCESSOR;
    ack.rejected_items = 2;
    assert_true(wal_cursor_ack(&cursor, &ack));
    assert_int_equal(cursor.delivered.items, 3);
    assert_int_equal(cursor.dropped[WAL_DROP_PROCESSOR].items, 2);
    wal_cursor_release(&cursor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acknowledges_in_any_order),
        cmocka_unit_test(absorbs_what_lies_between),
        cmocka_unit_test(skips_what_is_done_with),
        cmocka_unit_test(takes_no_more_ranges_than_were_reserved),
        cmocka_unit_test(reads_an_accounting_with_fewer_reasons),
        cmocka_unit_test(counts_a_part_by_its_reason),
    };
    return cmocka_run_group_tests_name("cursor", tests, NULL, NULL);
}
