/* Which OTLP metrics the series of a scrape become. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pdata/json.h"
#include "pdata/scan.h"
#include "prometheus/gather.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct options {
    bool trims, uses_start;
    const char *instance;
    const char *old; /* an exposition of which all series are marked */
};

static bool is_start(void *user, struct hf_slice name)
{
    (void)user;
    return hf_slice_is(name, "process_start_time_seconds");
}

static void feed(struct hf_prom_gather *gather, struct hf_arena *arena, const char *text,
                 bool is_stale)
{
    static struct hf_expo_reader reader;
    size_t size = strlen(text);
    bool is_open = size > 6 && strcmp(text + size - 6, "# EOF\n") == 0;
    hf_expo_init(&reader, is_open ? HF_EXPO_OPENMETRICS : HF_EXPO_TEXT, hf_slice_text(text), arena);
    enum hf_expo_item item;
    while ((item = hf_expo_next(&reader)) != HF_EXPO_END) {
        assert_int_not_equal(item, HF_EXPO_BAD);
        if (item != HF_EXPO_IS_SAMPLE) {
            hf_prom_gather_metadata(gather, item, &reader);
            continue;
        }
        const struct hf_prom_sample sample = {
            .name = reader.name,
            .labels = reader.labels.items,
            .label_count = reader.labels.count,
            .value = is_stale ? hf_prom_stale_value() : reader.value,
            .time_ms = reader.has_time ? reader.time_ms : 5,
            .exemplars = reader.exemplars,
            .exemplar_count = reader.exemplar_count,
        };
        hf_prom_gather_sample(gather, &sample);
    }
}

/* The request of an exposition as JSON; NULL: there is none. */
static char *run(const char *text, const struct options *options)
{
    struct hf_arena arena = {.limit = 8u << 20};
    struct hf_prom_gather gather;
    struct hf_builder builder;
    struct hf_bytes json = {0};
    const struct hf_prom_gather_options gathered = {
        .job = hf_slice_text("job"),
        .instance = hf_slice_text(options->instance != NULL ? options->instance : "localhost:80"),
        .scheme = hf_slice_text("http"),
        .scope_name = hf_slice_text("own"),
        .trim_suffixes = options->trims,
        .is_start_time = options->uses_start ? is_start : NULL,
    };
    hf_prom_gather_init(&gather, &arena);
    hf_prom_gather_begin(&gather, &gathered);
    hf_builder_init(&builder, HF_METRICS, 1u << 20);
    feed(&gather, &arena, text, false);
    if (options->old != NULL) {
        hf_prom_gather_keep_metadata(&gather);
        feed(&gather, &arena, options->old, true);
    }
    assert_int_equal(hf_prom_gather_write(&gather, &builder), HF_OK);
    assert_int_equal(hf_build_finish(&builder), HF_OK);
    struct hf_batch *batch = hf_build_take(&builder);
    char *out = NULL;
    if (batch != NULL) {
        struct hf_scan scan;
        assert_int_equal(hf_scan(HF_METRICS, batch->raw, &scan), HF_OK);
        assert_int_equal(hf_json_from_proto(HF_METRICS, batch->raw, &json), HF_OK);
        out = strndup((const char *)json.data, json.size);
        hf_ref_drop(&batch->ref);
    }
    hf_bytes_release(&json);
    hf_builder_release(&builder);
    hf_prom_gather_release(&gather);
    hf_arena_release(&arena);
    return out;
}

/* Has the request all of the texts, and none of those that begin with "!"? */
static void expect(const char *text, const struct options *options, const char *const *wanted)
{
    char *json = run(text, options);
    assert_non_null(json);
    for (; *wanted != NULL; wanted++) {
        bool is_unwanted = (*wanted)[0] == '!';
        bool found = strstr(json, *wanted + is_unwanted) != NULL;
        if (found == is_unwanted) {
            fail_msg("%s %s in %s", is_unwanted ? "there is" : "no", *wanted + is_unwanted, json);
        }
    }
    free(json);
}

