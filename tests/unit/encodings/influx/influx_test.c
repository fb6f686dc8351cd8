/* Line protocol: what a line has, which metrics lines become, and what is wrong with others. */
#include "encodings/influx/influx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "encodings/influx/influx_line.h"
#include "pdata/json.h"
#include "pdata/scan.h"
#include "tests/unit/simple_json.h"

#define NOW_NS 77u

static struct hf_influx_result result;
static char error[HF_INFLUX_ERROR_MAX];

/* ---- lines ---- */

static void show_field(const struct hf_influx_field *field, char *room, size_t size)
{
    int key = (int)field->key.size;
    const char *name = (const char *)field->key.data;
    switch (field->kind) {
    case HF_INFLUX_FLOAT:
        snprintf(room, size, "%.*s=%g;", key, name, field->number);
        break;
    case HF_INFLUX_INT:
        snprintf(room, size, "%.*s=%lldi;", key, name, (long long)field->integer);
        break;
    case HF_INFLUX_UINT:
        snprintf(room, size, "%.*s=%lluu;", key, name, (unsigned long long)field->integer);
        break;
    case HF_INFLUX_BOOL:
        snprintf(room, size, "%.*s=%s;", key, name, field->integer != 0 ? "yes" : "no");
        break;
    case HF_INFLUX_STRING:
        snprintf(room, size, "%.*s='%.*s';", key, name, (int)field->text.size,
                 (const char *)field->text.data);
        break;
    }
}

/* "measurement|tag=value;...|field=value;...|time", or what is wrong. */
static void show_line(const char *text, char *seen, size_t size)
{
    static struct hf_influx_line line;
    struct hf_arena arena = {.limit = 1 << 16};
    const char *wrong = hf_influx_read_line(hf_slice_text(text), &arena, &line);
    size_t at = 0;
    if (wrong != NULL) {
        snprintf(seen, size, "%s", wrong);
        hf_arena_release(&arena);
        return;
    }
    at += (size_t)snprintf(seen, size, "%.*s|", (int)line.measurement.size,
                           (const char *)line.measurement.data);
    for (size_t i = 0; i < line.tag_count; i++) {
        at += (size_t)snprintf(seen + at, size - at, "%.*s=%.*s;", (int)line.tags[i].key.size,
                               (const char *)line.tags[i].key.data, (int)line.tags[i].value.size,
                               (const char *)line.tags[i].value.data);
    }
    at += (size_t)snprintf(seen + at, size - at, "|");
    for (size_t i = 0; i < line.field_count; i++) {
        show_field(&line.fields[i], seen + at, size - at);
        at += strlen(seen + at);
    }
    if (line.has_time) {
        snprintf(seen + at, size - at, "|%lld", (long long)line.time);
    }
    hf_arena_release(&arena);
}

