/* Requests as lines of InfluxDB, by every schema, and what has no line. */
#include "components/exporters/influxdb/influx_lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include "pdata/json.h"
#include "tests/support/node_stub.c"

#define METRIC(attributes, metric)                                                                 \
    "{'resourceMetrics':[{'resource':{'attributes':[" attributes "]},'scopeMetrics':["             \
    "{'scope':{'name':'lib','version':'1'},'metrics':[" metric "]}]}]}"
#define TEXT(key, value) "{'key':'" key "','value':{'stringValue':'" value "'}}"
#define TAGS ",host=n1,otel.library.name=lib,otel.library.version=1"
#define HOST TEXT("host", "n1")

static const struct hf_string_list dimensions = {.items = (const char *[]){"service.name", "body"},
                                                 .count = 2};

/* The lines of a request in OTLP/JSON with single quotes. */
static char *lines_of(enum hf_signal signal, const char *text, struct influx_lines *lines)
{
    struct hf_bytes raw = {0}, out = {0};
    char error[HF_JSON_ERROR_MAX];
    char *json = strdup(text);
    assert_non_null(json);
    for (char *at = json; *at != '\0'; at++) {
        *at = *at == '\'' ? '"' : *at;
    }
    assert_int_equal(hf_json_to_proto(signal, hf_slice_text(json), (size_t)1 << 20, &raw, error),
                     HF_OK);
    lines->writer.unit_ns = lines->writer.unit_ns != 0 ? lines->writer.unit_ns : 1;
    lines->span_dimensions = lines->record_dimensions = &dimensions;
    lines->received_ns = 99;
    assert_int_equal(influx_lines_write(lines, signal, hf_slice_of(raw.data, raw.size), &out),
                     HF_OK);
    assert_int_equal(hf_bytes_append(&out, hf_slice_of("", 1)), HF_OK);
    influx_lines_release(lines);
    hf_bytes_release(&raw);
    free(json);
    return (char *)out.data;
}

