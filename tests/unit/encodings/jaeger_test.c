/* Jaeger's formats as OTLP, in OTLP's JSON. tests/differential/receivers has what the Go collector
 * makes of whole requests. */
#include "encodings/jaeger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pdata/json.h"
#include "pdata/wire.h"

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
        {{INT("http.response.status_code", 200)}, "\"key\":\"http.status_code\""},
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

static void what_is_wrong_is_said(void **state)
{
    static const struct {
        enum hf_jaeger_format format;
        struct hf_slice bytes;
        const char *says;
    } cases[] = {
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
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char error[HF_JAEGER_ERROR_MAX];
        char *json = read_text(cases[i].bytes, cases[i].format, error);
        if (json != NULL || strstr(error, cases[i].says) == NULL) {
            fail_msg("case %zu: %s, not %s", i, json != NULL ? json : error, cases[i].says);
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
    json = read_text(hf_slice_of("\0", 1), HF_JAEGER_THRIFT_BATCH, error);
    assert_string_equal(json, "");
    free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_tell_kind_status_state_and_scope),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(a_batch_without_spans_is_nothing),
    };
    return cmocka_run_group_tests_name("jaeger", tests, NULL, NULL);
}
