/* OTLP/JSON in: each rule of the mapping as a text and the bytes it becomes, or the sentence it is
 * refused with. */
#include "pdata/json.h"
#include "pdata/repair.h"
#include "pdata/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs those before it */

/* One log record with `inner`, the members of an object. */
#define LOG(inner) "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{" inner "}]}]}]}"
#define SPAN(inner) "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" inner "}]}]}]}"
#define POINT(inner)                                                                               \
    "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"histogram\":{\"dataPoints\":["      \
    "{" inner "}]}}]}]}]}"
#define NUMBER(inner)                                                                              \
    "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"gauge\":{\"dataPoints\":[{" inner   \
    "}]}}]}]}]}"
#define BODY(inner) LOG("\"body\":{" inner "}")

struct good {
    enum hf_signal signal;
    const char *json;
    const char *bytes; /* of the innermost message, in hex; NULL: the whole request is empty */
    unsigned levels;   /* length-delimited fields around it */
};

static enum hf_status parse(enum hf_signal signal, const char *json, struct hf_bytes *out,
                            char *error)
{
    /* A copy of just its size, so that reading past the end is seen. */
    size_t size = strlen(json);
    char *copy = malloc(size);
    memcpy(copy, json, size);
    enum hf_status status = hf_json_to_proto(signal, hf_slice_of(copy, size), 1 << 20, out, error);
    free(copy);
    return status;
}

/* All that is here is shorter than 128 bytes: each level is a tag and one byte of length. */
static void check_bytes(const struct hf_bytes *got, const struct good *want)
{
    char hex[512] = "";
    size_t start = 2 * (size_t)want->levels;
    for (unsigned i = 0; i < want->levels; i++) {
        assert_int_equal(got->data[2 * i] & 7, 2);
        assert_int_equal(got->data[2 * i + 1], got->size - 2 * i - 2);
    }
    for (size_t i = start; i < got->size; i++) {
        snprintf(hex + 2 * (i - start), 3, "%02x", got->data[i]);
    }
    assert_string_equal(hex, want->bytes);
}

static void check_good(const struct good *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct hf_bytes out = {0};
        struct hf_scan scan;
        char error[HF_JSON_ERROR_MAX] = "";
        enum hf_status status = parse(rows[i].signal, rows[i].json, &out, error);
        if (status != HF_OK) {
            fail_msg("%s: %s", rows[i].json, error);
        }
        assert_int_equal(hf_scan(rows[i].signal, hf_slice_of(out.data, out.size), &scan), HF_OK);
        check_bytes(&out, &rows[i]);
        hf_bytes_release(&out);
    }
}

#define CHECK_GOOD(rows) check_good((rows), sizeof(rows) / sizeof((rows)[0]))

