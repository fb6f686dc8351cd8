/* Events and raw bodies of Splunk's HTTP Event Collector as log records and metrics, and what is
 * wrong with those that are refused. */
#include "encodings/hec/hec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "encodings/hec/hec_value.h"
#include "pdata/json.h"

#define NOW_NS 77u

static const struct hf_hec_options options = {
    .keys = {"src", "type", "idx", "host.name"},
    .now_ns = NOW_NS,
};

static void finish(enum hf_signal signal, struct hf_builder *builder, struct hf_bytes *json)
{
    assert_int_equal(hf_build_finish(builder), HF_OK);
    struct hf_batch *batch = hf_build_take(builder);
    json->size = 0;
    if (batch != NULL) {
        assert_int_equal(hf_json_from_proto(signal, batch->raw, json), HF_OK);
        hf_ref_drop(&batch->ref);
    }
    assert_int_equal(hf_bytes_append(json, hf_slice_of("", 1)), HF_OK);
}

struct made {
    struct hf_bytes logs, metrics;
    struct hf_hec_fault fault;
};

static enum hf_status read_body(const char *body, bool has_logs, bool has_metrics,
                                const struct hf_hec_options *how, struct made *made)
{
    struct hf_builder logs, metrics;
    hf_builder_init(&logs, HF_LOGS, (size_t)1 << 20);
    hf_builder_init(&metrics, HF_METRICS, (size_t)1 << 20);
    enum hf_status status = hf_hec_read(hf_slice_text(body), how, has_logs ? &logs : NULL,
                                        has_metrics ? &metrics : NULL, &made->fault);
    finish(HF_LOGS, &logs, &made->logs);
    finish(HF_METRICS, &metrics, &made->metrics);
    hf_builder_release(&logs);
    hf_builder_release(&metrics);
    return status;
}

static void release(struct made *made)
{
    hf_bytes_release(&made->logs);
    hf_bytes_release(&made->metrics);
}

static void has(const char *body, const struct hf_bytes *json, const char *found)
{
    if (strstr((const char *)json->data, found) == NULL) {
        fail_msg("%s: %s has no %s", body, (const char *)json->data, found);
    }
}

static void events_become_records(void **state)
{
    static const struct {
        const char *body, *found;
    } cases[] = {
        {"{\"event\":\"hi\"}", "\"body\":{\"stringValue\":\"hi\"},\"observedTimeUnixNano\":\"77\""},
        {"{\"event\":\"hi\",\"time\":1700000000.5}", "\"timeUnixNano\":\"1700000000500000000\""},
        {"{\"event\":\"hi\",\"time\":\"1700000000.5\"}",
         "\"timeUnixNano\":\"1700000000500000000\""},
        {"{\"event\":\"hi\",\"time\":1700000000500}", "\"timeUnixNano\":\"1700000000500000000\""},
        {"{\"event\":\"hi\",\"time\":false}", "[{\"body\""},
        {"{\"event\":5}", "\"body\":{\"doubleValue\":5"},
        {"{\"event\":9007199254740993}", "\"body\":{\"intValue\":\"9007199254740993\"}"},
        {"{\"event\":true}", "\"body\":{\"boolValue\":true}"},
        {"{\"event\":{\"b\":[1.5,null],\"a\":\"x\",\"a\":\"y\"}}",
         "\"body\":{\"kvlistValue\":{\"values\":[{\"key\":\"a\",\"value\":{\"stringValue\":\"y\"}},"
         "{\"key\":\"b\",\"value\":{\"arrayValue\":{\"values\":[{\"doubleValue\":1.5},{}]}}}]}}"},
        {"{\"event\":\"hi\",\"fields\":{\"z\":1.5,\"a\":[\"b\"],\"metric_name:1\":2}}",
         "\"attributes\":[{\"key\":\"a\",\"value\":{\"arrayValue\":{\"values\":[{\"stringValue\":"
         "\"b\"}]}}},{\"key\":\"metric_name:1\",\"value\":{\"doubleValue\":2"},
        {"{\"event\":\"hi\",\"host\":\"h\",\"source\":\"s\",\"sourcetype\":\"t\",\"index\":\"i\"}",
         "{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"h\"}},"
         "{\"key\":\"src\",\"value\":{\"stringValue\":\"s\"}},{\"key\":\"type\",\"value\":{"
         "\"stringValue\":\"t\"}},{\"key\":\"idx\",\"value\":{\"stringValue\":\"i\"}}]}"},
        {"{\"event\":\"a\"}{\"event\":\"b\"} \n{\"event\":\"c\",\"host\":null}", "\"c\""},
        {"{\"event\":\"}\\\"{\"}", "\"}\\\"{\""},
        {" [ {\"event\":\"a\"} , {\"event\":\"b\"} ] ", "\"b\""},
    };
    struct made made = {0};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(read_body(cases[i].body, true, true, &options, &made), HF_OK);
        has(cases[i].body, &made.logs, cases[i].found);
        assert_string_equal((const char *)made.metrics.data, "");
    }
    release(&made);
}

