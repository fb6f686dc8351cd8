/* Points with fewer attributes become one, by the strategy of their metric. */
#include "support/scrape/regroup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <holdfast/component.h>

#include "pdata/build_metrics.h"
#include "pdata/json.h"

enum { TAKEN = 0, LEVEL, OTHER };
static const struct hf_metric_row rows[] = {
    {.name = "taken", .unit = "By", .help = "", .kind = HF_KIND_COUNTER},
    {.name = "level", .unit = "1", .help = "", .kind = HF_KIND_GAUGE},
    {.name = "other", .unit = "1", .help = "", .kind = HF_KIND_GAUGE},
};

static char told[256];

void hf_node_log(const struct hf_node *node, enum hf_log_level level, const char *format, ...)
{
    va_list arguments;
    size_t size = strlen(told);
    assert_null(node);
    assert_int_equal(level, HF_LOG_WARN);
    va_start(arguments, format);
    vsnprintf(told + size, sizeof(told) - size, format, arguments);
    va_end(arguments);
}

/* 1, 2 and 6 of each metric, on the disks a, a and b and in the directions x, y and y. */
static struct hf_batch *three_points(void)
{
    static const struct {
        int64_t value;
        const char *disk, *direction;
    } points[] = {{1, "a", "x"}, {2, "a", "y"}, {6, "b", "y"}};
    struct hf_builder builder;
    hf_builder_init(&builder, HF_METRICS, 1u << 20);
    hf_build_resource(&builder, HF_EMPTY_SLICE);
    hf_build_scope(&builder, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        hf_metric_open(&builder, &rows[i]);
        for (size_t k = 0; k < 3; k++) {
            const struct hf_build_point point = {.start_ns = 1, .time_ns = 2};
            hf_build_point_int(&builder, &point, points[k].value);
            hf_build_attribute_string(&builder, hf_slice_text("disk"),
                                      hf_slice_text(points[k].disk));
            hf_build_attribute_string(&builder, hf_slice_text("direction"),
                                      hf_slice_text(points[k].direction));
            hf_build_end(&builder);
        }
    }
    assert_int_equal(hf_build_finish(&builder), HF_OK);
    struct hf_batch *batch = hf_build_take(&builder);
    hf_builder_release(&builder);
    return batch;
}

/* Three points of every metric, without those attributes, as JSON. */
static void regrouped(const struct hf_metric_choice *choices, uint64_t joined, uint32_t items,
                      struct hf_bytes *ret_json)
{
    const struct hf_metric_set set = {rows, choices, 3, joined};
    struct hf_regroup *regroup;
    struct hf_batch *batch = three_points();
    told[0] = '\0';
    assert_int_equal(hf_regroup_new(&set, 1, NULL, &regroup), HF_OK);
    assert_non_null(regroup);
    assert_int_equal(hf_regroup_take(regroup, batch, &batch), HF_OK);
    assert_int_equal(batch->items, items);
    *ret_json = (struct hf_bytes){0};
    assert_int_equal(hf_json_from_proto(HF_METRICS, batch->raw, ret_json), HF_OK);
    hf_ref_drop(&batch->ref);
    hf_regroup_free(regroup);
}

static size_t count_of(const struct hf_bytes *json, const char *text)
{
    size_t count = 0;
    const uint8_t *at = json->data;
    while ((at = memmem(at, (size_t)(json->data + json->size - at), text, strlen(text))) != NULL) {
        count++;
        at++;
    }
    return count;
}

static void each_strategy_has_its_value(void **state)
{
    static const char *const disk[] = {"disk"}, *const none[] = {"never"};
    static const struct {
        struct hf_string_list kept;
        int64_t strategy;
        uint32_t points;
        const char *values[2]; /* of the points that become one */
    } cases[] = {
        {{disk, 1}, HF_STRATEGY_SUM, 2, {"\"asInt\":\"3\"", "\"asInt\":\"6\""}},
        {{disk, 1}, HF_STRATEGY_AVERAGE, 2, {"\"asInt\":\"1\"", "\"asInt\":\"6\""}},
        {{disk, 1}, HF_STRATEGY_MIN, 2, {"\"asInt\":\"1\"", "\"asInt\":\"6\""}},
        {{disk, 1}, HF_STRATEGY_MAX, 2, {"\"asInt\":\"2\"", "\"asInt\":\"6\""}},
        {{none, 0}, HF_STRATEGY_SUM, 1, {"\"asInt\":\"9\"", "\"asInt\":\"9\""}},
        {{none, 0}, HF_STRATEGY_AVERAGE, 1, {"\"asInt\":\"3\"", "\"asInt\":\"3\""}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct hf_metric_choice choices[] = {
            [TAKEN] = {true, cases[i].strategy, cases[i].kept}, [OTHER] = {false, 0, {none, 0}}};
        struct hf_bytes json;
        const struct hf_metric_choice all[] = {choices[TAKEN], {.enabled = true}, choices[OTHER]};
        regrouped(all, 0, 6 + cases[i].points, &json);
        assert_true(count_of(&json, cases[i].values[0]) >= 1);
        assert_true(count_of(&json, cases[i].values[1]) >= 1);
        /* The others are as they were. */
        assert_int_equal(count_of(&json, "\"direction\""), 6);
        assert_int_equal(count_of(&json, "\"disk\""), cases[i].kept.count != 0 ? 8 : 6);
        assert_string_equal(told, "");
        hf_bytes_release(&json);
    }
}

static void what_stays_as_it_is_costs_nothing(void **state)
{
    static const char *const disk[] = {"disk"};
    static const struct hf_metric_choice choices[] = {
        {.enabled = true}, {.enabled = false, .attributes = {disk, 1}}, {true, 0, {disk, 1}}};
    const struct hf_metric_set set = {rows, choices, 3, 1u << OTHER};
    struct hf_regroup *regroup = NULL;
    (void)state;
    assert_int_equal(hf_regroup_new(&set, 1, NULL, &regroup), HF_OK);
    assert_null(regroup);
    assert_int_equal(hf_regroup_new(NULL, 0, NULL, &regroup), HF_OK);
    assert_null(regroup);
    hf_regroup_free(NULL);
}

static void an_attribute_that_no_point_has_is_told_once(void **state)
{
    static const char *const kept[] = {"disk", "dsik"};
    static const struct hf_metric_choice choices[] = {
        {.enabled = true}, {true, HF_STRATEGY_MAX, {kept, 2}}, {.enabled = true}};
    const struct hf_metric_set set = {rows, choices, 3, 0};
    struct hf_regroup *regroup;
    (void)state;
    told[0] = '\0';
    assert_int_equal(hf_regroup_new(&set, 1, NULL, &regroup), HF_OK);
    for (size_t i = 0; i < 2; i++) {
        struct hf_batch *batch;
        assert_int_equal(hf_regroup_take(regroup, three_points(), &batch), HF_OK);
        assert_int_equal(batch->items, 8);
        hf_ref_drop(&batch->ref);
    }
    assert_string_equal(told, "metrics::level: no point has the attribute dsik");
    hf_regroup_free(regroup);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_strategy_has_its_value),
        cmocka_unit_test(what_stays_as_it_is_costs_nothing),
        cmocka_unit_test(an_attribute_that_no_point_has_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