static void points_are_lines_by_their_schema(void **state)
{
    static const char gauge[] =
        METRIC(HOST, "{'name':'t','gauge':{'dataPoints':[{'timeUnixNano':'5','asDouble':1.5,"
                     "'startTimeUnixNano':'2','attributes':[" TEXT("a", "b c") "]}]}}");
    static const char counter[] =
        METRIC(HOST, "{'name':'n','unit':'By','sum':{'aggregationTemporality':2,'isMonotonic':true,"
                     "'dataPoints':[{'timeUnixNano':'5','asInt':'3'}]}}");
    static const char delta[] =
        METRIC(HOST, "{'name':'n','sum':{'aggregationTemporality':1,'isMonotonic':true,"
                     "'dataPoints':[{'timeUnixNano':'5','asDouble':3}]}}");
    static const char histogram[] =
        METRIC(HOST, "{'name':'d','unit':'s','histogram':{'aggregationTemporality':2,'dataPoints':["
                     "{'timeUnixNano':'5','count':'4','sum':7.5,'min':0.25,'max':3,"
                     "'bucketCounts':['1','0','3'],'explicitBounds':[0.5,10]}]}}");
    static const char summary[] =
        METRIC(HOST, "{'name':'q','summary':{'dataPoints':[{'timeUnixNano':'5','count':'4',"
                     "'sum':7.5,'quantileValues':[{'quantile':0.5,'value':1.25}]}]}}");
    static const struct {
        enum influx_schema schema;
        const char *request, *lines;
    } cases[] = {
        {INFLUX_PROMETHEUS_1, gauge, "t,a=b\\ c" TAGS " start_time_unix_nano=2i,gauge=1.5 5\n"},
        {INFLUX_PROMETHEUS_2, gauge,
         "prometheus,a=b\\ c" TAGS " start_time_unix_nano=2i,t=1.5 5\n"},
        {INFLUX_PROMETHEUS_1, counter, "n" TAGS " counter=3i 5\n"},
        {INFLUX_PROMETHEUS_2, counter, "prometheus" TAGS " n=3i 5\n"},
        {INFLUX_OTEL_1, counter, "n_By_sum" TAGS " value_cumulative_monotonic_int=3i 5\n"},
        {INFLUX_PROMETHEUS_1, delta, "n" TAGS " gauge=3 5\n"},
        {INFLUX_PROMETHEUS_1, histogram,
         "d" TAGS " count=4,sum=7.5,min=0.25,max=3,0.5=1,10=1,+Inf=4 5\n"},
        {INFLUX_PROMETHEUS_2, histogram,
         "prometheus" TAGS " d_count=4,d_sum=7.5,d_min=0.25,d_max=3 5\n"
         "prometheus" TAGS ",le=0.5 d_bucket=1 5\n"
         "prometheus" TAGS ",le=10 d_bucket=1 5\n"
         "prometheus" TAGS ",le=+Inf d_bucket=4 5\n"},
        {INFLUX_OTEL_1, histogram,
         "d_s_histogram" TAGS
         " cumulative_0.5=1u,cumulative_10=0u,count=4u,sum=7.5,min=0.25,max=3 5\n"},
        {INFLUX_PROMETHEUS_1, summary, "q" TAGS " count=4,sum=7.5,0.5=1.25 5\n"},
        {INFLUX_PROMETHEUS_2, summary,
         "prometheus" TAGS " q_count=4,q_sum=7.5 5\n"
         "prometheus" TAGS ",quantile=0.5 q=1.25 5\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct influx_lines lines = {.schema = cases[i].schema};
        char *made = lines_of(HF_METRICS, cases[i].request, &lines);
        assert_string_equal(made, cases[i].lines);
        assert_int_equal(lines.left_out, 0);
        free(made);
    }
}

static void points_without_a_form_are_left_out(void **state)
{
    static const struct {
        enum influx_schema schema;
        const char *metric, *why;
    } cases[] = {
        {INFLUX_PROMETHEUS_1, "{'name':'m','gauge':{'dataPoints':[{'asDouble':'NaN'}]}}",
         "a point without a finite value has no form in InfluxDB"},
        {INFLUX_PROMETHEUS_1, "{'name':'m','gauge':{'dataPoints':[{'flags':1}]}}",
         "a point without a finite value has no form in InfluxDB"},
        {INFLUX_PROMETHEUS_1, "{'name':'m','summary':{'dataPoints':[{'flags':1}]}}",
         "a point without a finite value has no form in InfluxDB"},
        {INFLUX_OTEL_1, "{'name':'m','sum':{'dataPoints':[{'flags':1}]}}",
         "a point without a finite value has no form in InfluxDB"},
        {INFLUX_PROMETHEUS_2, "{'name':'m','exponentialHistogram':{'dataPoints':[{'count':'1'}]}}",
         "an exponential histogram has no form in InfluxDB"},
        {INFLUX_OTEL_1, "{'name':'m','gauge':{'dataPoints':[{'asInt':'1'}]}}",
         "the schema otel-v1 has no gauges and no summaries"},
        {INFLUX_PROMETHEUS_1, "{'gauge':{'dataPoints':[{'asInt':'1'}]}}",
         "a metric without a name has no form in InfluxDB"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char request[512];
        struct influx_lines lines = {.schema = cases[i].schema};
        snprintf(request, sizeof(request), METRIC("", "%s"), cases[i].metric);
        char *made = lines_of(HF_METRICS, request, &lines);
        assert_string_equal(made, "");
        assert_int_equal(lines.left_out, 1);
        assert_string_equal(lines.why, cases[i].why);
        free(made);
    }
}

static void exemplars_with_a_span_are_lines(void **state)
{
    struct influx_lines lines = {.schema = INFLUX_PROMETHEUS_1};
    char *made = lines_of(
        HF_METRICS,
        METRIC("",
               "{'name':'m','gauge':{'dataPoints':[{'timeUnixNano':'5','asInt':'1','exemplars':["
               "{'timeUnixNano':'4','asDouble':2.5,'spanId':'0102030405060708',"
               "'traceId':'0102030405060708090a0b0c0d0e0f10'},{'asDouble':9}]}]}}"),
        &lines);
    (void)state;
    assert_string_equal(made, "m,otel.library.name=lib,otel.library.version=1 gauge=1i 5\n"
                              "m_exemplar,span_id=0102030405060708,"
                              "trace_id=0102030405060708090a0b0c0d0e0f10 gauge=2.5 4\n");
    free(made);
}

#define IDS "span_id=0102030405060708,trace_id=0102030405060708090a0b0c0d0e0f10"

static void a_span_has_lines_of_its_events_and_links(void **state)
{
    struct influx_lines lines = {.writer = {.unit_ns = 1000}};
    char *made = lines_of(
        HF_TRACES,
        "{'resourceSpans':[{'resource':{'attributes':[" TEXT("service.name", "shop") "," TEXT(
            "host",
            "n1") "]},'scopeSpans':[{'spans':[{'traceId':'0102030405060708090a0b0c0d0e0f10',"
                  "'spanId':'0102030405060708','parentSpanId':'0102030405060709',"
                  "'name':'buy','kind':2,'startTimeUnixNano':'5000',"
                  "'endTimeUnixNano':'7000','attributes':[{'key':'n',"
                  "'value':{'intValue':'7'}}],'status':{'code':2,'message':'no'},"
                  "'droppedLinksCount':1,"
                  "'events':[{'timeUnixNano':'6000','name':'e','attributes':[" TEXT(
                      "k", "v") "]},{'timeUnixNano':'6000'}],"
                                "'links':[{'traceId':'0202030405060708090a0b0c0d0e0f10',"
                                "'spanId':'0202030405060708'},{}]},{'name':'no ids'}]}]}]}",
        &lines);
    (void)state;
    assert_string_equal(
        made,
        "logs," IDS " event.name=\"e\",attributes=\"{\\\"k\\\":\\\"v\\\"}\" 6\n"
        "logs," IDS " dropped_attributes_count=0u 6\n"
        "span-links,linked_span_id=0202030405060708,"
        "linked_trace_id=0202030405060708090a0b0c0d0e0f10," IDS " dropped_attributes_count=0u 5\n"
        "spans,service.name=shop," IDS " attributes=\"{\\\"host\\\":\\\"n1\\\",\\\"n\\\":7}\","
        "parent_span_id=\"0102030405060709\",span.name=\"buy\",span.kind=\"Server\","
        "end_time_unix_nano=7000i,duration_nano=2000i,otel.status_code=\"Error\","
        "otel.status_description=\"no\",dropped_links_count=2u 5\n");
    assert_int_equal(lines.left_out, 1);
    free(made);
}

static void a_record_is_a_line(void **state)
{
    struct influx_lines lines = {.writer = {.no_unsigned = true}};
    char *made = lines_of(
        HF_LOGS,
        "{'resourceLogs':[{'resource':{'attributes':[" TEXT(
            "service.name", "shop") "]},'scopeLogs':[{'logRecords':["
                                    "{'timeUnixNano':'5','observedTimeUnixNano':'6',"
                                    "'severityNumber':9,'severityText':'INFO','body':"
                                    "{'stringValue':'a b'},'attributes':[" TEXT(
                                        "k", "v") "],'droppedAttributesCount':2},"
                                                  "{'body':{'stringValue':'x'},'attributes':[" TEXT(
                                                      "body", "tag") "]}]}]}]}",
        &lines);
    (void)state;
    assert_string_equal(made,
                        "logs,service.name=shop observed_time_unix_nano=6i,severity_number=9i,"
                        "severity_text=\"INFO\",body=\"a b\","
                        "attributes=\"{\\\"k\\\":\\\"v\\\"}\",dropped_attributes_count=2i 5\n"
                        "logs,body=tag,service.name=shop dropped_attributes_count=1i 99\n");
    free(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_are_lines_by_their_schema),
        cmocka_unit_test(points_without_a_form_are_left_out),
        cmocka_unit_test(exemplars_with_a_span_are_lines),
        cmocka_unit_test(a_span_has_lines_of_its_events_and_links),
        cmocka_unit_test(a_record_is_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
