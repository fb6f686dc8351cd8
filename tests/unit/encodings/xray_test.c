/* Segment documents of X-Ray as spans, and what is wrong with those that are refused. */
#include "encodings/xray.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pdata/json.h"

#define HEAD "{\"format\": \"json\", \"version\": 1}\n"
#define IDS "\"trace_id\":\"1-58406520-a006649127e371903a2de979\",\"id\":\"53995c3f42cd8ad8\""
#define SEGMENT(more) HEAD "{" IDS ",\"name\":\"shop\",\"start_time\":1.5" more "}"
#define BUILD_BYTES_MAX ((size_t)4 << 20)

/* The spans as OTLP/JSON; free() it. */
static char *read_spans(const char *datagram)
{
    struct hf_builder builder;
    struct hf_bytes json = {0};
    char error[HF_XRAY_ERROR_MAX] = "";
    hf_builder_init(&builder, HF_TRACES, BUILD_BYTES_MAX);
    if (hf_xray_read(hf_slice_text(datagram), &builder, error) != HF_OK) {
        fail_msg("%s: %s", datagram, error);
    }
    assert_int_equal(hf_build_finish(&builder), HF_OK);
    struct hf_batch *batch = hf_build_take(&builder);
    assert_non_null(batch);
    assert_int_equal(hf_json_from_proto(HF_TRACES, batch->raw, &json), HF_OK);
    assert_int_equal(hf_bytes_append(&json, hf_slice_of("", 1)), HF_OK);
    hf_ref_drop(&batch->ref);
    hf_builder_release(&builder);
    return (char *)json.data;
}

static void assert_reads(const char *datagram, const char *const parts[])
{
    char *json = read_spans(datagram);
    for (size_t i = 0; parts[i] != NULL; i++) {
        if (strstr(json, parts[i]) == NULL) {
            fail_msg("no %s in %s", parts[i], json);
        }
    }
    free(json);
}

static void what_is_no_segment_is_refused_as_a_whole(void **state)
{
    static const struct {
        const char *datagram, *sentence;
    } cases[] = {
        {"", "there is no line before the segment"},
        {"{\"format\":\"json\",\"version\":1}", "there is no line before the segment"},
        {"{\"format\":\"json\",\"version\":2}\n{}", "the first line is not"},
        {"{\"format\":\"xml\",\"version\":1}\n{}", "the first line is not"},
        {"x\n{}", "the first line is not"},
        {HEAD, "the segment is no JSON"},
        {HEAD "{", "the segment is no JSON"},
        {HEAD "[]", "a segment is no JSON object"},
        {HEAD "{" IDS ",\"start_time\":1}", "a segment has no name"},
        {HEAD "{" IDS ",\"name\":7,\"start_time\":1}", "a segment has no name"},
        {HEAD "{" IDS ",\"name\":\"a\"}", "a segment has no start_time"},
        {HEAD "{" IDS ",\"name\":\"a\",\"start_time\":\"1\"}", "a segment has no start_time"},
        {HEAD "{\"name\":\"a\",\"id\":\"53995c3f42cd8ad\",\"start_time\":1}", "the id of"},
        {HEAD "{\"name\":\"a\",\"id\":\"53995c3f42cd8adg\",\"start_time\":1}", "the id of"},
        {SEGMENT(",\"parent_id\":7"), "the parent_id of"},
        {SEGMENT(",\"namespace\":\"other\""), "the namespace of"},
        {SEGMENT(",\"subsegments\":[{}]"), "a segment has no name"},
        {SEGMENT(",\"subsegments\":[7]"), "a segment is no JSON object"},
        {HEAD "{\"trace_id\":\"1-58406520a006649127e371903a2de979-\",\"name\":\"a\",\"id\":"
              "\"53995c3f42cd8ad8\",\"start_time\":1}",
         "the trace_id is not as"},
        {HEAD "{\"trace_id\":\"2-58406520-a006649127e371903a2de979\",\"name\":\"a\",\"id\":"
              "\"53995c3f42cd8ad8\",\"start_time\":1}",
         "the trace_id is not as"},
    };
    struct hf_builder builder;
    (void)state;
    hf_builder_init(&builder, HF_TRACES, BUILD_BYTES_MAX);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char error[HF_XRAY_ERROR_MAX] = "";
        enum hf_status status = hf_xray_read(hf_slice_text(cases[i].datagram), &builder, error);
        if (status != HF_INVALID || strstr(error, cases[i].sentence) == NULL) {
            fail_msg("%s: %s", cases[i].datagram, error);
        }
        assert_int_equal(hf_build_items(&builder), 0);
    }
    hf_builder_release(&builder);
}

