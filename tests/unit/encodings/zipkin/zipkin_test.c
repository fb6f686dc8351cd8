/* Zipkin's formats as OTLP, in OTLP's JSON. tests/differential/pushes has what the Go collector
 * makes of whole requests. */
#include "encodings/zipkin/zipkin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pdata/json.h"
#include "pdata/scan.h"

#define LIMIT_BYTES ((size_t)64 << 20)

/* The request as JSON; NULL: refused, and `ret_error` says why. Freed by the caller. */
static char *read_text(struct hf_slice text, struct hf_zipkin_options options, char *ret_error)
{
    struct hf_builder builder;
    struct hf_bytes json = {0};
    struct hf_scan scan;
    hf_builder_init(&builder, HF_TRACES, LIMIT_BYTES);
    enum hf_status status = hf_zipkin_read(text, &options, &builder, ret_error);
    assert_int_equal(hf_build_finish(&builder), HF_OK);
    struct hf_batch *batch = status == HF_OK ? hf_build_take(&builder) : NULL;
    if (batch != NULL) {
        assert_int_equal(hf_scan(HF_TRACES, batch->raw, &scan), HF_OK);
        assert_int_equal(scan.items, batch->items);
        assert_int_equal(hf_json_from_proto(HF_TRACES, batch->raw, &json), HF_OK);
        hf_ref_drop(&batch->ref);
    }
    hf_builder_release(&builder);
    char *copy = status != HF_OK ? NULL : strndup((const char *)json.data, json.size);
    hf_bytes_release(&json);
    return copy;
}

#define IDS "\"traceId\":\"1\",\"id\":\"2\""
#define OUT_IDS "\"traceId\":\"00000000000000000000000000000001\",\"spanId\":\"0000000000000002\""

static const struct {
    const char *span, *holds; /* what is in a span, and what the request then holds */
    bool parses;
} v2_fields[] = {
    {"\"name\":\"a\"", OUT_IDS ",\"name\":\"a\"", false},
    {"\"parentId\":\"3\"", "\"parentSpanId\":\"0000000000000003\"", false},
    {"\"kind\":\"CONSUMER\"", "\"kind\":5", false},
    {"\"tags\":{\"span.kind\":\"internal\"}", "\"kind\":1", false},
    {"\"tags\":{\"span.kind\":\"server\"}", "\"key\":\"span.kind\"", false},
    {"\"timestamp\":3,\"duration\":4",
     "\"startTimeUnixNano\":\"3000\",\"endTimeUnixNano\":\"7000\"", false},
    {"\"duration\":4",
     "\"endTimeUnixNano\":\"4000\",\"attributes\":[{\"key\":\"otel.zipkin."
     "absentField.startTime\",\"value\":{\"boolValue\":true}}]",
     false},
    {"\"localEndpoint\":{\"serviceName\":\"s\",\"ipv4\":\"1.2.3.4\",\"port\":5}",
     "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"s\"}}", false},
    {"\"localEndpoint\":{\"ipv6\":\"::FFFF:1.2.3.4\"}",
     "{\"key\":\"network.local.address\",\"value\":{\"stringValue\":\"1.2.3.4\"}}", false},
    {"\"remoteEndpoint\":{\"serviceName\":\"p\"}",
     "{\"key\":\"service.peer.name\",\"value\":{\"stringValue\":\"p\"}}", false},
    {"\"tags\":{\"n\":\"12\"}", "{\"key\":\"n\",\"value\":{\"stringValue\":\"12\"}}", false},
    {"\"tags\":{\"n\":\"12\"}", "{\"key\":\"n\",\"value\":{\"intValue\":\"12\"}}", true},
    {"\"tags\":{\"n\":\"99999999999999999999\"}",
     "{\"key\":\"n\",\"value\":{\"stringValue\":\"99999999999999999999\"}}", true},
    {"\"tags\":{\"n\":\"1.5\"}", "{\"key\":\"n\",\"value\":{\"doubleValue\":1.5}}", true},
    {"\"tags\":{\"n\":\"1.\"}", "{\"key\":\"n\",\"value\":{\"stringValue\":\"1.\"}}", true},
    {"\"tags\":{\"n\":\"false\"}", "{\"key\":\"n\",\"value\":{\"boolValue\":false}}", true},
    {"\"tags\":{\"a\":\"1\",\"b\":\"2\",\"a\":\"3\"}",
     "\"attributes\":[{\"key\":\"b\",\"value\":{\"stringValue\":\"2\"}},{\"key\":\"a\","
     "\"value\":{"
     "\"stringValue\":\"3\"}}",
     false},
    {"\"tags\":{\"error\":\"why\"}", "\"status\":{\"code\":2}", false},
    {"\"tags\":{\"otel.status_code\":\"Ok\"}", "\"status\":{\"code\":1}", false},
    {"\"annotations\":[{\"timestamp\":1,\"value\":\"a|b\"}]", "\"name\":\"a|b\"", false},
    {"\"annotations\":[{\"timestamp\":1,\"value\":\"a|{\\\"k\\\":1}|2\"}]",
     "\"name\":\"a\",\"attributes\":[{\"key\":\"k\",\"value\":{\"intValue\":\"1\"}}],"
     "\"droppedAttributesCount\":2",
     false},
    {"\"annotations\":[{\"timestamp\":1,\"value\":\"a|{|2\"}]", "\"name\":\"a|{|2\"", false},
    {"\"tags\":{\"otlp.link.0\":\"||s|{}|0\"}", "\"links\":[{\"traceState\":\"s\"}]", false},
    {"\"tags\":{\"otlp.link.0\":\"x\"}", "\"key\":\"otlp.link.0\"", false},
    {"\"tags\":{\"host.name\":\"h\"}", "\"resource\":{\"attributes\":[{\"key\":\"host.name\"",
     false},
    {"\"tags\":{\"otel.library.name\":\"l\",\"otel.library.version\":\"v\"}",
     "\"scope\":{\"name\":\"l\",\"version\":\"v\"}", false},
};

