/* Messages of OpenCensus: what holds for a stream, and what is refused; what a span and a metric
 * become is in tests/integration/test_opencensus.py. */
#include "encodings/opencensus/opencensus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pdata/json.h"
#include "pdata/scan.h"
#include "pdata/wire.h"

#define BYTES(text)                                                                                \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

/* The spans of a message as JSON, "" for none; `expected` is what reading it says. */
static char *read_spans(struct hf_slice message, struct hf_bytes *kept, enum hf_status expected)
{
    char error[HF_OPENCENSUS_ERROR_MAX] = "";
    struct hf_builder builder;
    struct hf_bytes json = {0};
    struct hf_scan scan;
    hf_builder_init(&builder, HF_TRACES, (size_t)1 << 20);
    assert_int_equal(hf_opencensus_read(message, kept, &builder, error), expected);
    assert_int_equal(error[0] != '\0', expected == HF_INVALID);
    assert_int_equal(hf_build_finish(&builder), HF_OK);
    struct hf_batch *batch = hf_build_take(&builder);
    if (batch != NULL) {
        assert_int_equal(hf_scan(HF_TRACES, batch->raw, &scan), HF_OK);
        assert_int_equal(hf_json_from_proto(HF_TRACES, batch->raw, &json), HF_OK);
        hf_ref_drop(&batch->ref);
    }
    assert_int_equal(hf_bytes_append(&json, hf_slice_of("", 1)), HF_OK);
    hf_builder_release(&builder);
    return (char *)json.data;
}

/* A node with a service, a span with a name; either may be left out. */
static void put(struct hf_wire_writer *writer, const char *service, const char *span)
{
    if (service != NULL) {
        struct hf_wire_message node = hf_wire_open(writer, 1, 16);
        struct hf_wire_message info = hf_wire_open(writer, 3, 16);
        hf_wire_put_bytes(writer, 1, hf_slice_text(service));
        hf_wire_close(writer, info);
        hf_wire_close(writer, node);
    }
    if (span != NULL) {
        struct hf_wire_message item = hf_wire_open(writer, 2, 16);
        struct hf_wire_message name = hf_wire_open(writer, 4, 16);
        hf_wire_put_bytes(writer, 1, hf_slice_text(span));
        hf_wire_close(writer, name);
        hf_wire_close(writer, item);
    }
}

static char *say(struct hf_bytes *kept, const char *service, const char *span,
                 enum hf_status expected)
{
    struct hf_bytes bytes = {0};
    struct hf_wire_writer writer = {.out = &bytes};
    put(&writer, service, span);
    char *json = read_spans(hf_slice_of(bytes.data, bytes.size), kept, expected);
    hf_bytes_release(&bytes);
    return json;
}

static void a_node_holds_until_another_is_told(void **state)
{
    struct hf_bytes kept = {0};
    (void)state;
    free(say(&kept, NULL, "early", HF_INVALID));
    assert_int_equal(kept.size, 0);
    free(say(&kept, "shop", NULL, HF_OK));
    static const struct {
        const char *service, *seen;
    } rows[] = {{NULL, "shop"}, {"other", "other"}, {NULL, "other"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *json = say(&kept, rows[i].service, "s", HF_OK);
        assert_non_null(strstr(json, rows[i].seen));
        assert_non_null(strstr(json, "\"name\":\"s\""));
        free(json);
    }
    hf_bytes_release(&kept);
}

static void a_node_has_a_largest_size(void **state)
{
    struct hf_bytes kept = {0};
    char *name = malloc(HF_OPENCENSUS_KEPT_MAX + 1);
    (void)state;
    assert_non_null(name);
    memset(name, 'x', HF_OPENCENSUS_KEPT_MAX);
    name[HF_OPENCENSUS_KEPT_MAX] = '\0';
    free(say(&kept, name, NULL, HF_INVALID));
    assert_int_equal(kept.size, 0);
    free(name);
}

static void malformed_bytes_are_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
    } cases[] = {
        BYTES("\x0a\x05"),                 /* the message */
        BYTES("\x0a\x00\x12\x02\x0a\x05"), /* its span */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_bytes kept = {0};
        free(read_spans(hf_slice_of(cases[i].bytes, cases[i].size), &kept, HF_INVALID));
        hf_bytes_release(&kept);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_holds_until_another_is_told),
        cmocka_unit_test(a_node_has_a_largest_size),
        cmocka_unit_test(malformed_bytes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
