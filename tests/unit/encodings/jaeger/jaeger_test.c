/* Jaeger's formats as OTLP, in OTLP's JSON. tests/differential/receivers has what the Go collector
 * makes of whole requests. */
#include "encodings/jaeger/jaeger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pdata/json.h"
#include "pdata/wire.h"
#include "util/hex.h"

#define LIMIT_BYTES ((size_t)64 << 20)

/* The request as JSON; NULL: refused, and `ret_error` says why. Freed by the caller. */
static char *read_text(struct hf_slice text, enum hf_jaeger_format format, char *ret_error)
{
    struct hf_builder builder;
    struct hf_bytes json = {0};
    hf_builder_init(&builder, HF_TRACES, LIMIT_BYTES);
    enum hf_status status = hf_jaeger_read(text, format, &builder, ret_error);
    assert_int_equal(hf_build_finish(&builder), HF_OK);
    struct hf_batch *batch = status == HF_OK ? hf_build_take(&builder) : NULL;
    if (batch != NULL) {
        assert_int_equal(hf_json_from_proto(HF_TRACES, batch->raw, &json), HF_OK);
        hf_ref_drop(&batch->ref);
    }
    hf_builder_release(&builder);
    char *copy =
        status != HF_OK ? NULL : strndup(json.size != 0 ? (const char *)json.data : "", json.size);
    hf_bytes_release(&json);
    return copy;
}

struct tag {
    const char *key;
    int type; /* of api_v2 */
    const char *text;
    int64_t integer;
};

static void put_tag(struct hf_wire_writer *writer, uint32_t number, const struct tag *tag)
{
    struct hf_wire_message message = hf_wire_open(writer, number, 64);
    hf_wire_put_bytes(writer, 1, hf_slice_text(tag->key));
    hf_wire_put_varint(writer, 2, (uint64_t)tag->type);
    if (tag->text != NULL) {
        hf_wire_put_bytes(writer, tag->type == 4 ? 7 : 3, hf_slice_text(tag->text));
    }
    hf_wire_put_varint(writer, tag->type == 1 ? 4 : 5, (uint64_t)tag->integer);
    hf_wire_close(writer, message);
}

/* A PostSpansRequest of one span with these tags. */
static void put_request(struct hf_bytes *out, const struct tag *tags, size_t count)
{
    struct hf_wire_writer writer = {.out = out};
    struct hf_wire_message batch = hf_wire_open(&writer, 1, 512);
    struct hf_wire_message span = hf_wire_open(&writer, 1, 512);
    hf_wire_put_bytes(&writer, 2, hf_slice_of("\0\0\0\0\0\0\0\1", 8));
    for (size_t i = 0; i < count && tags[i].key != NULL; i++) {
        put_tag(&writer, 8, &tags[i]);
    }
    hf_wire_close(&writer, span);
    hf_wire_close(&writer, batch);
    assert_false(writer.failed);
}

#define STRING(key, text)                                                                          \
    {                                                                                              \
        key, 0, text, 0                                                                            \
    }
#define BOOL(key, value)                                                                           \
    {                                                                                              \
        key, 1, NULL, value                                                                        \
    }
#define INT(key, value)                                                                            \
    {                                                                                              \
        key, 2, NULL, value                                                                        \
    }

