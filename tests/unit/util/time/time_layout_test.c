/* Times are read and written by a layout as the Go collector's parsers do it. */
#include "util/time/time_layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h> /* needs the three before it */

#include <holdfast/component.h>

#include "util/time/clock.h"

#define FAILS 0, 0, NULL

static struct hf_time_layout *layout_of(const char *type, const char *text, const char *location)
{
    const struct hf_time_layout_options options = {
        .type = type, .layout = text, .location = location};
    struct hf_time_layout *layout = NULL;
    char error[HF_ERROR_MAX] = "";
    if (hf_time_layout_new(&options, &layout, error) != HF_OK) {
        fail_msg("%s: %s", text, error);
    }
    return layout;
}

/* Of a zone's abbreviation only UTC is written. */
static const struct {
    const char *type, *layout, *location, *text;
    int64_t unix_ns;
    int32_t offset_s;
    const char *written; /* NULL: the text is no time of the layout */
} times[] = {
    {NULL, "%Y-%m-%dT%H:%M:%SZ", "", "2024-03-05T06:07:08Z", INT64_C(1709618828000000000), 0,
     "2024-03-05T06:07:08Z"},
    {NULL, "%Y-%m-%dT%H:%M:%SZ", "", "2024-03-05T06:07:08.123Z", INT64_C(1709618828123000000), 0,
     "2024-03-05T06:07:08Z"},
    {NULL, "%F %T %z", "UTC", "2024-03-05 06:07:08 +0200", INT64_C(1709611628000000000), 7200,
     "2024-03-05 06:07:08 +0200"},
    {NULL, "%F %T %z", "UTC", "2024-03-05 06:07:08 +02:30", INT64_C(1709609828000000000), 9000,
     "2024-03-05 06:07:08 +0230"},
    {NULL, "%F %T %z", "UTC", "2024-03-05 06:07:08 -02", INT64_C(1709626028000000000), -7200,
     "2024-03-05 06:07:08 -0200"},
    {NULL, "%F %T %z", "UTC", "2024-03-05 06:07:08 Z", INT64_C(1709618828000000000), 0,
     "2024-03-05 06:07:08 Z"},
    {NULL, "%F %T %z", "UTC", "2024-03-05 06:07:08 +02:30:10", FAILS},
    {NULL, "%F %T%z", "UTC", "2024-03-05 06:07:08   +0200", INT64_C(1709611628000000000), 7200,
     "2024-03-05 06:07:08+0200"},
    {NULL, "%F %T %w", "UTC", "2024-03-05 06:07:08 +020304", INT64_C(1709611444000000000), 7384,
     "2024-03-05 06:07:08 +020304"},
    {NULL, "%F %T %w", "UTC", "2024-03-05 06:07:08 +0203", FAILS},
    {NULL, "%F %T %i", "UTC", "2024-03-05 06:07:08 +02", INT64_C(1709611628000000000), 7200,
     "2024-03-05 06:07:08 +02"},
    {NULL, "%F %T %i", "UTC", "2024-03-05 06:07:08 +0200", FAILS},
    {NULL, "%F %T %j", "UTC", "2024-03-05 06:07:08 +02:30", INT64_C(1709609828000000000), 9000,
     "2024-03-05 06:07:08 +02:30"},
    {NULL, "%F %T %k", "UTC", "2024-03-05 06:07:08 +02:30:10", INT64_C(1709609818000000000), 9010,
     "2024-03-05 06:07:08 +02:30:10"},
    {NULL, "%F %T %Z", "UTC", "2024-07-05 06:07:08 UTC", INT64_C(1720159628000000000), 0,
     "2024-07-05 06:07:08 UTC"},
    {NULL, "%F %T %Z", "UTC", "2024-07-05 06:07:08 GMT", INT64_C(1720159628000000000), 0,
     "2024-07-05 06:07:08 UTC"},
    {NULL, "%F %T %Z", "UTC", "2024-07-05 06:07:08 Z", FAILS},
    {NULL, "%F %T %Z", "UTC", "2024-07-05 06:07:08 PDT", FAILS},
    {NULL, "%F %T", "Europe/Berlin", "2024-07-05 06:07:08", INT64_C(1720152428000000000), 7200,
     "2024-07-05 06:07:08"},
    {NULL, "%F %T", "Europe/Berlin", "2024-01-05 06:07:08", INT64_C(1704431228000000000), 3600,
     "2024-01-05 06:07:08"},
    {NULL, "%D", "UTC", "3/5/24", INT64_C(1709596800000000000), 0, "03/05/2024"},
    {NULL, "%D", "UTC", "03/05/2024", INT64_C(1709596800000000000), 0, "03/05/2024"},
    {NULL, "%x %H", "UTC", "3/5/69 7", INT64_C(-26067600000000000), 0, "03/05/1969 07"},
    {NULL, "%Y %o", "UTC", "2024   3", INT64_C(1709251200000000000), 0, "2024 _3"},
    {NULL, "%Y %o", "UTC", "2024 _3", FAILS},
    {NULL, "%Y_%q", "UTC", "2024_3", INT64_C(1709251200000000000), 0, "2024_3"},
    {NULL, "%Y-%m-%d", "UTC", "2024- 3- 5", INT64_C(1709596800000000000), 0, "2024-03-05"},
    {NULL, "%Y-%m-%d", "UTC", "  2024-3-5", INT64_C(1709596800000000000), 0, "2024-03-05"},
    {NULL, "%Y%m%d", "UTC", "20240305", INT64_C(1709596800000000000), 0, "20240305"},
    {NULL, "%d/%b/%Y:%H:%M:%S.%L %z", "UTC", "05/Mar/2024:06:07:08.123 +0000",
     INT64_C(1709618828123000000), 0, "05/Mar/2024:06:07:08.123 Z"},
    {NULL, "%d/%b/%Y:%H:%M:%S.%L", "UTC", "05/Mar/2024:06:07:08", INT64_C(1709618828000000000), 0,
     "05/Mar/2024:06:07:08"},
    {NULL, "%d/%b/%Y:%H:%M:%S.%L", "UTC", "05/Mar/2024:06:07:08.123456789",
     INT64_C(1709618828123456789), 0, "05/Mar/2024:06:07:08.123"},
    {NULL, "%d/%b/%Y:%H:%M:%S,%f", "UTC", "05/Mar/2024:06:07:08,5", INT64_C(1709618828500000000), 0,
     "05/Mar/2024:06:07:08,5"},
    {NULL, "%d/%b/%Y:%H:%M:%S,%f", "UTC", "05/Mar/2024:06:07:08,", FAILS},
    {NULL, "%B %e, %Y %I:%M %P", "UTC", "March 5, 2024 06:07 pm", INT64_C(1709662020000000000), 0,
     "March  5, 2024 06:07 pm"},
    {NULL, "%B %e, %Y %I:%M %P", "UTC", "march 5, 2024 12:07 am", INT64_C(1709597220000000000), 0,
     "March  5, 2024 12:07 am"},
    {NULL, "%B %e, %Y %I:%M %p", "UTC", "March 5, 2024 6:07 pm", FAILS},
    {NULL, "%Y %l %p", "UTC", "2024 0 PM", INT64_C(1704110400000000000), 0, "2024 12 PM"},
    {NULL, "%Y %l %p", "UTC", "2024 12 PM", INT64_C(1704110400000000000), 0, "2024 12 PM"},
    {NULL, "%Y %l %p", "UTC", "2024 13 PM", FAILS},
    {NULL, "%c", "UTC", "Tue Mar  5 06:07:08 2024", INT64_C(1709618828000000000), 0,
     "Tue Mar 05 06:07:08 2024"},
    {NULL, "%c", "UTC", "Tue Mar 05 6:7:8 2024", INT64_C(1709618828000000000), 0,
     "Tue Mar 05 06:07:08 2024"},
    {NULL, "%A %F", "UTC", "Tuesday 2024-03-05", INT64_C(1709596800000000000), 0,
     "Tuesday 2024-03-05"},
    {NULL, "%A %F", "UTC", "Fooday 2024-03-05", FAILS},
    {NULL, "%F", "UTC", "2024-02-30", FAILS},
    {NULL, "%F", "UTC", "2023-02-29", FAILS},
    {NULL, "%Y %H", "UTC", "2024 24", FAILS},
    {NULL, "%Y %M", "UTC", "2024 60", FAILS},
    {NULL, "%y-%q-%g", "UTC", "24-3-5", INT64_C(1709596800000000000), 0, "24-3-5"},
    {NULL, "%y-%q-%g", "UTC", "68-3-5", INT64_C(3098131200000000000), 0, "68-3-5"},
    {NULL, "%Y%%%n%t", "UTC", "2024%", FAILS},
    {NULL, "%Y pm", "UTC", "2024 am", INT64_C(1704067200000000000), 0, "2024 am"},
    {NULL, "%F trailing", "UTC", "2024-03-05 trailing!", FAILS},
    {NULL, "%F %T %z", "UTC", "2024-03-05 06:07:08 +2500", FAILS},
    {NULL, "%F %T %z", "UTC", "2024-03-05 06:07:08 +2460", INT64_C(1709528828000000000), 90000,
     "2024-03-05 06:07:08 +2500"},
    {NULL, "%F %H", "UTC", "2024-03-05  7", INT64_C(1709622000000000000), 0, "2024-03-05 07"},
    {NULL, "%F%H", "UTC", "2024-03-05 \t 7", INT64_C(1709622000000000000), 0, "2024-03-0507"},
    {"gotime", "Mon Jan _2 15:04:05 2006", "UTC", "Tue Mar  5 06:07:08 2024",
     INT64_C(1709618828000000000), 0, "Tue Mar  5 06:07:08 2024"},
    {"gotime", "2006-01-02T15:04:05.000Z07:00", "UTC", "2024-03-05T06:07:08.123+02:00",
     INT64_C(1709611628123000000), 7200, "2024-03-05T06:07:08.123+02:00"},
    {"gotime", "2006-01-02T15:04:05.000Z07:00", "UTC", "2024-03-05T06:07:08.12+02:00", FAILS},
    {"gotime", "2006-01-02T15:04:05,999Z07", "UTC", "2024-03-05T06:07:08,120+02",
     INT64_C(1709611628120000000), 7200, "2024-03-05T06:07:08,12+02"},
    {"gotime", "2006-002", "UTC", "2024-366", INT64_C(1735603200000000000), 0, "2024-366"},
    {"gotime", "2006-002", "UTC", "2023-366", FAILS},
    {"gotime", "2006_1", "UTC", "2023_3", INT64_C(1677628800000000000), 0, "2023_3"},
    {"gotime", "2006-1-2", "UTC", "2023- 3-5", FAILS},
    {"gotime", "2006-01-02", "UTC", "2023-3-5", FAILS},
    {"gotime", "3:4:5 PM 2006", "UTC", "3:4:5 PM 2024", INT64_C(1704121445000000000), 0,
     "3:4:5 PM 2024"},
    {"gotime", "03:04PM 2006", "UTC", "03:04PM 2024", INT64_C(1704121440000000000), 0,
     "03:04PM 2024"},
    {"gotime", "Mon, 02 Jan 2006 15:04:05 MST", "UTC", "Tue, 05 Mar 2024 06:07:08 GMT",
     INT64_C(1709618828000000000), 0, "Tue, 05 Mar 2024 06:07:08 UTC"},
    {"gotime", "2006-01-02T15:04:05Z", "", "2024-03-05T06:07:08Z", INT64_C(1709618828000000000), 0,
     "2024-03-05T06:07:08Z"},
    {"gotime", "2006-01-02 15:04:05 -0700", "UTC", "2024-03-05 06:07:08 -0130",
     INT64_C(1709624228000000000), -5400, "2024-03-05 06:07:08 -0130"},
    {"gotime", "2006-01-02 15:04:05 -07:00:00", "UTC", "2024-03-05 06:07:08 -01:30:15",
     INT64_C(1709624243000000000), -5415, "2024-03-05 06:07:08 -01:30:15"},
    {"gotime", "January 2, 2006 Monday", "UTC", "March 5, 2024 Tuesday",
     INT64_C(1709596800000000000), 0, "March 5, 2024 Tuesday"},
};

