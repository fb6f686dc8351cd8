#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/metrics/metrics.h"

static const struct hf_metric_family spans = {
    .name = "otelcol_receiver_accepted_spans", .type = HF_COUNTER, .help = "Spans taken."};
static const struct hf_metric_family size = {
    .name = "holdfast_queue", .type = HF_GAUGE, .unit = "By", .help = "Bytes \\ on\ndisk \"q\"."};
static const struct hf_metric_family uptime = {.name = "otelcol_process_uptime",
                                               .type = HF_COUNTER,
                                               .unit = "s",
                                               .help = "Up.",
                                               .scale = 1e-9};
static const double bounds[] = {0.001, 0.25, 10};
static const struct hf_metric_family commit = {.name = "holdfast_commit",
                                               .type = HF_HISTOGRAM,
                                               .unit = "s",
                                               .help = "Commits.",
                                               .scale = 1e-9,
                                               .bounds = bounds,
                                               .bound_count = 3};

static const struct hf_label no_labels[] = {{NULL, NULL}};

static struct hf_metrics *make(void)
{
    struct hf_metrics *metrics;
    assert_int_equal(hf_metrics_new(&metrics), HF_OK);
    return metrics;
}

static void assert_prints(struct hf_metrics *metrics, struct hf_metrics_style style,
                          const char *expected)
{
    char *text;
    size_t text_size;
    assert_int_equal(hf_metrics_print(metrics, &style, &text, &text_size), HF_OK);
    assert_string_equal(text, expected);
    assert_int_equal(text_size, strlen(expected));
    free(text);
}

static void prints_nothing_of_nothing(void **state)
{
    (void)state;
    struct hf_metrics *metrics = make();
    assert_prints(metrics, (struct hf_metrics_style){0}, "");
    hf_metrics_free(metrics);
    hf_metrics_free(NULL);
}

static void prints_families_and_series_in_order(void **state)
{
    (void)state;
    struct hf_metrics *metrics = make();
    const struct hf_label http[] = {{"receiver", "otlp"}, {"transport", "http"}, {NULL, NULL}};
    const struct hf_label grpc[] = {{"receiver", "otlp"}, {"transport", "grpc"}, {NULL, NULL}};
    hf_series_add(hf_metrics_series(metrics, &spans, http), 2);
    hf_series_add(hf_metrics_series(metrics, &spans, grpc), 40);
    hf_series_set(hf_metrics_series(metrics, &size, no_labels), -7);
    assert_prints(metrics, (struct hf_metrics_style){0},
                  "# HELP holdfast_queue Bytes \\\\ on\\ndisk \"q\".\n"
                  "# TYPE holdfast_queue gauge\n"
                  "holdfast_queue -7\n"
                  "# HELP otelcol_receiver_accepted_spans Spans taken.\n"
                  "# TYPE otelcol_receiver_accepted_spans counter\n"
                  "otelcol_receiver_accepted_spans{receiver=\"otlp\",transport=\"grpc\"} 40\n"
                  "otelcol_receiver_accepted_spans{receiver=\"otlp\",transport=\"http\"} 2\n");
    hf_metrics_free(metrics);
}

static void gives_the_same_series_again(void **state)
{
    (void)state;
    struct hf_metrics *metrics = make();
    const struct hf_label one[] = {{"receiver", "otlp"}, {NULL, NULL}};
    const struct hf_label two[] = {{"receiver", "otlp/2"}, {NULL, NULL}};
    struct hf_series *series = hf_metrics_series(metrics, &spans, one);
    assert_ptr_equal(hf_metrics_series(metrics, &spans, one), series);
    assert_ptr_not_equal(hf_metrics_series(metrics, &spans, two), series);
    struct hf_histogram *histogram = hf_metrics_histogram(metrics, &commit, one);
    assert_ptr_equal(hf_metrics_histogram(metrics, &commit, one), histogram);
    hf_metrics_free(metrics);
}

static void a_sweep_removes_what_was_not_asked_for_again(void **state)
{
    (void)state;
    struct hf_metrics *metrics = make();
    struct hf_metric_family depth = {
        .name = "depth", .type = HF_GAUGE, .help = "Deep.", .is_swept = true};
    struct hf_metric_family times = commit;
    times.is_swept = true;
    const struct hf_label one[] = {{"queue", "one"}, {NULL, NULL}};
    const struct hf_label two[] = {{"queue", "two"}, {NULL, NULL}};
    hf_series_add(hf_metrics_series(metrics, &spans, no_labels), 3);
    hf_series_set(hf_metrics_series(metrics, &depth, one), 1);
    hf_series_set(hf_metrics_series(metrics, &depth, two), 2);
    assert_non_null(hf_metrics_histogram(metrics, &times, two));
    hf_metrics_sweep(metrics);
    hf_series_set(hf_metrics_series(metrics, &depth, one), 5);
    hf_metrics_sweep(metrics);
    assert_prints(metrics, (struct hf_metrics_style){0},
                  "# HELP depth Deep.\n"
                  "# TYPE depth gauge\n"
                  "depth{queue=\"one\"} 5\n"
                  "# HELP otelcol_receiver_accepted_spans Spans taken.\n"
                  "# TYPE otelcol_receiver_accepted_spans counter\n"
                  "otelcol_receiver_accepted_spans 3\n");
    hf_metrics_free(metrics);
}

