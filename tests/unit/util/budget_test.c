#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "util/budget.h"

#define BURST 1000u
#define SHARE 4u

static struct hf_budget *new_budget(void)
{
    struct hf_budget *budget = calloc(1, sizeof(*budget));
    assert_non_null(budget);
    hf_budget_init(budget, BURST, SHARE);
    return budget;
}

static void lets_a_burst_pass_and_then_a_share_of_the_time(void **state)
{
    (void)state;
    struct hf_budget *budget = new_budget();
    const struct hf_peer peer = {.low = 1}, other = {.low = 2};
    uint64_t now = 1000000;
    hf_budget_charge(budget, &peer, BURST, now);
    assert_int_equal(hf_budget_wait_ns(budget, &peer, now), 0);
    assert_int_equal(hf_budget_owed_ns(budget, &peer, now), BURST);
    hf_budget_charge(budget, &peer, 100, now);
    assert_int_equal(hf_budget_wait_ns(budget, &peer, now), 100 * SHARE);
    assert_int_equal(hf_budget_wait_ns(budget, &peer, now + 100 * SHARE), 0);
    assert_int_equal(hf_budget_owed_ns(budget, &peer, now + 1100 * SHARE), 0);
    assert_int_equal(hf_budget_wait_ns(budget, &other, now), 0);
    /* What was paid back is no credit. */
    now += 1000000;
    hf_budget_charge(budget, &peer, BURST + 1, now);
    assert_int_equal(hf_budget_wait_ns(budget, &peer, now), SHARE);
    free(budget);
}

static void forgets_small_debts_before_large_ones(void **state)
{
    (void)state;
    struct hf_budget *budget = new_budget();
    const struct hf_peer debtor = {.high = 77};
    uint64_t now = 1000000;
    hf_budget_charge(budget, &debtor, 1000 * BURST, now);
    for (uint64_t i = 1; i < 20 * HF_BUDGET_PLACES; i++) {
        const struct hf_peer peer = {.low = i};
        hf_budget_charge(budget, &peer, BURST, now);
    }
    assert_true(hf_budget_wait_ns(budget, &debtor, now) > 0);
    free(budget);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lets_a_burst_pass_and_then_a_share_of_the_time),
        cmocka_unit_test(forgets_small_debts_before_large_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
