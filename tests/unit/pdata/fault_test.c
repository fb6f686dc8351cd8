/* What the scan refuses has a fault that is found, and what it accepts has none. */
#include "pdata/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include "pdata/json.h"
#include "pdata/scan.h"

static const struct {
    const char *name;
    enum hf_signal signal;
    const char *bytes;
    size_t size;
    const char *says;
} rows[] = {
    {"bad text", HF_TRACES,
     "\x0a\x0e\x12\x00\x12\x0a\x12\x00\x12\x00\x12\x04\x2a\x02"
     "a\xff",
     16, "text that is not UTF-8 at byte 14, in resourceSpans[0].scopeSpans[1].spans[2].name"},
    {"cut tag", HF_TRACES, "\x0a\x01\x80", 3,
     "a field's tag that is cut short or over 64 bits at byte 2, in resourceSpans[0]"},
    {"field 0", HF_LOGS, "\x02\x00", 2, "the field number 0, which is none at byte 0"},
    {"length beyond the end", HF_METRICS, "\x0a\x05\x00", 3,
     "a length of 5 where 1 bytes are left at byte 1, in resourceMetrics[0]"},
    {"length that never ends", HF_METRICS, "\x0a\xff", 2,
     "a length that is cut short or over 64 bits at byte 1, in resourceMetrics[0]"},
    {"wrong wire type", HF_TRACES, "\x0a\x02\x08\x01", 4,
     "wire type 0 where 2 belongs at byte 2, in resourceSpans[0].resource"},
    {"group", HF_TRACES, "\xa3\x01", 2, "a group at byte 2, in field 20"},
    {"wire type 7", HF_TRACES, "\xa7\x01", 2, "wire type 7, which is none at byte 2, in field 20"},
    {"cut varint", HF_LOGS, "\x0a\x05\x12\x03\x12\x01\x10", 7,
     "a number that is cut short or over 64 bits at byte 7, in "
     "resourceLogs[0].scopeLogs[0].logRecords[0].severityNumber"},
    {"cut fixed64", HF_LOGS, "\x0a\x06\x12\x04\x12\x02\x09\x00", 8,
     "a number of 8 bytes that is cut short at byte 7, in "
     "resourceLogs[0].scopeLogs[0].logRecords[0].timeUnixNano"},
    {"short id", HF_LOGS, "\x0a\x07\x12\x05\x12\x03\x4a\x01\x07", 9,
     "an id of 1 bytes where 16 belong at byte 8, in "
     "resourceLogs[0].scopeLogs[0].logRecords[0].traceId"},
    {"third attribute", HF_LOGS, "\x0a\x0b\x0a\x09\x0a\x00\x0a\x00\x0a\x03\x12\x01\x0a", 13,
     "a length that is cut short or over 64 bits at byte 13, in "
     "resourceLogs[0].resource.attributes[2].value.stringValue"},
};

static void says_where_and_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[HF_FAULT_TEXT_MAX];
        struct hf_scan scan;
        struct hf_slice raw = hf_slice_of(rows[i].bytes, rows[i].size);
        print_message("%s\n", rows[i].name);
        assert_int_equal(hf_scan(rows[i].signal, raw, &scan), HF_INVALID);
        assert_true(hf_fault_find(rows[i].signal, raw, text));
        assert_string_equal(text, rows[i].says);
    }
}

/* A request of the greatest depth that is allowed, and one level more. */
static void stops_where_the_scan_stops(void **state)
{
    (void)state;
    for (size_t levels = 40; levels < 60; levels++) {
        uint8_t bytes[1024];
        size_t at = sizeof(bytes);
        struct hf_scan scan;
        char text[HF_FAULT_TEXT_MAX];
        const uint8_t tags[] = {0x2a, 0x0a}; /* log record: body; then array_value, values */
        for (size_t i = 0; i < 2 * levels + 4; i++) {
            size_t size = sizeof(bytes) - at;
            if (size >= 0x80) {
                bytes[--at] = (uint8_t)(size >> 7);
            }
            bytes[--at] = (uint8_t)(size >= 0x80 ? size | 0x80 : size);
            size_t above = 2 * levels + 3 - i;
            bytes[--at] = above == 0   ? 0x0a
                          : above <= 2 ? 0x12
                          : above == 3 ? tags[0]
                                       : (above % 2 == 0 ? tags[0] : tags[1]);
        }
        struct hf_slice raw = hf_slice_of(bytes + at, sizeof(bytes) - at);
        bool is_good = hf_scan(HF_LOGS, raw, &scan) == HF_OK;
        assert_int_equal(hf_fault_find(HF_LOGS, raw, text), !is_good);
        assert_true(is_good || strncmp(text, "nesting of more than 100", 24) == 0);
    }
}

