/* Values are counted where they belong, and no count is lost when buckets are joined. */
#include "support/items/distribution.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include "tests/support/node_stub.c"

static void counts_by_bounds(void **state)
{
    static const double bounds[] = {2, 4, 8};
    static const double values[] = {0, 1, 2, 2.5, 4, 7, 8, 8.5, 100};
    static const uint64_t wanted[] = {3, 2, 2, 2};
    const struct hf_distribution_form form = {.bounds = bounds, .bound_count = 3};
    struct hf_distribution *distribution = hf_distribution_new(&form);
    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        hf_distribution_observe(&form, distribution, values[i], 1);
    }
    assert_int_equal(distribution->count, 9);
    assert_float_equal(distribution->sum, 133, 1e-9);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(distribution->counts[i], wanted[i]);
    }
    hf_distribution_observe(&form, distribution, 3, 5);
    assert_int_equal(distribution->counts[1], 7);
    assert_float_equal(distribution->sum, 148, 1e-9);
    free(distribution);
}

static void counts_all_in_one_without_bounds(void **state)
{
    const struct hf_distribution_form form = {0};
    struct hf_distribution *distribution = hf_distribution_new(&form);
    (void)state;
    hf_distribution_observe(&form, distribution, 3, 2);
    assert_int_equal(distribution->counts[0], 2);
    free(distribution);
}

static uint64_t total_of(const struct hf_distribution *distribution)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < distribution->size; i++) {
        total += distribution->counts[i];
    }
    return total;
}

/* The bucket of a value: base^index < value <= base^(index + 1). */
static void assert_is_in(const struct hf_distribution *distribution, double value)
{
    double base = pow(2, pow(2, -distribution->scale));
    bool is_found = false;
    for (uint32_t i = 0; i < distribution->size; i++) {
        double low = pow(base, distribution->first + (int32_t)i);
        bool is_it = value > low * (1 - 1e-9) && value <= low * base * (1 + 1e-9);
        is_found = is_found || (is_it && distribution->counts[i] > 0);
    }
    assert_true(is_found);
}

static void gets_coarser_as_the_range_grows(void **state)
{
    static const double values[] = {1, 1.5, 3, 0.001, 4096, 1e9, 1e-9, 2, 7};
    const struct hf_distribution_form form = {.is_exponential = true, .size_max = 8};
    struct hf_distribution *distribution = hf_distribution_new(&form);
    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        hf_distribution_observe(&form, distribution, values[i], i + 1);
        assert_true(distribution->size <= form.size_max);
        assert_int_equal(total_of(distribution), (i + 1) * (i + 2) / 2);
        for (size_t k = 0; k <= i; k++) {
            assert_is_in(distribution, values[k]);
        }
    }
    hf_distribution_observe(&form, distribution, 0, 4);
    assert_int_equal(distribution->zero_count, 4);
    assert_int_equal(distribution->count, 49);
    assert_float_equal(distribution->min, 0, 0);
    assert_float_equal(distribution->max, 1e9, 0);
    free(distribution);
}

/* By the reference implementation: powers of two belong to the bucket below. */
static void puts_powers_of_two_below(void **state)
{
    static const struct {
        double value, other;
        int32_t scale, first;
        uint32_t size;
    } cases[] = {
        {1, 1, 20, -1, 1}, {2, 2, 20, (1 << 20) - 1, 1}, {4, 1, 1, -1, 5}, {1, 16, 0, -1, 5}};
    const struct hf_distribution_form form = {.is_exponential = true, .size_max = 5};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_distribution *distribution = hf_distribution_new(&form);
        hf_distribution_observe(&form, distribution, cases[i].value, 1);
        hf_distribution_observe(&form, distribution, cases[i].other, 1);
        assert_int_equal(distribution->scale, cases[i].scale);
        assert_int_equal(distribution->first, cases[i].first);
        assert_int_equal(distribution->size, cases[i].size);
        free(distribution);
    }
}

static void takes_the_ends_of_the_range(void **state)
{
    const struct hf_distribution_form form = {.is_exponential = true, .size_max = 2};
    struct hf_distribution *distribution = hf_distribution_new(&form);
    (void)state;
    hf_distribution_observe(&form, distribution, 0x1p-1074, 1);
    hf_distribution_observe(&form, distribution, 0x1.fffffffffffffp+1023, 1);
    hf_distribution_observe(&form, distribution, 1, 1);
    assert_int_equal(total_of(distribution), 3);
    assert_true(distribution->scale >= -11);
    free(distribution);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_by_bounds),
        cmocka_unit_test(counts_all_in_one_without_bounds),
        cmocka_unit_test(gets_coarser_as_the_range_grows),
        cmocka_unit_test(puts_powers_of_two_below),
        cmocka_unit_test(takes_the_ends_of_the_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
