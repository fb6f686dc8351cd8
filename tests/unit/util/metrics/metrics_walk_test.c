#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "util/metrics/metrics.h"

static void describe(void *user, const struct hf_metric_view *view)
{
    char *out = user;
    char name[HF_METRIC_LABEL_MAX], value[HF_METRIC_LABEL_MAX];
    size_t used = strlen(out);
    used += (size_t)snprintf(out + used, 1024 - used, "%s %d %lld %llu %zu %g", view->name,
                             (int)view->type, (long long)view->value, (unsigned long long)view->sum,
                             view->bound_count, view->scale);
    const char *labels = view->labels;
    while (hf_metrics_label_next(&labels, name, value)) {
        used += (size_t)snprintf(out + used, 1024 - used, " [%s|%s]", name, value);
    }
    snprintf(out + used, 1024 - used, "\n");
}

static void set_gauge(void *user)
{
    hf_series_set(user, 7);
}

static void shows_each_series_with_its_labels(void **state)
{
    static const double bounds[] = {1, 2};
    static const struct hf_metric_family families[] = {
        {.name = "a", .type = HF_COUNTER},
        {.name = "b", .type = HF_GAUGE, .scale = 0.5},
        {.name = "c", .type = HF_HISTOGRAM, .bounds = bounds, .bound_count = 2},
    };
    const struct hf_label none[] = {{NULL, NULL}};
    const struct hf_label two[] = {{"x", "plain"}, {"y", "a \"b\" \\ c,d=\"e"}, {NULL, NULL}};
    struct hf_metrics *metrics;
    char seen[1024] = "";
    (void)state;
    assert_int_equal(hf_metrics_new(&metrics), HF_OK);
    hf_series_add(hf_metrics_series(metrics, &families[0], two), 3);
    struct hf_series *gauge = hf_metrics_series(metrics, &families[1], none);
    assert_int_equal(hf_metrics_on_scrape(metrics, set_gauge, gauge), HF_OK);
    hf_histogram_observe(hf_metrics_histogram(metrics, &families[2], none), 2);
    hf_metrics_walk(metrics, describe, seen);
    assert_string_equal(seen, "a 0 3 0 0 1 [x|plain] [y|a \"b\" \\ c,d=\"e]\n"
                              "b 1 7 0 0 0.5\n"
                              "c 2 0 2 2 1\n");
    hf_metrics_free(metrics);
}

static void cuts_long_labels(void **state)
{
    char text[2 * HF_METRIC_LABEL_MAX];
    const struct hf_metric_family family = {.name = "a", .type = HF_COUNTER};
    const struct hf_label labels[] = {{"x", text}, {"y", "z"}, {NULL, NULL}};
    struct hf_metrics *metrics;
    char seen[1024] = "";
    (void)state;
    memset(text, 'v', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(hf_metrics_new(&metrics), HF_OK);
    assert_non_null(hf_metrics_series(metrics, &family, labels));
    hf_metrics_walk(metrics, describe, seen);
    assert_non_null(strstr(seen, "v] [y|z]\n"));
    assert_true(strlen(seen) < HF_METRIC_LABEL_MAX + 64);
    hf_metrics_free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_each_series_with_its_labels),
        cmocka_unit_test(cuts_long_labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