static void reads_every_kind_of_value(void **state)
{
    (void)state;
    static const struct good rows[] = {
        {HF_LOGS, BODY("\"stringValue\":\"a\\u00e9\\n\""), "0a0461c3a90a", 4},
        {HF_LOGS, BODY("\"stringValue\":\"\""), "0a00", 4},
        {HF_LOGS, BODY("\"stringValue\":\"\\ud83d\\ude00\""), "0a04f09f9880", 4},
        {HF_LOGS, BODY("\"boolValue\":true"), "1001", 4},
        {HF_LOGS, BODY("\"boolValue\":false"), "1000", 4},
        {HF_LOGS, BODY("\"intValue\":\"300\""), "18ac02", 4},
        {HF_LOGS, BODY("\"intValue\":300"), "18ac02", 4},
        {HF_LOGS, BODY("\"intValue\":-1"), "18ffffffffffffffffff01", 4},
        {HF_LOGS, BODY("\"intValue\":3.0e2"), "18ac02", 4},
        {HF_LOGS, BODY("\"intValue\":\"-9223372036854775808\""), "1880808080808080808001", 4},
        {HF_LOGS, BODY("\"doubleValue\":0"), "210000000000000000", 4},
        {HF_LOGS, BODY("\"doubleValue\":0.1"), "219a9999999999b93f", 4},
        {HF_LOGS, BODY("\"doubleValue\":1e23"), "21f64ae1c7022db544", 4},
        {HF_LOGS, BODY("\"doubleValue\":\"-Infinity\""), "21000000000000f0ff", 4},
        {HF_LOGS, BODY("\"doubleValue\":\"0.5\""), "21000000000000e03f", 4},
        {HF_LOGS, BODY("\"bytesValue\":\"AP+/\""), "3a0300ffbf", 4},
        {HF_LOGS, BODY("\"bytesValue\":\"AP-_\""), "3a0300ffbf", 4},
        {HF_LOGS, BODY("\"bytesValue\":\"AP8=\""), "3a0200ff", 4},
        {HF_LOGS, BODY("\"bytesValue\":\"AP8\""), "3a0200ff", 4},
        {HF_LOGS, BODY("\"bytesValue\":\"\""), "3a00", 4},
        {HF_LOGS, BODY("\"arrayValue\":{\"values\":[{\"intValue\":1},{},null]}"),
         "2a080a0218010a000a00", 4},
        {HF_LOGS, BODY("\"kvlistValue\":{\"values\":[{\"key\":\"k\"}]}"), "32050a030a016b", 4},
        {HF_LOGS, BODY(""), "", 4},
        {HF_TRACES, SPAN("\"kind\":3"), "3003", 3},
        {HF_TRACES, SPAN("\"kind\":\"SPAN_KIND_CLIENT\""), "3003", 3},
        {HF_TRACES, SPAN("\"kind\":\"3\""), "3003", 3},
        {HF_TRACES, SPAN("\"kind\":99"), "3063", 3},
        {HF_TRACES, SPAN("\"flags\":257"), "850101010000", 3},
        {HF_TRACES, SPAN("\"spanId\":\"0102030405060aFF\""), "12080102030405060aff", 3},
        {HF_TRACES, SPAN("\"traceId\":\"\",\"spanId\":\"\""), "", 3},
        {HF_TRACES, SPAN("\"droppedLinksCount\":4294967295"), "70ffffffff0f", 3},
        {HF_METRICS, NUMBER("\"asInt\":\"-2\""), "31feffffffffffffff", 5},
        {HF_METRICS, POINT("\"bucketCounts\":[\"1\",2]"), "321001000000000000000200000000000000",
         5},
        {HF_METRICS, POINT("\"bucketCounts\":[]"), "", 5},
        {HF_METRICS, POINT("\"sum\":0,\"min\":0.0"),
         "2900000000000000005900000000000000"
         "00",
         5},
    };
    CHECK_GOOD(rows);
}

static void leaves_out_what_is_absent_or_unknown(void **state)
{
    (void)state;
    static const struct good rows[] = {
        {HF_TRACES, "{}", "", 0},
        {HF_TRACES, " {\"resourceSpans\" : [ ] } \n", "", 0},
        {HF_TRACES, "{\"resourceSpans\":null}", "", 0},
        {HF_TRACES, "{\"resourceLogs\":[{\"schemaUrl\":\"x\"}]}", "", 0},
        {HF_TRACES, SPAN("\"name\":null,\"status\":null,\"events\":null,\"kind\":null"), "", 3},
        {HF_TRACES, SPAN("\"name\":\"\",\"kind\":0,\"startTimeUnixNano\":\"0\""), "", 3},
        {HF_TRACES, SPAN("\"x\":{\"name\":[[{\"name\":\"y\"}],1,null,true]},\"name\":\"z\""),
         "2a017a", 3},
        {HF_TRACES, "{\"resourceSpans\":[{\"instrumentationLibrarySpans\":[{\"spans\":[{}]}]}]}",
         "", 1},
    };
    CHECK_GOOD(rows);
}

