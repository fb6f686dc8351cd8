/* What Prometheus' durations mean, and how they are written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "components/receivers/prometheus/duration.h"
#include "util/time/clock.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define S HF_NS_PER_S

static void times_are_those_of_prometheus(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t ns; /* 0: it is none */
    } cases[] = {
        {"15s", 15 * S},
        {"1m", 60 * S},
        {"1h30m", 5400 * S},
        {"500ms", S / 2},
        {"1d", 86400 * S},
        {"1w", 7 * 86400 * S},
        {"1y", 31536000 * S},
        {"1m30s", 90 * S},
        {"", 0},
        {"15", 0},
        {"s", 0},
        {"1.5s", 0},
        {"-1s", 0},
        {"1 s", 0},
        {"1us", 0},
        {"1m1h", 0},
        {"1m1m", 0},
        {"1x", 0},
        {"999999999y", 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t ns = 0;
        assert_int_equal(prom_duration(cases[i].text, &ns), cases[i].ns != 0);
        assert_int_equal(ns, cases[i].ns);
    }
    uint64_t ns = 1;
    assert_true(prom_duration("0", &ns));
    assert_int_equal(ns, 0);
}

static void times_are_written_with_the_longest_units(void **state)
{
    (void)state;
    static const char *const cases[] = {"0s",   "200ms", "15s",      "1m",  "1m30s", "1s500ms",
                                        "1h1m", "2d1h",  "1d1h1m1s", "10d", "2w",    "1y"};
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[PROM_DURATION_SIZE];
        uint64_t ns = 0;
        assert_true(prom_duration(cases[i], &ns));
        assert_int_equal(prom_duration_text(ns, text), strlen(cases[i]));
        assert_string_equal(text, cases[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_those_of_prometheus),
        cmocka_unit_test(times_are_written_with_the_longest_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
