#include "util/own_spans.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h> /* needs those before it */

#include "util/time/clock.h"

static const struct hf_span_kind kind = {"accepted_spans", "refused_spans", false};

static struct hf_own_spans *make_spans(void)
{
    struct hf_own_spans *spans = NULL;
    assert_int_equal(hf_own_spans_new(&spans), HF_OK);
    return spans;
}

static void traces_only_while_it_is_wanted(void **state)
{
    struct hf_own_spans *spans = make_spans();
    struct hf_span_name *name = hf_own_spans_name(spans, "a", &kind);
    (void)state;
    assert_int_equal(hf_own_span_begin(name), 0);
    assert_int_equal(hf_own_span_begin(NULL), 0);
    assert_false(hf_own_spans_wanted(NULL));
    assert_null(hf_own_spans_name(NULL, "a", &kind));
    hf_own_spans_want(spans, true);
    assert_int_not_equal(hf_own_span_begin(name), 0);
    hf_own_spans_want(spans, false);
    assert_int_equal(hf_own_span_begin(name), 0);
    hf_own_spans_free(spans);
}

static void copy_summary(void *user, const struct hf_span_summary *summary)
{
    *(struct hf_span_summary *)user = *summary;
}

/* A span of so many nanoseconds, or a little more. */
static void add(struct hf_span_name *name, uint64_t duration_ns, bool is_failed, uint64_t items)
{
    struct hf_own_span span = {.items = items, .is_failed = is_failed, .transport = "grpc"};
    assert_int_not_equal(hf_own_span_begin(name), 0);
    hf_own_span_end(name, hf_clock_monotonic_ns() - duration_ns, &span, is_failed ? "why" : NULL);
}

static void sorts_them_by_latency_and_failure(void **state)
{
    static const struct {
        uint64_t duration_ns;
        bool is_failed;
        unsigned bucket;
    } rows[] = {
        {0, true, HF_SPAN_FAILED},           {UINT64_C(12000), false, 1},
        {UINT64_C(120000), false, 2},        {UINT64_C(1200000), false, 3},
        {UINT64_C(12000000), false, 4},      {UINT64_C(120000000), false, 5},
        {UINT64_C(1200000000), false, 6},    {UINT64_C(12000000000), false, 7},
        {UINT64_C(59000000000), false, 7},   {UINT64_C(61000000000), false, 8},
        {UINT64_C(3600000000000), false, 8},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_own_spans *spans = make_spans();
        struct hf_span_name *name = hf_own_spans_name(spans, "a", &kind);
        struct hf_span_summary summary;
        struct hf_own_span found[HF_SPAN_SAMPLES];
        hf_own_spans_want(spans, true);
        add(name, rows[i].duration_ns, rows[i].is_failed, 7);
        hf_own_spans_each(spans, copy_summary, &summary);
        assert_int_equal(summary.running, 0);
        for (unsigned k = 0; k <= HF_SPAN_BUCKETS; k++) {
            assert_int_equal(summary.ended[k], k == rows[i].bucket);
        }
        assert_int_equal(hf_own_spans_samples(spans, "a", rows[i].bucket, found), 1);
        assert_int_equal(found[0].items, 7);
        assert_string_equal(found[0].error, rows[i].is_failed ? "why" : "");
        assert_true(found[0].duration_ns >= rows[i].duration_ns);
        hf_own_spans_free(spans);
    }
}

static void keeps_the_latest_few(void **state)
{
    struct hf_own_spans *spans = make_spans();
    struct hf_span_name *name = hf_own_spans_name(spans, "a", &kind);
    struct hf_own_span found[HF_SPAN_SAMPLES];
    (void)state;
    hf_own_spans_want(spans, true);
    for (uint64_t i = 1; i <= 3 * HF_SPAN_SAMPLES + 1; i++) {
        add(name, 0, true, i);
    }
    assert_int_equal(hf_own_spans_samples(spans, "a", HF_SPAN_FAILED, found), HF_SPAN_SAMPLES);
    for (uint64_t i = 0; i < HF_SPAN_SAMPLES; i++) {
        assert_int_equal(found[i].items, 3 * HF_SPAN_SAMPLES + 1 - i);
    }
    assert_int_equal(hf_own_spans_samples(spans, "b", HF_SPAN_FAILED, found), 0);
    assert_int_equal(hf_own_spans_samples(spans, "a", HF_SPAN_FAILED + 1, found), 0);
    hf_own_spans_free(spans);
}

