#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "service/tail/tail_share.h"

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

static uint64_t wait_ns(struct hf_tail_share *share, uint64_t now_ns, uint64_t process_ns,
                        uint64_t own_ns)
{
    return hf_tail_share_wait_ns(share, (struct hf_tail_clocks){now_ns, process_ns, own_ns});
}

static void a_burst_is_free(void **state)
{
    (void)state;
    struct hf_tail_share share;
    hf_tail_share_init(&share, 2, (struct hf_tail_clocks){5 * S, 4 * S, 3 * S});
    assert_int_equal(wait_ns(&share, 5 * S, 4 * S, 3 * S + 1 * MS), 0);
    assert_int_equal(wait_ns(&share, 5 * S, 4 * S, 3 * S + 2 * MS), 0);
}

static void an_idle_process_lets_a_twentieth_of_the_share_of_a_core(void **state)
{
    (void)state;
    struct hf_tail_share share;
    hf_tail_share_init(&share, 2, (struct hf_tail_clocks){0, 0, 0});
    assert_int_equal(wait_ns(&share, 0, 4 * MS, 4 * MS), 1920 * MS);
    assert_int_equal(wait_ns(&share, 1000 * MS, 4 * MS, 4 * MS), 920 * MS);
    assert_int_equal(wait_ns(&share, 1920 * MS, 4 * MS, 4 * MS), 0);
}

static void over_a_long_time_it_is_the_share(void **state)
{
    (void)state;
    struct hf_tail_share share;
    struct hf_tail_clocks clocks = {0, 0, 0};
    hf_tail_share_init(&share, 5, clocks);
    while (clocks.now_ns < 1000 * S) {
        uint64_t used_ns = hf_tail_share_wait_ns(&share, clocks) == 0 ? 3 * MS : 0;
        clocks.own_ns += used_ns;
        clocks.process_ns += 15 * MS; /* one and a half cores */
        clocks.now_ns += 10 * MS;
    }
    assert_in_range(clocks.own_ns, 75 * S, 75 * S + 20 * MS);
}

static void rest_saves_no_more_than_a_burst(void **state)
{
    (void)state;
    struct hf_tail_share share;
    hf_tail_share_init(&share, 100, (struct hf_tail_clocks){0, 0, 0});
    assert_int_equal(wait_ns(&share, 3600 * S, 0, 0), 0);
    assert_int_equal(wait_ns(&share, 3600 * S, 0, 25 * MS), 460 * MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_is_free),
        cmocka_unit_test(an_idle_process_lets_a_twentieth_of_the_share_of_a_core),
        cmocka_unit_test(over_a_long_time_it_is_the_share),
        cmocka_unit_test(rest_saves_no_more_than_a_burst),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