static void neighbours_of_one_origin_share_a_resource(void **state)
{
    struct made made = {0};
    const char *body = "{\"event\":\"a\",\"host\":\"h\"}{\"event\":\"b\",\"host\":\"h\"}"
                       "{\"event\":\"c\",\"source\":\"h\"}{\"event\":\"d\",\"source\":\"h\"}";
    struct hf_hec_options how = options;
    size_t count = 0;
    (void)state;
    how.token = hf_slice_text("secret");
    assert_int_equal(read_body(body, true, true, &how, &made), HF_OK);
    has(body, &made.logs,
        "{\"key\":\"com.splunk.hec.access_token\",\"value\":{\"stringValue\":\"secret\"}}");
    for (const char *at = (const char *)made.logs.data; (at = strstr(at, "\"resource\":")) != NULL;
         at++) {
        count++;
    }
    assert_int_equal(count, 2);
    release(&made);
}

static void metric_events_become_gauges(void **state)
{
    static const struct {
        const char *body, *found;
    } cases[] = {
        {"{\"event\":\"metric\",\"time\":1,\"fields\":{\"metric_name:cpu.user\":1.5,\"core\":2}}",
         "\"metrics\":[{\"name\":\"cpu.user\",\"gauge\":{\"dataPoints\":[{\"timeUnixNano\":"
         "\"1000000000\",\"asDouble\":1.5,\"attributes\":[{\"key\":\"core\",\"value\":{"
         "\"stringValue\":\"2\"}}]}]}}]"},
        {"{\"event\":\"any\",\"fields\":{\"metric_name:a\":7}}", "\"asDouble\":7"},
        {"{\"fields\":{\"metric_name:a\":\"7.5\"}}", "\"asDouble\":7.5"},
        {"{\"fields\":{\"metric_name:a\":9007199254740993}}", "\"asInt\":\"9007199254740993\""},
        {"{\"fields\":{\"metric_name\":\"old one\",\"_value\":3,\"d\":true}}",
         "{\"name\":\"old one\",\"gauge\":{\"dataPoints\":[{\"asDouble\":3"},
        {"{\"fields\":{\"metric_name:a\":1,\"metric_name:b\":2}}", "\"name\":\"b\""},
        {"{\"fields\":{\"metric_name:a\":1,\"n\":null,\"d\":[1,\"x\",false]}}",
         "\"attributes\":[{\"key\":\"d\",\"value\":{\"stringValue\":\"[1 x false]\"}}]"},
    };
    struct made made = {0};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(read_body(cases[i].body, true, true, &options, &made), HF_OK);
        has(cases[i].body, &made.metrics, cases[i].found);
        assert_string_equal((const char *)made.logs.data, "");
    }
    release(&made);
}

