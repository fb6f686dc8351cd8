/* Text for people: what the Go collector's debug exporter would show of the same request. */
#include "pdata/json.h"
#include "pdata/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* needs those before it */

static void check_text(enum hf_signal signal, enum hf_text_detail detail, const char *json,
                       const char *want)
{
    struct hf_bytes raw = {0};
    struct hf_bytes text = {0};
    char error[HF_JSON_ERROR_MAX] = "";
    if (hf_json_to_proto(signal, hf_slice_text(json), 1 << 20, &raw, error) != HF_OK) {
        fail_msg("%s", error);
    }
    assert_int_equal(hf_text_print(signal, hf_slice_of(raw.data, raw.size), detail, &text), HF_OK);
    assert_int_equal(hf_bytes_append(&text, hf_slice_of("", 1)), HF_OK);
    assert_string_equal((const char *)text.data, want);
    hf_bytes_release(&raw);
    hf_bytes_release(&text);
}

static const char span_json[] =
    "{\"resourceSpans\":[{\"schemaUrl\":\"u\",\"resource\":{\"attributes\":[{\"key\":\"service\","
    "\"value\":{\"stringValue\":\"shop\"}}]},\"scopeSpans\":[{\"scope\":{\"name\":\"lib\","
    "\"version\":\"1.2\"},\"spans\":[{\"traceId\":\"000102030405060708090a0b0c0d0e0f\",\"spanId\":"
    "\"0001020304050607\",\"name\":\"GET\",\"kind\":2,\"startTimeUnixNano\":"
    "\"1700000000000000000\","
    "\"endTimeUnixNano\":\"1700000000123400000\",\"traceState\":\"a=b\",\"droppedAttributesCount\":"
    "1,\"droppedEventsCount\":2,\"droppedLinksCount\":3,\"attributes\":["
    "{\"key\":\"i\",\"value\":{\"intValue\":\"-3\"}},{\"key\":\"d\",\"value\":{\"doubleValue\":0.5}"
    "},"
    "{\"key\":\"b\",\"value\":{\"boolValue\":true}},{\"key\":\"y\",\"value\":{\"bytesValue\":\"AP8="
    "\"}},"
    "{\"key\":\"e\",\"value\":{}},{\"key\":\"l\",\"value\":{\"arrayValue\":{\"values\":["
    "{\"stringValue\":\"x\\\"\"},{\"kvlistValue\":{\"values\":[{\"key\":\"k\"}]}}]}}}],"
    "\"events\":[{\"name\":\"ev\",\"attributes\":[{\"key\":\"k\",\"value\":{\"stringValue\":\"v\"}}"
    "]}],"
    "\"links\":[{\"spanId\":\"0001020304050607\"}],\"status\":{\"code\":2,\"message\":\"bad\"}}]}]}"
    "]}";

static void shows_every_field_of_a_span(void **state)
{
    (void)state;
    check_text(HF_TRACES, HF_TEXT_FULL, span_json,
               "ResourceSpans #0\n"
               "Resource SchemaURL: u\n"
               "Resource attributes:\n"
               "     -> service: Str(shop)\n"
               "ScopeSpans #0\n"
               "ScopeSpans SchemaURL: \n"
               "InstrumentationScope lib 1.2\n"
               "Span #0\n"
               "    Trace ID       : 000102030405060708090a0b0c0d0e0f\n"
               "    Parent ID      : \n"
               "    ID             : 0001020304050607\n"
               "    Name           : GET\n"
               "    Kind           : Server\n"
               "    TraceState     : a=b\n"
               "    Start time     : 2023-11-14 22:13:20 +0000 UTC\n"
               "    End time       : 2023-11-14 22:13:20.1234 +0000 UTC\n"
               "    Status code    : Error\n"
               "    Status message : bad\n"
               "    DroppedAttributesCount: 1\n"
               "    DroppedEventsCount: 2\n"
               "    DroppedLinksCount: 3\n"
               "Attributes:\n"
               "     -> i: Int(-3)\n"
               "     -> d: Double(0.5)\n"
               "     -> b: Bool(true)\n"
               "     -> y: Bytes(AP8=)\n"
               "     -> e: Empty()\n"
               "     -> l: Slice([\"x\\\"\",{\"k\":null}])\n"
               "Events:\n"
               "SpanEvent #0\n"
               "     -> Name: ev\n"
               "     -> Timestamp: 1970-01-01 00:00:00 +0000 UTC\n"
               "     -> DroppedAttributesCount: 0\n"
               "     -> Attributes::\n"
               "          -> k: Str(v)\n"
               "Links:\n"
               "SpanLink #0\n"
               "     -> Trace ID: \n"
               "     -> ID: 0001020304050607\n"
               "     -> TraceState: \n"
               "     -> DroppedAttributesCount: 0\n");
    check_text(HF_TRACES, HF_TEXT_LINES, span_json,
               "ResourceTraces #0 [u] service=shop\n"
               "ScopeTraces #0 lib@1.2\n"
               "GET 000102030405060708090a0b0c0d0e0f 0001020304050607 i=-3 d=0.5 b=true y=AP8= e= "
               "l=[\"x\\\"\",{\"k\":null}]\n");
}

