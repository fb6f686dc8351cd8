#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "service/status/counters.h"

static void undoes_the_escapes_of_labels(void **state)
{
    char name[32], value[32];
    (void)state;
    const char *at = hf_status_label("a=\"x\\\"y\\\\z\\n\",b=\"\"", name, value, sizeof(name));
    assert_non_null(at);
    assert_string_equal(name, "a");
    assert_string_equal(value, "x\"y\\z\n");
    at = hf_status_label(at, name, value, sizeof(name));
    assert_non_null(at);
    assert_string_equal(name, "b");
    assert_string_equal(value, "");
    assert_null(hf_status_label(at, name, value, sizeof(name)));
    assert_null(hf_status_label("", name, value, sizeof(name)));
}

static void cuts_what_has_no_room(void **state)
{
    char name[4], value[4];
    (void)state;
    assert_non_null(hf_status_label("abcdef=\"ghijkl\"", name, value, sizeof(name)));
    assert_string_equal(name, "abc");
    assert_string_equal(value, "ghi");
}

static void count_one(struct hf_metrics *metrics, const char *name, const char *label,
                      const char *id, int64_t value)
{
    const struct hf_metric_family family = {.name = name, .type = HF_COUNTER, .help = ""};
    const struct hf_label labels[] = {{label, id}, {"transport", "http"}, {NULL, NULL}};
    struct hf_series *series = hf_metrics_series(metrics, &family, labels);
    assert_non_null(series);
    hf_series_set(series, value);
}

static void gives_each_component_its_own(void **state)
{
    struct hf_metrics *metrics = NULL;
    struct hf_status_counters counters;
    size_t count = 0;
    (void)state;
    assert_int_equal(hf_metrics_new(&metrics), HF_OK);
    count_one(metrics, "accepted", "receiver", "otlp", 1);
    count_one(metrics, "refused", "receiver", "otlp", 2);
    count_one(metrics, "accepted", "receiver", "otlp/2", 3);
    count_one(metrics, "sent", "exporter", "otlp", 4);
    count_one(metrics, "bytes", "queue", "otlp", 5);
    hf_status_counters_take(metrics, &counters);
    const struct hf_status_counter *found =
        hf_status_counters_of(&counters, HF_RECEIVER, "otlp", &count);
    assert_int_equal(count, 2);
    assert_string_equal(found[0].name, "accepted");
    assert_true(found[1].value == 2.0);
    found = hf_status_counters_of(&counters, HF_EXPORTER, "otlp", &count);
    assert_int_equal(count, 1);
    assert_string_equal(found[0].labels, "exporter=\"otlp\",transport=\"http\"");
    assert_null(hf_status_counters_of(&counters, HF_PROCESSOR, "otlp", &count));
    assert_int_equal(count, 0);
    hf_status_counters_release(&counters);
    hf_metrics_free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(undoes_the_escapes_of_labels),
        cmocka_unit_test(cuts_what_has_no_room),
        cmocka_unit_test(gives_each_component_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
