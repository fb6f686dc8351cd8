/* What waits to be sent, and the requests that are made of it. */
#include "service/own_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs those before it */

static const struct hf_string_pair pairs[] = {{"service.name", "edge"}, {"service.version", NULL}};
static const struct hf_string_map resource_map = {pairs, 2};
static const struct hf_own_resource resource = {"i-1", &resource_map};

static struct hf_own_log_line line_of(const char *message)
{
    return (struct hf_own_log_line){
        .time_unix_ns = 5,
        .level = HF_LOG_WARN,
        .component = "otlp",
        .message = message,
        .fields = "\"code\":14,\"error\":\"a \\\"b\\\"\"",
    };
}

/* The request of at most `most` items. */
static struct hf_batch *build(struct hf_own_queue *queue, enum hf_signal signal, size_t most)
{
    struct hf_builder builder;
    hf_builder_init(&builder, signal, 1 << 20);
    hf_own_build_head(&builder, &resource);
    hf_own_queue_build(queue, most, &builder);
    assert_int_equal(hf_build_finish(&builder), HF_OK);
    struct hf_batch *batch = hf_build_take(&builder);
    hf_builder_release(&builder);
    return batch;
}

static bool has(const struct hf_batch *batch, const char *text)
{
    return memmem(batch->raw.data, batch->raw.size, text, strlen(text)) != NULL;
}

static void gives_the_oldest_first(void **state)
{
    struct hf_own_queue queue;
    (void)state;
    hf_own_queue_init(&queue, 10);
    assert_int_equal(hf_own_queue_waited_ns(&queue, UINT64_MAX), 0);
    for (int i = 0; i < 3; i++) {
        const struct hf_own_log_line line = line_of(i == 0 ? "first" : "later");
        hf_own_queue_add_line(&queue, &line);
    }
    assert_int_not_equal(hf_own_queue_waited_ns(&queue, UINT64_MAX), 0);
    /* The loop's time may be older than a line that another thread has just added. */
    assert_int_equal(hf_own_queue_waited_ns(&queue, 1), 0);
    struct hf_batch *batch = build(&queue, HF_LOGS, 1);
    assert_int_equal(batch->items, 1);
    assert_true(has(batch, "first") && has(batch, "a \"b\"") && has(batch, "edge"));
    assert_true(has(batch, "service.instance.id") && !has(batch, "service.version"));
    hf_ref_drop(&batch->ref);
    batch = build(&queue, HF_LOGS, 10);
    assert_int_equal(batch->items, 2);
    hf_ref_drop(&batch->ref);
    assert_null(build(&queue, HF_LOGS, 10));
    assert_int_equal(hf_own_queue_count(&queue), 0);
    hf_own_queue_release(&queue);
}

static void drops_and_counts_what_has_no_room(void **state)
{
    struct hf_own_queue queue;
    const struct hf_own_log_line line = line_of("x");
    (void)state;
    hf_own_queue_init(&queue, 2);
    for (int i = 0; i < 5; i++) {
        hf_own_queue_add_line(&queue, &line);
    }
    assert_int_equal(hf_own_queue_count(&queue), 2);
    assert_int_equal(hf_own_queue_take_dropped(&queue), 3);
    assert_int_equal(hf_own_queue_take_dropped(&queue), 0);
    hf_own_queue_release(&queue);
}

static void is_bounded_in_bytes(void **state)
{
    struct hf_own_queue queue;
    char *text = malloc(1 << 20);
    (void)state;
    memset(text, 'x', (1 << 20) - 1);
    text[(1 << 20) - 1] = '\0';
    const struct hf_own_log_line line = line_of(text);
    hf_own_queue_init(&queue, 100);
    for (int i = 0; i < 5; i++) {
        hf_own_queue_add_line(&queue, &line);
    }
    assert_int_equal(hf_own_queue_count(&queue), 3);
    assert_int_equal(hf_own_queue_take_dropped(&queue), 2);
    free(text);
    hf_own_queue_release(&queue);
}

static void makes_spans(void **state)
{
    static const struct hf_span_kind kind = {"sent_spans", "send_failed_spans", true};
    struct hf_own_spans *spans = NULL;
    struct hf_own_queue queue;
    const struct hf_own_span span = {.trace_id = {1},
                                     .span_id = {2},
                                     .start_unix_ns = 3,
                                     .duration_ns = 4,
                                     .items = 5,
                                     .is_failed = true,
                                     .error = "not now"};
    (void)state;
    assert_int_equal(hf_own_spans_new(&spans), HF_OK);
    hf_own_queue_init(&queue, 10);
    hf_own_queue_add_span(&queue, hf_own_spans_name(spans, "exporter/x/traces", &kind), &span);
    struct hf_batch *batch = build(&queue, HF_TRACES, 10);
    assert_int_equal(batch->items, 1);
    assert_true(has(batch, "exporter/x/traces") && has(batch, "send_failed_spans"));
    assert_true(has(batch, "not now"));
    hf_ref_drop(&batch->ref);
    hf_own_queue_release(&queue);
    hf_own_spans_free(spans);
}

static void makes_metrics(void **state)
{
    static const double bounds[] = {1, 2};
    static const struct hf_metric_family families[] = {
        {.name = "a", .type = HF_COUNTER, .help = "Of a."},
        {.name = "b", .type = HF_GAUGE, .scale = 0.5, .unit = "s"},
        {.name = "c", .type = HF_HISTOGRAM, .bounds = bounds, .bound_count = 2},
    };
    const struct hf_label one[] = {{"x", "1"}, {NULL, NULL}}, two[] = {{"x", "2"}, {NULL, NULL}};
    struct hf_metrics *metrics;
    struct hf_builder builder;
    (void)state;
    assert_int_equal(hf_metrics_new(&metrics), HF_OK);
    assert_non_null(hf_metrics_series(metrics, &families[0], one));
    assert_non_null(hf_metrics_series(metrics, &families[0], two));
    assert_non_null(hf_metrics_series(metrics, &families[1], one));
    assert_non_null(hf_metrics_histogram(metrics, &families[2], one));
    hf_builder_init(&builder, HF_METRICS, 1 << 20);
    hf_own_build_head(&builder, &resource);
    hf_own_build_metrics(&builder, metrics, 1, 2);
    assert_int_equal(hf_build_finish(&builder), HF_OK);
    struct hf_batch *batch = hf_build_take(&builder);
    assert_int_equal(batch->items, 4);
    assert_true(has(batch, "Of a."));
    hf_ref_drop(&batch->ref);
    hf_builder_release(&builder);
    hf_metrics_free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_oldest_first),
        cmocka_unit_test(drops_and_counts_what_has_no_room),
        cmocka_unit_test(is_bounded_in_bytes),
        cmocka_unit_test(makes_spans),
        cmocka_unit_test(makes_metrics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