static void shows_a_log_record(void **state)
{
    (void)state;
    static const char json[] =
        "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"severityNumber\":10,"
        "\"severityText\":\"INFO\",\"body\":{\"stringValue\":\"a\\u001b[2J\"},\"flags\":1,"
        "\"attributes\":[{\"key\":\"k\",\"value\":{\"stringValue\":\"v\"}}]}]}]}]}";
    check_text(HF_LOGS, HF_TEXT_FULL, json,
               "ResourceLog #0\n"
               "Resource SchemaURL: \n"
               "ScopeLogs #0\n"
               "ScopeLogs SchemaURL: \n"
               "InstrumentationScope  \n"
               "LogRecord #0\n"
               "ObservedTimestamp: 1970-01-01 00:00:00 +0000 UTC\n"
               "Timestamp: 1970-01-01 00:00:00 +0000 UTC\n"
               "SeverityText: INFO\n"
               "SeverityNumber: Info2(10)\n"
               "Body: Str(a\\x1b[2J)\n" /* what would drive the terminal does not reach it */
               "Attributes:\n"
               "     -> k: Str(v)\n"
               "Trace ID: \n"
               "Span ID: \n"
               "Flags: 1\n");
    check_text(HF_LOGS, HF_TEXT_LINES, json, "ResourceLog #0\nScopeLog #0\na\\x1b[2J k=v\n");
}

static void shows_entities_and_nested_bodies(void **state)
{
    (void)state;
    static const char json[] =
        "{\"resourceLogs\":[{\"resource\":{\"entityRefs\":[{\"schemaUrl\":\"u\",\"type\":"
        "\"service\","
        "\"idKeys\":[\"service.name\"],\"descriptionKeys\":[\"a\",\"b\"]},{\"type\":\"host\"}]},"
        "\"scopeLogs\":[{\"scope\":{\"version\":\"1\"},\"logRecords\":[{\"eventName\":\"e\","
        "\"body\":"
        "{\"kvlistValue\":{\"values\":[{\"key\":\"z\",\"value\":{\"kvlistValue\":{\"values\":[{"
        "\"key\":\"k\","
        "\"value\":{\"stringValue\":\"a\\nb\"}}]}}},{\"key\":\"a\",\"value\":{\"intValue\":\"1\"}}]"
        "}}}]}]}]}";
    check_text(HF_LOGS, HF_TEXT_FULL, json,
               "ResourceLog #0\n"
               "Resource SchemaURL: \n"
               "Resource entity refs:\n"
               "     -> Entity ref #0:\n"
               "          -> Type: service\n"
               "          -> Schema URL: u\n"
               "          -> ID keys:\n"
               "               -> service.name\n"
               "          -> Description keys:\n"
               "               -> a\n"
               "               -> b\n"
               "     -> Entity ref #1:\n"
               "          -> Type: host\n"
               "ScopeLogs #0\n"
               "ScopeLogs SchemaURL: \n"
               "InstrumentationScope  1\n"
               "LogRecord #0\n"
               "ObservedTimestamp: 1970-01-01 00:00:00 +0000 UTC\n"
               "Timestamp: 1970-01-01 00:00:00 +0000 UTC\n"
               "SeverityText: \n"
               "SeverityNumber: Unspecified(0)\n"
               "EventName: e\n"
               "Body: Map({\"a\":1,\"z\":{\"k\":\"a\\nb\"}})\n"
               "Trace ID: \n"
               "Span ID: \n"
               "Flags: 0\n");
    check_text(HF_LOGS, HF_TEXT_LINES, json,
               "ResourceLog #0\nScopeLog #0 @1\n{\"a\":1,\"z\":{\"k\":\"a\\nb\"}}\n");
}

#define METRIC(inner)                                                                              \
    "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"name\":\"m\"," inner "}]}]}]}"
#define METRIC_HEAD                                                                                \
    "ResourceMetrics #0\nResource SchemaURL: \nScopeMetrics #0\nScopeMetrics SchemaURL: \n"        \
    "InstrumentationScope  \nMetric #0\nDescriptor:\n     -> Name: m\n     -> Description: \n"     \
    "     -> Unit: \n"
#define TIMES                                                                                      \
    "StartTimestamp: 1970-01-01 00:00:00 +0000 UTC\nTimestamp: 1970-01-01 00:00:00 +0000 UTC\n"
#define LINES_HEAD "ResourceMetrics #0\nScopeMetrics #0\n"