static void tags_tell_kind_status_state_and_scope(void **state)
{
    static const struct {
        struct tag tags[4];
        const char *holds;
    } cases[] = {
        {{STRING("span.kind", "producer")}, "\"kind\":4"},
        {{STRING("a", "1"), STRING("a", "2")},
         "\"attributes\":[{\"key\":\"a\",\"value\":{\"stringValue\":\"2\"}}]"},
        {{{"b", 4, "xy", 0}}, "{\"key\":\"b\",\"value\":{\"bytesValue\":\"eHk=\"}}"},
        {{{"u", 9, NULL, 0}}, "\"stringValue\":\"<Unknown Jaeger TagType \\\"9\\\">\""},
        {{BOOL("error", 1)}, "\"spanId\":\"0000000000000001\",\"status\":{\"code\":2}"},
        {{BOOL("error", 0)}, "{\"key\":\"error\",\"value\":{\"boolValue\":false}}"},
        {{BOOL("error", 1), STRING("otel.status_description", "why")},
         "\"status\":{\"message\":\"why\",\"code\":2}"},
        {{STRING("otel.status_code", "ok")},
         "\"spanId\":\"0000000000000001\",\"status\":{\"code\":1}"},
        {{INT("http.status_code", 500), STRING("http.status_message", "m")},
         "\"status\":{\"message\":\"m\",\"code\":2}"},
        {{INT("http.status_code", 404), STRING("span.kind", "client")}, "\"status\":{\"code\":2}"},
        {{INT("http.status_code", 404), STRING("span.kind", "server")},
         "\"value\":{\"intValue\":\"404\"}}]}]"},
        {{INT("http.status_code", 200)}, "\"key\":\"http.response.status_code\""},
        {{STRING("w3c.tracestate", "a=b")}, "\"traceState\":\"a=b\""},
        {{STRING("otel.scope.name", "l"), STRING("otel.scope.version", "2")},
         "\"scope\":{\"name\":\"l\",\"version\":\"2\"}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char error[HF_JAEGER_ERROR_MAX];
        struct hf_bytes request = {0};
        put_request(&request, cases[i].tags, 4);
        char *json = read_text(hf_slice_of(request.data, request.size), HF_JAEGER_PROTO, error);
        if (json == NULL || strstr(json, cases[i].holds) == NULL) {
            fail_msg("case %zu became %s\nwithout %s", i, json != NULL ? json : error,
                     cases[i].holds);
        }
        free(json);
        hf_bytes_release(&request);
    }
}

#define JSON_FAULT(text, says)                                                                     \
    {                                                                                              \
        HF_JAEGER_SPAN_JSON, {(const uint8_t *)text, sizeof(text) - 1}, says                       \
    }

static const struct {
    enum hf_jaeger_format format;
    struct hf_slice bytes;
    const char *says;
} faults[] = {
    {HF_JAEGER_PROTO, {(const uint8_t *)"\xff", 1}, "the request is not protobuf"},
    {HF_JAEGER_PROTO, {(const uint8_t *)"\x0a\2\x0a\5", 4}, "the batch is not a protobuf"},
    {HF_JAEGER_PROTO, {(const uint8_t *)"\x0a\3\x0a\1\xff", 5}, "span 0: it is not a protobuf"},
    {HF_JAEGER_THRIFT_BATCH, {(const uint8_t *)"", 0}, "it is not a Thrift struct"},
    {HF_JAEGER_THRIFT_BATCH,
     {(const uint8_t *)"\x0f\0\2\x08\0\0\0\1\0\0\0\0\0", 13},
     "it is not a Thrift struct"},
    {HF_JAEGER_CALL_BINARY, {(const uint8_t *)"\0\0\0\1x\4\0\0\0\0\0", 11}, "emitBatch"},
    {HF_JAEGER_CALL_COMPACT,
     {(const uint8_t *)"\x82\x81\0\x09"
                       "emitBatch\0",
      14},
     "no batch"},
    {HF_JAEGER_CALL_COMPACT, {(const uint8_t *)"junk", 4}, "emitBatch"},
    {HF_JAEGER_SPAN_PROTO, {(const uint8_t *)"\x6e\x6f", 2}, "it is not a protobuf message"},
    /* a request of OTLP */
    {HF_JAEGER_SPAN_PROTO, {(const uint8_t *)"\x0a\2\x0a\0", 4}, "an id has not 16 or 8 bytes"},
    {HF_JAEGER_SPAN_PROTO,
     {(const uint8_t *)"\x12\1\1", 3},
     "it is not a span of Jaeger: an id has not 16 or 8 bytes"},
    JSON_FAULT("", "premature EOF"),
    JSON_FAULT("[]", "it is not a JSON object"),
    JSON_FAULT("{\"traceID\":\"0001\"}", "traceID is not a field of Span of Jaeger's model"),
    JSON_FAULT("{\"traceId\":\"AAA=\"}", "traceId is not 16 bytes in base64"),
    JSON_FAULT("{\"traceId\":\"#\"}", "traceId is not base64"),
    JSON_FAULT("{\"spanId\":\"AAECAwQFBgcICQoLDA0ODw==\"}", "spanId is not 8 bytes"),
    JSON_FAULT("{\"operationName\":1}", "operationName is not a string"),
    JSON_FAULT("{\"flags\":1.5}", "flags is not a whole number"),
    JSON_FAULT("{\"startTime\":1}", "startTime is not a time such as"),
    JSON_FAULT("{\"startTime\":\"now\"}", "startTime is not a time such as"),
    JSON_FAULT("{\"duration\":\"1\"}", "duration is not a duration such as"),
    JSON_FAULT("{\"duration\":\".5s\"}", "duration is not a duration such as"),
    JSON_FAULT("{\"duration\":\"1.s\"}", "duration is not a duration such as"),
    JSON_FAULT("{\"duration\":\"1.0000000001s\"}", "duration is not a duration such as"),
    JSON_FAULT("{\"duration\":\"9999999999999s\"}", "duration is not a duration such as"),
    JSON_FAULT("{\"tags\":{}}", "tags is not a list"),
    JSON_FAULT("{\"tags\":[{\"vType\":\"TEXT\"}]}", "vType is not one of its names"),
    JSON_FAULT("{\"tags\":[{\"vType\":5}]}", "vType is not one of its names"),
    JSON_FAULT("{\"tags\":[{\"value\":5}]}", "value is not a field of KeyValue"),
    JSON_FAULT("{\"tags\":[{\"vBool\":1}]}", "vBool is not true or false"),
    JSON_FAULT("{\"tags\":[{\"vInt64\":\"x\"}]}", "vInt64 is not a whole number"),
    JSON_FAULT("{\"tags\":[{\"vFloat64\":\"x\"}]}", "vFloat64 is not a number"),
    JSON_FAULT("{\"logs\":[{\"time\":1}]}", "time is not a field of Log"),
    JSON_FAULT("{\"references\":[{\"refType\":\"x\"}]}", "refType is not one of its names"),
    JSON_FAULT("{\"process\":{\"name\":1}}", "name is not a field of Process"),
    JSON_FAULT("{\"process\":[]}", "process is not an object"),
};

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        char error[HF_JAEGER_ERROR_MAX];
        char *json = read_text(faults[i].bytes, faults[i].format, error);
        if (json != NULL || strstr(error, faults[i].says) == NULL) {
            fail_msg("case %zu: %s, not %s", i, json != NULL ? json : error, faults[i].says);
        }
    }
}

