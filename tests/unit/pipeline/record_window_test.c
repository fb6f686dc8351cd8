/* What a queue knows of a sender: never more than was added, compared with a plain set. */
#include "pipeline/record_window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include "wal/wal.h"

#define ITEMS 4u /* of each record */
#define PLACES 400u

static struct hf_record_place place_of(unsigned at)
{
    return (struct hf_record_place){at / ITEMS, at % ITEMS};
}

static struct hf_record_range range_of(unsigned from, unsigned to)
{
    return (struct hf_record_range){place_of(from), place_of(to)};
}

static unsigned next_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static void knows_what_was_added_and_no_more(void **state)
{
    struct hf_record_window window = {.count = 0}, again;
    uint32_t seed = 7;
    bool set[PLACES] = {false};
    uint8_t value[WAL_CHECKPOINT_BYTES_MAX];
    (void)state;
    for (unsigned round = 0; round < 2000; round++) {
        unsigned from = next_random(&seed) % (PLACES - 1);
        unsigned size = 1 + next_random(&seed) % (round % 3 == 0 ? 3 : 12);
        unsigned to = from + size < PLACES ? from + size : PLACES;
        bool all = true, any = false;
        for (unsigned i = from; i < to; i++) {
            all = all && set[i];
            any = any || set[i];
        }
        assert_int_equal(hf_record_window_has(&window, range_of(from, to)), all);
        assert_int_equal(hf_record_window_meets(&window, range_of(from, to)), any);
        hf_record_window_add(&window, range_of(from, to));
        memset(set, 0, sizeof(set));
        for (size_t k = 0; k < window.count; k++) {
            const struct hf_record_range *range = &window.ranges[k];
            for (uint64_t i = range->from.sequence * ITEMS + range->from.item;
                 i < range->to.sequence * ITEMS + range->to.item; i++) {
                assert_false(set[i] && "ranges do not overlap");
                set[i] = true;
            }
        }
        for (unsigned i = from; i < to; i++) {
            assert_true(set[i]);
        }
        size_t stored = hf_record_window_write(&window, value);
        assert_true(stored <= sizeof(value));
        assert_true(hf_record_window_read(hf_slice_of(value, stored), &again));
        assert_int_equal(again.count, window.count);
        for (size_t k = 0; k < window.count; k++) {
            assert_int_equal(hf_record_place_compare(again.ranges[k].from, window.ranges[k].from),
                             0);
            assert_int_equal(hf_record_place_compare(again.ranges[k].to, window.ranges[k].to), 0);
        }
        if (round % 50 == 49) {
            window.count = 0;
            memset(set, 0, sizeof(set));
        }
    }
}

static void forgets_what_was_added_to_longest_ago(void **state)
{
    struct hf_record_window window = {.count = 0};
    (void)state;
    for (unsigned i = 0; i < HF_RECORD_WINDOW_RANGES; i++) {
        hf_record_window_add(&window, range_of(8 * i, 8 * i + 4));
    }
    hf_record_window_add(&window, range_of(4, 6)); /* the first is the latest now */
    hf_record_window_add(&window, range_of(8000, 8004));
    assert_int_equal(window.count, HF_RECORD_WINDOW_RANGES);
    assert_true(hf_record_window_has(&window, range_of(0, 6)));
    assert_false(hf_record_window_meets(&window, range_of(8, 16)));
    assert_true(hf_record_window_has(&window, range_of(16, 20)));
}

static void keeps_what_two_have(void **state)
{
    struct hf_record_window one = {.count = 0}, other = {.count = 0};
    (void)state;
    hf_record_window_add(&one, range_of(0, 10));
    hf_record_window_add(&one, range_of(20, 30));
    hf_record_window_add(&other, range_of(5, 25));
    hf_record_window_intersect(&one, &other);
    assert_true(hf_record_window_has(&one, range_of(5, 10)));
    assert_true(hf_record_window_has(&one, range_of(20, 25)));
    assert_false(hf_record_window_meets(&one, range_of(0, 5)));
    assert_false(hf_record_window_meets(&one, range_of(10, 20)));
    assert_false(hf_record_window_meets(&one, range_of(25, 40)));
}

static void knows_nothing_of_what_it_cannot_read(void **state)
{
    struct hf_record_window window = {.used_s = 9, .count = 0};
    uint8_t value[WAL_CHECKPOINT_BYTES_MAX];
    (void)state;
    size_t size = hf_record_window_write(&window, value);
    assert_int_equal(hf_record_window_used(hf_slice_of(value, size)), 9);
    assert_false(hf_record_window_read(HF_EMPTY_SLICE, &window));
    assert_false(hf_record_window_read(hf_slice_of(value, size - 1), &window));
    value[0]++;
    assert_false(hf_record_window_read(hf_slice_of(value, size), &window));
    assert_int_equal(hf_record_window_used(hf_slice_of(value, size)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_what_was_added_and_no_more),
        cmocka_unit_test(forgets_what_was_added_to_longest_ago),
        cmocka_unit_test(keeps_what_two_have),
        cmocka_unit_test(knows_nothing_of_what_it_cannot_read),
    };
    return cmocka_run_group_tests_name("record_window", tests, NULL, NULL);
}