static void takes_proto_names_and_repeated_keys(void **state)
{
    (void)state;
    static const struct good rows[] = {
        {HF_TRACES,
         "{\"resource_spans\":[{\"scope_spans\":[{\"spans\":[{\"parent_span_id\":"
         "\"0000000000000001\"}]}]}]}",
         "22080000000000000001", 3},
        /* What comes later replaces: a decoder takes the last one. */
        {HF_TRACES, SPAN("\"kind\":1,\"kind\":2"), "30013002", 3},
        {HF_TRACES, SPAN("\"kind\":1,\"kind\":0"), "30013000", 3},
        {HF_LOGS, BODY("\"intValue\":1,\"stringValue\":\"\""), "18010a00", 4},
        /* Lists grow. */
        {HF_TRACES, SPAN("\"events\":[{}],\"events\":[{}]"), "5a005a00", 3},
    };
    CHECK_GOOD(rows);
}

static const struct {
    enum hf_signal signal;
    const char *json;
    const char *error;
} refusals[] = {
    {HF_TRACES, "", "not JSON"},
    {HF_TRACES, "  ", "not JSON"},
    {HF_TRACES, "[]", "expected an object"},
    {HF_TRACES, "null", "expected an object"},
    {HF_TRACES, "7", "expected an object"},
    {HF_TRACES, "\"x\"", "expected an object"},
    {HF_TRACES, "{", "not JSON"},
    {HF_TRACES, "{\"resourceSpans\":[]", "not JSON"},
    {HF_TRACES, "{} {}", "not JSON"},
    {HF_TRACES, "{'a':1}", "not JSON"},
    {HF_TRACES, "{\"a\":1,}", "not JSON"},
    {HF_TRACES, "{\"resourceSpans\":{}}", "resourceSpans: expected a list"},
    {HF_TRACES, "{\"resourceSpans\":3}", "resourceSpans: expected a list"},
    {HF_TRACES, "{\"resourceSpans\":[[]]}", "resourceSpans[0]: expected an object"},
    {HF_TRACES, "{\"resourceSpans\":[{},\"\"]}", "resourceSpans[1]: expected an object"},
    {HF_TRACES, "{\"resourceSpans\":[{\"resource\":[]}]}",
     "resourceSpans[0].resource: expected an object"},
    {HF_TRACES, SPAN("\"name\":3"),
     "resourceSpans[0].scopeSpans[0].spans[0].name: expected text (byte "},
    {HF_TRACES, SPAN("\"name\":{}"), "name: expected text"},
    {HF_TRACES, SPAN("\"name\":true"), "name: expected text"},
    {HF_TRACES, SPAN("\"traceId\":\"01\""), "traceId: expected 32 hexadecimal digits"},
    {HF_TRACES, SPAN("\"spanId\":\"010203040506070g\""), "spanId: expected an id"},
    {HF_TRACES, SPAN("\"spanId\":7"), "spanId: expected an id"},
    {HF_TRACES, SPAN("\"kind\":\"SERVER\""), "kind: expected a number or name"},
    {HF_TRACES, SPAN("\"kind\":2147483648"), "kind: expected a number or name"},
    {HF_TRACES, SPAN("\"flags\":-1"), "flags: expected a whole number of 32 bits"},
    {HF_TRACES, SPAN("\"flags\":4294967296"), "flags: expected a whole number of 32 bits"},
    {HF_TRACES, SPAN("\"startTimeUnixNano\":\"\""), "startTimeUnixNano: expected a whole"},
    {HF_TRACES, SPAN("\"startTimeUnixNano\":18446744073709551616"), "expected a whole number"},
    {HF_TRACES, SPAN("\"startTimeUnixNano\":1.5"), "expected a whole number"},
    {HF_TRACES, SPAN("\"startTimeUnixNano\":\" 1\""), "expected a whole number"},
    {HF_TRACES, SPAN("\"events\":[1]"), "events[0]: expected an object"},
    {HF_LOGS, BODY("\"intValue\":9223372036854775808"), "body.intValue: expected a whole"},
    {HF_LOGS, BODY("\"doubleValue\":1e999"), "body.doubleValue: expected a number"},
    {HF_LOGS, BODY("\"doubleValue\":\"0x10\""), "body.doubleValue: expected a number"},
    {HF_LOGS, BODY("\"boolValue\":\"true\""), "body.boolValue: expected true or false"},
    {HF_LOGS, BODY("\"bytesValue\":\"A\""), "body.bytesValue: expected base64"},
    {HF_LOGS, BODY("\"bytesValue\":\"AA*A\""), "body.bytesValue: expected base64"},
    {HF_LOGS, BODY("\"stringValue\":\"\xff\""), "not JSON"},
    {HF_LOGS, BODY("\"stringValue\":\"\xed\xa0\x80\""), "body.stringValue: text that is not"},
    {HF_METRICS, POINT("\"bucketCounts\":[1,null]"), "bucketCounts[1]: expected a whole"},
    {HF_METRICS, POINT("\"bucketCounts\":[[1]]"), "bucketCounts[0]: expected a whole"},
    {HF_METRICS, POINT("\"bucketCounts\":7"), "bucketCounts: expected a list"},
    {HF_METRICS, POINT("\"explicitBounds\":[\"x\"]"), "explicitBounds[0]: expected a number"},
};

