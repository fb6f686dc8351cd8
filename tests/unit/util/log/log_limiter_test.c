#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "util/log/log_limiter.h"

static void says_it_once_an_interval(void **state)
{
    (void)state;
    struct hf_log_limiter limiter;
    hf_log_limiter_init(&limiter, 60);
    assert_true(hf_log_limiter_allows(&limiter, "10.0.0.7", "wrong", 1000));
    assert_false(hf_log_limiter_allows(&limiter, "10.0.0.7", "wrong", 1000));
    assert_false(hf_log_limiter_allows(&limiter, "10.0.0.7", "wrong", 1059));
    assert_true(hf_log_limiter_allows(&limiter, "10.0.0.7", "wrong", 1060));
    assert_false(hf_log_limiter_allows(&limiter, "10.0.0.7", "wrong", 1119));
    hf_log_limiter_release(&limiter);
}

static void tells_peers_and_reasons_apart(void **state)
{
    (void)state;
    struct hf_log_limiter limiter;
    hf_log_limiter_init(&limiter, 60);
    assert_true(hf_log_limiter_allows(&limiter, "10.0.0.7", "wrong", 0));
    assert_true(hf_log_limiter_allows(&limiter, "10.0.0.8", "wrong", 0));
    assert_true(hf_log_limiter_allows(&limiter, "10.0.0.7", "odd", 0));
    assert_true(hf_log_limiter_allows(&limiter, "10.0.0.7o", "dd", 0));
    assert_true(hf_log_limiter_allows(&limiter, "[fd00::1]:80", "wrong", 0));
    assert_true(hf_log_limiter_allows(&limiter, "[fd00::2]:80", "wrong", 0));
    assert_false(hf_log_limiter_allows(&limiter, "10.0.0.7", "wrong", 0));
    assert_false(hf_log_limiter_allows(&limiter, "10.0.0.7:4317", "wrong", 0));
    assert_false(hf_log_limiter_allows(&limiter, "[fd00::1]:81", "wrong", 0));
    hf_log_limiter_release(&limiter);
}

/* How many of `count` different things may be said, one peer or text each. */
static unsigned say_many(struct hf_log_limiter *limiter, unsigned count, bool same_peer,
                         uint64_t now_ns)
{
    unsigned said = 0;
    for (unsigned i = 0; i < count; i++) {
        char word[16];
        snprintf(word, sizeof(word), "%u", i);
        said += hf_log_limiter_allows(limiter, same_peer ? "10.0.0.7" : word,
                                      same_peer ? word : "wrong", now_ns);
    }
    return said;
}

static void bounds_the_texts_of_a_peer(void **state)
{
    (void)state;
    struct hf_log_limiter limiter;
    hf_log_limiter_init(&limiter, 60);
    assert_int_equal(say_many(&limiter, 1000, true, 0), HF_LOG_LIMITER_TEXTS_MAX);
    assert_int_equal(hf_log_limiter_take_withheld(&limiter), 1000 - HF_LOG_LIMITER_TEXTS_MAX);
    assert_int_equal(hf_log_limiter_take_withheld(&limiter), 0);
    assert_true(hf_log_limiter_allows(&limiter, "10.0.0.8", "wrong", 0));
    assert_int_equal(say_many(&limiter, 1000, true, 60), HF_LOG_LIMITER_TEXTS_MAX);
    hf_log_limiter_release(&limiter);
}

static void bounds_the_lines_of_all_peers(void **state)
{
    (void)state;
    struct hf_log_limiter limiter;
    hf_log_limiter_init(&limiter, 60);
    assert_int_equal(say_many(&limiter, 10 * HF_LOG_LIMITER_PLACES, false, 0),
                     HF_LOG_LIMITER_LINES_MAX);
    assert_int_equal(say_many(&limiter, 10 * HF_LOG_LIMITER_PLACES, false, 59), 0);
    assert_int_equal(say_many(&limiter, 10 * HF_LOG_LIMITER_PLACES, false, 60),
                     HF_LOG_LIMITER_LINES_MAX);
    hf_log_limiter_release(&limiter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_it_once_an_interval),
        cmocka_unit_test(tells_peers_and_reasons_apart),
        cmocka_unit_test(bounds_the_texts_of_a_peer),
        cmocka_unit_test(bounds_the_lines_of_all_peers),
    };
    return cmocka_run_group_tests_name("limiter", tests, NULL, NULL);
}
