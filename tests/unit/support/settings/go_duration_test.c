/* Durations as Go writes them. */
#include "support/settings/go_duration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* needs the three before it */

static void reads_what_go_writes(void **state)
{
    static const struct {
        const char *text;
        int64_t ns;
    } cases[] = {{"0", 0},
                 {"17", 17},
                 {"-17", -17},
                 {"1ns", 1},
                 {"2us", 2000},
                 {"2\xc2\xb5s", 2000},
                 {"4ms", 4000000},
                 {"1s", 1000000000},
                 {"1.5s", 1500000000},
                 {".5ms", 500000},
                 {"1m30s", INT64_C(90000000000)},
                 {"2h", INT64_C(7200000000000)},
                 {"-3ms", -3000000},
                 {"+3ms", 3000000},
                 {"1400ms", 1400000000}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t ns = -1;
        assert_true(hf_go_duration(cases[i].text, &ns));
        assert_int_equal(ns, cases[i].ns);
    }
}

static void refuses_what_is_none(void **state)
{
    static const char *const texts[] = {"",    "-",      "s",           "1x",
                                        "1 s", "1.2.3s", "1s2",         "1e3s",
                                        "one", "--1s",   "9999999999h", "99999999999999999999"};
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        int64_t ns = 7;
        assert_false(hf_go_duration(texts[i], &ns));
        assert_int_equal(ns, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_go_writes),
        cmocka_unit_test(refuses_what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