static void refuses_with_the_place_and_the_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct hf_bytes out = {0};
        char error[HF_JSON_ERROR_MAX] = "";
        assert_int_equal(hf_bytes_append(&out, hf_slice_text("kept")), HF_OK);
        if (parse(refusals[i].signal, refusals[i].json, &out, error) != HF_INVALID ||
            strstr(error, refusals[i].error) == NULL) {
            fail_msg("%s: \"%s\", not \"%s\"", refusals[i].json, error, refusals[i].error);
        }
        assert_int_equal(out.size, 4); /* what stood there before stays, and nothing more */
        hf_bytes_release(&out);
    }
}

struct text {
    char *data;
    size_t size;
};

static void add(struct text *text, const char *more, unsigned times)
{
    size_t size = strlen(more);
    text->data = realloc(text->data, text->size + times * size + 1);
    for (unsigned i = 0; i < times; i++) {
        memcpy(text->data + text->size, more, size + 1);
        text->size += size;
    }
}

static enum hf_status parse_nested(const char *head, const char *open, const char *close,
                                   const char *tail, unsigned depth)
{
    struct text json = {0};
    struct hf_bytes out = {0};
    char error[HF_JSON_ERROR_MAX] = "";
    add(&json, head, 1);
    add(&json, open, depth);
    add(&json, close, depth);
    add(&json, tail, 1);
    enum hf_status status = parse(HF_LOGS, json.data, &out, error);
    struct hf_scan scan;
    if (status == HF_OK) {
        assert_int_equal(hf_scan(HF_LOGS, hf_slice_of(out.data, out.size), &scan), HF_OK);
    } else {
        assert_non_null(strstr(error, "nested too deep"));
    }
    hf_bytes_release(&out);
    free(json.data);
    return status;
}

