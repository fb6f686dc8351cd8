#include "support/scrape/metric_points.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pdata/scan.h"

static const struct hf_metric_row rows[] = {
    {.name = "a", .unit = "By", .help = "first", .kind = HF_KIND_GAUGE},
    {.name = "b", .unit = "s", .help = "second", .kind = HF_KIND_COUNTER},
    {.name = "c", .unit = "1", .help = "third", .kind = HF_KIND_UPDOWN},
};

static uint32_t write_all(struct hf_points *points, struct hf_batch **ret_batch, bool *ret_failed)
{
    struct hf_builder builder;
    hf_builder_init(&builder, HF_METRICS, 64u << 20);
    hf_build_resource(&builder, HF_EMPTY_SLICE);
    hf_build_scope(&builder, hf_slice_text("scope"), HF_EMPTY_SLICE);
    uint32_t written = hf_points_write(points, &builder, 1, 2, ret_failed);
    assert_int_equal(hf_build_finish(&builder), HF_OK);
    *ret_batch = hf_build_take(&builder);
    hf_builder_release(&builder);
    return written;
}

static bool holds(const struct hf_batch *batch, const char *text)
{
    return memmem(batch->raw.data, batch->raw.size, text, strlen(text)) != NULL;
}

static void points_come_metric_by_metric_and_only_those_that_are_wanted(void **state)
{
    static const struct hf_metric_choice choices[] = {
        {.enabled = true}, {.enabled = false}, {.enabled = true}};
    const struct hf_metric_set metrics = {rows, choices, 3, 0};
    struct hf_points points;
    struct hf_batch *batch;
    struct hf_scan scan;
    char name[] = "one";
    bool failed = true;
    (void)state;
    assert_int_equal(hf_points_init(&points, &metrics), HF_OK);
    const struct hf_points_attribute attributes[] = {
        {.key = "name", .text = hf_slice_text(name)},
        {.key = "number", .is_integer = true, .integer = 7}};
    hf_points_double(&points, 2, 1.5, attributes, 2);
    hf_points_int(&points, 0, 1, NULL, 0);
    hf_points_int(&points, 1, 5, NULL, 0); /* not wanted */
    hf_points_int(&points, 0, 2, attributes, 1);
    memcpy(name, "two", 3); /* the texts were copied */
    assert_int_equal(write_all(&points, &batch, &failed), 3);
    assert_false(failed);
    assert_int_equal(batch->items, 3);
    assert_int_equal(hf_scan(HF_METRICS, batch->raw, &scan), HF_OK);
    assert_true(holds(batch, "one") && holds(batch, "first") && holds(batch, "third"));
    assert_false(holds(batch, "two") || holds(batch, "second"));
    hf_ref_drop(&batch->ref);
    /* They are forgotten. */
    assert_int_equal(write_all(&points, &batch, &failed), 0);
    assert_null(batch);
    hf_points_int(&points, 0, 1, NULL, 0);
    hf_points_clear(&points);
    assert_int_equal(write_all(&points, &batch, &failed), 0);
    hf_points_release(&points);
}

static void more_than_the_limit_is_told_and_the_next_round_is_whole_again(void **state)
{
    static const struct hf_metric_choice choices[] = {
        {.enabled = true}, {.enabled = true}, {.enabled = true}};
    const struct hf_metric_set metrics = {rows, choices, 3, 0};
    struct hf_points points;
    struct hf_batch *batch;
    bool failed = false;
    char *text = malloc(1u << 20);
    (void)state;
    assert_non_null(text);
    memset(text, 'x', 1u << 20);
    const struct hf_points_attribute large = {.key = "name", .text = hf_slice_of(text, 1u << 20)};
    assert_int_equal(hf_points_init(&points, &metrics), HF_OK);
    for (int i = 0; i < 80; i++) {
        hf_points_int(&points, 0, i, &large, 1);
    }
    uint32_t written = write_all(&points, &batch, &failed);
    assert_true(failed && written > 50 && written < 80);
    hf_ref_drop(&batch->ref);
    hf_points_int(&points, 0, 1, NULL, 0);
    assert_int_equal(write_all(&points, &batch, &failed), 1);
    assert_false(failed);
    hf_ref_drop(&batch->ref);
    hf_points_release(&points);
    free(text);
}

static void numbers_are_read_whole_or_not_at_all(void **state)
{
    static const struct {
        const char *text;
        bool is_int, is_double;
        int64_t integer;
        double number;
    } cases[] = {
        {"0", true, true, 0, 0},
        {"-12", true, true, -12, -12},
        {"9223372036854775807", true, true, INT64_MAX, 9223372036854775807.0},
        {"9223372036854775808", false, true, 0, 9223372036854775808.0},
        {"1.5", false, true, 0, 1.5},
        {"1e3", false, true, 0, 1000},
        {"", false, false, 0, 0},
        {" 1", false, false, 0, 0},
        {"1 ", false, false, 0, 0},
        {"nan", false, false, 0, 0},
        {"inf", false, false, 0, 0},
        {"1e999", false, false, 0, 0},
        {"x", false, false, 0, 0},
        {"11111111111111111111111111111111111111111111111111111111111111111111", false, false, 0,
         0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t integer = 0;
        double number = 0;
        assert_int_equal(hf_read_int(hf_slice_text(cases[i].text), &integer), cases[i].is_int);
        assert_int_equal(hf_read_double(hf_slice_text(cases[i].text), &number), cases[i].is_double);
        assert_true(integer == cases[i].integer && number == cases[i].number);
    }
    int64_t integer = 0;
    assert_false(hf_read_int(hf_slice_of("1\0", 2), &integer));
}

static void a_column_is_a_point_or_left_out(void **state)
{
    static const struct hf_metric_choice choices[] = {
        {.enabled = true}, {.enabled = true}, {.enabled = true}};
    const struct hf_metric_set metrics = {rows, choices, 3, 0};
    const struct hf_points_column whole = {.id = 0, .key = "kind", .value = "sent"};
    const struct hf_points_column broken = {.id = 1, .is_double = true};
    const struct hf_points_attribute table = {.key = "table", .text = hf_slice_text("sold")};
    struct hf_points points;
    struct hf_batch *batch;
    bool failed = true;
    (void)state;
    assert_int_equal(hf_points_init(&points, &metrics), HF_OK);
    hf_points_column(&points, &whole, hf_slice_text("7"), &table, 1);
    hf_points_column(&points, &broken, hf_slice_text("0.5"), NULL, 0);
    hf_points_column(&points, &whole, hf_slice_text("0.5"), NULL, 0);
    hf_points_column(&points, &broken, HF_EMPTY_SLICE, NULL, 0); /* as NULL is */
    assert_int_equal(write_all(&points, &batch, &failed), 2);
    assert_true(holds(batch, "kind") && holds(batch, "sent"));
    assert_true(holds(batch, "table") && holds(batch, "sold"));
    hf_ref_drop(&batch->ref);
    hf_points_release(&points);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_come_metric_by_metric_and_only_those_that_are_wanted),
        cmocka_unit_test(more_than_the_limit_is_told_and_the_next_round_is_whole_again),
        cmocka_unit_test(numbers_are_read_whole_or_not_at_all),
        cmocka_unit_test(a_column_is_a_point_or_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
