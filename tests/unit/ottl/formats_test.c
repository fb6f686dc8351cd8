/* Format prints as Go does, mistakes included. */
#include "run.h"

static void prints_values(void **state)
{
    static const struct run_case cases[] = {
        {"Format(\"%s\", [\"a\"]) == \"a\"", HF_OTTL_TRUE},
        {"Format(\"%d|%5d|%-5d|%05d|%+d\", [1, 2, 3, 4, 5]) == \"1|    2|3    |00004|+5\"",
         HF_OTTL_TRUE},
        {"Format(\"%x %X %#x %o %#o %b %c %q %U\", [255, 255, 255, 8, 8, 5, 65, 65, 9731]) == \"ff "
         "FF 0xff 10 010 101 A 'A' U+2603\"",
         HF_OTTL_TRUE},
        {"Format(\"%v %v %v %v\", [1.5, 1000000.0, 123456.7, 0.00001]) == \"1.5 1e+06 123456.7 "
         "1e-05\"",
         HF_OTTL_TRUE},
        {"Format(\"%.2f|%8.3f|%-8.1f|%08.2f\", [1.005, 2.5, 2.5, -1.5]) == \"1.00|   2.500|2.5     "
         "|-0001.50\"",
         HF_OTTL_TRUE},
        {"Format(\"%t %v\", [true, nil]) == \"true <nil>\"", HF_OTTL_TRUE},
        {"Format(\"%q %x % x %#x\", [\"a\\\"b\", \"hi\", \"hi\", \"hi\"]) == \"\\\"a\\\\\\\"b\\\" "
         "6869 68 69 0x6869\"",
         HF_OTTL_TRUE},
        {"Format(\"%v %s\", [Duration(\"90s\"), Duration(\"1500us\")]) == \"1m30s 1.5ms\"",
         HF_OTTL_TRUE},
        {"Format(\"%v\", [Unix(0)]) == \"1970-01-01 00:00:00 +0000 UTC\"", HF_OTTL_TRUE},
        {"Format(\"%v\", [attributes[\"l\"]]) == \"[1,\\\"two\\\"]\"", HF_OTTL_TRUE},
        {"Format(\"%[2]d %[1]d\", [1, 2]) == \"2 1\"", HF_OTTL_TRUE},
        {"Format(\"%*d|%.*f\", [4, 1, 1, 2.55]) == \"   1|2.5\"", HF_OTTL_TRUE},
        {"Format(\"%v %x\", [0x0102, 0x0102]) == \"[1 2] 0102\"", HF_OTTL_TRUE},
        {"Format(\"100%%\", []) == \"100%\"", HF_OTTL_TRUE},
    };
    (void)state;
    RUN_CASES(cases);
}

static void prints_mistakes(void **state)
{
    static const struct run_case cases[] = {
        {"Format(\"%d\", [\"x\"]) == \"%!d(string=x)\"", HF_OTTL_TRUE},
        {"Format(\"%s\", [5]) == \"%!s(int64=5)\"", HF_OTTL_TRUE},
        {"Format(\"%d %d\", [1]) == \"1 %!d(MISSING)\"", HF_OTTL_TRUE},
        {"Format(\"%d\", [1, \"a\"]) == \"1%!(EXTRA string=a)\"", HF_OTTL_TRUE},
        {"Format(\"%\", [1]) == \"%!(NOVERB)%!(EXTRA int64=1)\"", HF_OTTL_TRUE},
        {"Format(\"%z\", [1]) == \"%!z(int64=1)\"", HF_OTTL_TRUE},
        {"Format(\"%[5]d\", [1]) == \"%!d(BADINDEX)\"", HF_OTTL_TRUE},
        {"Format(\"%*d\", [\"x\", 1]) == \"%!(BADWIDTH)1\"", HF_OTTL_TRUE},
        {"Format(\"%d\", [nil]) == \"%!d(<nil>)\"", HF_OTTL_TRUE},
    };
    (void)state;
    RUN_CASES(cases);
}

static void refuses_a_text_without_end(void **state)
{
    static const struct run_case cases[] = {
        {"Format(\"%900000d%900000d%900000d%900000d%900000d\", [1, 1, 1, 1, 1]) == \"\"",
         HF_OTTL_ERROR},
    };
    (void)state;
    RUN_CASES(cases);
}

static void refuses_what_is_no_format(void **state)
{
    static const struct run_refusal cases[] = {
        {"Format(name, [1]) == \"\"", "must be a literal"},
        {"Format(\"%d\", 1) == \"\"", "a list in brackets"},
    };
    (void)state;
    RUN_REFUSALS(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_values),
        cmocka_unit_test(prints_mistakes),
        cmocka_unit_test(refuses_a_text_without_end),
        cmocka_unit_test(refuses_what_is_no_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