static void reads_and_writes_as_go_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        if (strchr(times[i].location, '/') != NULL && access("/usr/share/zoneinfo", R_OK) != 0) {
            continue;
        }
        struct hf_time_layout *layout =
            layout_of(times[i].type, times[i].layout, times[i].location);
        int64_t unix_ns = 0;
        int32_t offset_s = 0;
        bool is_read =
            hf_time_layout_read(layout, hf_slice_text(times[i].text), &unix_ns, &offset_s);
        if (is_read != (times[i].written != NULL)) {
            fail_msg("%s by %s", times[i].text, times[i].layout);
        }
        if (is_read) {
            struct hf_bytes written = {0};
            assert_int_equal(hf_time_layout_write(layout, unix_ns, offset_s, &written), HF_OK);
            if (unix_ns != times[i].unix_ns || offset_s != times[i].offset_s ||
                !hf_slice_is(hf_slice_of(written.data, written.size), times[i].written)) {
                fail_msg("%s by %s: %lld, %d, %.*s", times[i].text, times[i].layout,
                         (long long)unix_ns, (int)offset_s, (int)written.size,
                         (const char *)written.data);
            }
            hf_bytes_release(&written);
        }
        hf_time_layout_free(layout);
    }
}

/* Also a year 0; a time beyond 64 bits of nanoseconds is none. */
static void guesses_the_year_that_is_not_there(void **state)
{
    static const char *const layouts[] = {"%m-%d %H:%M", "%Y %m-%d %H:%M"};
    static const char *const texts[] = {"01-01 00:00", "02-29 00:01", "07-01 12:00", "12-31 23:59"};
    const int64_t day_ns = INT64_C(86400) * 1000000000;
    (void)state;
    for (size_t i = 0; i < 8; i++) {
        struct hf_time_layout *layout = layout_of(NULL, layouts[i % 2], "UTC");
        int64_t unix_ns = 0, now_ns = (int64_t)hf_clock_unix_ns();
        char text[32];
        snprintf(text, sizeof(text), "%s%s", i % 2 == 1 ? "0000 " : "", texts[i / 2]);
        assert_true(hf_time_layout_parse(layout, hf_slice_text(text), &unix_ns));
        assert_true(unix_ns <= now_ns + 8 * day_ns && unix_ns > now_ns - 367 * day_ns);
        hf_time_layout_free(layout);
    }
    struct hf_time_layout *layout = layout_of(NULL, "%Y", "UTC");
    int64_t unix_ns = 0;
    assert_false(hf_time_layout_parse(layout, hf_slice_text("2400"), &unix_ns));
    assert_false(hf_time_layout_parse(layout, hf_slice_text("1600"), &unix_ns));
    hf_time_layout_free(layout);
}