static const char *const requests[] = {
    [HF_TRACES] =
        "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"k\",\"value\":{"
        "\"arrayValue\":{\"values\":[{\"intValue\":1},{\"stringValue\":\"\\u00e9\"}]}}}]},"
        "\"scopeSpans\":[{\"spans\":[{\"traceId\":\"00112233445566778899aabbccddeeff\","
        "\"spanId\":\"0011223344556677\",\"name\":\"n\",\"startTimeUnixNano\":1,\"kind\":2,"
        "\"events\":[{\"name\":\"e\"}],\"links\":[{\"flags\":1}],\"status\":{\"code\":1}}]}]}]}",
    [HF_METRICS] =
        "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"name\":\"m\",\"histogram\":{"
        "\"dataPoints\":[{\"bucketCounts\":[1,2,300],\"explicitBounds\":[1.5,2],\"exemplars\":[{"
        "\"asDouble\":1}]}]}},{\"exponentialHistogram\":{\"dataPoints\":[{\"positive\":{"
        "\"offset\":-1,\"bucketCounts\":[1,200]}}]}},{\"summary\":{\"dataPoints\":[{"
        "\"quantileValues\":[{\"quantile\":0.5}]}]}},{\"gauge\":{\"dataPoints\":[{\"asInt\":3}]}}]"
        "}]}]}",
    [HF_LOGS] = "{\"resourceLogs\":[{\"scopeLogs\":[{\"scope\":{\"name\":\"s\"},\"logRecords\":[{"
                "\"severityText\":\"INFO\",\"body\":{\"kvlistValue\":{\"values\":[{\"key\":\"a\","
                "\"value\":{\"bytesValue\":\"AAAA\"}}]}},\"traceId\":\"\"}]}]}]}",
};

/* One byte changed, everywhere and to everything; and each cut. */
static void agrees_with_the_scan_about_every_damage(void **state)
{
    (void)state;
    for (int signal = 0; signal <= HF_LOGS; signal++) {
        struct hf_bytes raw = {0};
        char text[HF_JSON_ERROR_MAX > HF_FAULT_TEXT_MAX ? HF_JSON_ERROR_MAX : HF_FAULT_TEXT_MAX];
        struct hf_scan scan;
        struct hf_slice json = hf_slice_text(requests[signal]);
        assert_int_equal(hf_json_to_proto((enum hf_signal)signal, json, 1 << 20, &raw, text),
                         HF_OK);
        struct hf_slice whole = hf_slice_of(raw.data, raw.size);
        assert_false(hf_fault_find((enum hf_signal)signal, whole, text));
        for (size_t at = 0; at < raw.size; at++) {
            uint8_t before = raw.data[at];
            for (unsigned byte = 0; byte < 256; byte++) {
                raw.data[at] = (uint8_t)byte;
                bool is_good = hf_scan((enum hf_signal)signal, whole, &scan) == HF_OK;
                assert_int_equal(hf_fault_find((enum hf_signal)signal, whole, text), !is_good);
                assert_int_equal(text[0] == '\0', is_good);
            }
            raw.data[at] = before;
            struct hf_slice cut = hf_slice_of(raw.data, at);
            bool is_good = hf_scan((enum hf_signal)signal, cut, &scan) == HF_OK;
            assert_int_equal(hf_fault_find((enum hf_signal)signal, cut, text), !is_good);
        }
        hf_bytes_release(&raw);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_where_and_why),
        cmocka_unit_test(stops_where_the_scan_stops),
        cmocka_unit_test(agrees_with_the_scan_about_every_damage),
    };
    return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
