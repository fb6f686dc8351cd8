#include "components/receivers/mysql/my_digests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct my_digest form(uint64_t hash, int64_t time, int64_t count)
{
    return (struct my_digest){.hash = hash, .time = time, .count = count};
}

/* The time since the last report; -1: not known. */
static int64_t grown(const struct my_digests *digests, struct my_digest now)
{
    int64_t time = -1, count = -1;
    bool is_known = my_digests_grown(digests, &now, &time, &count);
    assert_int_equal(is_known, count >= 0);
    return time;
}

static void tells_what_was_counted_since_the_last_report(void **state)
{
    struct my_digests digests = {.items = NULL};
    struct my_digest first[] = {form(9, 100, 1), form(3, 50, 2)}, second[] = {form(9, 130, 4)};
    (void)state;
    assert_int_equal(grown(&digests, form(9, 100, 1)), -1);
    assert_int_equal(my_digests_report(&digests, first, 2, 10), HF_OK);
    assert_int_equal(grown(&digests, form(9, 130, 4)), 30);
    assert_int_equal(grown(&digests, form(3, 50, 2)), 0);
    assert_int_equal(grown(&digests, form(4, 50, 2)), -1);
    assert_int_equal(my_digests_report(&digests, second, 1, 10), HF_OK);
    assert_int_equal(digests.count, 2);
    assert_int_equal(grown(&digests, form(9, 131, 5)), 1);
    assert_int_equal(grown(&digests, form(3, 60, 2)), 10); /* it was not in the second */
    my_digests_release(&digests);
}

static void a_server_that_counts_from_zero_again_is_as_new(void **state)
{
    struct my_digests digests = {.items = NULL};
    struct my_digest high[] = {form(1, 100, 10)}, low[] = {form(1, 5, 1)};
    (void)state;
    assert_int_equal(my_digests_report(&digests, high, 1, 10), HF_OK);
    assert_int_equal(grown(&digests, low[0]), -1);
    assert_int_equal(grown(&digests, form(1, 200, 9)), -1);
    assert_int_equal(my_digests_report(&digests, low, 1, 10), HF_OK);
    assert_int_equal(grown(&digests, form(1, 7, 2)), 2);
    my_digests_release(&digests);
}

static void keeps_the_forms_that_were_seen_last(void **state)
{
    struct my_digests digests = {.items = NULL};
    (void)state;
    for (uint64_t i = 0; i < 5; i++) {
        struct my_digest one = form(100 - i, 10, 1);
        assert_int_equal(my_digests_report(&digests, &one, 1, 3), HF_OK);
        assert_true(digests.count <= 3);
    }
    for (uint64_t i = 0; i < 5; i++) {
        assert_int_equal(grown(&digests, form(100 - i, 11, 1)), i < 2 ? -1 : 1);
    }
    my_digests_release(&digests);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_was_counted_since_the_last_report),
        cmocka_unit_test(a_server_that_counts_from_zero_again_is_as_new),
        cmocka_unit_test(keeps_the_forms_that_were_seen_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
