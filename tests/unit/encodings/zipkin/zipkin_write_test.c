/* Spans of OTLP as Zipkin has them. */
#include "encodings/zipkin/zipkin_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "encodings/zipkin/zipkin.h"
#include "pdata/json.h"

#define IDS "\"traceId\":\"5b8efff798038103d269b633813fc60c\",\"spanId\":\"eee19b7ec3c1b174\""

/* A request of OTLP/JSON, written; the caller's to release. */
static struct hf_bytes written(const char *json, bool is_proto, uint64_t *ret_left_out)
{
    struct hf_bytes raw = {0}, out = {0};
    char error[HF_JSON_ERROR_MAX];
    const struct hf_zipkin_write_options options = {is_proto, "none"};
    assert_int_equal(hf_json_to_proto(HF_TRACES, hf_slice_text(json), (size_t)1 << 20, &raw, error),
                     HF_OK);
    assert_int_equal(hf_zipkin_write(hf_slice_of(raw.data, raw.size), &options, &out, ret_left_out),
                     HF_OK);
    hf_bytes_release(&raw);
    return out;
}

static void each_field_has_its_place(void **state)
{
    static const struct {
        const char *resource, *scope, *span, *holds;
    } cases[] = {
        {"", "", "\"name\":\"GET /X\"", "\"name\":\"get /x\""},
        {"", "", "\"kind\":2", "\"kind\":\"SERVER\""},
        {"", "", "\"kind\":1", "\"tags\":{\"span.kind\":\"internal\"}"},
        {"", "", "\"startTimeUnixNano\":\"1544712660000000600\"",
         "\"timestamp\":1544712660000001,\"localEndpoint\""},
        {"", "", "\"startTimeUnixNano\":\"2000000000\",\"endTimeUnixNano\":\"2000000001\"",
         "\"timestamp\":2000000,\"duration\":1"},
        {"", "", "\"startTimeUnixNano\":\"2000000001\",\"endTimeUnixNano\":\"2000000000\"",
         "\"timestamp\":2000000,\"localEndpoint\""},
        {"", "", "\"name\":\"a\"", "\"localEndpoint\":{\"serviceName\":\"none\"}"},
        {"{\"key\":\"service.name\",\"value\":{\"stringValue\":\"Shop\"}}", "", "\"name\":\"a\"",
         "\"localEndpoint\":{\"serviceName\":\"shop\"}}"},
        {"{\"key\":\"faas.name\",\"value\":{\"stringValue\":\"f\"}}", "", "\"name\":\"a\"",
         "\"serviceName\":\"f\"},\"tags\":{\"otlp.service.name.source\":\"faas.name\"}"},
        {"", "\"name\":\"l\",\"version\":\"v\"", "\"name\":\"a\"",
         "\"tags\":{\"otel.library.name\":\"l\",\"otel.library.version\":\"v\"}"},
        {"", "", "\"status\":{\"code\":2,\"message\":\"m\"}",
         "\"error\":\"true\",\"otel.status_code\":\"STATUS_CODE_ERROR\","
         "\"otel.status_description\":\"m\""},
        {"", "",
         "\"attributes\":[{\"key\":\"error\",\"value\":{\"boolValue\":false}},"
         "{\"key\":\"n\",\"value\":{\"intValue\":\"7\"}}]",
         "\"tags\":{\"n\":\"7\"}"},
        {"", "",
         "\"attributes\":[{\"key\":\"network.peer.address\",\"value\":{\"stringValue\":\"::1\"}},"
         "{\"key\":\"net.peer.port\",\"value\":{\"intValue\":\"80\"}}]",
         "\"remoteEndpoint\":{\"ipv6\":\"::1\",\"port\":80}}"},
        {"", "",
         "\"attributes\":[{\"key\":\"network.peer.address\",\"value\":{\"stringValue\":\"host\"}}]",
         "\"tags\":{\"network.peer.address\":\"host\"}"},
        {"", "", "\"events\":[{\"timeUnixNano\":\"1500\",\"name\":\"e\"}]",
         "\"annotations\":[{\"timestamp\":2,\"value\":\"e\"}]"},
        {"", "",
         "\"events\":[{\"name\":\"e\",\"attributes\":[{\"key\":\"k\",\"value\":{\"intValue\":\"1\"}"
         "}]}]",
         "\"value\":\"e|{\\\"k\\\":1}|0\""},
        {"", "", "\"links\":[{\"traceState\":\"s\",\"droppedAttributesCount\":2}]",
         "\"otlp.link.0\":\"||s|{}|2\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char json[1024];
        uint64_t left_out;
        snprintf(json, sizeof(json),
                 "{\"resourceSpans\":[{\"resource\":{\"attributes\":[%s]},\"scopeSpans\":[{"
                 "\"scope\":{%s},\"spans\":[{" IDS ",%s}]}]}]}",
                 cases[i].resource, cases[i].scope, cases[i].span);
        struct hf_bytes out = written(json, false, &left_out);
        assert_int_equal(hf_bytes_append(&out, hf_slice_of("", 1)), HF_OK);
        if (strstr((const char *)out.data, cases[i].holds) == NULL) {
            fail_msg("%s\nbecame %s\nwithout %s", json, (const char *)out.data, cases[i].holds);
        }
        assert_int_equal(left_out, 0);
        hf_bytes_release(&out);
    }
}

static void spans_without_ids_are_left_out_and_counted(void **state)
{
    static const char json[] = "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\"a\"},"
                               "{" IDS "},{\"spanId\":\"eee19b7ec3c1b174\"},"
                               "{" IDS ",\"spanId\":\"0000000000000000\"}]}]}]}";
    (void)state;
    for (int is_proto = 0; is_proto < 2; is_proto++) {
        uint64_t left_out;
        struct hf_bytes out = written(json, is_proto != 0, &left_out);
        assert_int_equal(left_out, 3);
        assert_true(out.size != 0);
        hf_bytes_release(&out);
        out = written("{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\"a\"}]}]}]}",
                      is_proto != 0, &left_out);
        assert_int_equal(left_out, 1);
        assert_int_equal(out.size, 0);
        hf_bytes_release(&out);
    }
}

/* What the reader makes of both forms is the same request. */
static void both_forms_are_read_as_the_same_spans(void **state)
{
    static const char json[] =
        "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{"
        "\"stringValue\":\"shop\"}}]},\"scopeSpans\":[{\"scope\":{\"name\":\"l\"},\"spans\":[{" IDS
        ",\"name\":\"a\",\"kind\":3,\"startTimeUnixNano\":\"1544712660000000000\","
        "\"endTimeUnixNano\":\"1544712660000007000\",\"attributes\":[{\"key\":\"k\",\"value\":{"
        "\"stringValue\":\"v\"}},{\"key\":\"network.local.address\",\"value\":{\"stringValue\":"
        "\"10.0.0.1\"}}],\"events\":[{\"timeUnixNano\":\"1544712660000003000\",\"name\":\"e\","
        "\"attributes\":[{\"key\":\"n\",\"value\":{\"intValue\":\"1\"}}],"
        "\"droppedAttributesCount\":1}],\"status\":{\"message\":\"m\",\"code\":2}}]}]}]}";
    char error[HF_ZIPKIN_ERROR_MAX];
    (void)state;
    for (int is_proto = 0; is_proto < 2; is_proto++) {
        const struct hf_zipkin_options options = {.format = is_proto ? HF_ZIPKIN_V2_PROTO
                                                                     : HF_ZIPKIN_V2_JSON};
        struct hf_builder builder;
        struct hf_bytes text = {0};
        uint64_t left_out;
        struct hf_bytes out = written(json, is_proto != 0, &left_out);
        hf_builder_init(&builder, HF_TRACES, (size_t)1 << 20);
        assert_int_equal(hf_zipkin_read(hf_slice_of(out.data, out.size), &options, &builder, error),
                         HF_OK);
        assert_int_equal(hf_build_finish(&builder), HF_OK);
        struct hf_batch *batch = hf_build_take(&builder);
        assert_non_null(batch);
        assert_int_equal(hf_json_from_proto(HF_TRACES, batch->raw, &text), HF_OK);
        assert_int_equal(text.size, strlen(json));
        assert_memory_equal(text.data, json, text.size);
        hf_ref_drop(&batch->ref);
        hf_builder_release(&builder);
        hf_bytes_release(&text);
        hf_bytes_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_field_has_its_place),
        cmocka_unit_test(spans_without_ids_are_left_out_and_counted),
        cmocka_unit_test(both_forms_are_read_as_the_same_spans),
    };
    return cmocka_run_group_tests_name("zipkin_write", tests, NULL, NULL);
}