static void counts_those_that_run(void **state)
{
    struct hf_own_spans *spans = make_spans();
    struct hf_span_name *name = hf_own_spans_name(spans, "a", &kind);
    struct hf_span_summary summary;
    (void)state;
    hf_own_spans_want(spans, true);
    uint64_t start_ns = hf_own_span_begin(name);
    hf_own_spans_each(spans, copy_summary, &summary);
    assert_int_equal(summary.running, 1);
    struct hf_own_span span = {.items = 1};
    hf_own_span_end(name, start_ns, &span, NULL);
    hf_own_spans_each(spans, copy_summary, &summary);
    assert_int_equal(summary.running, 0);
    hf_own_spans_free(spans);
}

static void has_a_name_once_and_so_many_names(void **state)
{
    struct hf_own_spans *spans = make_spans();
    char text[32];
    (void)state;
    for (unsigned i = 0; i < HF_OWN_SPANS_NAMES_MAX; i++) {
        snprintf(text, sizeof(text), "name %u", i);
        struct hf_span_name *name = hf_own_spans_name(spans, text, &kind);
        assert_non_null(name);
        assert_ptr_equal(hf_own_spans_name(spans, text, &kind), name);
        assert_string_equal(hf_span_name_text(name), text);
    }
    assert_null(hf_own_spans_name(spans, "one more", &kind));
    hf_own_spans_free(spans);
}

struct counting_sink {
    struct hf_span_sink sink;
    size_t count;
    struct hf_own_span last;
};

static void count_span(struct hf_span_sink *sink, const struct hf_span_name *name,
                       const struct hf_own_span *span)
{
    struct counting_sink *counting = (struct counting_sink *)sink;
    assert_string_equal(hf_span_name_kind(name)->items_key, "accepted_spans");
    counting->count++;
    counting->last = *span;
}

static void tells_its_sinks(void **state)
{
    static const uint8_t zero[16];
    struct hf_own_spans *spans = make_spans();
    struct hf_span_name *name = hf_own_spans_name(spans, "a", &kind);
    struct counting_sink one = {.sink.take = count_span}, two = {.sink.take = count_span};
    (void)state;
    hf_own_spans_add_sink(spans, &one.sink);
    hf_own_spans_add_sink(spans, &two.sink);
    add(name, 0, false, 3);
    hf_own_spans_remove_sink(spans, &one.sink);
    add(name, 0, false, 4);
    hf_own_spans_remove_sink(spans, &two.sink);
    assert_int_equal(one.count, 1);
    assert_int_equal(two.count, 2);
    assert_int_equal(two.last.items, 4);
    assert_memory_not_equal(two.last.trace_id, zero, sizeof(two.last.trace_id));
    assert_memory_not_equal(two.last.trace_id, one.last.trace_id, sizeof(two.last.trace_id));
    assert_false(hf_own_spans_wanted(spans));
    hf_own_spans_free(spans);
}

#define THREADS 4
#define EACH 200

static void *add_many(void *spans)
{
    for (uint64_t i = 0; i < EACH; i++) {
        add(hf_own_spans_name(spans, i % 2 == 0 ? "even" : "odd", &kind), 0, true, i);
    }
    return NULL;
}

static void is_for_many_threads(void **state)
{
    struct hf_own_spans *spans = make_spans();
    struct hf_own_span found[HF_SPAN_SAMPLES];
    struct hf_span_summary summary;
    pthread_t threads[THREADS];
    (void)state;
    hf_own_spans_want(spans, true);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, spans), 0);
    }
    size_t seen = hf_own_spans_samples(spans, "even", HF_SPAN_FAILED, found);
    assert_true(seen <= HF_SPAN_SAMPLES);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    hf_own_spans_each(spans, copy_summary, &summary);
    assert_int_equal(summary.ended[HF_SPAN_FAILED], THREADS * EACH / 2);
    hf_own_spans_free(spans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traces_only_while_it_is_wanted),
        cmocka_unit_test(sorts_them_by_latency_and_failure),
        cmocka_unit_test(keeps_the_latest_few),
        cmocka_unit_test(counts_those_that_run),
        cmocka_unit_test(has_a_name_once_and_so_many_names),
        cmocka_unit_test(tells_its_sinks),
        cmocka_unit_test(is_for_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