static void escapes_label_values(void **state)
{
    (void)state;
    struct hf_metrics *metrics = make();
    const struct hf_label odd[] = {
        {"a", "q\"b\\n\nx"}, {"b", ""}, {"c", "\x1b\xc2\x85\xff"}, {NULL, NULL}};
    hf_series_add(hf_metrics_series(metrics, &spans, odd), 1);
    assert_prints(
        metrics, (struct hf_metrics_style){0},
        "# HELP otelcol_receiver_accepted_spans Spans taken.\n"
        "# TYPE otelcol_receiver_accepted_spans counter\n"
        "otelcol_receiver_accepted_spans{a=\"q\\\"b\\\\n\\nx\",b=\"\",c=\"\\\\x1b\\\\u0085"
        "\\\\xff\"} 1\n");
    hf_metrics_free(metrics);
}

static void adds_suffixes_and_constant_labels_when_told(void **state)
{
    (void)state;
    struct hf_metrics *metrics = make();
    const struct hf_label constant[] = {{"service_name", "holdfast"}, {NULL, NULL}};
    hf_series_add(hf_metrics_series(metrics, &spans, no_labels), 1);
    hf_series_set(hf_metrics_series(metrics, &uptime, no_labels), 1500000000);
    struct hf_metrics_style style = {
        .type_suffix = true, .unit_suffix = true, .constant_labels = constant};
    assert_prints(metrics, style,
                  "# HELP otelcol_process_uptime_seconds_total Up.\n"
                  "# TYPE otelcol_process_uptime_seconds_total counter\n"
                  "otelcol_process_uptime_seconds_total{service_name=\"holdfast\"} 1.5\n"
                  "# HELP otelcol_receiver_accepted_spans_total Spans taken.\n"
                  "# TYPE otelcol_receiver_accepted_spans_total counter\n"
                  "otelcol_receiver_accepted_spans_total{service_name=\"holdfast\"} 1\n");
    hf_metrics_free(metrics);
}

static void does_not_say_a_suffix_twice(void **state)
{
    (void)state;
    static const struct hf_metric_family bytes_total = {
        .name = "x_bytes_total", .type = HF_COUNTER, .unit = "By", .help = "X."};
    static const struct hf_metric_family seconds = {
        .name = "y_seconds", .type = HF_GAUGE, .unit = "s", .help = "Y."};
    struct hf_metrics *metrics = make();
    hf_series_add(hf_metrics_series(metrics, &bytes_total, no_labels), 3);
    hf_series_add(hf_metrics_series(metrics, &seconds, no_labels), 4);
    assert_prints(metrics, (struct hf_metrics_style){.type_suffix = true, .unit_suffix = true},
                  "# HELP x_bytes_total X.\n# TYPE x_bytes_total counter\nx_bytes_total 3\n"
                  "# HELP y_seconds Y.\n# TYPE y_seconds gauge\ny_seconds 4\n");
    hf_metrics_free(metrics);
}

static void counts_observations_in_their_buckets(void **state)
{
    (void)state;
    struct hf_metrics *metrics = make();
    const struct hf_label labels[] = {{"pipeline", "traces"}, {NULL, NULL}};
    struct hf_histogram *histogram = hf_metrics_histogram(metrics, &commit, labels);
    static const uint64_t values[] = {0, 1000000, 1000001, 250000000, 10000000001};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        hf_histogram_observe(histogram, values[i]);
    }
    assert_prints(metrics, (struct hf_metrics_style){.unit_suffix = true},
                  "# HELP holdfast_commit_seconds Commits.\n"
                  "# TYPE holdfast_commit_seconds histogram\n"
                  "holdfast_commit_seconds_bucket{pipeline=\"traces\",le=\"0.001\"} 2\n"
                  "holdfast_commit_seconds_bucket{pipeline=\"traces\",le=\"0.25\"} 4\n"
                  "holdfast_commit_seconds_bucket{pipeline=\"traces\",le=\"10\"} 4\n"
                  "holdfast_commit_seconds_bucket{pipeline=\"traces\",le=\"+Inf\"} 5\n"
                  "holdfast_commit_seconds_sum{pipeline=\"traces\"} 10.252000002\n"
                  "holdfast_commit_seconds_count{pipeline=\"traces\"} 5\n");
    hf_metrics_free(metrics);
}

