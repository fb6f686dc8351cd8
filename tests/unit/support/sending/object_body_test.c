/* Contents of objects. */
#include "support/sending/object_body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include "pdata/build.h"

static struct hf_batch *make_logs(const char *const *resource, size_t count)
{
    struct hf_builder builder;
    hf_builder_init(&builder, HF_LOGS, SIZE_MAX);
    hf_build_resource(&builder, HF_EMPTY_SLICE);
    for (size_t i = 0; i < count; i++) {
        hf_build_attribute_string(&builder, hf_slice_text(resource[i]), hf_slice_text("v\"1"));
    }
    hf_build_scope(&builder, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
    for (int i = 0; i < 2; i++) {
        const struct hf_build_log_record record = {.observed_ns = UINT64_C(1700000000000000000)};
        hf_build_log_record(&builder, &record);
        hf_build_body_string(&builder, hf_slice_text(i == 0 ? "one" : "two"));
        hf_build_attribute_int(&builder, hf_slice_text("n"), i);
        hf_build_end(&builder);
    }
    assert_int_equal(hf_build_finish(&builder), HF_OK);
    struct hf_batch *batch = hf_build_take(&builder);
    hf_builder_release(&builder);
    assert_non_null(batch);
    return batch;
}

static void check(enum hf_object_format format, const struct hf_batch *batch, const char *content)
{
    struct hf_bytes out = {0};
    char error[256] = "";
    assert_int_equal(hf_object_write(format, HF_LOGS, batch->raw, &out, error), HF_OK);
    assert_int_equal(out.size, strlen(content));
    assert_memory_equal(out.data, content, out.size);
    hf_bytes_release(&out);
}

static void bodies_are_lines(void **state)
{
    struct hf_batch *batch = make_logs(NULL, 0);
    (void)state;
    check(HF_OBJECT_BODY, batch, "one\ntwo\n");
    hf_ref_drop(&batch->ref);
}

static void sumo_lines_have_their_sources(void **state)
{
    static const char *const sources[] = {"_sourceHost", "z", "_sourceName", "_sourceCategory",
                                          "a"};
    struct hf_batch *batch = make_logs(sources, 5);
    struct hf_bytes out = {0};
    char error[256] = "";
    (void)state;
#define LINE(body, number)                                                                         \
    "{\"date\":\"2023-11-14 22:13:20 +0000 UTC\",\"sourceName\":\"v\\\"1\",\"sourceHost\":"        \
    "\"v\\\"1\",\"sourceCategory\":\"v\\\"1\",\"fields\":{\"a\":\"v\\\"1\",\"z\":\"v\\\"1\"},"     \
    "\"message\":{\"log\":\"" body "\",\"n\":" number "}}\n"
    check(HF_OBJECT_SUMO_IC, batch, LINE("one", "0") LINE("two", "1"));
    hf_ref_drop(&batch->ref);
    batch = make_logs(sources, 3);
    assert_int_equal(hf_object_write(HF_OBJECT_SUMO_IC, HF_LOGS, batch->raw, &out, error),
                     HF_INVALID);
    assert_string_equal(error, "_sourceCategory attribute does not exist");
    hf_bytes_release(&out);
    hf_ref_drop(&batch->ref);
}

static void otlp_is_the_request(void **state)
{
    struct hf_batch *batch = make_logs(NULL, 0);
    struct hf_bytes out = {0};
    char error[256] = "";
    (void)state;
    assert_int_equal(hf_object_write(HF_OBJECT_OTLP_PROTO, HF_LOGS, batch->raw, &out, error),
                     HF_OK);
    assert_int_equal(out.size, batch->raw.size);
    out.size = 0;
    assert_int_equal(hf_object_write(HF_OBJECT_OTLP_JSON, HF_LOGS, batch->raw, &out, error), HF_OK);
    assert_memory_equal(out.data, "{\"resourceLogs\":[", 17);
    hf_bytes_release(&out);
    hf_ref_drop(&batch->ref);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_lines),
        cmocka_unit_test(sumo_lines_have_their_sources),
        cmocka_unit_test(otlp_is_the_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
