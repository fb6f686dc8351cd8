/* Groups of points, and the text that becomes of them. */
#include "components/exporters/awsemf/emf_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs those before it */

#include "bulk/walk.h"
#include "tests/support/node_stub.c"

static struct hf_arena arena = {.limit = 1 << 20};

static struct emf_labels labels_of(struct emf_label *items, size_t count)
{
    struct emf_labels labels = {items, count};
    emf_labels_settle(&labels);
    return labels;
}

#define LABEL(key, value)                                                                          \
    {                                                                                              \
        {(const uint8_t *)(key), sizeof(key) - 1},                                                 \
        {                                                                                          \
            (const uint8_t *)(value), sizeof(value) - 1                                            \
        }                                                                                          \
    }

static struct emf_place place = {.time_ms = 12, .metric_kind = HF_BULK_GAUGE};

static void add(struct emf_groups *groups, struct emf_labels labels, const char *name,
                double number, uint32_t item)
{
    place.namespace = hf_slice_text("ns");
    place.group = hf_slice_text("g");
    const struct emf_addition addition = {.place = &place,
                                          .labels = labels,
                                          .name = hf_slice_text(name),
                                          .data = {.kind = EMF_NUMBER, .number = number},
                                          .item = item};
    assert_int_equal(emf_groups_add(groups, &addition), HF_OK);
}

static char *written(const struct emf_config *config, const struct emf_group *group)
{
    struct emf_rules rules = {0};
    struct hf_bytes out = {0};
    assert_int_equal(emf_write(config, &rules, group, &arena, &out), HF_OK);
    char *text = strndup((const char *)out.data, out.size);
    hf_bytes_release(&out);
    return text;
}

static void labels_are_sorted_and_the_last_of_a_key_counts(void **state)
{
    struct emf_label items[] = {LABEL("b", "1"), LABEL("a", "2"), LABEL("b", "3"), LABEL("", "4")};
    struct emf_labels labels = labels_of(items, 4);
    (void)state;
    assert_int_equal(labels.count, 3);
    assert_true(hf_slice_is(emf_labels_find(&labels, hf_slice_text("b"))->value, "3"));
    assert_true(hf_slice_is(labels.items[0].key, ""));
    assert_null(emf_labels_find(&labels, hf_slice_text("c")));
}

static void metrics_that_come_again_are_not_lost(void **state)
{
    struct emf_groups groups = {.arena = &arena};
    struct emf_label items[] = {LABEL("a", "1")};
    struct emf_labels labels = labels_of(items, 1);
    (void)state;
    for (uint32_t i = 0; i < 100; i++) {
        add(&groups, labels, "m", i, i);
    }
    add(&groups, labels, "n", 1, 100);
    assert_int_equal(groups.count, 100);
    assert_int_equal(groups.list[0]->metric_count, 2);
    assert_int_equal(groups.list[99]->items->item, 99);
    emf_groups_release(&groups);
    hf_arena_reset(&arena);
}

static void a_group_is_written(void **state)
{
    const struct emf_config version1 = {.rollup = EMF_ROLLUP_NONE};
    const struct emf_config version0 = {.rollup = EMF_ROLLUP_ZERO_AND_SINGLE, .version = 1};
    struct emf_groups groups = {.arena = &arena};
    struct emf_label items[] = {LABEL("zone", "a\"b"), LABEL("OTelLib", "lib")};
    struct emf_labels labels = labels_of(items, 2);
    (void)state;
    add(&groups, labels, "m", 0.25, 0);
    char *text = written(&version1, groups.list[0]);
    assert_string_equal(
        text, "{\"OTelLib\":\"lib\",\"Version\":\"1\",\"_aws\":{\"CloudWatchMetrics\":[{"
              "\"Namespace\":\"ns\",\"Dimensions\":[[\"OTelLib\",\"zone\"]],\"Metrics\":[{\"Name\":"
              "\"m\",\"Unit\":\"\",\"StorageResolution\":60}]}],\"Timestamp\":12},\"m\":0.25,"
              "\"zone\":\"a\\\"b\"}");
    free(text);
    text = written(&version0, groups.list[0]);
    assert_non_null(strstr(text, "\"Dimensions\":[[\"OTelLib\"],[\"OTelLib\",\"zone\"]]"));
    assert_non_null(strstr(text, "\"Timestamp\":\"12\""));
    assert_null(strstr(text, "_aws"));
    free(text);
    emf_groups_release(&groups);
    hf_arena_release(&arena);
}

static void units_are_those_of_cloudwatch(void **state)
{
    static const struct emf_descriptor descriptors[] = {
        {"a", "Count", false}, {"b", "Percent", true}, {"c", "apples", true}};
    const struct emf_config config = {.descriptors = {descriptors, 3}};
    static const struct {
        const char *metric, *unit, *expected;
    } rows[] = {
        {"x", "ms", "Milliseconds"},
        {"x", "By", "Bytes"},
        {"x", "1", ""},
        {"x", "ns", ""},
        {"x", "bit", "Bits"},
        {"x", "{x}", "{x}"},
        {"a", "", "Count"},
        {"a", "s", "Seconds"},
        {"b", "s", "Percent"},
        {"c", "s", "Seconds"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_slice unit =
            emf_unit(&config, hf_slice_text(rows[i].metric), hf_slice_text(rows[i].unit));
        assert_true(hf_slice_is(unit, rows[i].expected));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_sorted_and_the_last_of_a_key_counts),
        cmocka_unit_test(metrics_that_come_again_are_not_lost),
        cmocka_unit_test(a_group_is_written),
        cmocka_unit_test(units_are_those_of_cloudwatch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
