/* Spans of OTLP as Jaeger's api_v2 has them. The bytes and the JSON are those that Python's
 * protobuf makes of the same Span (tests/support/jaeger_model.py). */
#include "encodings/jaeger/jaeger_out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "encodings/jaeger/jaeger.h"
#include "pdata/json.h"
#include "pdata/json_value.h"
#include "util/hex.h"

#define IDS "\"traceId\":\"000102030405060708090a0b0c0d0e0f\",\"spanId\":\"0101010101010101\""
#define LIMIT_BYTES ((size_t)64 << 20)

#define A_LIST "\"arrayValue\":{\"values\":[{\"intValue\":\"1\"},{\"stringValue\":\"a\"}]}"
#define LIST_AS_TEXT "\"stringValue\":\"[1,\\\"a\\\"]\""

#define WHOLE(list)                                                                                \
    "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{"     \
    "\"stringValue\":\"shop\"}},{\"key\":\"host.name\",\"value\":{\"stringValue\":\"h\"}}]},"      \
    "\"scopeSpans\":[{\"scope\":{\"name\":\"lib\",\"version\":\"1.2\"},\"spans\":[{" IDS           \
    ",\"traceState\":\"a=b\",\"parentSpanId\":\"0202020202020202\",\"flags\":1,\"name\":\"op\","   \
    "\"kind\":3,\"startTimeUnixNano\":\"1700000000000001000\",\"endTimeUnixNano\":"                \
    "\"1700000001500001000\",\"attributes\":["                                                     \
    "{\"key\":\"s\",\"value\":{\"stringValue\":\"x\"}},"                                           \
    "{\"key\":\"b\",\"value\":{\"boolValue\":true}},"                                              \
    "{\"key\":\"i\",\"value\":{\"intValue\":\"-5\"}},"                                             \
    "{\"key\":\"d\",\"value\":{\"doubleValue\":0.5}},"                                             \
    "{\"key\":\"y\",\"value\":{\"bytesValue\":\"AP8=\"}},"                                         \
    "{\"key\":\"l\",\"value\":{" list "}}],"                                                       \
    "\"events\":[{\"timeUnixNano\":\"1700000000000000123\",\"name\":\"e\",\"attributes\":[{"       \
    "\"key\":\"n\",\"value\":{\"intValue\":\"7\"}}]}],"                                            \
    "\"links\":[{\"traceId\":\"03030303030303030303030303030303\",\"spanId\":"                     \
    "\"0404040404040404\",\"attributes\":[{\"key\":\"opentracing.ref_type\",\"value\":{"           \
    "\"stringValue\":\"follows_from\"}}]}],"                                                       \
    "\"status\":{\"message\":\"why\",\"code\":2}}]}]}]}"

/* A list becomes text on the way to Jaeger and back; all else stays. */
static const char whole[] = WHOLE(A_LIST);
static const char whole_back[] = WHOLE(LIST_AS_TEXT);

static const char whole_json[] =
    "{\"traceId\":\"AAECAwQFBgcICQoLDA0ODw==\",\"spanId\":\"AQEBAQEBAQE=\",\"operationName\":"
    "\"op\",\"references\":[{\"traceId\":\"AAECAwQFBgcICQoLDA0ODw==\",\"spanId\":\"AgICAgICAg"
    "I=\"},{\"traceId\":\"AwMDAwMDAwMDAwMDAwMDAw==\",\"spanId\":\"BAQEBAQEBAQ=\",\"refType\":"
    "\"FOLLOWS_FROM\"}],\"flags\":1,\"startTime\":\"2023-11-14T22:13:20.000001Z\",\"duration\""
    ":\"1.500s\",\"tags\":[{\"key\":\"otel.scope.name\",\"vStr\":\"lib\"},{\"key\":\"otel.sco"
    "pe.version\",\"vStr\":\"1.2\"},{\"key\":\"s\",\"vStr\":\"x\"},{\"key\":\"b\",\"vType\":\""
    "BOOL\",\"vBool\":true},{\"key\":\"i\",\"vType\":\"INT64\",\"vInt64\":\"-5\"},{\"key\":\""
    "d\",\"vType\":\"FLOAT64\",\"vFloat64\":0.5},{\"key\":\"y\",\"vType\":\"BINARY\",\"vBinar"
    "y\":\"AP8=\"},{\"key\":\"l\",\"vStr\":\"[1,\\\"a\\\"]\"},{\"key\":\"span.kind\",\"vStr\""
    ":\"client\"},{\"key\":\"otel.status_code\",\"vStr\":\"ERROR\"},{\"key\":\"error\",\"vTyp"
    "e\":\"BOOL\",\"vBool\":true},{\"key\":\"otel.status_description\",\"vStr\":\"why\"},{\"k"
    "ey\":\"w3c.tracestate\",\"vStr\":\"a=b\"}],\"logs\":[{\"timestamp\":\"2023-11-14T22:13:2"
    "0.000000123Z\",\"fields\":[{\"key\":\"event\",\"vStr\":\"e\"},{\"key\":\"n\",\"vType\":\""
    "INT64\",\"vInt64\":\"7\"}]}],\"process\":{\"serviceName\":\"shop\",\"tags\":[{\"key\":\""
    "host.name\",\"vStr\":\"h\"}]}}";

