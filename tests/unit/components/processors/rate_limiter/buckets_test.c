/* Buckets empty and fill up by a clock that the test sets, all of a request's or none, and there
 * are no more than may be. */
#include "components/processors/rate_limiter/buckets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three before it */

#include "util/time/clock.h"

#define S HF_NS_PER_S

static const struct rate_limiter_rate rate = {.per_s = 10, .burst = 20};

static struct rate_limiter_demand of(uint64_t key, double tokens)
{
    return (struct rate_limiter_demand){{key, key}, &rate, tokens};
}

static enum hf_status take(struct rate_limiter_buckets *buckets, uint64_t key, double tokens,
                           uint64_t now_ns)
{
    struct rate_limiter_demand demand = of(key, tokens);
    size_t at = 0;
    return rate_limiter_buckets_take(buckets, &demand, 1, now_ns, &at);
}

static void a_bucket_empties_and_fills_up(void **state)
{
    struct rate_limiter_buckets *buckets = rate_limiter_buckets_new(10);
    (void)state;
    assert_int_equal(take(buckets, 1, 15, S), HF_OK);
    assert_int_equal(take(buckets, 1, 6, S), HF_LIMITED);
    assert_int_equal(take(buckets, 1, 5, S), HF_OK);
    assert_int_equal(take(buckets, 1, 1, S), HF_LIMITED);
    assert_int_equal(take(buckets, 1, 5, S + S / 2), HF_OK);
    assert_int_equal(take(buckets, 1, 1, S), HF_LIMITED); /* a clock that steps back */
    assert_int_equal(take(buckets, 1, 20, 100 * S), HF_OK);
    assert_int_equal(take(buckets, 1, 1, 100 * S), HF_LIMITED); /* never more than the burst */
    assert_int_equal(take(buckets, 2, 20, 100 * S), HF_OK);
    rate_limiter_buckets_free(buckets);
}

static void what_is_larger_than_the_burst_is_owed(void **state)
{
    struct rate_limiter_buckets *buckets = rate_limiter_buckets_new(10);
    (void)state;
    assert_int_equal(take(buckets, 1, 100, S), HF_OK);
    assert_int_equal(take(buckets, 1, 1, 8 * S), HF_LIMITED);
    assert_int_equal(take(buckets, 1, 1, 10 * S), HF_OK);
    rate_limiter_buckets_free(buckets);
}

static void all_of_a_request_passes_or_nothing(void **state)
{
    struct rate_limiter_buckets *buckets = rate_limiter_buckets_new(10);
    struct rate_limiter_demand demands[] = {of(1, 10), of(2, 10), of(3, 10)};
    size_t at = 0;
    (void)state;
    assert_int_equal(take(buckets, 2, 15, S), HF_OK);
    assert_int_equal(rate_limiter_buckets_take(buckets, demands, 3, S, &at), HF_LIMITED);
    assert_int_equal(at, 1);
    assert_int_equal(take(buckets, 1, 20, S), HF_OK); /* it was given back */
    rate_limiter_buckets_free(buckets);
}

static void the_key_used_longest_ago_makes_room(void **state)
{
    struct rate_limiter_buckets *buckets = rate_limiter_buckets_new(2);
    (void)state;
    for (uint64_t key = 1; key <= 100; key++) {
        assert_int_equal(take(buckets, key, 20, S), HF_OK);
    }
    assert_int_equal(rate_limiter_buckets_count(buckets), 2);
    assert_int_equal(take(buckets, 100, 1, S), HF_LIMITED);
    assert_int_equal(take(buckets, 99, 1, S), HF_LIMITED);
    assert_int_equal(take(buckets, 1, 20, S), HF_OK);
    rate_limiter_buckets_free(buckets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_empties_and_fills_up),
        cmocka_unit_test(what_is_larger_than_the_burst_is_owed),
        cmocka_unit_test(all_of_a_request_passes_or_nothing),
        cmocka_unit_test(the_key_used_longest_ago_makes_room),
    };
    return cmocka_run_group_tests_name("buckets", tests, NULL, NULL);
}
