/* Lines of OTLP/JSON as requests, with what is told of their file. */
#include "components/receivers/otlpjsonfile/otlpjson_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include "pdata/json.h"
#include "pdata/scan.h"

#define SPANS                                                                                      \
    "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\"a\"},{\"name\":\"b\"}]}]}]}"
#define LOGS                                                                                       \
    "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"attributes\":[{\"key\":\"f\","         \
    "\"value\":{\"stringValue\":\"old\"}}]}]}]}]}"
#define METRICS                                                                                    \
    "{\"resource_metrics\":[{\"scope_metrics\":[{\"metrics\":[{\"name\":\"m\",\"gauge\":{"         \
    "\"data_points\":[{\"as_int\":\"1\"}]}}]}]}]}"

/* The pair f = "x.log". */
static struct hf_any_pair told(struct hf_any_maker *maker)
{
    return (struct hf_any_pair){hf_slice_text("f"),
                                hf_any_make_string(maker, hf_slice_text("x.log"))};
}

static void assert_json(enum hf_signal signal, const struct otlpjson_requests *requests,
                        const char *expected)
{
    struct hf_bytes json = {0};
    struct hf_scan scan;
    struct hf_slice raw = hf_slice_of(requests->bytes.data, requests->bytes.size);
    assert_int_equal(hf_scan(signal, raw, &scan), HF_OK);
    assert_int_equal(scan.items, requests->items);
    assert_int_equal(hf_json_from_proto(signal, raw, &json), HF_OK);
    assert_int_equal(hf_bytes_append(&json, hf_slice_of("", 1)), HF_OK);
    assert_string_equal((const char *)json.data, expected);
    hf_bytes_release(&json);
}

static void makes_requests_with_what_is_told_of_the_file(void **state)
{
#define FILE "{\"key\":\"f\",\"value\":{\"stringValue\":\"x.log\"}}"
    static const struct {
        enum hf_signal signal;
        const char *line, *expected;
    } cases[] = {
        {HF_TRACES, SPANS,
         "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\"a\",\"attributes\":[" FILE
         "]},{\"name\":\"b\",\"attributes\":[" FILE "]}]}]}]}"},
        {HF_LOGS, LOGS,
         "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"attributes\":[" FILE "]}]}]}]}"},
        {HF_METRICS, METRICS,
         "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"name\":\"m\",\"gauge\":{"
         "\"dataPoints\":[{\"asInt\":\"1\"}]},\"metadata\":[" FILE "]}]}]}]}"},
    };
    struct hf_arena arena = {.limit = 1 << 16};
    struct hf_any_maker maker = {.arena = &arena};
    struct hf_any_pair pair = told(&maker);
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct otlpjson_requests requests = {.items = 0};
        char error[HF_JSON_ERROR_MAX] = "";
        struct hf_slice line = hf_slice_text(cases[i].line);
        assert_true(otlpjson_is_request(line));
        for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
            assert_int_equal(otlpjson_is_of((enum hf_signal)signal, line),
                             signal == (int)cases[i].signal);
        }
        assert_int_equal(otlpjson_add(&requests, cases[i].signal, line, &pair, 1, error), HF_OK);
        assert_json(cases[i].signal, &requests, cases[i].expected);
        hf_bytes_release(&requests.bytes);
    }
    hf_arena_release(&arena);
}

static void joins_the_requests_of_several_lines(void **state)
{
    struct otlpjson_requests requests = {.items = 0};
    char error[HF_JSON_ERROR_MAX] = "";
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(otlpjson_add(&requests, HF_TRACES, hf_slice_text(SPANS), NULL, 0, error),
                         HF_OK);
    }
    assert_int_equal(requests.items, 6);
    struct hf_scan scan;
    assert_int_equal(
        hf_scan(HF_TRACES, hf_slice_of(requests.bytes.data, requests.bytes.size), &scan), HF_OK);
    assert_int_equal(scan.items, 6);
    assert_int_equal(scan.resources, 3);
    hf_bytes_release(&requests.bytes);
}

static void refuses_what_is_no_request(void **state)
{
    static const char *const lines[] = {"{\"resourceSpans\":[", "{\"resourceSpans\":5}",
                                        "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{"
                                        "\"traceId\":\"xyz\"}]}]}]}"};
    struct otlpjson_requests requests = {.items = 0};
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char error[HF_JSON_ERROR_MAX] = "";
        assert_int_equal(
            otlpjson_add(&requests, HF_TRACES, hf_slice_text(lines[i]), NULL, 0, error),
            HF_INVALID);
        assert_true(error[0] != '\0');
        assert_int_equal(requests.bytes.size, 0);
    }
    assert_int_equal(otlpjson_add(&requests, HF_TRACES, hf_slice_text("{\"resourceSpans\":[]}"),
                                  NULL, 0, (char[HF_JSON_ERROR_MAX]){0}),
                     HF_OK);
    assert_int_equal(requests.items, 0);
    assert_false(otlpjson_is_request(hf_slice_text("hello")));
    assert_true(otlpjson_is_request(hf_slice_text("{\"resourceProfiles\":[]}")));
    hf_bytes_release(&requests.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_requests_with_what_is_told_of_the_file),
        cmocka_unit_test(joins_the_requests_of_several_lines),
        cmocka_unit_test(refuses_what_is_no_request),
    };
    return cmocka_run_group_tests_name("otlpjson_line", tests, NULL, NULL);
}
