#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/exporter_history.h"

static int setup(void **state)
{
    struct hf_exporter_histories *histories = NULL;
    int failed = hf_exporter_histories_new(&histories) != HF_OK;
    *state = histories;
    return failed;
}

static int teardown(void **state)
{
    hf_exporter_histories_free(*state);
    return 0;
}

static struct hf_exporter_look look_at(struct hf_exporter_history *history)
{
    struct hf_exporter_look look;
    hf_exporter_history_look(history, &look);
    return look;
}

static void an_outage_is_from_the_first_failure_to_the_first_success(void **state)
{
    struct hf_exporter_history *history = hf_exporter_history_of(*state, "otlp");
    hf_exporter_history_failed(history, HF_AGAIN, 14, "connection refused", 1000);
    hf_exporter_history_failed(history, HF_BUSY, 8, "slow down", 2000);
    struct hf_exporter_look look = look_at(history);
    assert_true(look.is_out);
    assert_int_equal(look.outage_count, 1);
    assert_int_equal(look.outages[0].to_ns, 0);
    assert_int_equal(look.attempts_failed, 2);
    assert_int_equal(look.last_error.status, HF_BUSY);
    assert_int_equal(look.last_error.code, 8);
    assert_string_equal(look.last_error.message, "slow down");
    assert_int_equal(look.next_attempt_ns, look.last_error.time_ns + 2000);
    hf_exporter_history_recovered(history, 7);
    hf_exporter_history_recovered(history, 8); /* not out any more: nothing */
    look = look_at(history);
    assert_false(look.is_out);
    assert_int_equal(look.next_attempt_ns, 0);
    assert_true(look.outages[0].to_ns >= look.outages[0].from_ns);
    assert_int_equal(look.outages[0].held_items, 7);
    assert_string_equal(look.last_error.message, "slow down");
}

static void a_refusal_is_no_outage(void **state)
{
    struct hf_exporter_history *history = hf_exporter_history_of(*state, "otlp");
    hf_exporter_history_refused(history, HF_INVALID, 400, NULL);
    const struct hf_exporter_look look = look_at(history);
    assert_int_equal(look.outage_count, 0);
    assert_int_equal(look.last_error.time_ns, 0);
    assert_int_equal(look.last_refusal.code, 400);
    assert_string_equal(look.last_refusal.message, "");
}

static void the_oldest_outage_makes_room(void **state)
{
    struct hf_exporter_history *history = hf_exporter_history_of(*state, "otlp");
    for (uint64_t i = 0; i < HF_HISTORY_OUTAGES_MAX + 3; i++) {
        hf_exporter_history_failed(history, HF_AGAIN, 0, "away", 1);
        hf_exporter_history_recovered(history, i);
    }
    const struct hf_exporter_look look = look_at(history);
    assert_int_equal(look.outage_count, HF_HISTORY_OUTAGES_MAX);
    assert_int_equal(look.outages[0].held_items, 3);
    assert_int_equal(look.outages[HF_HISTORY_OUTAGES_MAX - 1].held_items,
                     HF_HISTORY_OUTAGES_MAX + 2);
}

static void each_exporter_has_its_own_and_keeps_it(void **state)
{
    struct hf_exporter_history *one = hf_exporter_history_of(*state, "otlp");
    struct hf_exporter_history *other = hf_exporter_history_of(*state, "otlp/2");
    assert_ptr_not_equal(one, other);
    assert_ptr_equal(hf_exporter_history_of(*state, "otlp"), one);
    hf_exporter_history_failed(one, HF_AGAIN, 0, "away", 1);
    assert_true(look_at(one).is_out);
    assert_false(look_at(other).is_out);
}

static void the_number_of_exporters_is_limited(void **state)
{
    char id[32];
    for (unsigned i = 0; i < HF_HISTORY_EXPORTERS_MAX; i++) {
        snprintf(id, sizeof(id), "otlp/%u", i);
        assert_non_null(hf_exporter_history_of(*state, id));
    }
    assert_null(hf_exporter_history_of(*state, "one more"));
}

static void nothing_is_kept_without_a_history(void **state)
{
    (void)state;
    assert_null(hf_exporter_history_of(NULL, "otlp"));
    hf_exporter_history_failed(NULL, HF_AGAIN, 0, "away", 1);
    hf_exporter_history_refused(NULL, HF_INVALID, 0, "bad");
    hf_exporter_history_recovered(NULL, 0);
    assert_false(look_at(NULL).is_out);
    hf_exporter_histories_free(NULL);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH(an_outage_is_from_the_first_failure_to_the_first_success),
        WITH(a_refusal_is_no_outage),
        WITH(the_oldest_outage_makes_room),
        WITH(each_exporter_has_its_own_and_keeps_it),
        WITH(the_number_of_exporters_is_limited),
        cmocka_unit_test(nothing_is_kept_without_a_history),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
