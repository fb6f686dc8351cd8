/* What was seen at two scrapes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three before it */

#include "support/scrape/between.h"

struct item {
    uint64_t key, value;
};

static void finds_what_the_scrape_before_kept_and_nothing_older(void **state)
{
    struct hf_between between = {.size = sizeof(struct item), .most = 1000};
    (void)state;
    assert_null(hf_between_find(&between, 1));
    for (uint64_t key = 500; key > 0; key--) {
        hf_between_keep(&between, &(struct item){key, 10 * key});
    }
    assert_null(hf_between_find(&between, 1)); /* of this scrape */
    hf_between_turn(&between);
    for (uint64_t key = 1; key <= 500; key++) {
        const struct item *found = hf_between_find(&between, key);
        assert_non_null(found);
        assert_int_equal(found->value, 10 * key);
    }
    assert_null(hf_between_find(&between, 501));
    hf_between_turn(&between);
    assert_null(hf_between_find(&between, 1)); /* it was not seen again */
    hf_between_release(&between);
}

static void keeps_no_more_than_it_may(void **state)
{
    struct hf_between between = {.size = sizeof(struct item), .most = 2};
    (void)state;
    for (uint64_t key = 1; key <= 3; key++) {
        hf_between_keep(&between, &(struct item){key, key});
    }
    hf_between_turn(&between);
    assert_non_null(hf_between_find(&between, 2));
    assert_null(hf_between_find(&between, 3));
    hf_between_release(&between);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_the_scrape_before_kept_and_nothing_older),
        cmocka_unit_test(keeps_no_more_than_it_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
