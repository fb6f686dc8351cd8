#include "kubernetes/quantity.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct {
    const char *text;
    int64_t value, milli;
    double number;
} good[] = {
    {"0", 0, 0, 0},
    {"1", 1, 1000, 1},
    {"+2", 2, 2000, 2},
    {"-3", -3, -3000, -3},
    {"100m", 1, 100, 0.1},
    {"1500m", 2, 1500, 1.5},
    {"0.5", 1, 500, 0.5},
    {".25", 1, 250, 0.25},
    {"5.", 5, 5000, 5},
    {"1n", 1, 1, 1e-9},
    {"250u", 1, 1, 250e-6},
    {"2k", 2000, 2000000, 2000},
    {"128Mi", 134217728, 134217728000, 134217728},
    {"1.5Gi", 1610612736, 1610612736000, 1610612736},
    {"12e3", 12000, 12000000, 12000},
    {"5E2", 500, 500000, 500},
    {"25e-1", 3, 2500, 2.5},
    {"8E", 8000000000000000000, INT64_MAX, 8e18},
    {"20E", INT64_MAX, INT64_MAX, 20e18},
    {"-20E", -INT64_MAX, -INT64_MAX, -20e18},
    {"16Ei", INT64_MAX, INT64_MAX, 18446744073709551616.0},
    {"0.0000000001", 1, 1, 1e-10},
    {"1234567890123456789012", INT64_MAX, INT64_MAX, 1234567890123456789012.0},
};

static void reads_amounts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct hf_kube_quantity quantity;
        assert_true(hf_kube_quantity_read(hf_slice_text(good[i].text), &quantity));
        assert_int_equal(hf_kube_quantity_value(&quantity), good[i].value);
        assert_int_equal(hf_kube_quantity_milli(&quantity), good[i].milli);
        assert_true(fabs(hf_kube_quantity_double(&quantity) - good[i].number) <=
                    fabs(good[i].number) * 1e-12);
    }
}

static void refuses_what_is_none(void **state)
{
    static const char *const bad[] = {"",    "m",   "-",     ".",          "1x",   "1mi",  "1 ",
                                      " 1",  "1..", "1e",    "1e99",       "1e3x", "0x10", "1KiB",
                                      "--1", "e3",  "1e-99", "1e12345678", "1.2.3"};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct hf_kube_quantity quantity;
        assert_false(hf_kube_quantity_read(hf_slice_text(bad[i]), &quantity));
    }
    char longest[100];
    for (size_t i = 0; i < sizeof(longest); i++) {
        longest[i] = '1';
    }
    struct hf_kube_quantity quantity;
    assert_false(hf_kube_quantity_read(hf_slice_of(longest, sizeof(longest)), &quantity));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_amounts),
        cmocka_unit_test(refuses_what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
