#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "util/census.h"

static void counts_peers_and_all(void **state)
{
    (void)state;
    const struct hf_census_limits limits = {.connections_max = 4, .per_peer_max = 2};
    struct hf_census *census;
    assert_int_equal(hf_census_new(&limits, &census), HF_OK);
    const struct hf_peer a = {.low = 1}, b = {.low = 2}, c = {.low = 3};
    const struct {
        const struct hf_peer *peer;
        enum hf_census_verdict verdict;
    } rows[] = {
        {&a, HF_CENSUS_ADMITTED},  {&a, HF_CENSUS_ADMITTED}, {&a, HF_CENSUS_PEER_FULL},
        {&b, HF_CENSUS_ADMITTED},  {&c, HF_CENSUS_ADMITTED}, {&b, HF_CENSUS_FULL},
        {&a, HF_CENSUS_PEER_FULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(hf_census_enter(census, rows[i].peer), rows[i].verdict);
    }
    assert_int_equal(hf_census_count(census), 4);
    hf_census_leave(census, &a);
    assert_int_equal(hf_census_enter(census, &b), HF_CENSUS_ADMITTED);
    assert_int_equal(hf_census_enter(census, &b), HF_CENSUS_PEER_FULL);
    hf_census_free(census);
}

static void needs_no_limit_per_peer(void **state)
{
    (void)state;
    const struct hf_census_limits limits = {.connections_max = 5000};
    struct hf_census *census;
    assert_int_equal(hf_census_new(&limits, &census), HF_OK);
    for (uint64_t i = 0; i < 5000; i++) {
        const struct hf_peer peer = {.high = i / 2};
        assert_int_equal(hf_census_enter(census, &peer), HF_CENSUS_ADMITTED);
    }
    for (uint64_t i = 0; i < 5000; i++) {
        const struct hf_peer peer = {.high = i / 2};
        hf_census_leave(census, &peer);
    }
    assert_int_equal(hf_census_count(census), 0);
    hf_census_free(census);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_peers_and_all),
        cmocka_unit_test(needs_no_limit_per_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