static void shows_every_shape_of_a_metric(void **state)
{
    (void)state;
    static const struct {
        const char *json, *full, *lines;
    } rows[] = {
        {METRIC("\"gauge\":{\"dataPoints\":[{\"asDouble\":1.5,\"attributes\":[{\"key\":\"a\"}]}]}"),
         METRIC_HEAD "     -> DataType: Gauge\nNumberDataPoints #0\nData point attributes:\n"
                     "     -> a: Empty()\n" TIMES "Value: 1.500000\n",
         LINES_HEAD "m{a=} 1.5\n"},
        {METRIC("\"sum\":{\"isMonotonic\":true,\"aggregationTemporality\":2,\"dataPoints\":"
                "[{\"asInt\":\"-7\"}]}"),
         METRIC_HEAD "     -> DataType: Sum\n     -> IsMonotonic: true\n"
                     "     -> AggregationTemporality: Cumulative\nNumberDataPoints #0\n" TIMES
                     "Value: -7\n",
         LINES_HEAD "m{} -7\n"},
        {METRIC("\"histogram\":{\"aggregationTemporality\":1,\"dataPoints\":[{\"count\":3,"
                "\"sum\":4.5,\"min\":1,\"bucketCounts\":[1,2],\"explicitBounds\":[1.5]}]}"),
         METRIC_HEAD "     -> DataType: Histogram\n     -> AggregationTemporality: Delta\n"
                     "HistogramDataPoints #0\n" TIMES "Count: 3\nSum: 4.500000\nMin: 1.000000\n"
                     "ExplicitBounds #0: 1.500000\nBuckets #0, Count: 1\nBuckets #1, Count: 2\n",
         LINES_HEAD "m{} count=3 sum=4.5 min=1 le1.5=1 2\n"},
        {METRIC(
             "\"exponentialHistogram\":{\"dataPoints\":[{\"count\":4,\"scale\":1,\"zeroCount\":1,"
             "\"positive\":{\"offset\":-1,\"bucketCounts\":[2]},"
             "\"negative\":{\"bucketCounts\":[1,5]}}]}"),
         METRIC_HEAD "     -> DataType: ExponentialHistogram\n"
                     "     -> AggregationTemporality: Unspecified\n"
                     "ExponentialHistogramDataPoints #0\n" TIMES "Count: 4\n"
                     "Bucket [-2.000000, -1.414214), Count: 5\n"
                     "Bucket [-1.414214, -1.000000), Count: 1\nBucket [0, 0], Count: 1\n"
                     "Bucket (0.707107, 1.000000], Count: 2\n",
         LINES_HEAD "m{} count=4 le-1.414213562373095=5 le-1=1 zero=1 le1=2\n"},
        {METRIC("\"summary\":{\"dataPoints\":[{\"count\":3,\"sum\":4.5,\"quantileValues\":"
                "[{\"quantile\":0.5,\"value\":2}]}]}"),
         METRIC_HEAD
         "     -> DataType: Summary\nSummaryDataPoints #0\n" TIMES
         "Count: 3\nSum: 4.500000\nQuantileValue #0: Quantile 0.500000, Value 2.000000\n",
         LINES_HEAD "m{} count=3 sum=4.500000 q0.5=2\n"},
        {METRIC("\"metadata\":[{\"key\":\"a\",\"value\":{\"intValue\":\"1\"}}],\"gauge\":{"
                "\"dataPoints\":[{"
                "\"exemplars\":[{\"spanId\":\"0001020304050607\",\"asInt\":\"5\","
                "\"filteredAttributes\":["
                "{\"key\":\"k\"}]},{\"asDouble\":0.5}]}]}"),
         METRIC_HEAD "     -> DataType: Gauge\n     -> Metadata:\n          -> a: Int(1)\n"
                     "NumberDataPoints #0\n" TIMES "Exemplars:\nExemplar #0\n     -> Trace ID: \n"
                     "     -> Span ID: 0001020304050607\n"
                     "     -> Timestamp: 1970-01-01 00:00:00 +0000 UTC\n     -> Value: 5\n"
                     "     -> FilteredAttributes:\n          -> k: Empty()\nExemplar #1\n"
                     "     -> Trace ID: \n     -> Span ID: \n"
                     "     -> Timestamp: 1970-01-01 00:00:00 +0000 UTC\n     -> Value: 0.500000\n",
         LINES_HEAD "m{}\n"},
        {METRIC("\"unit\":\"\""), METRIC_HEAD "     -> DataType: Empty\n", LINES_HEAD},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_text(HF_METRICS, HF_TEXT_FULL, rows[i].json, rows[i].full);
        check_text(HF_METRICS, HF_TEXT_LINES, rows[i].json, rows[i].lines);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_every_field_of_a_span),
        cmocka_unit_test(shows_a_log_record),
        cmocka_unit_test(shows_entities_and_nested_bodies),
        cmocka_unit_test(shows_every_shape_of_a_metric),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
