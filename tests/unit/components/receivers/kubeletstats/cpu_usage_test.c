/* Processors in use, between two scrapes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three before it */

#include "components/receivers/kubeletstats/cpu_usage.h"

#define SECOND INT64_C(1000000000)

/* A negative number: no usage is known. */
static double used(struct hf_between *usage, uint64_t key, int64_t seconds, double cpu)
{
    const struct kubelet_cpu_sample sample = {key, seconds * SECOND,
                                              (int64_t)(cpu * (double)SECOND)};
    double cores;
    return kubelet_cpu_usage_add(usage, &sample, &cores) ? cores : -1;
}

static void is_the_growth_of_the_cpu_time(void **state)
{
    struct hf_between usage = KUBELET_CPU_USAGE;
    (void)state;
    for (uint64_t key = 100; key > 0; key--) {
        assert_true(used(&usage, key, 10, 5) < 0);
    }
    hf_between_turn(&usage);
    for (uint64_t key = 1; key <= 100; key++) {
        assert_float_equal(used(&usage, key, 20, 5 + (double)key), (double)key / 10, 1e-9);
    }
    assert_true(used(&usage, 101, 20, 5) < 0);
    hf_between_release(&usage);
}

static void needs_a_later_sample_of_the_same_count(void **state)
{
    struct hf_between usage = KUBELET_CPU_USAGE;
    (void)state;
    (void)used(&usage, 1, 10, 5);
    (void)used(&usage, 2, 10, 5);
    hf_between_turn(&usage);
    assert_true(used(&usage, 1, 10, 6) < 0); /* the kubelet has not looked again */
    assert_true(used(&usage, 2, 20, 4) < 0); /* another container of the same name */
    hf_between_turn(&usage);
    assert_float_equal(used(&usage, 1, 20, 6), 0, 1e-9);
    hf_between_turn(&usage);
    assert_true(used(&usage, 2, 30, 9) < 0); /* it was not there at the last scrape */
    hf_between_release(&usage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_the_growth_of_the_cpu_time),
        cmocka_unit_test(needs_a_later_sample_of_the_same_count),
    };
    return cmocka_run_group_tests_name("cpu_usage", tests, NULL, NULL);
}
