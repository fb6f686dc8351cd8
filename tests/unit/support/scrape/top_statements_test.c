#include "support/scrape/top_statements.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct form {
    uint64_t hash;
    int64_t time, count;
};

/* A report of forms up to one of hash 0, at most 3. */
static void report(struct hf_statements *top, bool has_new, const struct form *forms)
{
    const struct hf_slice text = hf_slice_text("text");
    assert_int_equal(hf_statements_begin(top, 3), HF_OK);
    for (; forms->hash != 0; forms++) {
        const int64_t values[] = {forms->time, forms->count};
        hf_statements_add(top, forms->hash, &text, 1, values, 2);
    }
    assert_int_equal(hf_statements_end(top, has_new), HF_OK);
    assert_false(top->is_short);
}

static void tells_what_took_most_since_the_last_report(void **state)
{
    static const struct form first[] = {{9, 100, 1}, {3, 50, 2}, {0, 0, 0}},
                             second[] = {{9, 130, 4}, {4, 1, 1}, {3, 90, 3}, {0, 0, 0}},
                             third[] = {{4, 3, 1}, {9, 130, 4}, {0, 0, 0}};
    struct hf_statements top = {.rows = NULL};
    (void)state;
    report(&top, false, first);
    assert_int_equal(top.count, 0);
    hf_statements_drop(&top);
    report(&top, false, second);
    assert_int_equal(top.count, 2);
    assert_true(top.rows[0].now.hash == 3 && top.rows[0].since[0] == 40);
    assert_true(top.rows[1].now.hash == 9 && top.rows[1].since[1] == 3);
    assert_true(hf_slice_is(top.rows[0].texts[0], "text") && top.rows[0].texts[1].size == 0);
    hf_statements_drop(&top);
    report(&top, false, third);
    assert_int_equal(top.count, 1);
    assert_true(top.rows[0].now.hash == 4 && top.rows[0].since[0] == 2);
    hf_statements_release(&top);
}

static void what_is_new_counts_with_all_of_it_when_told(void **state)
{
    static const struct form first[] = {{1, 100, 10}, {0, 0, 0}},
                             shrunk[] = {{1, 200, 9}, {0, 0, 0}};
    struct hf_statements top = {.rows = NULL};
    (void)state;
    report(&top, true, first);
    assert_true(top.count == 1 && top.rows[0].since[0] == 100 && top.rows[0].since[1] == 10);
    hf_statements_drop(&top);
    report(&top, true, shrunk);
    assert_true(top.count == 1 && top.rows[0].since[0] == 200);
    hf_statements_drop(&top);
    report(&top, false, first); /* it counts from zero again */
    assert_int_equal(top.count, 0);
    hf_statements_release(&top);
}

static void remembers_the_forms_that_were_seen_last(void **state)
{
    struct hf_statements top = {.rows = NULL};
    (void)state;
    for (uint64_t i = 0; i < 9; i++) {
        const struct form one[] = {{100 - i, 10, 1}, {0, 0, 0}};
        report(&top, false, one);
        hf_statements_drop(&top);
        assert_true(top.known_count <= 6);
    }
    for (uint64_t i = 3; i < 9; i++) {
        const struct form one[] = {{100 - i, 11, 1}, {0, 0, 0}};
        report(&top, false, one);
        assert_int_equal(top.count, 1);
        hf_statements_drop(&top);
    }
    const struct form first[] = {{100, 11, 1}, {0, 0, 0}};
    report(&top, false, first);
    assert_int_equal(top.count, 0);
    hf_statements_release(&top);
}

static void forms_beyond_the_most_are_left_out(void **state)
{
    static const struct form many[] = {{1, 1, 1}, {2, 2, 2}, {3, 3, 3}, {4, 4, 4}, {0, 0, 0}};
    struct hf_statements top = {.rows = NULL};
    (void)state;
    report(&top, true, many);
    assert_int_equal(top.count, 3);
    assert_true(top.rows[0].now.hash == 3);
    hf_statements_release(&top);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_took_most_since_the_last_report),
        cmocka_unit_test(what_is_new_counts_with_all_of_it_when_told),
        cmocka_unit_test(remembers_the_forms_that_were_seen_last),
        cmocka_unit_test(forms_beyond_the_most_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