static void series_of_a_family_become_one_metric(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *wanted[8];
    } cases[] = {
        {"# TYPE a_total counter\n# HELP a_total H.\na_total 1\na_total{b=\"c\"} 2\n",
         {"\"name\":\"a_total\",\"description\":\"H.\",\"sum\":{\"dataPoints\":[{",
          "\"asDouble\":1}", "\"isMonotonic\":true"}},
        {"a 1\n", {"\"name\":\"a\",\"gauge\"", "\"stringValue\":\"unknown\""}},
        {"# TYPE a counter\na_total 1\na_created 3\n# EOF\n",
         {"\"name\":\"a_total\"", "\"startTimeUnixNano\":\"3000000000\"", "!a_created"}},
        {"# TYPE a counter\na_created 3\na_total 1\n# EOF\n",
         {"\"name\":\"a_total\"", "\"startTimeUnixNano\":\"3000000000\"", "!a_created"}},
        {"# TYPE a gauge\na_created 3\na 1\n", {"\"name\":\"a_created\"", "\"name\":\"a\""}},
        {"# TYPE a info\na_info{v=\"1\"} 1\n# EOF\n",
         {"\"name\":\"a\",\"sum\"", "!isMonotonic", "\"stringValue\":\"info\""}},
        {"# TYPE a gaugehistogram\na_bucket{le=\"1\"} 4\n# EOF\n",
         {"\"name\":\"a\",\"gauge\"", "\"key\":\"le\""}},
        {"# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 3\na_count 3\na_sum 7\n",
         {"\"count\":\"3\",\"sum\":7,\"bucketCounts\":[\"2\",\"1\"],\"explicitBounds\":[1]",
          "!\"key\":\"le\""}},
        {"# TYPE a histogram\na_count 3\n",
         {"\"count\":\"3\",\"bucketCounts\":[\"3\"]", "!\"sum\":", "!explicitBounds"}},
        {"# TYPE a summary\na{quantile=\"0.9\"} 5\na{quantile=\"0.1\"} 4\na_count 3\na_sum 7\n",
         {"\"count\":\"3\",\"sum\":7,\"quantileValues\":[{\"quantile\":0.1,\"value\":4},{"
          "\"quantile\":0.9,\"value\":5}]"}},
        {"a{job=\"x\",instance=\"y:1\"} 1\nb 2\n",
         {"\"stringValue\":\"x\"", "\"stringValue\":\"y:1\"", "\"stringValue\":\"localhost:80\""}},
        {"a{b=\"\"} 1\n", {"!\"key\":\"b\""}},
        {"a 1 1000\n", {"\"timeUnixNano\":\"1000000000\""}},
        {"a NaN\n", {"\"asDouble\":\"NaN\""}},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        expect(cases[i].text, &(struct options){0}, cases[i].wanted);
    }
}

static void what_cannot_be_a_point_is_left_out(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "# TYPE a histogram\na_bucket{le=\"1\"} 2\na_sum 7\n", /* no count */
        "# TYPE a histogram\na_bucket{le=\"1\"} 5\na_bucket{le=\"2\"} 4\na_count 9\n",
        "# TYPE a histogram\na_bucket{le=\"1\"} 5\na_count 4\n",
        "# TYPE a histogram\na_bucket{le=\"1\"} NaN\na_count 4\n",
        "# TYPE a summary\na_sum 7\n",
        "# TYPE a counter\na_created 7\n# EOF\n",
        "target_info{a=\"b\"} 1\n",
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *json = run(cases[i], &(struct options){0});
        if (json != NULL) {
            fail_msg("%s gave %s", cases[i], json);
        }
    }
}

static void the_resource_is_made_of_job_instance_and_target_info(void **state)
{
    (void)state;
    static const struct {
        const char *text, *instance;
        const char *wanted[6];
    } cases[] = {
        {"a 1\n",
         "shop:80",
         {"\"key\":\"server.address\",\"value\":{\"stringValue\":\"shop\"}",
          "\"key\":\"server.port\",\"value\":{\"stringValue\":\"80\"}",
          "\"key\":\"url.scheme\",\"value\":{\"stringValue\":\"http\"}"}},
        {"a 1\n", "127.0.0.1:80", {"!server.address"}},
        {"a 1\n", "0.0.0.0:80", {"!server.address"}},
        {"a 1\n", "127.x:80", {"server.address"}},
        {"a 1\n", "[::1]:80", {"!server.address", "\"stringValue\":\"80\""}},
        {"a 1\n", "[fe80::2]:80", {"\"stringValue\":\"fe80::2\""}},
        {"a 1\n", "fe80::2", {"\"stringValue\":\"fe80::2\""}},
        {"a 1\ntarget_info{zone=\"z\",service_name=\"q\"} 1\n",
         "shop:80",
         {"\"key\":\"zone\"", "\"key\":\"service_name\"", "!target_info"}},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        expect(cases[i].text, &(struct options){.instance = cases[i].instance}, cases[i].wanted);
    }
}

