#include "components/receivers/k8s_events/dedup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static bool tells(struct event_dedup *dedup, const char *uid, bool is_change, uint64_t now_ns)
{
    return event_dedup_tells(dedup, hf_slice_text(uid), is_change, now_ns);
}

static void a_change_is_told_once_per_interval_of_its_event(void **state)
{
    struct event_dedup *dedup = event_dedup_new(10);
    (void)state;
    assert_non_null(dedup);
    assert_true(tells(dedup, "a", false, 100));
    assert_false(tells(dedup, "a", true, 109));
    assert_true(tells(dedup, "b", true, 109)); /* not told before */
    assert_true(tells(dedup, "a", true, 110));
    assert_false(tells(dedup, "a", true, 119)); /* counted from the last one told */
    assert_true(tells(dedup, "a", false, 119)); /* read again from the start */
    event_dedup_free(dedup);
}

static void below_zero_changes_are_never_told(void **state)
{
    struct event_dedup *dedup = event_dedup_new(-1);
    (void)state;
    assert_non_null(dedup);
    assert_true(tells(dedup, "a", false, 1));
    assert_false(tells(dedup, "a", true, UINT64_MAX));
    assert_false(tells(dedup, "b", true, UINT64_MAX));
    event_dedup_free(dedup);
}

static void more_events_than_there_is_room_for_are_told(void **state)
{
    struct event_dedup *dedup = event_dedup_new(INT64_MAX);
    size_t told = 0;
    (void)state;
    assert_non_null(dedup);
    for (unsigned i = 0; i < 20000; i++) {
        char uid[16];
        snprintf(uid, sizeof(uid), "%u", i);
        told += tells(dedup, uid, true, i + 1);
    }
    assert_int_equal(told, 20000);
    assert_false(tells(dedup, "19999", true, 20001)); /* the latest are known */
    event_dedup_free(dedup);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_told_once_per_interval_of_its_event),
        cmocka_unit_test(below_zero_changes_are_never_told),
        cmocka_unit_test(more_events_than_there_is_room_for_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