static void what_is_refused_has_a_code_and_a_sentence(void **state)
{
    static const struct {
        const char *body;
        bool has_logs, has_metrics;
        int code;
        size_t event;
        const char *found;
    } cases[] = {
        {"5", true, true, 6, 0, "not a JSON object"},
        {"[5]", true, true, 6, 0, "not a JSON object"},
        {"{\"event\":\"x\"},{\"event\":\"y\"}", true, true, 6, 1, "not a JSON object"},
        {"{\"event\":\"x\"}{\"event\":\"y\"", true, true, 6, 1, "not a whole one"},
        {"[{\"event\":\"x\"}", true, true, 6, 1, "not a whole one"},
        {"[{\"event\":\"x\"},]", true, true, 6, 1, "not a whole one"},
        {"[{\"event\":\"x\"}]{\"event\":\"y\"}", true, true, 6, 1, "not a whole one"},
        {"{\"event\":\"x\"}[{\"event\":\"y\"}]", true, true, 6, 1, "not a whole one"},
        {"{\"event\":x}", true, true, 6, 0, "event 0: "},
        {"{\"event\":\"x\",\"host\":5}", true, true, 6, 0, "host is not a string"},
        {"{\"event\":\"x\",\"time\":\"soon\"}", true, true, 6, 0, "time is not a number"},
        {"{\"event\":\"x\",\"fields\":[]}", true, true, 6, 0, "fields is not an object"},
        {"{\"event\":\"x\"}{\"host\":\"h\"}", true, true, 12, 1, "it has no event"},
        {"{\"event\":null}", true, true, 12, 0, "it has no event"},
        {"{\"event\":\"\"}", true, true, 13, 0, "its event is empty"},
        {"{\"event\":\"x\",\"fields\":{\"a\":{}}}", true, true, 15, 0, "a field is an object"},
        {"{\"event\":\"x\",\"fields\":{\"a\":[[]]}}", true, true, 15, 0, "a field is an object"},
        {"{\"event\":\"metric\"}", true, true, 15, 0, "without a value"},
        {"{\"fields\":{\"metric_name:a\":\"x\"}}", true, true, 15, 0, "is not a number"},
        {"{\"fields\":{\"metric_name:a\":null}}", true, true, 15, 0, "is not a number"},
        {"{\"fields\":{\"metric_name\":5}}", true, true, 15, 0, "metric_name is not a string"},
        {"{\"fields\":{\"metric_name\":\"a\"}}", true, true, 15, 0, "is not a number"},
        {"{\"fields\":{\"metric_name:a\":1}}", true, false, HF_HEC_NO_METRICS, 0, "no pipeline"},
        {"{\"event\":\"x\"}", false, true, HF_HEC_NO_LOGS, 0, "no pipeline"},
    };
    struct made made = {0};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum hf_status status =
            read_body(cases[i].body, cases[i].has_logs, cases[i].has_metrics, &options, &made);
        if (status != HF_INVALID || (int)made.fault.code != cases[i].code ||
            made.fault.event != cases[i].event || strstr(made.fault.text, cases[i].found) == NULL) {
            fail_msg("%s: status %d, code %d: %s", cases[i].body, status, made.fault.code,
                     made.fault.text);
        }
    }
    release(&made);
}

static void an_event_has_a_limit(void **state)
{
    size_t size = HF_HEC_EVENT_BYTES_MAX;
    char *body = malloc(size + 32);
    struct made made = {0};
    (void)state;
    assert_non_null(body);
    memcpy(body, "{\"event\":\"", 10);
    memset(body + 10, 'x', size);
    memcpy(body + 10 + size, "\"}", 3);
    assert_int_equal(read_body(body, true, true, &options, &made), HF_TOO_LARGE);
    assert_non_null(strstr(made.fault.text, "larger than 16 MiB"));
    free(body);
    release(&made);
}

