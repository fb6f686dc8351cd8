/* Text as numbers, durations and sizes. */
#include "support.h"

#include <math.h>

#include "config/scalar.h"

static void reads_whole_numbers(void **state)
{
    const struct {
        const char *text;
        enum hf_scalar_result result;
        int64_t value;
    } cases[] = {
        {"0", HF_SCALAR_GOOD, 0},
        {"12", HF_SCALAR_GOOD, 12},
        {"+12", HF_SCALAR_GOOD, 12},
        {"-12", HF_SCALAR_GOOD, -12},
        {"0x1F", HF_SCALAR_GOOD, 31},
        {"-0x1f", HF_SCALAR_GOOD, -31},
        {"0o17", HF_SCALAR_GOOD, 15},
        {"0b101", HF_SCALAR_GOOD, 5},
        {"0644", HF_SCALAR_GOOD, 420},
        {"089", HF_SCALAR_GOOD, 89},
        {"1e+06", HF_SCALAR_GOOD, 1000000},
        {"1_000", HF_SCALAR_GOOD, 1000},
        {"-1_000_000", HF_SCALAR_GOOD, -1000000},
        {"0x_ff_ff", HF_SCALAR_GOOD, 65535},
        {"2.0", HF_SCALAR_GOOD, 2},
        {"9223372036854775807", HF_SCALAR_GOOD, INT64_MAX},
        {"-9223372036854775808", HF_SCALAR_GOOD, INT64_MIN},
        {"9223372036854775808", HF_SCALAR_RANGE, 0},
        {"-9223372036854775809", HF_SCALAR_RANGE, 0},
        {"0xffffffffffffffff", HF_SCALAR_RANGE, 0},
        {"99999999999999999999999", HF_SCALAR_RANGE, 0},
        {"1e300", HF_SCALAR_RANGE, 0},
        {"", HF_SCALAR_BAD, 0},
        {"-", HF_SCALAR_BAD, 0},
        {"0x", HF_SCALAR_BAD, 0},
        {"0o8", HF_SCALAR_BAD, 0},
        {"_1", HF_SCALAR_BAD, 0},
        {"1_x", HF_SCALAR_BAD, 0},
        {"1.5", HF_SCALAR_BAD, 0},
        {"1 2", HF_SCALAR_BAD, 0},
        {" 1", HF_SCALAR_BAD, 0},
        {"--1", HF_SCALAR_BAD, 0},
        {"one", HF_SCALAR_BAD, 0},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t value = 0;
        assert_int_equal(hf_scalar_int(cases[i].text, &value), cases[i].result);
        assert_int_equal(value, cases[i].value);
    }
}

static void reads_numbers(void **state)
{
    const struct {
        const char *text;
        enum hf_scalar_result result;
        double value;
    } cases[] = {
        {"1.5", HF_SCALAR_GOOD, 1.5},
        {".5", HF_SCALAR_GOOD, 0.5},
        {"-2.5e-1", HF_SCALAR_GOOD, -0.25},
        {"3", HF_SCALAR_GOOD, 3},
        {"1_000.5", HF_SCALAR_GOOD, 1000.5},
        {"0x10", HF_SCALAR_GOOD, 16},
        {".inf", HF_SCALAR_GOOD, HUGE_VAL},
        {"-.Inf", HF_SCALAR_GOOD, -HUGE_VAL},
        {"1e999", HF_SCALAR_RANGE, 0},
        {".", HF_SCALAR_BAD, 0},
        {"1e", HF_SCALAR_BAD, 0},
        {"inf", HF_SCALAR_BAD, 0},
        {"0x1p3", HF_SCALAR_BAD, 0},
        {"1,5", HF_SCALAR_BAD, 0},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        double value = 0;
        assert_int_equal(hf_scalar_double(cases[i].text, &value), cases[i].result);
        assert_true(value == cases[i].value);
    }
}

