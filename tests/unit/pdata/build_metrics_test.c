/* Every kind of metric as protobuf-c unpacks it, and cut at a limit. */
#include "pdata/build_metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb-c.h"
#include "pdata/scan.h"
#include "proto/objects.h"

typedef Opentelemetry__Proto__Collector__Metrics__V1__ExportMetricsServiceRequest metrics_request;
typedef Opentelemetry__Proto__Metrics__V1__Metric metric_object;

static struct hf_slice text(const char *content)
{
    return hf_slice_text(content);
}

struct world {
    struct hf_builder builder;
    struct hf_arena arena;
    struct hf_batch *batch;
};

static void begin(struct world *world, size_t limit)
{
    *world = (struct world){.arena = {.limit = 1 << 20}};
    hf_builder_init(&world->builder, HF_METRICS, limit);
    hf_build_resource(&world->builder, text(""));
    hf_build_scope(&world->builder, text("scope"), text(""));
}

static const metrics_request *take(struct world *world)
{
    struct hf_scan scan;
    world->batch = hf_build_take(&world->builder);
    assert_non_null(world->batch);
    assert_int_equal(hf_scan(HF_METRICS, world->batch->raw, &scan), HF_OK);
    assert_int_equal(scan.items, world->batch->items);
    const metrics_request *request = (const void *)hf_objects_unpack(
        &opentelemetry__proto__collector__metrics__v1__export_metrics_service_request__descriptor,
        &world->arena, world->batch->raw);
    assert_non_null(request);
    return request;
}

static const metric_object *take_metric(struct world *world)
{
    assert_int_equal(hf_build_finish(&world->builder), HF_OK);
    const metrics_request *request = take(world);
    assert_int_equal(request->resource_metrics[0]->scope_metrics[0]->n_metrics, 1);
    return request->resource_metrics[0]->scope_metrics[0]->metrics[0];
}

static void end(struct world *world)
{
    hf_ref_drop(&world->batch->ref);
    hf_builder_release(&world->builder);
    hf_arena_release(&world->arena);
}

static const struct hf_build_point point = {.start_ns = 1, .time_ns = 2};

static void builds_a_sum_with_an_exemplar(void **state)
{
    struct world world;
    (void)state;
    begin(&world, 1 << 20);
    hf_build_metric(&world.builder, &(struct hf_build_metric){.name = text("requests"),
                                                              .description = text("help"),
                                                              .unit = text("1"),
                                                              .kind = HF_BUILD_SUM,
                                                              .temporality = HF_BUILD_CUMULATIVE,
                                                              .is_monotonic = true});
    hf_build_point_int(&world.builder, &point, -7);
    hf_build_exemplar(&world.builder,
                      &(struct hf_build_exemplar){.time_ns = 9,
                                                  .is_double = true,
                                                  .number = 1.5,
                                                  .trace_id = hf_slice_of("0123456789abcdef", 16),
                                                  .span_id = hf_slice_of("01234567", 8)});
    hf_build_attribute_string(&world.builder, text("of"), text("exemplar"));
    hf_build_end(&world.builder);
    hf_build_attribute_string(&world.builder, text("of"), text("point"));
    hf_build_end(&world.builder);
    const metric_object *metric = take_metric(&world);
    assert_string_equal(metric->name, "requests");
    assert_string_equal(metric->description, "help");
    assert_string_equal(metric->unit, "1");
    assert_non_null(metric->sum);
    assert_true(metric->sum->is_monotonic);
    assert_int_equal(metric->sum->aggregation_temporality, 2);
    const Opentelemetry__Proto__Metrics__V1__NumberDataPoint *number = metric->sum->data_points[0];
    assert_int_equal(number->start_time_unix_nano, 1);
    assert_int_equal(number->time_unix_nano, 2);
    assert_int_equal(number->as_int, -7);
    assert_string_equal(number->attributes[0]->value->string_value, "point");
    assert_true(number->exemplars[0]->as_double == 1.5);
    assert_int_equal(number->exemplars[0]->trace_id.len, 16);
    assert_string_equal(number->exemplars[0]->filtered_attributes[0]->value->string_value,
                        "exemplar");
    end(&world);
}

static void builds_a_gauge_and_a_staleness_marker(void **state)
{
    struct world world;
    struct hf_build_point stale = point;
    (void)state;
    stale.flags = HF_BUILD_NO_RECORDED_VALUE;
    begin(&world, 1 << 20);
    hf_build_metric(&world.builder,
                    &(struct hf_build_metric){.name = text("g"), .kind = HF_BUILD_GAUGE});
    hf_build_point_double(&world.builder, &point, 0);
    hf_build_end(&world.builder);
    hf_build_point_double(&world.builder, &stale, 5);
    hf_build_end(&world.builder);
    const metric_object *metric = take_metric(&world);
    assert_int_equal(metric->gauge->n_data_points, 2);
    assert_int_equal(metric->gauge->data_points[0]->value_case, 4);
    assert_int_equal(metric->gauge->data_points[1]->value_case, 0);
    assert_int_equal(metric->gauge->data_points[1]->flags, 1);
    end(&world);
}