static void each_field_of_v2_has_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(v2_fields) / sizeof(v2_fields[0]); i++) {
        char text[512], error[HF_ZIPKIN_ERROR_MAX];
        snprintf(text, sizeof(text), "[{" IDS ",%s}]", v2_fields[i].span);
        char *json =
            read_text(hf_slice_text(text),
                      (struct hf_zipkin_options){HF_ZIPKIN_V2_JSON, v2_fields[i].parses}, error);
        if (json == NULL || strstr(json, v2_fields[i].holds) == NULL) {
            fail_msg("%s\nbecame %s\nwithout %s", text, json != NULL ? json : error,
                     v2_fields[i].holds);
        }
        free(json);
    }
}

static size_t count_of(const char *text, const char *what)
{
    /* memmem: under ASan each strstr() looks for the end of the text first. */
    const char *end = text + strlen(text), *at = text;
    size_t count = 0;
    while ((at = memmem(at, (size_t)(end - at), what, strlen(what))) != NULL) {
        at++;
        count++;
    }
    return count;
}

static void spans_share_a_resource_only_with_all_its_attributes(void **state)
{
    static const char text[] =
        "[{" IDS ",\"localEndpoint\":{\"serviceName\":\"a\"},\"tags\":{\"host.name\":\"h\"}},"
        "{" IDS ",\"localEndpoint\":{\"serviceName\":\"b\"}},"
        "{" IDS ",\"localEndpoint\":{\"serviceName\":\"a\"},\"tags\":{\"host.name\":\"h\"}},"
        "{" IDS ",\"localEndpoint\":{\"serviceName\":\"a\"},\"tags\":{\"host.name\":\"i\"}}]";
    char error[HF_ZIPKIN_ERROR_MAX];
    (void)state;
    char *json =
        read_text(hf_slice_text(text), (struct hf_zipkin_options){HF_ZIPKIN_V2_JSON, false}, error);
    assert_non_null(json);
    assert_int_equal(count_of(json, "\"resource\":"), 3);
    assert_int_equal(count_of(json, "\"spanId\":"), 4);
    assert_int_equal(count_of(json, "\"stringValue\":\"i\""), 1);
    free(json);
}

