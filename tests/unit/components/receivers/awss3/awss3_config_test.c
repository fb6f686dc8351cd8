/* The range of time, and how far its partitions are apart. */
#include "components/receivers/awss3/awss3_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* needs those before it */

static void times_have_three_forms(void **state)
{
    static const struct {
        const char *text;
        bool is_time;
        int64_t unix_s;
    } rows[] = {
        {"2026-01-02T03:04:05Z", true, 1767323045},
        {"2026-01-02T03:04:05+01:00", true, 1767319445},
        {"2026-01-02 03:04", true, 1767323040},
        {"2026-01-02", true, 1767312000},
        {"2026-13-02", false, 0},
        {"yesterday", false, 0},
        {"", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t unix_s = 0;
        assert_int_equal(awss3_time(rows[i].text, &unix_s), rows[i].is_time);
        assert_int_equal(unix_s, rows[i].unix_s);
    }
}

static void partitions_are_as_far_apart_as_their_layout_tells(void **state)
{
    static const struct {
        const char *format;
        int64_t partition, step_s;
    } rows[] = {
        {NULL, 0, 60},    {NULL, 1, 3600},      {"%Y/%m/%d", 0, 86400}, {"%Y%m%d-%H", 0, 3600},
        {"%F/%R", 0, 60}, {"%%M/%Y", 0, 86400}, {"all", 0, 86400},      {"%Y/%H/%M", 1, 60},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct awss3_receiver_config config = {
            .s3 = {.partition_format = rows[i].format, .partition = rows[i].partition}};
        assert_int_equal(awss3_step_s(&config), rows[i].step_s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_have_three_forms),
        cmocka_unit_test(partitions_are_as_far_apart_as_their_layout_tells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