static void names_lose_their_suffixes_when_asked(void **state)
{
    (void)state;
    static const char text[] = "# TYPE a_seconds counter\n# UNIT a_seconds seconds\n"
                               "a_seconds_total 1\n# TYPE b_meters_per_second gauge\n"
                               "# UNIT b_meters_per_second meters_per_second\n"
                               "b_meters_per_second 1\n# EOF\n";
    static const char *const trimmed[] = {"\"name\":\"a\"", "\"unit\":\"s\"", "\"name\":\"b\"",
                                          "\"unit\":\"m/s\"", NULL};
    static const char *const whole[] = {"\"name\":\"a_seconds_total\"", "\"unit\":\"s\"",
                                        "\"name\":\"b_meters_per_second\"", NULL};
    expect(text, &(struct options){.trims = true}, trimmed);
    expect(text, &(struct options){0}, whole);
}

static void cumulative_points_begin_with_the_process_when_asked(void **state)
{
    (void)state;
    static const char *const wanted[] = {"\"startTimeUnixNano\":\"1500000000500000000\"", NULL};
    static const char *const unwanted[] = {"!startTimeUnixNano", NULL};
    static const char text[] = "# TYPE a counter\na 1\nprocess_start_time_seconds 1500000000.5\n";
    expect(text, &(struct options){.uses_start = true}, wanted);
    expect(text, &(struct options){0}, unwanted);
}

static void vanished_series_have_no_recorded_value(void **state)
{
    (void)state;
    static const char *const wanted[] = {"\"flags\":1", "\"description\":\"new\"",
                                         "\"bucketCounts\":[\"0\",\"0\"]",
                                         "\"quantileValues\":[{\"quantile\":0.5}]", NULL};
    static const char old[] = "# HELP a old\n# TYPE a gauge\na{b=\"c\"} 1\n"
                              "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_count 2\nh_sum 3\n"
                              "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 2\ns_count 3\n";
    expect("# HELP a new\n# TYPE a gauge\na 1\n", &(struct options){.old = old}, wanted);
}

static void no_memory_is_told(void **state)
{
    (void)state;
    struct hf_arena arena = {.limit = 4096};
    struct hf_prom_gather gather;
    struct hf_builder builder;
    const struct hf_prom_gather_options options = {.job = hf_slice_text("job")};
    hf_prom_gather_init(&gather, &arena);
    hf_prom_gather_begin(&gather, &options);
    hf_builder_init(&builder, HF_METRICS, 1u << 20);
    for (int i = 0; i < 100; i++) {
        char value[16];
        snprintf(value, sizeof(value), "%d", i);
        const struct hf_prom_label label = {hf_slice_text("l"), hf_slice_text(value)};
        const struct hf_prom_sample sample = {
            .name = hf_slice_text("a"), .labels = &label, .label_count = 1};
        hf_prom_gather_sample(&gather, &sample);
    }
    assert_int_equal(hf_prom_gather_write(&gather, &builder), HF_NOMEM);
    hf_builder_release(&builder);
    hf_prom_gather_release(&gather);
    hf_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(series_of_a_family_become_one_metric),
        cmocka_unit_test(what_cannot_be_a_point_is_left_out),
        cmocka_unit_test(the_resource_is_made_of_job_instance_and_target_info),
        cmocka_unit_test(names_lose_their_suffixes_when_asked),
        cmocka_unit_test(cumulative_points_begin_with_the_process_when_asked),
        cmocka_unit_test(vanished_series_have_no_recorded_value),
        cmocka_unit_test(no_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