static void reads_durations_as_go_does(void **state)
{
    const struct {
        const char *text;
        int64_t ns;
        const char *error; /* NULL: good */
    } cases[] = {
        {"0", 0, NULL},
        {"-0", 0, NULL},
        {"5ns", 5, NULL},
        {"1us", 1000, NULL},
        {"1\xc2\xb5s", 1000, NULL},
        {"1\xce\xbcs", 1000, NULL},
        {"200ms", 200000000, NULL},
        {"10s", 10000000000, NULL},
        {"1h30m", 5400000000000, NULL},
        {"1.5h", 5400000000000, NULL},
        {".5s", 500000000, NULL},
        {"1.s", 1000000000, NULL},
        {"-1m", -60000000000, NULL},
        {"+1m", 60000000000, NULL},
        {"0.000000001s", 1, NULL},
        {"2562047h47m16.854775807s", INT64_MAX, NULL},
        {"2562047h47m17s", 0, "invalid duration"},
        {"99999999999999999999s", 0, "invalid duration"},
        {"5", 0, "missing unit in duration"},
        {"5s3", 0, "missing unit in duration"},
        {"1d", 0, "unknown unit in duration"},
        {"5 s", 0, "unknown unit in duration"},
        {"5S", 0, "unknown unit in duration"},
        {"", 0, "invalid duration"},
        {"-", 0, "invalid duration"},
        {".s", 0, "invalid duration"},
        {"s", 0, "invalid duration"},
        {"1s-1s", 0, "unknown unit in duration"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *error = NULL;
        int64_t ns = 0;
        assert_int_equal(hf_scalar_duration(cases[i].text, &ns, &error), cases[i].error == NULL);
        if (cases[i].error != NULL) {
            assert_string_equal(error, cases[i].error);
        } else {
            assert_int_equal(ns, cases[i].ns);
        }
    }
}

static void reads_sizes(void **state)
{
    const struct {
        const char *text;
        enum hf_scalar_result result;
        uint64_t bytes;
    } cases[] = {
        {"0", HF_SCALAR_GOOD, 0},
        {"1048576", HF_SCALAR_GOOD, 1048576},
        {"64KB", HF_SCALAR_GOOD, 64000},
        {"64k", HF_SCALAR_GOOD, 64000},
        {"64KiB", HF_SCALAR_GOOD, 65536},
        {"512MiB", HF_SCALAR_GOOD, UINT64_C(512) << 20},
        {"512 mib", HF_SCALAR_GOOD, UINT64_C(512) << 20},
        {"2Gi", HF_SCALAR_GOOD, UINT64_C(2) << 30},
        {"1.5GiB", HF_SCALAR_GOOD, UINT64_C(3) << 29},
        {"20GB", HF_SCALAR_GOOD, UINT64_C(20000000000)},
        {"1TiB", HF_SCALAR_GOOD, UINT64_C(1) << 40},
        {"7b", HF_SCALAR_GOOD, 7},
        {"1e3", HF_SCALAR_GOOD, 1000},
        {"99999999999TiB", HF_SCALAR_RANGE, 0},
        {"99999999999.5TiB", HF_SCALAR_RANGE, 0},
        {"99999999999999999999", HF_SCALAR_RANGE, 0},
        {"-1", HF_SCALAR_BAD, 0},
        {"MiB", HF_SCALAR_BAD, 0},
        {".5MiB", HF_SCALAR_BAD, 0},
        {"12 apples", HF_SCALAR_BAD, 0},
        {"", HF_SCALAR_BAD, 0},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t bytes = 0;
        assert_int_equal(hf_scalar_bytes(cases[i].text, &bytes), cases[i].result);
        assert_true(cases[i].result != HF_SCALAR_GOOD || bytes == cases[i].bytes);
    }
}

static void shows_durations_and_sizes_as_users_write_them(void **state)
{
    (void)state;

    assert_string_equal(hf_scalar_show_duration(0).text, "0s");
    assert_string_equal(hf_scalar_show_duration(5).text, "5ns");
    assert_string_equal(hf_scalar_show_duration(1500e6).text, "1500ms");
    assert_string_equal(hf_scalar_show_duration(90e9).text, "90s");
    assert_string_equal(hf_scalar_show_duration(7200e9).text, "2h");
    assert_string_equal(hf_scalar_show_bytes(0).text, "0");
    assert_string_equal(hf_scalar_show_bytes(1000).text, "1000");
    assert_string_equal(hf_scalar_show_bytes(65536).text, "64KiB");
    assert_string_equal(hf_scalar_show_bytes(3.0 * 1024 * 1024 * 1024).text, "3GiB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_whole_numbers),
        cmocka_unit_test(reads_numbers),
        cmocka_unit_test(reads_durations_as_go_does),
        cmocka_unit_test(reads_sizes),
        cmocka_unit_test(shows_durations_and_sizes_as_users_write_them),
    };
    return cmocka_run_group_tests_name("scalar", tests, NULL, NULL);
}
