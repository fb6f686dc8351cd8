/* What the points of requests become, whether their series are known or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "components/exporters/prometheus/prometheus_fold.h"
#include "components/exporters/prometheus/prometheus_print.h"
#include "pdata/build_metrics.h"
#include "tests/support/node_stub.c"

struct fixture {
    struct prometheus_config config;
    struct prometheus_table table;
    struct prometheus_fold fold;
};

static void begin(struct fixture *fixture, struct prometheus_config config)
{
    config.without_scope_info = true;
    fixture->config = config;
    prometheus_table_init(&fixture->table, 100);
    assert_int_equal(prometheus_fold_init(&fixture->fold, &fixture->config, &fixture->table),
                     HF_OK);
    fixture->fold.now_ns = 1;
}

static void end(struct fixture *fixture)
{
    prometheus_table_clear(&fixture->table);
    prometheus_fold_release(&fixture->fold);
}

/* One point of a sum; the keys of its attributes stand in `keys`, a letter each. */
struct point {
    const char *pod, *keys;
    uint64_t start_ns, time_ns;
    int64_t value;
    bool is_delta, is_stale;
};

static void fold(struct fixture *fixture, const struct point *point)
{
    struct hf_builder builder;
    hf_builder_init(&builder, HF_METRICS, 1u << 20);
    hf_build_resource(&builder, HF_EMPTY_SLICE);
    hf_build_attribute_string(&builder, hf_slice_text("service.name"), hf_slice_text("shop"));
    hf_build_attribute_string(&builder, hf_slice_text("pod"), hf_slice_text(point->pod));
    hf_build_scope(&builder, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
    hf_build_metric(&builder,
                    &(struct hf_build_metric){.name = hf_slice_text("a"),
                                              .kind = HF_BUILD_SUM,
                                              .temporality = point->is_delta ? HF_BUILD_DELTA
                                                                             : HF_BUILD_CUMULATIVE,
                                              .is_monotonic = true});
    hf_build_point_int(
        &builder,
        &(struct hf_build_point){.start_ns = point->start_ns,
                                 .time_ns = point->time_ns,
                                 .flags = point->is_stale ? HF_BUILD_NO_RECORDED_VALUE : 0},
        point->value);
    for (const char *key = point->keys; *key != '\0'; key++) {
        hf_build_attribute_string(&builder, hf_slice_of(key, 1), hf_slice_text("v"));
    }
    hf_build_end(&builder);
    assert_int_equal(hf_build_finish(&builder), HF_OK);
    struct hf_batch *batch = hf_build_take(&builder);
    assert_int_equal(prometheus_fold_request(&fixture->fold, batch->raw), HF_OK);
    hf_ref_drop(&batch->ref);
    hf_builder_release(&builder);
}

/* The lines that are samples. */
static void expect(struct fixture *fixture, const char *expected)
{
    const struct prometheus_style style = {.constant = HF_EMPTY_SLICE};
    struct prometheus_cursor cursor = {.is_done = false};
    struct hf_bytes page = {0};
    while (!cursor.is_done) {
        assert_int_equal(prometheus_print(&fixture->table, &style, &cursor, 1 << 20, &page), HF_OK);
    }
    assert_int_equal(hf_bytes_append(&page, hf_slice_of("", 1)), HF_OK);
    const char *samples = strstr((const char *)page.data, " counter\n");
    assert_string_equal(samples != NULL ? samples + strlen(" counter\n") : "", expected);
    prometheus_cursor_release(&cursor);
    hf_bytes_release(&page);
}

static void points_of_one_series_meet_whatever_their_bytes(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture, (struct prometheus_config){.add_metric_suffixes = true});
    for (int64_t i = 1; i < 4; i++) { /* the first is not known, the others are */
        fold(&fixture, &(struct point){.pod = "p", .keys = "xy", .time_ns = 10, .value = i});
    }
    expect(&fixture, "a_total{job=\"shop\",x=\"v\",y=\"v\"} 3\n");
    for (int64_t i = 4; i < 7; i++) {
        fold(&fixture, &(struct point){.pod = "p", .keys = "yx", .time_ns = 10, .value = i});
        fold(&fixture, &(struct point){.pod = "q", .keys = "xy", .time_ns = 10, .value = 10 * i});
    }
    expect(&fixture, "a_total{job=\"shop\",x=\"v\",y=\"v\"} 60\n");
    fold(&fixture, &(struct point){.pod = "q", .keys = "xy", .time_ns = 9, .value = 1}); /* old */
    fold(&fixture, &(struct point){.pod = "q", .keys = "x", .time_ns = 10, .value = 7});
    expect(&fixture, "a_total{job=\"shop\",x=\"v\"} 7\na_total{job=\"shop\",x=\"v\",y=\"v\"} 60\n");
    fold(&fixture, &(struct point){.pod = "q", .keys = "xy", .time_ns = 11, .is_stale = true});
    expect(&fixture, "a_total{job=\"shop\",x=\"v\"} 7\n");
    fold(&fixture, &(struct point){.pod = "q", .keys = "xy", .time_ns = 12, .value = 8});
    expect(&fixture, "a_total{job=\"shop\",x=\"v\"} 7\na_total{job=\"shop\",x=\"v\",y=\"v\"} 8\n");
    end(&fixture);
}

static void the_resource_tells_series_apart_when_it_gives_labels(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture, (struct prometheus_config){.conversion.enabled = true});
    for (int64_t i = 1; i < 3; i++) {
        fold(&fixture, &(struct point){.pod = "p", .keys = "", .time_ns = 10, .value = i});
        fold(&fixture, &(struct point){.pod = "q", .keys = "", .time_ns = 10, .value = 10 * i});
    }
    expect(&fixture, "a{job=\"shop\",pod=\"p\",service_name=\"shop\"} 2\n"
                     "a{job=\"shop\",pod=\"q\",service_name=\"shop\"} 20\n");
    end(&fixture);
}

static void deltas_of_a_known_series_are_added(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture, (struct prometheus_config){.add_metric_suffixes = true});
    for (uint64_t i = 0; i < 3; i++) {
        for (int again = 0; again < 2; again++) {
            fold(&fixture, &(struct point){.pod = "p",
                                           .keys = "x",
                                           .start_ns = 10 * i,
                                           .time_ns = 10 * i + 10,
                                           .value = 5,
                                           .is_delta = true});
        }
    }
    expect(&fixture, "a_total{job=\"shop\",x=\"v\"} 15\n");
    prometheus_table_expire(&fixture.table, 2);
    assert_int_equal(fixture.table.by_source.count, 0);
    expect(&fixture, "");
    end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_of_one_series_meet_whatever_their_bytes),
        cmocka_unit_test(the_resource_tells_series_apart_when_it_gives_labels),
        cmocka_unit_test(deltas_of_a_known_series_are_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