static void a_line_has_tags_fields_and_a_time(void **state)
{
    static const struct {
        const char *text, *seen;
    } cases[] = {
        {"m f=1", "m||f=1;"},
        {"m,a=b,c=d f=1.5,g=-2e3,h=3i,i=4u,j=t,k=FALSE,l=\"x\" 12",
         "m|a=b;c=d;|f=1.5;g=-2000;h=3i;i=4u;j=yes;k=no;l='x';|12"},
        {"m\\ x\\,y,a\\=b=c\\ d f\\ g=1", "m x,y|a=b=c d;|f g=1;"},
        {"m\\x f=1", "m\\x||f=1;"},
        {"m f=\"a,b =\\\"c\\\" \\\\ d\" -5", "m||f='a,b =\"c\" \\ d';|-5"},
        {"m,t=\"q f=1", "m|t=\"q;|f=1;"},
        {"m,a=1,b=2,a=3 f=1", "m|a=3;b=2;|f=1;"},
        {"m  f=1  7", "m||f=1;|7"},
        {"m f=18446744073709551615u", "m||f=18446744073709551615u;"},
        {"", "there is no measurement"},
        {",a=b f=1", "there is no measurement"},
        {"m", "there are no fields"},
        {"m ", "there are no fields"},
        {"m,a f=1", "a tag has no key or no value"},
        {"m,a= f=1", "a tag has no key or no value"},
        {"m,=b f=1", "a tag has no key or no value"},
        {"m f", "a field has no key or no value"},
        {"m f=", "a field has no value"},
        {"m f=1,", "a field has no key or no value"},
        {"m f=1x", "the value of a field is no number"},
        {"m f=NaN", "the value of a field is no number"},
        {"m f=1e999", "the value of a field is no number"},
        {"m f=0x10", "the value of a field is no number"},
        {"m f=1.5i", "the value of a field is no whole number"},
        {"m f=-1u", "the value of a field is no whole number"},
        {"m f=9223372036854775808i", "the value of a field is no whole number"},
        {"m f=\"x", "the quote of a field is not closed"},
        {"m f=\"x\"y", "there is something behind a quote"},
        {"m f=1 2 3", "the time is no whole number"},
        {"m f=1 1.5", "the time is no whole number"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char seen[512];
        show_line(cases[i].text, seen, sizeof(seen));
        assert_string_equal(seen, cases[i].seen);
    }
}

static void lines_end_at_line_feeds_outside_of_quotes(void **state)
{
    static const char text[] = "# a \"comment\n\n  a f=\"x\ny\"\r\n b,t=\"q f=1\n c f=1";
    static const char *const seen[] = {"a f=\"x\ny\"", "b,t=\"q f=1", "c f=1"};
    static const size_t numbers[] = {3, 4, 5};
    struct hf_slice rest = hf_slice_text(text), line;
    size_t number = 0;
    (void)state;
    for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++) {
        assert_true(hf_influx_next_line(&rest, &line, &number));
        assert_true(hf_slice_is(line, seen[i]));
        assert_int_equal(number, numbers[i]);
    }
    assert_false(hf_influx_next_line(&rest, &line, &number));
}

/* ---- metrics ---- */

static char *read_body(const char *text, size_t limit, enum hf_status *ret_status)
{
    struct hf_builder builder;
    struct hf_scan scan;
    struct hf_bytes json = {0};
    const struct hf_influx_options options = {.unit_ns = 1, .now_ns = NOW_NS};
    hf_builder_init(&builder, HF_METRICS, limit);
    error[0] = '\0';
    *ret_status = hf_influx_read(hf_slice_text(text), &options, &builder, &result, error);
    assert_int_equal(hf_build_finish(&builder), HF_OK);
    struct hf_batch *batch = *ret_status == HF_OK ? hf_build_take(&builder) : NULL;
    if (batch != NULL) {
        assert_int_equal(hf_scan(HF_METRICS, batch->raw, &scan), HF_OK);
        assert_int_equal(hf_json_from_proto(HF_METRICS, batch->raw, &json), HF_OK);
        hf_ref_drop(&batch->ref);
    }
    assert_int_equal(hf_bytes_append(&json, hf_slice_of("", 1)), HF_OK);
    hf_builder_release(&builder);
    simplify((char *)json.data);
    return (char *)json.data;
}

#define ONE(metric)                                                                                \
    "{'resourceMetrics':[{'resource':{},'scopeMetrics':[{'scope':{},'metrics':[" metric "]}]}]}"