static const char whole_proto[] = /* in hex */
    "0a10000102030405060708090a0b0c0d0e0f120801010101010101011a026f70221c0a100001020304050607"
    "08090a0b0c0d0e0f12080202020202020202221e0a1003030303030303030303030303030303120804040404"
    "040404041801280132090880e2cfaa0610e8073a0808011080cab5ee0142160a0f6f74656c2e73636f70652e"
    "6e616d651a036c696242190a126f74656c2e73636f70652e76657273696f6e1a03312e3242060a01731a0178"
    "42070a01621001200142100a0169100228fbffffffffffffffff01420e0a0164100331000000000000e03f42"
    "090a017910043a0200ff420c0a016c1a075b312c2261225d42130a097370616e2e6b696e641a06636c69656e"
    "7442190a106f74656c2e7374617475735f636f64651a054552524f52420b0a056572726f7210012001421e0a"
    "176f74656c2e7374617475735f6465736372697074696f6e1a0377687942150a0e7733632e74726163657374"
    "6174651a03613d624a1f0a080880e2cfaa06107b120a0a056576656e741a016512070a016e1002280752160a"
    "0473686f70120e0a09686f73742e6e616d651a0168";

/* The first span of a request of OTLP/JSON, written; the caller's to release. */
static struct hf_bytes written(const char *json, bool is_proto)
{
    struct hf_bytes raw = {0}, out = {0};
    char error[HF_JSON_ERROR_MAX];
    assert_int_equal(hf_json_to_proto(HF_TRACES, hf_slice_text(json), LIMIT_BYTES, &raw, error),
                     HF_OK);
    struct hf_document *document = hf_document_borrow(HF_TRACES, hf_slice_of(raw.data, raw.size));
    struct hf_place place = {.document = document};
    assert_true(hf_place_next_item(&place));
    const struct hf_jaeger_process process = hf_jaeger_out_process(&place);
    const struct hf_jaeger_span span = hf_jaeger_out_span(&place, &process);
    assert_int_equal(is_proto ? hf_jaeger_out_proto(&span, &out) : hf_jaeger_out_json(&span, &out),
                     HF_OK);
    assert_int_equal(hf_document_status(document), HF_OK);
    hf_document_return(document);
    hf_bytes_release(&raw);
    return out;
}

static void a_whole_span_is_what_protobuf_makes(void **state)
{
    struct hf_bytes json = written(whole, false), proto = written(whole, true);
    uint8_t wanted[sizeof(whole_proto) / 2];
    (void)state;
    assert_true(hf_hex_read(hf_slice_text(whole_proto), wanted));
    assert_int_equal(proto.size, sizeof(wanted));
    assert_memory_equal(proto.data, wanted, sizeof(wanted));
    assert_int_equal(json.size, strlen(whole_json));
    assert_memory_equal(json.data, whole_json, json.size);
    hf_bytes_release(&json);
    hf_bytes_release(&proto);
}

/* The JSON of a request; the caller's to release. */
static struct hf_bytes as_json(struct hf_slice raw)
{
    struct hf_bytes json = {0};
    assert_int_equal(hf_json_from_proto(HF_TRACES, raw, &json), HF_OK);
    return json;
}

static void a_span_comes_back_as_it_was(void **state)
{
    struct hf_bytes raw = {0};
    char why[HF_JSON_ERROR_MAX], error[HF_JAEGER_ERROR_MAX];
    (void)state;
    assert_int_equal(hf_json_to_proto(HF_TRACES, hf_slice_text(whole_back), LIMIT_BYTES, &raw, why),
                     HF_OK);
    struct hf_bytes wanted = as_json(hf_slice_of(raw.data, raw.size));
    for (int is_proto = 0; is_proto < 2; is_proto++) {
        struct hf_bytes out = written(whole, is_proto);
        struct hf_builder builder;
        hf_builder_init(&builder, HF_TRACES, LIMIT_BYTES);
        assert_int_equal(hf_jaeger_read(hf_slice_of(out.data, out.size),
                                        is_proto ? HF_JAEGER_SPAN_PROTO : HF_JAEGER_SPAN_JSON,
                                        &builder, error),
                         HF_OK);
        assert_int_equal(hf_build_finish(&builder), HF_OK);
        struct hf_batch *batch = hf_build_take(&builder);
        struct hf_bytes json = as_json(batch->raw);
        if (json.size != wanted.size || memcmp(json.data, wanted.data, json.size) != 0) {
            fail_msg("%.*s\nnot %.*s", (int)json.size, json.data, (int)wanted.size, wanted.data);
        }
        hf_ref_drop(&batch->ref);
        hf_builder_release(&builder);
        hf_bytes_release(&out);
        hf_bytes_release(&json);
    }
    hf_bytes_release(&wanted);
    hf_bytes_release(&raw);
}