static void a_batch_without_spans_is_nothing(void **state)
{
    char error[HF_JAEGER_ERROR_MAX];
    (void)state;
    char *json = read_text(HF_EMPTY_SLICE, HF_JAEGER_PROTO, error);
    assert_string_equal(json, "");
    free(json);
    json = read_text(HF_EMPTY_SLICE, HF_JAEGER_SPAN_PROTO, error);
    assert_string_equal(json, "");
    free(json);
    json = read_text(hf_slice_of("\0", 1), HF_JAEGER_THRIFT_BATCH, error);
    assert_string_equal(json, "");
    free(json);
}

/* The same span, as Python's protobuf makes it (tests/support/jaeger_model.py). */
static const char one_json[] =
    "{\"traceId\":\"AAECAwQFBgcICQoLDA0ODw==\",\"spanId\":\"AQEBAQEBAQE=\",\"operationName\""
    ":\"op\",\"references\":[{\"traceId\":\"AAECAwQFBgcICQoLDA0ODw==\",\"spanId\":\"AgICAgI"
    "CAgI=\"},{\"traceId\":\"AwMDAwMDAwMDAwMDAwMDAw==\",\"spanId\":\"BAQEBAQEBAQ=\",\"refTy"
    "pe\":\"FOLLOWS_FROM\"}],\"flags\":1,\"startTime\":\"2023-11-14T22:13:20.000001Z\",\"du"
    "ration\":\"0.001500s\",\"tags\":[{\"key\":\"s\",\"vStr\":\"x\"},{\"key\":\"b\",\"vType"
    "\":\"BOOL\",\"vBool\":true},{\"key\":\"i\",\"vType\":\"INT64\",\"vInt64\":\"-5\"},{\"k"
    "ey\":\"d\",\"vType\":\"FLOAT64\",\"vFloat64\":0.5},{\"key\":\"y\",\"vType\":\"BINARY\""
    ",\"vBinary\":\"AP8=\"}],\"logs\":[{\"timestamp\":\"2023-11-14T22:13:20Z\",\"fields\":["
    "{\"key\":\"event\",\"vStr\":\"e\"}]}],\"process\":{\"serviceName\":\"shop\",\"tags\":["
    "{\"key\":\"hostname\",\"vStr\":\"h\"}]},\"processId\":\"p\"}";
static const char one_proto[] = /* in hex */
    "0a10000102030405060708090a0b0c0d0e0f120801010101010101011a026f70221c0a1000010203040506"
    "0708090a0b0c0d0e0f12080202020202020202221e0a100303030303030303030303030303030312080404"
    "0404040404041801280132090880e2cfaa0610e8073a0410e0c65b42060a01731a017842070a0162100120"
    "0142100a0169100228fbffffffffffffffff01420e0a0164100331000000000000e03f42090a017910043a"
    "0200ff4a140a060880e2cfaa06120a0a056576656e741a016552150a0473686f70120d0a08686f73746e61"
    "6d651a01685a0170";