static void schemas_are_told_by_measurement_and_fields(void **state)
{
    static const struct {
        const char *text, *json;
    } cases[] = {
        {"cpu_temp,foo=bar gauge=87.5 5",
         ONE("{'name':'cpu_temp','gauge':{'dataPoints':[{'timeUnixNano':'5','asDouble':87.5,"
             "'attributes':[foo=bar]}]}}")},
        {"n counter=3i,start_time=\"1970-01-01T00:00:00.000000002Z\" 5",
         ONE("{'name':'n','sum':{'dataPoints':[{'startTimeUnixNano':'2','timeUnixNano':'5',"
             "'asInt':'3'}],'aggregationTemporality':2,'isMonotonic':true}}")},
        {"n,temporality=delta counter=3,start_time_unix_nano=2i 5",
         ONE("{'name':'n','sum':{'dataPoints':[{'startTimeUnixNano':'2','timeUnixNano':'5',"
             "'asDouble':3}],'aggregationTemporality':1,'isMonotonic':true}}")},
        {"d 1=2,0.5=1,+Inf=4,sum=7.5,count=4,min=0.25,max=3 5",
         ONE("{'name':'d','histogram':{'dataPoints':[{'timeUnixNano':'5','count':'4','sum':7.5,"
             "'bucketCounts':['1','1','2'],'explicitBounds':[0.5,1],'min':0.25,'max':3}],"
             "'aggregationTemporality':2}}")},
        {"d 0.5=0.25,0.99=3.5,sum=7.5,count=4 5",
         ONE("{'name':'d','summary':{'dataPoints':[{'timeUnixNano':'5','count':'4','sum':7.5,"
             "'quantileValues':[{'quantile':0.5,'value':0.25},{'quantile':0.99,'value':3.5}]}]}}")},
        {"d sum=7.5,count=4 5",
         ONE("{'name':'d','histogram':{'dataPoints':[{'timeUnixNano':'5','count':'4','sum':7.5,"
             "'bucketCounts':['4']}],'aggregationTemporality':2}}")},
        {"prometheus,le=0.5 d_bucket=1 5\nprometheus d_sum=7.5,d_count=4 5\n"
         "prometheus,le=+Inf d_bucket=4 5",
         ONE("{'name':'d','histogram':{'dataPoints':[{'timeUnixNano':'5','count':'4','sum':7.5,"
             "'bucketCounts':['1','3'],'explicitBounds':[0.5]}],'aggregationTemporality':2}}")},
        {"prometheus,quantile=0.5 d=1 5\nprometheus d_sum=7.5,d_count=4 5",
         ONE("{'name':'d','summary':{'dataPoints':[{'timeUnixNano':'5','count':'4','sum':7.5,"
             "'quantileValues':[{'quantile':0.5,'value':1}]}]}}")},
        {"prometheus,foo=bar cpu_temp=87.5",
         ONE("{'name':'cpu_temp','gauge':{'dataPoints':[{'timeUnixNano':'77','asDouble':87.5,"
             "'attributes':[foo=bar]}]}}")},
        {"mem,le=1 free=1i", ONE("{'name':'mem_free','gauge':{'dataPoints':[{'timeUnixNano':'77',"
                                 "'asInt':'1','attributes':[le=1]}]}}")},
        {"net count=5i", ONE("{'name':'net_count','gauge':{'dataPoints':[{'timeUnixNano':'77',"
                             "'asInt':'5'}]}}")},
        {"net x=\"text\",y=true,z=1u",
         ONE("{'name':'net_z','gauge':{'dataPoints':[{'timeUnixNano':'77','asInt':'1'}]}}")},
        {"cpu,container.name=42,otel.library.name=lib,otel.library.version=1,k8s.pod.name.x=y f=1",
         "{'resourceMetrics':[{'resource':{'attributes':[container.name=42,k8s.pod.name.x=y]},"
         "'scopeMetrics':[{'scope':{'name':'lib','version':'1'},'metrics':[{'name':'cpu_f',"
         "'gauge':{'dataPoints':[{'timeUnixNano':'77','asDouble':1}]}}]}]}]}"},
        {"", ""},
        {"m f=\"only text\"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum hf_status status;
        char *json = read_body(cases[i].text, (size_t)1 << 20, &status);
        assert_int_equal(status, HF_OK);
        assert_string_equal(json, cases[i].json);
        assert_int_equal(result.refused, 0);
        free(json);
    }
}

/* Telegraf's lines of other schemas have more fields than a histogram: none is lost. */
static void no_number_is_lost(void **state)
{
    static const char *const names[] = {"'s_count'", "'s_sum'", "'s_mean'", "'s_90'"};
    enum hf_status status;
    char *json = read_body("s count=4,sum=7.5,mean=2,90=3 5", (size_t)1 << 20, &status);
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_non_null(strstr(json, names[i]));
    }
    free(json);
    json = read_body("s gauge=4,other=7.5 5", (size_t)1 << 20, &status);
    assert_non_null(strstr(json, "'name':'s',"));
    assert_non_null(strstr(json, "'name':'s_other',"));
    free(json);
    json = read_body("s,metric_type=timing count=4,sum=7 5", (size_t)1 << 20, &status);
    assert_non_null(strstr(json, "'s_count'"));
    free(json);
}