static void each_field_has_its_place(void **state)
{
    static const struct {
        const char *resource, *span, *holds;
    } cases[] = {
        {"", "\"name\":\"\"",
         "{\"traceId\":\"AAECAwQFBgcICQoLDA0ODw==\",\"spanId\":\"AQEBAQEBAQE=\",\"startTime\":"
         "\"1970-01-01T00:00:00Z\",\"duration\":\"0s\",\"process\":{\"serviceName\":"
         "\"OTLPResourceNoServiceName\"}}"},
        {"{\"key\":\"a\",\"value\":{}}", "\"name\":\"a\"",
         "\"process\":{\"tags\":[{\"key\":\"a\"}]}"},
        {"{\"key\":\"service.name\",\"value\":{\"intValue\":\"1\"}}", "\"name\":\"a\"",
         "\"process\":{}"},
        {"", "\"status\":{\"code\":1}",
         "\"tags\":[{\"key\":\"otel.status_code\",\"vStr\":\"OK\"}]"},
        {"", "\"kind\":9", "\"duration\":\"0s\",\"process\""},
        {"", "\"startTimeUnixNano\":\"2000000500\",\"endTimeUnixNano\":\"500000500\"",
         "\"startTime\":\"1970-01-01T00:00:02.000000500Z\",\"duration\":\"-1.500s\""},
        {"", "\"attributes\":[{\"key\":\"d\",\"value\":{\"doubleValue\":\"NaN\"}}]",
         "{\"key\":\"d\",\"vType\":\"FLOAT64\",\"vFloat64\":\"NaN\"}"},
        {"", "\"attributes\":[{\"key\":\"i\",\"value\":{\"intValue\":\"0\"}}]",
         "{\"key\":\"i\",\"vType\":\"INT64\"}"},
        {"",
         "\"events\":[{\"name\":\"e\",\"attributes\":[{\"key\":\"event\",\"value\":{"
         "\"stringValue\":\"own\"}}]},{}]",
         "\"logs\":[{\"timestamp\":\"1970-01-01T00:00:00Z\",\"fields\":[{\"key\":\"event\","
         "\"vStr\":\"own\"}]},{\"timestamp\":\"1970-01-01T00:00:00Z\"}]"},
        {"",
         "\"links\":[{\"traceId\":\"03030303030303030303030303030303\",\"attributes\":[{\"key\":"
         "\"opentracing.ref_type\",\"value\":{\"stringValue\":\"child_of\"}}]}]",
         "\"references\":[{\"traceId\":\"AwMDAwMDAwMDAwMDAwMDAw==\"}]"},
        /* A link to the parent tells how it is referred to, and is no second reference. */
        {"",
         "\"parentSpanId\":\"0202020202020202\",\"links\":[{\"traceId\":"
         "\"000102030405060708090a0b0c0d0e0f\",\"spanId\":\"0202020202020202\"}]",
         "\"references\":[{\"traceId\":\"AAECAwQFBgcICQoLDA0ODw==\",\"spanId\":\"AgICAgICAgI=\","
         "\"refType\":\"FOLLOWS_FROM\"}],\"startTime\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[2048];
        snprintf(
            text, sizeof(text),
            "{\"resourceSpans\":[{\"resource\":{\"attributes\":[%s]},\"scopeSpans\":[{\"spans\":"
            "[{" IDS ",%s}]}]}]}",
            cases[i].resource, cases[i].span);
        struct hf_bytes out = written(text, false);
        if (memmem(out.data, out.size, cases[i].holds, strlen(cases[i].holds)) == NULL) {
            fail_msg("case %zu became %.*s\nwithout %s", i, (int)out.size, out.data,
                     cases[i].holds);
        }
        hf_bytes_release(&out);
    }
}

static void a_span_without_ids_has_some_of_zeros(void **state)
{
    static const char none[] =
        "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\"a\"}]}]}]}";
    static const uint8_t wanted[] =
        "\x0a\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x12\x08\0\0\0\0\0\0\0\0"
        "\x1a\1a\x32\0\x3a\0\x52\x1b\x0a\x19OTLPResourceNoServiceName";
    (void)state;
    struct hf_bytes out = written(none, true);
    assert_int_equal(out.size, sizeof(wanted) - 1);
    assert_memory_equal(out.data, wanted, out.size);
    hf_bytes_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_span_is_what_protobuf_makes),
        cmocka_unit_test(a_span_comes_back_as_it_was),
        cmocka_unit_test(each_field_has_its_place),
        cmocka_unit_test(a_span_without_ids_has_some_of_zeros),
    };
    return cmocka_run_group_tests_name("jaeger_out", tests, NULL, NULL);
}