static void nesting_has_an_end(void **state)
{
    static char datagram[65536];
    char error[HF_XRAY_ERROR_MAX] = "";
    struct hf_builder builder;
    size_t used = (size_t)snprintf(datagram, sizeof(datagram), HEAD);
    (void)state;
    while (used < sizeof(datagram) - 64) {
        used += (size_t)snprintf(datagram + used, sizeof(datagram) - used, "{\"subsegments\":[");
    }
    hf_builder_init(&builder, HF_TRACES, BUILD_BYTES_MAX);
    assert_int_equal(hf_xray_read(hf_slice_text(datagram), &builder, error), HF_INVALID);
    assert_non_null(strstr(error, "the segment is no JSON"));
    assert_int_equal(hf_build_items(&builder), 0);
    hf_builder_release(&builder);
}

static void an_address_of_a_database_has_its_name(void **state)
{
    static const struct {
        const char *url, *parts[3];
    } cases[] = {
        {"jdbc:postgresql://h:5432/app?ssl=1",
         {"\"db.connection_string\",\"value\":{\"stringValue\":\"jdbc:postgresql://h:5432\"}",
          "\"db.name\",\"value\":{\"stringValue\":\"app\"}"}},
        {"mysql://h", {"\"db.connection_string\",\"value\":{\"stringValue\":\"mysql://h\"}"}},
        {"sqlite", {"\"db.connection_string\",\"value\":{\"stringValue\":\"sqlite\"}"}},
        {"a/b", {"\"db.connection_string\",\"value\":{\"stringValue\":\"a/b\"}"}},
        {"?x", {"\"db.connection_string\",\"value\":{\"stringValue\":\"?x\"}"}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char datagram[512];
        snprintf(datagram, sizeof(datagram), SEGMENT(",\"sql\":{\"url\":\"%s\"}"), cases[i].url);
        assert_reads(datagram, cases[i].parts);
    }
}

static void the_kind_and_the_status_follow_from_what_was_called(void **state)
{
    static const struct {
        const char *more, *kind;
        bool failed;
    } cases[] = {
        {"", "\"kind\":2", false},
        {",\"namespace\":\"remote\"", "\"kind\":2", false},
        {",\"type\":\"subsegment\",\"parent_id\":\"53995c3f42cd8ad8\",\"namespace\":\"remote\"",
         "\"kind\":3", false},
        {",\"type\":\"subsegment\",\"parent_id\":\"53995c3f42cd8ad8\"", "\"kind\":1", false},
        {",\"type\":\"subsegment\",\"parent_id\":\"53995c3f42cd8ad8\","
         "\"http\":{\"request\":{\"client_ip\":\"1.2.3.4\"}}",
         "\"kind\":2", false},
        {",\"http\":{\"response\":{\"status\":404}}", "\"kind\":2", true},
        {",\"http\":{\"response\":{\"status\":99}}", "\"kind\":2", true},
        {",\"http\":{\"response\":{\"status\":\"404\"}}", "\"kind\":2", false},
        {",\"cause\":\"3f42cd8ad853995c\"", "\"kind\":2", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char datagram[512];
        snprintf(datagram, sizeof(datagram), SEGMENT("%s"), cases[i].more);
        char *json = read_spans(datagram);
        if (strstr(json, cases[i].kind) == NULL ||
            (strstr(json, "\"code\":2") != NULL) != cases[i].failed) {
            fail_msg("%s: %s", cases[i].more, json);
        }
        free(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_segment_is_refused_as_a_whole),
        cmocka_unit_test(nesting_has_an_end),
        cmocka_unit_test(an_address_of_a_database_has_its_name),
        cmocka_unit_test(the_kind_and_the_status_follow_from_what_was_called),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
