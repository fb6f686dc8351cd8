#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "service/tail/tail_share.h"

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

static void a_burst_is_free(void **state)
{
    (void)state;
    struct hf_tail_share share;
    hf_tail_share_init(&share, 2, 5 * S, 3 * S);
    assert_int_equal(hf_tail_share_wait_ns(&share, 5 * S, 3 * S + 8 * MS), 0);
    assert_int_equal(hf_tail_share_wait_ns(&share, 5 * S, 3 * S + 20 * MS), 0);
}

static void what_is_overdrawn_is_waited_for(void **state)
{
    (void)state;
    struct hf_tail_share share;
    hf_tail_share_init(&share, 2, 0, 0);
    assert_int_equal(hf_tail_share_wait_ns(&share, 0, 30 * MS), 500 * MS);
    assert_int_equal(hf_tail_share_wait_ns(&share, 400 * MS, 30 * MS), 100 * MS);
    assert_int_equal(hf_tail_share_wait_ns(&share, 500 * MS, 30 * MS), 0);
}

static void over_a_long_time_it_is_the_share(void **state)
{
    (void)state;
    struct hf_tail_share share;
    uint64_t now_ns = 0, spent_ns = 0;
    hf_tail_share_init(&share, 5, now_ns, spent_ns);
    while (now_ns < 1000 * S) {
        uint64_t wait_ns = hf_tail_share_wait_ns(&share, now_ns, spent_ns);
        spent_ns += wait_ns == 0 ? 3 * MS : 0;
        now_ns += wait_ns == 0 ? 3 * MS : wait_ns;
    }
    assert_in_range(spent_ns, 50 * S, 50 * S + 200 * MS);
}

static void rest_saves_no_more_than_a_burst(void **state)
{
    (void)state;
    struct hf_tail_share share;
    hf_tail_share_init(&share, 100, 0, 0);
    assert_int_equal(hf_tail_share_wait_ns(&share, 3600 * S, 0), 0);
    assert_int_equal(hf_tail_share_wait_ns(&share, 3600 * S, 50 * MS), 30 * MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_is_free),
        cmocka_unit_test(what_is_overdrawn_is_waited_for),
        cmocka_unit_test(over_a_long_time_it_is_the_share),
        cmocka_unit_test(rest_saves_no_more_than_a_burst),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
