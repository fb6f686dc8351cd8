#include "util/shared_object.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <holdfast/component.h>

struct math {
    double (*sqrt)(double number);
    double (*none)(double number);
};

static const struct hf_shared_symbol symbols[] = {
    {"sqrt", offsetof(struct math, sqrt)},
    {"there_is_no_such_root", offsetof(struct math, none)},
};

static const struct hf_shared_object whole = {.names = {"libnone.so.9", "libm.so.6"},
                                              .needed = "roots need libm",
                                              .install = "install libm",
                                              .symbols = symbols,
                                              .symbol_count = 1};

static void loads_the_first_name_that_is_there(void **state)
{
    struct math math = {NULL, NULL};
    char error[HF_ERROR_MAX] = "";
    (void)state;
    assert_true(hf_shared_object_load(&whole, &math, error));
    assert_non_null(math.sqrt);
    assert_true(math.sqrt(9) == 3);
    assert_string_equal(error, "");
}

static void says_what_to_install(void **state)
{
    struct hf_shared_object object = whole;
    struct math math = {NULL, NULL};
    char error[HF_ERROR_MAX] = "";
    (void)state;
    object.names[1] = NULL;
    assert_false(hf_shared_object_load(&object, &math, error));
    assert_ptr_equal(strstr(error, "roots need libm: libnone.so.9: "), error);
    object.names[0] = "libm.so.6";
    object.symbol_count = 2;
    assert_false(hf_shared_object_load(&object, &math, error));
    assert_string_equal(error, "libm.so.6 has no there_is_no_such_root: install libm");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_the_first_name_that_is_there),
        cmocka_unit_test(says_what_to_install),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
