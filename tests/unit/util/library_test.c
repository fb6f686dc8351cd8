/* Libraries that are loaded when they are needed: found, absent, too old. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <holdfast/component.h>

#include "util/library.h"

struct functions {
    double (*cosine)(double angle);
    double (*absent)(double angle);
};

static const struct hf_library_symbol symbols[] = {
    {"cos", offsetof(struct functions, cosine)},
    {"cos_of_tomorrow", offsetof(struct functions, absent)},
};

static void the_first_name_that_is_there_is_taken(void **state)
{
    struct functions functions = {0};
    struct hf_library library = {.names = {"libabsent.so.1", "libm.so.6"},
                                 .symbols = symbols,
                                 .count = 1,
                                 .missing = "-",
                                 .old = "-"};
    char error[HF_ERROR_MAX] = "";
    (void)state;
    assert_true(hf_library_load(&library, &functions, error));
    assert_string_equal(error, "");
    assert_true(functions.cosine(0) == 1.0);
    assert_null(functions.absent);
    assert_true(hf_library_load(&library, &functions, error));
}

static void an_absent_library_is_told_with_its_package(void **state)
{
    struct functions functions = {0};
    struct hf_library library = {.names = {"libabsent.so.1"},
                                 .symbols = symbols,
                                 .count = 1,
                                 .missing = "tests need libabsent (Debian: libabsent1)",
                                 .old = "-"};
    char error[HF_ERROR_MAX] = "";
    (void)state;
    assert_false(hf_library_load(&library, &functions, error));
    static const char expected[] = "tests need libabsent (Debian: libabsent1): libabsent.so.1: ";
    assert_memory_equal(error, expected, sizeof(expected) - 1);
}

static void a_library_without_a_function_is_too_old(void **state)
{
    struct functions functions = {0};
    struct hf_library library = {.names = {"libm.so.6"},
                                 .symbols = symbols,
                                 .count = 2,
                                 .missing = "-",
                                 .old = "install libm 7"};
    char error[HF_ERROR_MAX] = "";
    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_false(hf_library_load(&library, &functions, error));
        assert_string_equal(error, "libm.so.6 has no cos_of_tomorrow: install libm 7");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_name_that_is_there_is_taken),
        cmocka_unit_test(an_absent_library_is_told_with_its_package),
        cmocka_unit_test(a_library_without_a_function_is_too_old),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