static void what_is_wrong_is_said_with_the_number_of_the_span(void **state)
{
    static const struct {
        enum hf_zipkin_format format;
        const char *text, *says;
    } cases[] = {
        {HF_ZIPKIN_V2_JSON, "{}", "the body is not a JSON list of spans"},
        {HF_ZIPKIN_V2_JSON, "[{" IDS "},{" IDS, "breaks off behind span 1"},
        {HF_ZIPKIN_V2_JSON, "[{" IDS "},7]", "span 1: it is not an object"},
        {HF_ZIPKIN_V2_JSON, "[{\"id\":\"1\",\"traceId\":\"g\"}]", "traceId"},
        {HF_ZIPKIN_V2_JSON, "[{\"id\":\"11112222333344445\"}]", "id is not 1 to 16 hex digits"},
        {HF_ZIPKIN_V2_JSON, "[{\"traceId\":\"1\"}]", "it has no id"},
        {HF_ZIPKIN_V2_JSON, "[{" IDS ",\"timestamp\":1.5}]", "timestamp"},
        {HF_ZIPKIN_V2_JSON, "[{" IDS ",\"tags\":[]}]", "tags is not an object"},
        {HF_ZIPKIN_V2_JSON, "[{" IDS ",\"tags\":{\"a\":1}}]", "the value of a tag"},
        {HF_ZIPKIN_V2_JSON, "[{" IDS ",\"annotations\":{}}]", "annotations is not a list"},
        {HF_ZIPKIN_V2_JSON, "[{" IDS ",\"localEndpoint\":\"x\"}]", "an endpoint"},
        {HF_ZIPKIN_V1_JSON, "[{\"traceId\":\"1\"}]", "16 nor 32"},
        {HF_ZIPKIN_V1_JSON, "[{}]", "it has no traceId"},
        {HF_ZIPKIN_V2_PROTO, "\x0a\x05xxxxx", "span 0: "},
        {HF_ZIPKIN_V2_PROTO, "\x0a\x02\x10\x01", "span 0: it has no id"},
        {HF_ZIPKIN_V2_PROTO, "\xff", "not a protobuf list"},
        {HF_ZIPKIN_V1_THRIFT, "\x0c", "span 0: it is not a Thrift struct"},
        {HF_ZIPKIN_V1_THRIFT, "", "span 0: it is not a Thrift struct"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char error[HF_ZIPKIN_ERROR_MAX];
        char *json = read_text(hf_slice_text(cases[i].text),
                               (struct hf_zipkin_options){cases[i].format, false}, error);
        if (json != NULL || strstr(error, cases[i].says) == NULL) {
            fail_msg("%s: %s, not %s", cases[i].text, json != NULL ? json : error, cases[i].says);
        }
    }
}

/* 40,000 spans, each of a service of its own, are more than wait for their translation at once. */
static void a_large_request_is_translated_in_pieces(void **state)
{
    const size_t count = 40000;
    char *text = malloc(count * 200), error[HF_ZIPKIN_ERROR_MAX];
    size_t size = 0;
    (void)state;
    for (size_t i = 0; i < count; i++) {
        size += (size_t)snprintf(text + size, 200,
                                 "%c{" IDS ",\"localEndpoint\":{\"serviceName\":\"%zu\"}}",
                                 i == 0 ? '[' : ',', i);
    }
    text[size++] = ']';
    char *json = read_text(hf_slice_of(text, size),
                           (struct hf_zipkin_options){HF_ZIPKIN_V2_JSON, false}, error);
    assert_non_null(json);
    assert_int_equal(count_of(json, "\"spanId\":"), count);
    free(json);
    free(text);
}

static void one_span_that_needs_too_much_memory_is_refused(void **state)
{
    const size_t count = 4u << 20;
    char *text = malloc(count * 3 + 100), error[HF_ZIPKIN_ERROR_MAX];
    size_t size = (size_t)snprintf(text, 100, "[{" IDS ",\"annotations\":[{}");
    (void)state;
    for (size_t i = 0; i < count; i++) {
        memcpy(text + size, ",{}", 3);
        size += 3;
    }
    memcpy(text + size, "]}]", 3);
    assert_null(read_text(hf_slice_of(text, size + 3),
                          (struct hf_zipkin_options){HF_ZIPKIN_V2_JSON, false}, error));
    assert_non_null(strstr(error, "larger than its limit"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_field_of_v2_has_its_place),
        cmocka_unit_test(spans_share_a_resource_only_with_all_its_attributes),
        cmocka_unit_test(what_is_wrong_is_said_with_the_number_of_the_span),
        cmocka_unit_test(a_large_request_is_translated_in_pieces),
        cmocka_unit_test(one_span_that_needs_too_much_memory_is_refused),
    };
    return cmocka_run_group_tests_name("zipkin", tests, NULL, NULL);
}
