/* Plans are kept for a time, within their limits; statements are told apart by their first word. */
#include "support/scrape/query_plans.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool has(struct hf_plans *plans, uint64_t hash, uint64_t now_ns, const char *text)
{
    struct hf_slice plan;
    return hf_plans_find(plans, hash, now_ns, &plan) && hf_slice_is(plan, text);
}

static void a_plan_is_kept_for_its_time(void **state)
{
    struct hf_plans plans = {.most = 10, .ttl_ns = 100};
    struct hf_slice plan;
    (void)state;
    assert_false(hf_plans_find(&plans, 7, 0, &plan));
    assert_int_equal(plan.size, 0);
    hf_plans_keep(&plans, 7, 5, hf_slice_text("seven"));
    hf_plans_keep(&plans, 3, 50, HF_EMPTY_SLICE); /* it is known that there is none */
    assert_true(has(&plans, 7, 104, "seven") && has(&plans, 3, 104, ""));
    assert_false(hf_plans_find(&plans, 7, 105, &plan));
    assert_int_equal(plans.count, 1);
    hf_plans_keep(&plans, 3, 60, hf_slice_text("three"));
    assert_true(plans.count == 1 && plans.bytes == 5 && has(&plans, 3, 159, "three"));
    hf_plans_release(&plans);
    assert_true(plans.count == 0 && plans.most == 10);
}

static void full_it_forgets_those_that_were_looked_up_longest_ago(void **state)
{
    struct hf_plans plans = {.most = 40, .ttl_ns = 100};
    struct hf_slice plan;
    (void)state;
    for (uint64_t i = 0; i < 40; i++) {
        hf_plans_keep(&plans, (i * 7) % 40, 0, hf_slice_text("x"));
    }
    assert_true(has(&plans, 0, 1, "x")); /* the first one that was kept */
    hf_plans_keep(&plans, 100, 1, hf_slice_text("y"));
    assert_int_equal(plans.count, 40);
    assert_true(has(&plans, 0, 1, "x") && has(&plans, 100, 1, "y"));
    assert_false(hf_plans_find(&plans, 7, 1, &plan)); /* the second one */
    hf_plans_release(&plans);
}

static void long_plans_are_none_and_all_together_have_a_limit(void **state)
{
    static uint8_t text[HF_PLAN_BYTES_MAX + 1];
    struct hf_plans plans = {.most = 100000, .ttl_ns = 100};
    struct hf_slice plan;
    size_t fit = HF_PLANS_BYTES_MAX / HF_PLAN_BYTES_MAX;
    (void)state;
    memset(text, 'p', sizeof(text));
    hf_plans_keep(&plans, 1, 0, hf_slice_of(text, sizeof(text)));
    assert_true(has(&plans, 1, 1, ""));
    for (uint64_t i = 2; i < 2 + fit + 3; i++) {
        hf_plans_keep(&plans, i, 0, hf_slice_of(text, HF_PLAN_BYTES_MAX));
        assert_true(plans.bytes <= HF_PLANS_BYTES_MAX);
    }
    assert_int_equal(plans.count, fit);
    assert_false(hf_plans_find(&plans, 2, 1, &plan));
    assert_true(hf_plans_find(&plans, 2 + fit + 2, 1, &plan) && plan.size == HF_PLAN_BYTES_MAX);
    hf_plans_release(&plans);
}

static void a_statement_is_known_by_its_first_word(void **state)
{
    static const char *const words[] = {"select", "with", NULL};
    static const struct {
        const char *text;
        bool plain, with_hash;
    } cases[] = {
        {"SELECT 1", true, true},
        {"select(1)", true, true},
        {"  /* a */ -- b\n\tWith x AS (SELECT 1) SELECT 2", true, true},
        {"# c\nselect 1", false, true},
        {"selecting", false, false},
        {"DROP TABLE x -- select", false, false},
        {"/* select", false, false},
        {"-- select", false, false},
        {"(SELECT 1)", false, false},
        {"", false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_slice text = hf_slice_text(cases[i].text);
        assert_int_equal(hf_sql_begins_with(text, words, false), cases[i].plain);
        assert_int_equal(hf_sql_begins_with(text, words, true), cases[i].with_hash);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_is_kept_for_its_time),
        cmocka_unit_test(full_it_forgets_those_that_were_looked_up_longest_ago),
        cmocka_unit_test(long_plans_are_none_and_all_together_have_a_limit),
        cmocka_unit_test(a_statement_is_known_by_its_first_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