static void builds_a_histogram(void **state)
{
    static const uint64_t buckets[] = {1, 2, 300};
    static const double bounds[] = {0.5, 10};
    struct world world;
    (void)state;
    begin(&world, 1 << 20);
    hf_build_metric(&world.builder, &(struct hf_build_metric){.name = text("h"),
                                                              .kind = HF_BUILD_HISTOGRAM,
                                                              .temporality = HF_BUILD_DELTA});
    hf_build_point_histogram(&world.builder, &(struct hf_build_histogram){.point = point,
                                                                          .count = 303,
                                                                          .has_sum = true,
                                                                          .sum = 0,
                                                                          .has_max = true,
                                                                          .max = 77,
                                                                          .buckets = buckets,
                                                                          .bounds = bounds,
                                                                          .bound_count = 2});
    hf_build_attribute_bool(&world.builder, text("b"), true);
    hf_build_end(&world.builder);
    const metric_object *metric = take_metric(&world);
    assert_int_equal(metric->histogram->aggregation_temporality, 1);
    const Opentelemetry__Proto__Metrics__V1__HistogramDataPoint *histogram =
        metric->histogram->data_points[0];
    assert_int_equal(histogram->count, 303);
    assert_int_equal(histogram->_sum_case, 5);
    assert_int_equal(histogram->_min_case, 0);
    assert_true(histogram->max == 77);
    assert_int_equal(histogram->n_bucket_counts, 3);
    assert_int_equal(histogram->bucket_counts[2], 300);
    assert_int_equal(histogram->n_explicit_bounds, 2);
    assert_true(histogram->explicit_bounds[0] == 0.5);
    assert_int_equal(histogram->n_attributes, 1);
    end(&world);
}

static void builds_an_exponential_histogram(void **state)
{
    static const uint64_t counts[] = {1, 0, 1000000};
    struct world world;
    (void)state;
    begin(&world, 1 << 20);
    hf_build_metric(&world.builder, &(struct hf_build_metric){.name = text("e"),
                                                              .kind = HF_BUILD_EXPONENTIAL,
                                                              .temporality = HF_BUILD_CUMULATIVE});
    hf_build_point_exponential(
        &world.builder,
        &(struct hf_build_exponential){.point = point,
                                       .count = 1000005,
                                       .zero_count = 4,
                                       .scale = -3,
                                       .zero_threshold = 1e-9,
                                       .positive = {.offset = -2, .counts = counts, .count = 3},
                                       .negative = {.offset = 5}});
    hf_build_attribute_int(&world.builder, text("i"), 1);
    hf_build_end(&world.builder);
    const Opentelemetry__Proto__Metrics__V1__ExponentialHistogramDataPoint *exponential =
        take_metric(&world)->exponential_histogram->data_points[0];
    assert_int_equal(exponential->count, 1000005);
    assert_int_equal(exponential->zero_count, 4);
    assert_int_equal(exponential->scale, -3);
    assert_true(exponential->zero_threshold == 1e-9);
    assert_int_equal(exponential->positive->offset, -2);
    assert_int_equal(exponential->positive->n_bucket_counts, 3);
    assert_int_equal(exponential->positive->bucket_counts[2], 1000000);
    assert_int_equal(exponential->negative->offset, 5);
    assert_int_equal(exponential->n_attributes, 1);
    end(&world);
}

static void builds_a_summary(void **state)
{
    static const struct hf_build_quantile quantiles[] = {{0, 1}, {0.99, 20}};
    struct world world;
    (void)state;
    begin(&world, 1 << 20);
    hf_build_metric(&world.builder,
                    &(struct hf_build_metric){.name = text("s"), .kind = HF_BUILD_SUMMARY});
    hf_build_point_summary(
        &world.builder,
        &(struct hf_build_summary){
            .point = point, .count = 5, .sum = 12.5, .quantiles = quantiles, .quantile_count = 2});
    hf_build_end(&world.builder);
    const Opentelemetry__Proto__Metrics__V1__SummaryDataPoint *summary =
        take_metric(&world)->summary->data_points[0];
    assert_int_equal(summary->count, 5);
    assert_true(summary->sum == 12.5);
    assert_int_equal(summary->n_quantile_values, 2);
    assert_true(summary->quantile_values[0]->value == 1);
    assert_true(summary->quantile_values[1]->quantile == 0.99);
    end(&world);
}

static void repeats_the_metric_in_the_next_request(void **state)
{
    struct world world;
    unsigned points = 0, requests = 0;
    (void)state;
    begin(&world, 300);
    hf_build_metric(&world.builder, &(struct hf_build_metric){.name = text("n"),
                                                              .unit = text("By"),
                                                              .kind = HF_BUILD_SUM,
                                                              .temporality = HF_BUILD_CUMULATIVE});
    for (unsigned i = 0; i < 50; i++) {
        hf_build_point_int(&world.builder, &point, i);
        hf_build_end(&world.builder);
    }
    assert_int_equal(hf_build_finish(&world.builder), HF_OK);
    while (points < 50) {
        const metrics_request *request = take(&world);
        const metric_object *metric = request->resource_metrics[0]->scope_metrics[0]->metrics[0];
        assert_true(world.batch->raw.size <= 300);
        assert_string_equal(metric->name, "n");
        assert_string_equal(metric->unit, "By");
        assert_int_equal(metric->sum->aggregation_temporality, 2);
        for (size_t i = 0; i < metric->sum->n_data_points; i++) {
            assert_int_equal(metric->sum->data_points[i]->as_int, points++);
        }
        requests++;
        if (points < 50) {
            hf_ref_drop(&world.batch->ref);
        }
    }
    assert_true(requests > 4);
    assert_null(hf_build_take(&world.builder));
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds_a_sum_with_an_exemplar),
        cmocka_unit_test(builds_a_gauge_and_a_staleness_marker),
        cmocka_unit_test(builds_a_histogram),
        cmocka_unit_test(builds_an_exponential_histogram),
        cmocka_unit_test(builds_a_summary),
        cmocka_unit_test(repeats_the_metric_in_the_next_request),
    };
    return cmocka_run_group_tests_name("build_metrics", tests, NULL, NULL);
}
