/* What `holdfast top` makes of answers: rows, rates, order, and lines of 80 columns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "top/numbers.h"
#include "top/view.h"

/* An answer at that second, with so many items appended to each queue, delivered and sent. */
static void take(struct hf_top *top, int second, int pid, int appended, int delivered)
{
    char text[4096];
    snprintf(
        text, sizeof(text),
        "{\"protocol\":1,\"time_seconds\":1000.5,\"monotonic_seconds\":%d,"
        "\"process\":{\"version\":\"1\",\"pid\":%d,\"uptime_seconds\":9,\"cpu_seconds\":%d,"
        "\"data_directory\":\"/d\",\"why_not_ready\":null,\"memory\":{\"resident_bytes\":1}},"
        "\"components\":[{\"kind\":\"exporter\",\"id\":\"otlp\","
        "\"flow\":{\"sent\":{\"traces\":%d,\"logs\":0}}}],"
        "\"pipelines\":[{\"id\":\"traces\",\"from\":[{\"id\":\"otlp\"},{\"id\":\"kafka\"}],"
        "\"processors\":[{\"id\":\"batch\"}],\"queue\":\"traces\","
        "\"behind\":[{\"kind\":\"exporter\",\"id\":\"otlp\"}]},"
        "{\"id\":\"a\",\"from\":[],\"processors\":[],\"queue\":null,\"behind\":[]}],"
        "\"queues\":[{\"kind\":\"queue\",\"id\":\"traces\",\"healthy\":true,"
        "\"disk_bytes\":2048,\"disk_bytes_max\":4096,\"free_bytes\":9999,"
        "\"append_bytes_per_second\":1024,\"appended\":{\"items\":%d},\"commits\":%d,"
        "\"commit_seconds\":{\"sum\":%d},\"segments\":[{},{}],"
        "\"consumers\":[{\"name\":\"otlp\",\"oldest_age_seconds\":70,"
        "\"queued\":{\"records\":2,\"items\":%d},\"delivered\":{\"items\":%d}}]}],"
        "\"exporters\":[{\"id\":\"otlp\",\"state\":\"retrying\",\"held_by\":null,\"in_flight\":1,"
        "\"next_attempt_seconds\":1002.5,\"attempts_failed\":3,"
        "\"last_error\":{\"message\":\"a\\u001b[31mway\"},\"last_refusal\":null,"
        "\"queued\":{\"items\":5,\"records\":2},\"dead_letters\":{\"items\":0}}]}",
        second, pid, second, delivered, appended, appended, appended, appended - delivered,
        delivered);
    assert_int_equal(hf_top_take(top, hf_slice_text(text)), HF_OK);
}

static const struct hf_top_row *row_of(const struct hf_top *top, enum hf_top_part part,
                                       const char *name)
{
    for (size_t i = 0; i < top->parts[part].count; i++) {
        if (strcmp(top->parts[part].items[i].name, name) == 0) {
            return &top->parts[part].items[i];
        }
    }
    fail_msg("no row %s", name);
    return NULL;
}

static bool is_about(double number, double wanted)
{
    return number > wanted - 0.001 && number < wanted + 0.001;
}

static void rates_need_two_answers_of_one_process(void **state)
{
    struct hf_top top = {.time_s = 0};
    (void)state;
    take(&top, 10, 7, 100, 50);
    assert_true(row_of(&top, HF_TOP_PIPELINES, "traces")->in_per_s < 0);
    take(&top, 12, 7, 120, 80);
    const struct hf_top_row *row = row_of(&top, HF_TOP_PIPELINES, "traces");
    assert_true(is_about(row->in_per_s, 10) && is_about(row->out_per_s, 15));
    assert_true(is_about(row->queued_items, 40) && is_about(row->oldest_s, 70));
    assert_true(is_about(row_of(&top, HF_TOP_EXPORTERS, "otlp")->out_per_s, 15));
    assert_true(is_about(row_of(&top, HF_TOP_QUEUES, "traces")->commit_s, 1));
    assert_true(is_about(row_of(&top, HF_TOP_QUEUES, "traces")->until_full_s, 2));
    assert_true(is_about(top.process.cpu_share, 1));
    take(&top, 14, 8, 130, 90); /* another process */
    assert_true(row_of(&top, HF_TOP_PIPELINES, "traces")->in_per_s < 0);
    hf_top_release(&top);
}

static void a_pipeline_tells_its_way_and_its_worst_exporter(void **state)
{
    struct hf_top top = {.time_s = 0};
    (void)state;
    take(&top, 10, 7, 100, 50);
    const struct hf_top_row *row = row_of(&top, HF_TOP_PIPELINES, "traces");
    assert_string_equal(row->detail, "otlp, kafka > batch > [traces] > otlp");
    assert_string_equal(row->state, "retrying");
    assert_true(row->is_bad);
    row = row_of(&top, HF_TOP_PIPELINES, "a");
    assert_string_equal(row->state, "working");
    assert_true(row->queued_items < 0);
    row = row_of(&top, HF_TOP_EXPORTERS, "otlp");
    assert_string_equal(row->detail, "next attempt in 2.0s (3 failed): a\x1b[31mway");
    hf_top_release(&top);
}

static void another_protocol_is_refused_and_the_rows_stay(void **state)
{
    static const char *const texts[] = {"", "[", "{}", "{\"protocol\":2}"};
    struct hf_top top = {.time_s = 0};
    (void)state;
    take(&top, 10, 7, 100, 50);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(hf_top_take(&top, hf_slice_text(texts[i])), HF_INVALID);
    }
    assert_int_equal(top.parts[HF_TOP_PIPELINES].count, 2);
    hf_top_release(&top);
}