static void points_of_one_metric_stand_together(void **state)
{
    enum hf_status status;
    char *json =
        read_body("a,t=1 gauge=1 5\nb gauge=1 5\na,t=2 gauge=2 5", (size_t)1 << 20, &status);
    (void)state;
    assert_non_null(strstr(json, "{'name':'a','gauge':{'dataPoints':["
                                 "{'timeUnixNano':'5','asDouble':1,'attributes':[t=1]},"
                                 "{'timeUnixNano':'5','asDouble':2,'attributes':[t=2]}]}}"));
    free(json);
}

static void a_wrong_line_costs_no_other(void **state)
{
    static const struct {
        const char *line, *why;
    } cases[] = {
        {"m f", "unable to parse 'm f' on line 2: a field has no key or no value"},
        {"m f=\"\x01\\\"q\" x",
         "unable to parse 'm f=????q? x' on line 2: the time is no whole number"},
        {"m f=1 -1", "unable to parse 'm f=1 -1' on line 2: the time is before 1970 or after 2262"},
        {"prometheus,le=x a_bucket=1",
         "unable to parse 'prometheus,le=x a_bucket=1' on line 2: the tag le or quantile is no "
         "number"},
        {"prometheus,le=1 a_bucket=1,b=1",
         "unable to parse 'prometheus,le=1 a_bucket=1,b=1' on line 2: a field beside the tag le "
         "does not end in _bucket"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[256];
        enum hf_status status;
        snprintf(text, sizeof(text), "good gauge=1 5\n%s\nalso gauge=1 5\n", cases[i].line);
        char *json = read_body(text, (size_t)1 << 20, &status);
        assert_int_equal(status, HF_OK);
        assert_string_equal(result.why, cases[i].why);
        assert_int_equal(result.refused, 1);
        assert_non_null(strstr(json, "'good'"));
        assert_non_null(strstr(json, "'also'"));
        assert_null(strstr(json, "'name':'a'"));
        free(json);
    }
}

static void what_does_not_fit_is_too_large(void **state)
{
    enum hf_status status;
    free(read_body("a f=1\nb f=1\nc f=1\nd f=1\n", 60, &status));
    (void)state;
    assert_int_equal(status, HF_TOO_LARGE);
    assert_non_null(strstr(error, "send fewer lines at once"));
}

static void precisions_have_units(void **state)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } cases[] = {{"", 1},         {"n", 1},         {"us", 1000}, {"\xc2\xb5s", 1000},
                 {"ms", 1000000}, {"s", 1000000000}};
    uint64_t ns;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(hf_influx_unit(cases[i].name, &ns));
        assert_int_equal(ns, cases[i].ns);
    }
    assert_false(hf_influx_unit("d", &ns));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_tags_fields_and_a_time),
        cmocka_unit_test(lines_end_at_line_feeds_outside_of_quotes),
        cmocka_unit_test(schemas_are_told_by_measurement_and_fields),
        cmocka_unit_test(no_number_is_lost),
        cmocka_unit_test(points_of_one_metric_stand_together),
        cmocka_unit_test(a_wrong_line_costs_no_other),
        cmocka_unit_test(what_does_not_fit_is_too_large),
        cmocka_unit_test(precisions_have_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