static void nests_as_deep_as_the_scan_and_no_deeper(void **state)
{
    (void)state;
    /* Three messages around the body, and two a level. */
    static const char head[] = "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":{";
    static const char open[] = "\"arrayValue\":{\"values\":[{";
    const unsigned most = (HF_SCAN_DEPTH_MAX - 4) / 2;
    assert_int_equal(parse_nested(head, open, "}]}", "}}]}]}]}", most), HF_OK);
    assert_int_equal(parse_nested(head, open, "}]}", "}}]}]}]}", most + 1), HF_INVALID);
    assert_int_equal(parse_nested(head, open, "}]}", "}}]}]}]}", 5000), HF_INVALID);
    assert_int_equal(parse_nested("{\"x\":", "[", "]", "}", 10000), HF_OK);
    assert_int_equal(parse_nested("{\"x\":", "[", "]", "}", 10001), HF_INVALID);
}

static void keeps_to_the_limit(void **state)
{
    (void)state;
    static const char json[] = BODY("\"stringValue\":\"0123456789\"");
    struct hf_bytes out = {0};
    char error[HF_JSON_ERROR_MAX] = "";
    assert_int_equal(hf_json_to_proto(HF_LOGS, hf_slice_text(json), 20, &out, error), HF_OK);
    assert_int_equal(out.size, 20);
    out.size = 0;
    assert_int_equal(hf_json_to_proto(HF_LOGS, hf_slice_text(json), 19, &out, error), HF_TOO_LARGE);
    assert_non_null(strstr(error, "larger than the limit"));
    assert_int_equal(out.size, 0);
    hf_bytes_release(&out);
}

/* Lengths of more than one byte are written short, as every protobuf library does. */
static void writes_canonical_lengths(void **state)
{
    (void)state;
    static const unsigned sizes[] = {100, 121, 122, 16000, 16374, 16375, 70000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct text json = {0};
        struct hf_bytes out = {0};
        char error[HF_JSON_ERROR_MAX] = "";
        add(&json, "{\"resourceLogs\":[{\"schemaUrl\":\"", 1);
        add(&json, "x", sizes[i]);
        add(&json, "\"}]}", 1);
        assert_int_equal(parse(HF_LOGS, json.data, &out, error), HF_OK);
        unsigned inner = sizes[i] < 128 ? 1 : sizes[i] < 16384 ? 2 : 3;
        unsigned size = 1 + inner + sizes[i];
        unsigned outer = size < 128 ? 1 : size < 16384 ? 2 : 3;
        assert_int_equal(out.size, 1 + outer + size);
        hf_bytes_release(&out);
        free(json.data);
    }
}

static void refuses_keys_without_end(void **state)
{
    (void)state;
    struct text json = {0};
    struct hf_bytes out = {0};
    char error[HF_JSON_ERROR_MAX] = "";
    add(&json, "{\"", 1);
    add(&json, "k", 1025);
    add(&json, "\":1}", 1);
    assert_int_equal(parse(HF_LOGS, json.data, &out, error), HF_INVALID);
    hf_bytes_release(&out);
    free(json.data);
}

static void keeps_any_bytes_of_strings_for_the_repair(void **state)
{
    static const char json[] = BODY("\"stringValue\":\"a\xff\xed\xa0\x80\"");
    struct hf_bytes out = {0};
    struct hf_bytes repaired = {0};
    char error[HF_JSON_ERROR_MAX] = "";
    uint64_t count = 0;
    (void)state;
    assert_int_equal(hf_json_to_proto_any_text(HF_LOGS, hf_slice_text(json), 1 << 20, &out, error),
                     HF_OK);
    assert_non_null(memmem(out.data, out.size, "a\xff\xed\xa0\x80", 5));
    assert_int_equal(hf_repair(HF_LOGS, hf_slice_of(out.data, out.size), &repaired, &count), HF_OK);
    assert_int_equal(count, 1);
    out.size = 0;
    /* Outside of strings they are no JSON. */
    assert_int_equal(
        hf_json_to_proto_any_text(HF_LOGS, hf_slice_text("{\xff}"), 1 << 20, &out, error),
        HF_INVALID);
    assert_int_equal(out.size, 0);
    hf_bytes_release(&out);
    hf_bytes_release(&repaired);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_any_bytes_of_strings_for_the_repair),
        cmocka_unit_test(reads_every_kind_of_value),
        cmocka_unit_test(leaves_out_what_is_absent_or_unknown),
        cmocka_unit_test(takes_proto_names_and_repeated_keys),
        cmocka_unit_test(refuses_with_the_place_and_the_reason),
        cmocka_unit_test(nests_as_deep_as_the_scan_and_no_deeper),
        cmocka_unit_test(keeps_to_the_limit),
        cmocka_unit_test(writes_canonical_lengths),
        cmocka_unit_test(refuses_keys_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
