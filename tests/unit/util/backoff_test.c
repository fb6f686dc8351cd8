/* Waits grow to the cap, spread by the draw, and give up on the documented nanosecond. */
#include "util/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three before it */

static const struct hf_retry_config plain = {
    .initial_interval_ns = 100, .max_interval_ns = 300, .multiplier = 1.5};

static void grows_by_the_multiplier_up_to_the_cap(void **state)
{
    const uint64_t expected_ns[] = {100, 150, 225, 300, 300};
    struct hf_backoff backoff = {0};
    (void)state;
    for (size_t i = 0; i < sizeof(expected_ns) / sizeof(expected_ns[0]); i++) {
        assert_int_equal(hf_backoff_next(&backoff, &plain, 1000, 0, 0.5), expected_ns[i]);
    }
    hf_backoff_reset(&backoff);
    assert_int_equal(hf_backoff_next(&backoff, &plain, 2000, 0, 0.5), 100);
}

static void spreads_by_the_draw_and_obeys_the_backend(void **state)
{
    const struct {
        double draw;
        uint64_t at_least_ns, expected_ns;
    } cases[] = {{0.0, 0, 50}, {0.999, 0, 149}, {0.5, 0, 100}, {0.5, 700, 700}, {0.5, 99, 100}};
    struct hf_retry_config config = plain;
    config.randomization_factor = 0.5;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_backoff backoff = {0};
        assert_int_equal(hf_backoff_next(&backoff, &config, 0, cases[i].at_least_ns, cases[i].draw),
                         cases[i].expected_ns);
    }
}

static void obeys_no_backend_for_longer_than_an_hour(void **state)
{
    const uint64_t asked_ns[] = {HF_BACKOFF_ASKED_MAX_NS, HF_BACKOFF_ASKED_MAX_NS + 1, UINT64_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof(asked_ns) / sizeof(asked_ns[0]); i++) {
        struct hf_backoff backoff = {0};
        assert_int_equal(hf_backoff_next(&backoff, &plain, 0, asked_ns[i], 0.5),
                         HF_BACKOFF_ASKED_MAX_NS);
    }
}

static void is_over_when_the_time_has_passed_and_never_without_a_limit(void **state)
{
    struct hf_retry_config config = plain;
    struct hf_backoff backoff = {0};
    (void)state;
    config.max_elapsed_time_ns = 1000;
    assert_false(hf_backoff_is_over(&backoff, &config, UINT64_MAX));
    (void)hf_backoff_next(&backoff, &config, 5000, 0, 0.5);
    (void)hf_backoff_next(&backoff, &config, 5500, 0, 0.5);
    assert_false(hf_backoff_is_over(&backoff, &config, 5999));
    assert_true(hf_backoff_is_over(&backoff, &config, 6000));
    config.max_elapsed_time_ns = 0;
    assert_false(hf_backoff_is_over(&backoff, &config, UINT64_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_by_the_multiplier_up_to_the_cap),
        cmocka_unit_test(spreads_by_the_draw_and_obeys_the_backend),
        cmocka_unit_test(obeys_no_backend_for_longer_than_an_hour),
        cmocka_unit_test(is_over_when_the_time_has_passed_and_never_without_a_limit),
    };
    return cmocka_run_group_tests_name("backoff", tests, NULL, NULL);
}
