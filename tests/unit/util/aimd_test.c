/* The window is halved once a round and grows by one a windowful; the meter keeps its rate by any
 * clock. */
#include "util/aimd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three before it */

#define SECOND UINT64_C(1000000000)

static void is_halved_down_to_one(void **state)
{
    const unsigned expected[] = {5, 2, 1, 1};
    struct hf_window window;
    (void)state;
    hf_window_init(&window, 10);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        hf_window_cut(&window, window.round);
        assert_int_equal(window.now, expected[i]);
    }
}

static void is_halved_once_for_all_that_was_in_flight(void **state)
{
    struct hf_window window;
    (void)state;
    hf_window_init(&window, 8);
    unsigned round = window.round;
    for (int i = 0; i < 8; i++) {
        hf_window_cut(&window, round);
    }
    assert_int_equal(window.now, 4);
    hf_window_cut(&window, window.round);
    assert_int_equal(window.now, 2);
}

static void grows_by_one_for_each_windowful_up_to_its_most(void **state)
{
    struct hf_window window;
    (void)state;
    hf_window_init(&window, 4);
    hf_window_cut(&window, window.round);
    hf_window_cut(&window, window.round);
    const unsigned expected[] = {2, 2, 3, 3, 3, 4, 4, 4, 4, 4, 4};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        hf_window_grow(&window);
        assert_int_equal(window.now, expected[i]);
    }
    /* Nothing was saved up while it could not grow. */
    hf_window_cut(&window, window.round);
    hf_window_grow(&window);
    assert_int_equal(window.now, 2);
}

static void a_meter_without_a_rate_is_always_free(void **state)
{
    struct hf_meter meter = {0};
    (void)state;
    hf_meter_take(&meter, UINT64_C(1) << 40, SECOND);
    assert_true(hf_meter_is_free(&meter, 0));
}

/* Sends as soon as it may, by a clock that is late by `late_ns` each time; the bytes of ten
 * seconds. */
static uint64_t sent_in_ten_seconds(struct hf_meter *meter, uint64_t size, uint64_t late_ns)
{
    uint64_t now_ns = 100 * SECOND;
    uint64_t end_ns = now_ns + 10 * SECOND;
    uint64_t sent = 0;
    while (now_ns < end_ns) {
        assert_true(hf_meter_is_free(meter, now_ns));
        hf_meter_take(meter, size, now_ns);
        sent += size;
        if (meter->free_ns > now_ns) {
            assert_false(hf_meter_is_free(meter, meter->free_ns - 1));
            now_ns = meter->free_ns + late_ns;
        }
    }
    return sent;
}

static void keeps_the_rate_also_by_a_late_clock(void **state)
{
    const struct {
        uint64_t size, late_ns;
    } cases[] = {{1000, 0}, {1000, 1000000}, {70000, 0}, {70000, 30000000}, {400000, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_meter meter = {.bytes_per_s = 100000};
        uint64_t sent = sent_in_ten_seconds(&meter, cases[i].size, cases[i].late_ns);
        /* A tenth of a second ahead and one request begun at the end are allowed. */
        assert_in_range(sent, 1000000 - cases[i].size, 1010000 + cases[i].size);
    }
}

static void idleness_is_not_saved_up(void **state)
{
    struct hf_meter meter = {.bytes_per_s = 1000};
    (void)state;
    hf_meter_take(&meter, 1000, 10 * SECOND);
    hf_meter_take(&meter, 1000, 100 * SECOND);
    assert_false(hf_meter_is_free(&meter, 100 * SECOND + 899999999));
    assert_true(hf_meter_is_free(&meter, 100 * SECOND + 900000000));
}

static void the_largest_request_at_the_lowest_rate_waits(void **state)
{
    struct hf_meter meter = {.bytes_per_s = 1};
    (void)state;
    hf_meter_take(&meter, UINT64_C(256) << 20, SECOND);
    assert_false(hf_meter_is_free(&meter, 200000000 * SECOND));
    assert_true(hf_meter_is_free(&meter, 300000000 * SECOND));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_halved_down_to_one),
        cmocka_unit_test(is_halved_once_for_all_that_was_in_flight),
        cmocka_unit_test(grows_by_one_for_each_windowful_up_to_its_most),
        cmocka_unit_test(a_meter_without_a_rate_is_always_free),
        cmocka_unit_test(keeps_the_rate_also_by_a_late_clock),
        cmocka_unit_test(idleness_is_not_saved_up),
        cmocka_unit_test(the_largest_request_at_the_lowest_rate_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
