/* Push requests of Loki as log records, and what is wrong with those that are refused. */
#include "encodings/loki/loki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "encodings/loki/loki_labels.h"
#include "pdata/json.h"

#define NOW_NS 77u

static enum hf_status read_body(struct hf_slice body, struct hf_loki_options options,
                                struct hf_bytes *json, char *reterr)
{
    struct hf_builder builder;
    hf_builder_init(&builder, HF_LOGS, (size_t)1 << 20);
    options.now_ns = NOW_NS;
    enum hf_status status = hf_loki_read(body, &options, &builder, reterr);
    json->size = 0;
    if (status == HF_OK) {
        assert_int_equal(hf_build_finish(&builder), HF_OK);
        struct hf_batch *batch = hf_build_take(&builder);
        if (batch != NULL) {
            assert_int_equal(hf_json_from_proto(HF_LOGS, batch->raw, json), HF_OK);
            hf_ref_drop(&batch->ref);
        }
        assert_int_equal(hf_bytes_append(json, hf_slice_of("", 1)), HF_OK);
    }
    hf_builder_release(&builder);
    return status;
}

static void reads_labels_as_promql_writes_them(void **state)
{
    static const struct {
        const char *text, *seen;
    } cases[] = {
        {"{}", ""},
        {"{a=\"b\"}", "a=b;"},
        {" { a = 'b' , c=`d\\n` , } ", "a=b;c=d\\n;"},
        {"up{job=\"x\"}", "job=x;"},
        {"{__internal__=\"x\", a=\"1\", a=\"2\"}", "a=1;"},
        {"{\"a.b\"=\"c\"}", "a.b=c;"},
        {"{a=\"q\\\"\\\\\\n\\t\\x41\\101\\u00e4\\U0001F600\"}",
         "a=q\"\\\n\tAA\xc3\xa4\xf0\x9f\x98\x80;"},
        {"", "labels do not begin with {"},
        {"{a=\"b\"", "labels are not closed by }"},
        {"{a}", "a label has no = behind its name"},
        {"{a=b}", "a label has no value in quotes"},
        {"{a=\"b}", "the quote of a label is not closed"},
        {"{a=\"\\q\"}", "a label has an escape that is not known"},
        {"{=\"x\"}", "a label has no name"},
        {"{a=\"b\"} x", "there is something behind the labels"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_arena arena = {.limit = 1 << 16};
        struct hf_loki_labels labels;
        char seen[256] = "";
        const char *wrong = hf_loki_labels_read(hf_slice_text(cases[i].text), &arena, &labels);
        for (size_t k = 0; wrong == NULL && k < labels.count; k++) {
            snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%.*s=%.*s;",
                     (int)labels.items[k].name.size, (const char *)labels.items[k].name.data,
                     (int)labels.items[k].value.size, (const char *)labels.items[k].value.data);
        }
        assert_string_equal(wrong != NULL ? wrong : seen, cases[i].seen);
        hf_arena_release(&arena);
    }
}

static void json_becomes_records(void **state)
{
    static const struct {
        const char *body;
        bool keep;
        const char *found; /* in the records, or the sentence of a refusal */
        bool is_refused;
    } cases[] = {
        {"{}", false, "", false},
        {"{\"streams\":[{\"stream\":{\"a\":\"b\"},\"values\":[[\"5\",\"one\"],[\"6\",\"two\"]]}]}",
         true,
         "[{\"timeUnixNano\":\"5\",\"body\":{\"stringValue\":\"one\"},\"attributes\":[{\"key\":"
         "\"a\","
         "\"value\":{\"stringValue\":\"b\"}}],\"observedTimeUnixNano\":\"77\"},{\"timeUnixNano\":"
         "\"6\"",
         false},
        {"{\"streams\":[{\"values\":[[\"5\",\"one\"]]}]}", false, "\"timeUnixNano\":\"77\"", false},
        {"{\"streams\":[{\"stream\":{\"a\":\"b\"},\"values\":[[\"5\",\"x\",{\"a\":\"no\",\"t\":"
         "\"y\"}]]}]}",
         false,
         "[{\"key\":\"a\",\"value\":{\"stringValue\":\"b\"}},{\"key\":\"t\",\"value\":{"
         "\"stringValue\":\"y\"}}]",
         false},
        {"[]", false, "expected a map with a list `streams`", true},
        {"{\"streams\":[1]}", false, "streams: each is a map", true},
        {"{\"streams\":[{\"stream\":{\"a\":1}}]}", false, "streams: each is a map", true},
        {"{\"streams\":[{\"values\":1}]}", false, "streams: `values` is a list", true},
        {"{\"streams\":[{\"values\":[[5,\"x\"]]}]}", false, "values: each is a list", true},
        {"{\"streams\":[{\"values\":[[\"-5\",\"x\"]]}]}", false, "values: each is a list", true},
        {"{\"streams\":[{\"values\":[[\"5\"]]}]}", false, "values: each is a list", true},
        {"{\"streams\":[{\"values\":[[\"5\",\"x\",1]]}]}", false, "values: structured", true},
    };
    struct hf_bytes json = {0};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char why[HF_LOKI_ERROR_MAX] = "";
        const struct hf_loki_options options = {.is_json = true, .keep_timestamp = cases[i].keep};
        enum hf_status status = read_body(hf_slice_text(cases[i].body), options, &json, why);
        assert_int_equal(status, cases[i].is_refused ? HF_INVALID : HF_OK);
        const char *seen = cases[i].is_refused ? why : (const char *)json.data;
        if (strstr(seen, cases[i].found) == NULL) {
            fail_msg("%s: %s has no %s", cases[i].body, seen, cases[i].found);
        }
    }
    hf_bytes_release(&json);
}

/* stream {labels: {a="b"}, entries: {time {1, 5}, line "hi", metadata {m, n}}} */
static const uint8_t proto[] = "\x0a\x20"
                               "\x0a\x07{a=\"b\"}"
                               "\x12\x15"
                               "\x0a\x04\x08\x01\x10\x05"
                               "\x12\x02hi"
                               "\x1a\x06\x0a\x01m\x12\x01n"
                               "\x22\x01x";

static void protobuf_becomes_records(void **state)
{
    struct hf_bytes json = {0};
    char why[HF_LOKI_ERROR_MAX] = "";
    const struct hf_loki_options options = {.keep_timestamp = true};
    (void)state;
    assert_int_equal(read_body(hf_slice_of(proto, sizeof(proto) - 1), options, &json, why), HF_OK);
    assert_non_null(strstr((const char *)json.data,
                           "{\"timeUnixNano\":\"1000000005\",\"body\":{\"stringValue\":\"hi\"},"
                           "\"attributes\":[{\"key\":\"a\",\"value\":{\"stringValue\":\"b\"}},{"
                           "\"key\":\"m\",\"value\":{\"stringValue\":\"n\"}}]"));
    hf_bytes_release(&json);
}

/* Of a body that is cut anywhere nothing is taken. */
static void cut_protobuf_is_refused(void **state)
{
    struct hf_bytes json = {0};
    (void)state;
    for (size_t size = 1; size + 1 < sizeof(proto); size++) {
        char why[HF_LOKI_ERROR_MAX] = "";
        assert_int_equal(
            read_body(hf_slice_of(proto, size), (struct hf_loki_options){0}, &json, why),
            HF_INVALID);
        assert_true(why[0] != '\0');
    }
    hf_bytes_release(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_labels_as_promql_writes_them),
        cmocka_unit_test(json_becomes_records),
        cmocka_unit_test(protobuf_becomes_records),
        cmocka_unit_test(cut_protobuf_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