static void no_line_is_wider_than_the_page_or_steers_it(void **state)
{
    static const size_t widths[] = {1, 40, 80, 200};
    struct hf_top top = {.time_s = 0};
    struct hf_page page = {.width = 0};
    (void)state;
    take(&top, 10, 7, 100, 50);
    take(&top, 12, 7, 120, 80);
    for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
        const struct hf_view view = {.is_one = true, .is_ascii = true};
        page.width = widths[i];
        (void)hf_view_draw(&view, &top, &page);
        assert_true(page.count > 10);
        for (size_t k = 0; k < page.count; k++) {
            assert_true(strlen(page.lines[k].text) <= widths[i]);
            assert_null(strchr(page.lines[k].text, '\x1b'));
        }
    }
    hf_page_release(&page);
    hf_top_release(&top);
}

static void rows_are_sorted_and_filtered(void **state)
{
    struct hf_top top = {.time_s = 0};
    struct hf_page page = {.width = 80};
    struct hf_view view = {.hides_details = true, .is_ascii = true};
    (void)state;
    take(&top, 10, 7, 100, 50);
    size_t head = hf_view_draw(&view, &top, &page);
    assert_int_equal(page.count, head + 2);
    assert_int_equal(page.lines[head].text[0], 'a'); /* by name */
    view.sorts[HF_TOP_PIPELINES] = 3;                /* by what is queued */
    head = hf_view_draw(&view, &top, &page);
    assert_int_equal(page.lines[head].text[0], 't');
    assert_int_equal(page.lines[head].emphasis, HF_ALARM);
    view.is_reversed = true;
    head = hf_view_draw(&view, &top, &page);
    assert_int_equal(page.lines[head].text[0], 'a');
    snprintf(view.filter, sizeof(view.filter), "KAFKA");
    head = hf_view_draw(&view, &top, &page);
    assert_int_equal(page.count, head + 1);
    assert_int_equal(page.lines[head].text[0], 't');
    hf_page_release(&page);
    hf_top_release(&top);
}

static void a_process_that_is_lost_is_told(void **state)
{
    struct hf_top top = {.time_s = 0};
    struct hf_page page = {.width = 80};
    const struct hf_view view = {.lost = "no Holdfast runs", .lost_s = 65};
    (void)state;
    (void)hf_view_draw(&view, &top, &page);
    assert_string_equal(page.lines[0].text, "NO ANSWER for 1m05s: no Holdfast runs");
    assert_int_equal(page.lines[0].emphasis, HF_ALARM);
    hf_page_release(&page);
    hf_top_release(&top);
}

static void numbers_take_few_columns(void **state)
{
    static const struct {
        void (*write)(double number, char *text);
        double number;
        const char *wanted;
    } cases[] = {
        {hf_number_count, -1, "-"},
        {hf_number_count, 0, "0"},
        {hf_number_count, 0.4, "0.4"},
        {hf_number_count, 999, "999"},
        {hf_number_count, 999.9, "1.0k"},
        {hf_number_count, 1234, "1.2k"},
        {hf_number_count, 34e6, "34.0M"},
        {hf_number_count, 123e6, "123M"},
        {hf_number_bytes, 512, "512B"},
        {hf_number_bytes, 1229, "1.2KiB"},
        {hf_number_duration, -1, "-"},
        {hf_number_duration, 0, "0.0s"},
        {hf_number_duration, 850e-6, "850us"},
        {hf_number_duration, 0.0021, "2.1ms"},
        {hf_number_duration, 4.25, "4.2s"},
        {hf_number_duration, 192, "3m12s"},
        {hf_number_duration, 7500, "2h05m"},
        {hf_number_duration, 273600, "3d04h"},
        {hf_number_duration, 1e12, ">99d"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[HF_NUMBER_MAX];
        cases[i].write(cases[i].number, text);
        assert_string_equal(text, cases[i].wanted);
    }
}

static void a_sparkline_shows_the_newest_values_by_the_highest(void **state)
{
    struct hf_top_series *list = NULL;
    const struct hf_top_series *series = NULL;
    char text[4 * HF_TOP_VALUES + 1];
    (void)state;
    for (size_t i = 0; i < HF_TOP_VALUES + 5; i++) {
        series = hf_top_series_add(&list, "a", i % 2 == 0 ? 0 : 10);
    }
    hf_number_sparkline(series, 4, true, text);
    assert_string_equal(text, "# # ");
    hf_number_sparkline(series, 2, false, text);
    assert_string_equal(text, "█ ");
    hf_number_sparkline(NULL, 4, true, text);
    assert_string_equal(text, "");
    hf_top_series_sweep(&list); /* it was seen */
    assert_non_null(list);
    hf_top_series_sweep(&list); /* not since */
    assert_null(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_need_two_answers_of_one_process),
        cmocka_unit_test(a_pipeline_tells_its_way_and_its_worst_exporter),
        cmocka_unit_test(another_protocol_is_refused_and_the_rows_stay),
        cmocka_unit_test(no_line_is_wider_than_the_page_or_steers_it),
        cmocka_unit_test(rows_are_sorted_and_filtered),
        cmocka_unit_test(a_process_that_is_lost_is_told),
        cmocka_unit_test(numbers_take_few_columns),
        cmocka_unit_test(a_sparkline_shows_the_newest_values_by_the_highest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
