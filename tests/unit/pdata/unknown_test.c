/* A request in which nothing is known is told from an empty one. */
#include "pdata/unknown.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include "pdata/response.h"

static void tells_unknown_json_from_empty(void **state)
{
    static const struct {
        enum hf_signal signal;
        const char *json;
        bool is_unknown;
    } rows[] = {
        {HF_TRACES, "{}", false},
        {HF_TRACES, "{\"resourceSpans\":[]}", false},
        {HF_TRACES, "{\"resource_spans\":null}", false},
        {HF_TRACES, "{\"x\":{\"resourceSpans\":[]}}", true},
        {HF_TRACES, "{\"x\":[{\"resourceSpans\":[]}],\"resourceSpans\":[]}", false},
        {HF_TRACES, "{\"resourceLogs\":[{}]}", true},
        {HF_LOGS, "{\"resourceLogs\":[]}", false},
        {HF_LOGS, "{\"resourcelogs\":[{}]}", true},
        {HF_METRICS, "{\"spans\":[1,2]}", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_slice json = hf_slice_text(rows[i].json);
        assert_int_equal(hf_unknown_in_json(rows[i].signal, json), rows[i].is_unknown);
    }
}

static void tells_unknown_protobuf_from_empty(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        bool is_unknown;
    } rows[] = {{"", 0, false},
                {"\x0a\x00", 2, false},
                {"\x12\x00", 2, true},
                {"\x12\x00\x0a\x00", 4, false}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_slice raw = hf_slice_of(rows[i].bytes, rows[i].size);
        struct hf_scan scan;
        assert_int_equal(hf_scan(HF_LOGS, raw, &scan), HF_OK);
        assert_int_equal(hf_unknown_in_proto(raw, &scan), rows[i].is_unknown);
    }
}

static void answers_with_a_warning_that_a_sender_reads(void **state)
{
    (void)state;
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        for (int json = 0; json < 2; json++) {
            uint8_t body[HF_UNKNOWN_ANSWER_MAX];
            char text[HF_UNKNOWN_TEXT_MAX];
            struct hf_response response;
            size_t size = hf_unknown_answer((enum hf_signal)signal, json != 0, body);
            hf_unknown_say((enum hf_signal)signal, text);
            hf_response_read(
                hf_slice_text(json != 0 ? "application/json" : "application/x-protobuf"),
                hf_slice_of(body, size), true, &response);
            assert_string_equal(response.message, text);
            assert_int_equal(response.rejected, 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_unknown_json_from_empty),
        cmocka_unit_test(tells_unknown_protobuf_from_empty),
        cmocka_unit_test(answers_with_a_warning_that_a_sender_reads),
    };
    return cmocka_run_group_tests_name("unknown", tests, NULL, NULL);
}