static const char one_otlp[] =
    "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\""
    ":{\"stringValue\":\"shop\"}},{\"key\":\"host.name\",\"value\":{\"stringValue\":\"h\"}}"
    "]},\"scopeSpans\":[{\"scope\":{},\"spans\":[{\"traceId\":\"000102030405060708090a0b0c0"
    "d0e0f\",\"spanId\":\"0101010101010101\",\"parentSpanId\":\"0202020202020202\",\"name\""
    ":\"op\",\"startTimeUnixNano\":\"1700000000000001000\",\"endTimeUnixNano\":\"1700000000"
    "001501000\",\"attributes\":[{\"key\":\"s\",\"value\":{\"stringValue\":\"x\"}},{\"key\""
    ":\"b\",\"value\":{\"boolValue\":true}},{\"key\":\"i\",\"value\":{\"intValue\":\"-5\"}}"
    ",{\"key\":\"d\",\"value\":{\"doubleValue\":0.5}},{\"key\":\"y\",\"value\":{\"bytesValu"
    "e\":\"AP8=\"}}],\"events\":[{\"timeUnixNano\":\"1700000000000000000\",\"name\":\"e\"}]"
    ",\"links\":[{\"traceId\":\"03030303030303030303030303030303\",\"spanId\":\"04040404040"
    "40404\",\"attributes\":[{\"key\":\"opentracing.ref_type\",\"value\":{\"stringValue\":\""
    "follows_from\"}}]}],\"flags\":1}]}]}]}";

static void a_single_span_is_read_in_both_forms(void **state)
{
    uint8_t proto[sizeof(one_proto) / 2];
    char error[HF_JAEGER_ERROR_MAX] = "";
    (void)state;
    assert_true(hf_hex_read(hf_slice_text(one_proto), proto));
    char *of_json = read_text(hf_slice_text(one_json), HF_JAEGER_SPAN_JSON, error);
    char *of_proto = read_text(hf_slice_of(proto, sizeof(proto)), HF_JAEGER_SPAN_PROTO, error);
    assert_string_equal(error, "");
    assert_string_equal(of_json, one_otlp);
    assert_string_equal(of_proto, one_otlp);
    free(of_json);
    free(of_proto);
}

static void json_of_a_span_is_read_as_protobuf_has_it(void **state)
{
    static const struct {
        const char *text, *holds;
    } cases[] = {
        {"{}", ""},
        {"{\"flags\":0}", "\"spans\":[{}]"},
        {" {\"operation_name\": \"a\", \"trace_id\": \"AAECAwQFBgc=\"} ",
         "{\"traceId\":\"00000000000000000001020304050607\",\"name\":\"a\"}"},
        {"{\"operationName\":\"a\",\"tags\":null,\"flags\":\"1\"}", "\"flags\":1"},
        {"{\"tags\":[{\"key\":\"a\",\"v_type\":2,\"v_int64\":7}]}", "{\"intValue\":\"7\"}"},
        {"{\"tags\":[{\"key\":\"a\",\"vType\":\"FLOAT64\",\"vFloat64\":\"Infinity\"}]}",
         "{\"doubleValue\":\"Infinity\"}"},
        {"{\"tags\":[{\"key\":\"a\",\"vType\":\"FLOAT64\",\"vFloat64\":3}]}",
         "{\"doubleValue\":3}"},
        {"{\"tags\":[{\"key\":\"a\",\"vStr\":\"no\",\"vType\":\"BOOL\"}]}",
         "{\"boolValue\":false}"},
        {"{\"startTime\":\"0001-01-01T00:00:00Z\",\"duration\":\"1s\"}",
         "\"endTimeUnixNano\":\"1000000000\""},
        {"{\"startTime\":\"1970-01-01T01:00:02.5+01:00\",\"duration\":\"-0.5s\"}",
         "\"startTimeUnixNano\":\"2500000000\",\"endTimeUnixNano\":\"2000000000\""},
        {"{\"processId\":\"p\",\"warnings\":[\"w\"],\"operationName\":\"a\"}", "\"name\":\"a\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char error[HF_JAEGER_ERROR_MAX];
        char *json = read_text(hf_slice_text(cases[i].text), HF_JAEGER_SPAN_JSON, error);
        if (json == NULL || strstr(json, cases[i].holds) == NULL) {
            fail_msg("case %zu became %s\nwithout %s", i, json != NULL ? json : error,
                     cases[i].holds);
        }
        free(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_tell_kind_status_state_and_scope),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(a_batch_without_spans_is_nothing),
        cmocka_unit_test(a_single_span_is_read_in_both_forms),
        cmocka_unit_test(json_of_a_span_is_read_as_protobuf_has_it),
    };
    return cmocka_run_group_tests_name("jaeger", tests, NULL, NULL);
}