static void raw_bodies_become_records(void **state)
{
    static const struct {
        const char *body;
        bool splits;
        size_t count;
        const char *found;
    } cases[] = {
        {"a\nb\r\nc", true, 3, "{\"stringValue\":\"b\"}"},
        {"a\n\nb\n", true, 3, "{\"stringValue\":\"\"}"},
        {"a\nb\n", false, 1, "{\"stringValue\":\"a\\nb\\n\"}"},
    };
    struct hf_bytes json = {0};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct hf_hec_raw raw = {
            .host = hf_slice_text("h"), .time_ns = 5, .splits_lines = cases[i].splits};
        struct hf_builder logs;
        hf_builder_init(&logs, HF_LOGS, (size_t)1 << 20);
        hf_hec_read_raw(hf_slice_text(cases[i].body), &raw, &options, &logs);
        assert_int_equal(hf_build_items(&logs), cases[i].count);
        finish(HF_LOGS, &logs, &json);
        has(cases[i].body, &json, cases[i].found);
        has(cases[i].body, &json, "\"timeUnixNano\":\"5\"");
        has(cases[i].body, &json, "{\"key\":\"host.name\",\"value\":{\"stringValue\":\"h\"}}");
        hf_builder_release(&logs);
    }
    hf_bytes_release(&json);
}

static void times_have_the_unit_of_their_size(void **state)
{
    static const struct {
        double time;
        uint64_t ns;
    } cases[] = {
        {0, 0},
        {-5, 0},
        {1e300, 0},
        {1, UINT64_C(1000000000)},
        {1234567890, UINT64_C(1234567890000000000)},
        {1234567890123.0, UINT64_C(1234567890123000000)},
        {1234567890123456.0, UINT64_C(1234567890123456000)},
        {1700000000.5, UINT64_C(1700000000500000000)},
        {1234567890123456768.0, UINT64_C(1234567890123456768)},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(hf_hec_time_ns(cases[i].time) == cases[i].ns);
    }
}

static void numbers_are_printed_as_go_prints_them(void **state)
{
    static const struct {
        struct hf_json value;
        const char *text;
    } cases[] = {
        {{.kind = HF_JSON_INT, .integer = 0}, "0"},
        {{.kind = HF_JSON_INT, .integer = 100000}, "100000"},
        {{.kind = HF_JSON_INT, .integer = 1000000}, "1e+06"},
        {{.kind = HF_JSON_INT, .integer = 1234567}, "1.234567e+06"},
        {{.kind = HF_JSON_INT, .integer = INT64_MAX}, "9223372036854775807"},
        {{.kind = HF_JSON_DOUBLE, .number = 0.1}, "0.1"},
        {{.kind = HF_JSON_DOUBLE, .number = -2.5}, "-2.5"},
        {{.kind = HF_JSON_DOUBLE, .number = 0.0001}, "0.0001"},
        {{.kind = HF_JSON_DOUBLE, .number = 0.00001}, "1e-05"},
        {{.kind = HF_JSON_DOUBLE, .number = 1e21}, "1e+21"},
        {{.kind = HF_JSON_BOOL, .boolean = true}, "true"},
        {{.kind = HF_JSON_NULL}, "<nil>"},
    };
    struct hf_bytes text = {0};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        text.size = 0;
        assert_int_equal(hf_hec_print(&cases[i].value, &text), HF_OK);
        assert_int_equal(hf_bytes_append(&text, hf_slice_of("", 1)), HF_OK);
        assert_string_equal((const char *)text.data, cases[i].text);
    }
    hf_bytes_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_become_records),
        cmocka_unit_test(neighbours_of_one_origin_share_a_resource),
        cmocka_unit_test(metric_events_become_gauges),
        cmocka_unit_test(what_is_refused_has_a_code_and_a_sentence),
        cmocka_unit_test(an_event_has_a_limit),
        cmocka_unit_test(raw_bodies_become_records),
        cmocka_unit_test(times_have_the_unit_of_their_size),
        cmocka_unit_test(numbers_are_printed_as_go_prints_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
