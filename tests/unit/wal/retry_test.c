/* When the queue tries again what failed. */
#include "wal/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three before it */

#define MS UINT64_C(1000000)

static void tries_soon_at_first_and_seldom_later(void **state)
{
    struct wal_retry retry = {0};
    uint64_t now_ns = 5 * MS;
    uint64_t before_ns = 0;
    (void)state;
    for (int i = 0; i < 400; i++) {
        wal_retry_fail(&retry, now_ns);
        uint64_t wait_ns = retry.due_ns - now_ns;
        assert_in_range(wait_ns, 25 * MS, 1000 * MS);
        assert_true(wait_ns >= before_ns);
        before_ns = wait_ns;
        now_ns = retry.due_ns;
    }
    assert_int_equal(before_ns, 1000 * MS);
}

static void has_tried_sixty_times_within_eight_seconds(void **state)
{
    struct wal_retry retry = {0};
    uint64_t now_ns = 1;
    (void)state;
    for (int i = 0; i < 60; i++) {
        wal_retry_fail(&retry, now_ns);
        now_ns = retry.due_ns;
    }
    assert_true(now_ns < 8000 * MS);
}

static void begins_again_after_a_success(void **state)
{
    struct wal_retry retry = {0};
    (void)state;
    wal_retry_fail(&retry, 1);
    wal_retry_fail(&retry, 90000 * MS);
    assert_int_equal(retry.due_ns, 91000 * MS);
    wal_retry_reset(&retry);
    assert_int_equal(retry.began_ns, 0);
    wal_retry_fail(&retry, 90000 * MS);
    assert_int_equal(retry.due_ns, 90025 * MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tries_soon_at_first_and_seldom_later),
        cmocka_unit_test(has_tried_sixty_times_within_eight_seconds),
        cmocka_unit_test(begins_again_after_a_success),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
