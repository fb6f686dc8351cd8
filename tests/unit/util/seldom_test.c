#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "util/seldom.h"

static void says_it_once_an_interval(void **state)
{
    (void)state;
    struct hf_seldom seldom;
    hf_seldom_init(&seldom, 60);
    assert_true(hf_seldom_may_say(&seldom, "10.0.0.7", "wrong", 1000));
    assert_false(hf_seldom_may_say(&seldom, "10.0.0.7", "wrong", 1000));
    assert_false(hf_seldom_may_say(&seldom, "10.0.0.7", "wrong", 1059));
    assert_true(hf_seldom_may_say(&seldom, "10.0.0.7", "wrong", 1060));
    assert_false(hf_seldom_may_say(&seldom, "10.0.0.7", "wrong", 1119));
    hf_seldom_release(&seldom);
}

static void tells_peers_and_reasons_apart(void **state)
{
    (void)state;
    struct hf_seldom seldom;
    hf_seldom_init(&seldom, 60);
    assert_true(hf_seldom_may_say(&seldom, "10.0.0.7", "wrong", 0));
    assert_true(hf_seldom_may_say(&seldom, "10.0.0.8", "wrong", 0));
    assert_true(hf_seldom_may_say(&seldom, "10.0.0.7", "odd", 0));
    assert_true(hf_seldom_may_say(&seldom, "10.0.0.7o", "dd", 0));
    assert_true(hf_seldom_may_say(&seldom, "[fd00::1]:80", "wrong", 0));
    assert_true(hf_seldom_may_say(&seldom, "[fd00::2]:80", "wrong", 0));
    assert_false(hf_seldom_may_say(&seldom, "10.0.0.7", "wrong", 0));
    assert_false(hf_seldom_may_say(&seldom, "10.0.0.7:4317", "wrong", 0));
    assert_false(hf_seldom_may_say(&seldom, "[fd00::1]:81", "wrong", 0));
    hf_seldom_release(&seldom);
}

/* More peers than places: each still gets its first word in. */
static void never_silences_a_first_word(void **state)
{
    (void)state;
    struct hf_seldom seldom;
    hf_seldom_init(&seldom, 60);
    for (unsigned i = 0; i < 10 * HF_SELDOM_PLACES; i++) {
        char who[16];
        snprintf(who, sizeof(who), "%u", i);
        assert_true(hf_seldom_may_say(&seldom, who, "wrong", 0));
    }
    hf_seldom_release(&seldom);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_it_once_an_interval),
        cmocka_unit_test(tells_peers_and_reasons_apart),
        cmocka_unit_test(never_silences_a_first_word),
    };
    return cmocka_run_group_tests_name("seldom", tests, NULL, NULL);
}