static void counts_from_the_epoch(void **state)
{
    static const struct {
        const char *layout, *text;
        int64_t unix_ns; /* -1: fails */
    } rows[] = {
        {"s", "1700000000", INT64_C(1700000000000000000)},
        {"ms", "1700000000123", INT64_C(1700000000123000000)},
        {"us", "1", 1000},
        {"ns", "-1", -1},
        {"ns", "x", -1},
        {"s", "1700000000.5", -1},
        {"s.ms", "1700000000.123", INT64_C(1700000000123000000)},
        {"s.us", "1.5", 1000005000},
        {"s.ns", "1.000000001", 1000000001},
        {"s.ns", "1", -1},
        {"s", "99999999999", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_time_layout *layout = layout_of("epoch", rows[i].layout, NULL);
        int64_t unix_ns = -1;
        assert_true(hf_time_layout_is_epoch(layout));
        if (!hf_time_layout_parse(layout, hf_slice_text(rows[i].text), &unix_ns)) {
            unix_ns = -1;
        }
        assert_int_equal(unix_ns, rows[i].unix_ns);
        hf_time_layout_free(layout);
    }
}

static void refuses_a_layout_with_a_sentence(void **state)
{
    static const struct {
        struct hf_time_layout_options options;
        const char *error;
    } rows[] = {
        {{.layout = ""}, "a layout has 1 to"},
        {{.layout = "%Y %Q"}, "strptime has no directive %Q"},
        {{.layout = "%Y %"}, "strptime has no directive"},
        {{.layout = "%S%L"}, "must follow a point or a comma"},
        {{.layout = "2006-01-02"}, "no digits"},
        {{.layout = "m", .type = "epoch"}, "a layout of the type epoch is"},
        {{.layout = "%Y", .type = "other"}, "layout_type: strptime, gotime or epoch"},
        {{.layout = "%Y", .location = "Nowhere/City"}, "location: Nowhere/City is no time zone"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_time_layout *layout = NULL;
        char error[HF_ERROR_MAX] = "";
        assert_int_equal(hf_time_layout_new(&rows[i].options, &layout, error), HF_INVALID);
        if (strstr(error, rows[i].error) == NULL) {
            fail_msg("%s", error);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes_as_go_does),
        cmocka_unit_test(guesses_the_year_that_is_not_there),
        cmocka_unit_test(counts_from_the_epoch),
        cmocka_unit_test(refuses_a_layout_with_a_sentence),
    };
    return cmocka_run_group_tests_name("time_layout", tests, NULL, NULL);
}