struct refreshed {
    struct hf_metrics *metrics;
    int calls;
};

static void refresh(void *user)
{
    struct refreshed *refreshed = user;
    refreshed->calls++;
    hf_series_set(hf_metrics_series(refreshed->metrics, &size, no_labels), refreshed->calls);
}

static void refreshes_before_each_print_until_taken_off(void **state)
{
    (void)state;
    struct hf_metrics *metrics = make();
    struct refreshed first = {.metrics = metrics}, second = {.metrics = metrics};
    assert_int_equal(hf_metrics_on_scrape(metrics, refresh, &first), HF_OK);
    assert_int_equal(hf_metrics_on_scrape(metrics, refresh, &second), HF_OK);
    const char *one = "# HELP holdfast_queue Bytes \\\\ on\\ndisk \"q\".\n"
                      "# TYPE holdfast_queue gauge\nholdfast_queue 1\n";
    const char *two = "# HELP holdfast_queue Bytes \\\\ on\\ndisk \"q\".\n"
                      "# TYPE holdfast_queue gauge\nholdfast_queue 2\n";
    assert_prints(metrics, (struct hf_metrics_style){0}, one);
    hf_metrics_off_scrape(metrics, refresh, &first);
    assert_prints(metrics, (struct hf_metrics_style){0}, two);
    assert_int_equal(first.calls, 1);
    assert_int_equal(second.calls, 2);
    hf_metrics_off_scrape(metrics, refresh, &second);
    hf_metrics_free(metrics);
}

#define ROUNDS 2000

static void *count_up(void *user)
{
    struct hf_metrics *metrics = user;
    for (int i = 0; i < ROUNDS; i++) {
        hf_series_add(hf_metrics_series(metrics, &spans, no_labels), 1);
        hf_histogram_observe(hf_metrics_histogram(metrics, &commit, no_labels), 5);
    }
    return NULL;
}

static void loses_no_count_between_threads(void **state)
{
    (void)state;
    struct hf_metrics *metrics = make();
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, metrics), 0);
    }
    struct hf_metrics_style style = {0};
    for (int i = 0; i < 20; i++) {
        char *text;
        size_t text_size;
        assert_int_equal(hf_metrics_print(metrics, &style, &text, &text_size), HF_OK);
        free(text);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(hf_series_get(hf_metrics_series(metrics, &spans, no_labels)), 4 * ROUNDS);
    hf_metrics_free(metrics);
}

static void what_is_shown_can_be_had_without_a_connection(void **state)
{
    (void)state;
    static const struct {
        const char *shown_at, *address;
        bool same;
    } cases[] = {
        {"localhost:8888", "0.0.0.0:8888", true}, {":8888", "localhost:8888", true},
        {"127.0.0.1:8888", "[::1]:8888", true},   {"localhost:8888", "localhost:8889", false},
        {"localhost:8888", "shop:8888", false},   {"10.0.0.1:8888", "localhost:8888", false},
        {"localhost:8888", "localhost", false},   {NULL, "localhost:8888", false},
    };
    const struct hf_metrics_style style = {0};
    struct hf_metrics *metrics = NULL;
    assert_int_equal(hf_metrics_new(&metrics), HF_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = NULL;
        size_t text_size = 0;
        hf_metrics_show_at(metrics, cases[i].shown_at, &style);
        enum hf_status status =
            hf_metrics_print_shown(metrics, cases[i].address, &text, &text_size);
        assert_int_equal(status, cases[i].same ? HF_OK : HF_NOT_FOUND);
        free(text);
    }
    hf_metrics_free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_nothing_of_nothing),
        cmocka_unit_test(prints_families_and_series_in_order),
        cmocka_unit_test(gives_the_same_series_again),
        cmocka_unit_test(a_sweep_removes_what_was_not_asked_for_again),
        cmocka_unit_test(escapes_label_values),
        cmocka_unit_test(adds_suffixes_and_constant_labels_when_told),
        cmocka_unit_test(does_not_say_a_suffix_twice),
        cmocka_unit_test(counts_observations_in_their_buckets),
        cmocka_unit_test(refreshes_before_each_print_until_taken_off),
        cmocka_unit_test(loses_no_count_between_threads),
        cmocka_unit_test(what_is_shown_can_be_had_without_a_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
