/* Requests as events, and their limits. */
#include "components/exporters/splunk_hec/hec_events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include "pdata/build.h"
#include "tests/support/node_stub.c"

static struct hec_config config = {
    .source = "",
    .sourcetype = "",
    .index = "",
    .log_data_enabled = true,
    .profiling_data_enabled = true,
    .event_bytes_max = 10000,
    .severity = {.text = "severity", .number = "number"},
};

static void begin_logs(struct hf_builder *builder, const char *scope)
{
    hf_builder_init(builder, HF_LOGS, SIZE_MAX);
    hf_build_resource(builder, HF_EMPTY_SLICE);
    hf_build_attribute_string(builder, hf_slice_text("host.name"), hf_slice_text("n1"));
    hf_build_attribute_string(builder, hf_slice_text("k"), hf_slice_text("resource"));
    hf_build_scope(builder, hf_slice_text(scope), HF_EMPTY_SLICE);
}

static void put_record(struct hf_builder *builder, const char *body, uint64_t time_ns)
{
    const struct hf_build_log_record record = {.time_ns = time_ns, .severity_number = 9};
    hf_build_log_record(builder, &record);
    hf_build_body_string(builder, hf_slice_text(body));
    hf_build_attribute_string(builder, hf_slice_text("k"), hf_slice_text("record"));
    hf_build_end(builder);
}

static enum hf_status write(struct hec_events *events, struct hf_builder *builder,
                            struct hf_bytes *out)
{
    assert_int_equal(hf_build_finish(builder), HF_OK);
    struct hf_batch *batch = hf_build_take(builder);
    enum hf_status status = hec_events_write(events, batch->signal, batch->raw, out);
    hf_ref_drop(&batch->ref);
    hf_builder_release(builder);
    return status;
}

static void expect(struct hf_builder *builder, const char *text, uint64_t left_out)
{
    struct hec_events events = {.config = &config, .keys = hec_metadata_keys(&config)};
    struct hf_bytes out = {0};
    assert_int_equal(write(&events, builder, &out), HF_OK);
    assert_int_equal(out.size, strlen(text));
    if (out.size != 0) {
        assert_memory_equal(out.data, text, out.size);
    }
    assert_int_equal(events.left_out, left_out);
    hf_bytes_release(&out);
    hec_events_release(&events);
}

static void records_stand_behind_each_other(void **state)
{
    struct hf_builder builder;
    (void)state;
    begin_logs(&builder, "");
    put_record(&builder, "a\"", UINT64_C(1999999));
    put_record(&builder, "", 1);
    put_record(&builder, "b", 0);
    expect(&builder,
           "{\"time\":0.002,\"event\":\"a\\\"\",\"host\":\"n1\",\"fields\":{\"number\":9,"
           "\"k\":\"record\"}}"
           "{\"event\":\"b\",\"host\":\"n1\",\"fields\":{\"number\":9,\"k\":\"record\"}}",
           1);
}

static void kinds_of_records_can_be_left_out(void **state)
{
    static const struct {
        bool logs, profiles;
        const char *scope;
        uint64_t left_out;
    } rows[] = {{true, false, "otel.profiling", 1}, {false, true, "other", 1}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_builder builder;
        config.log_data_enabled = rows[i].logs;
        config.profiling_data_enabled = rows[i].profiles;
        begin_logs(&builder, rows[i].scope);
        put_record(&builder, "x", 1);
        expect(&builder, "", rows[i].left_out);
    }
    config.log_data_enabled = config.profiling_data_enabled = true;
}

static void raw_bodies_are_lines(void **state)
{
    struct hf_builder builder;
    (void)state;
    config.export_raw = true;
    begin_logs(&builder, "");
    put_record(&builder, "a", 1);
    put_record(&builder, "b", 1);
    expect(&builder, "a\nb\n", 0);
    config.export_raw = false;
}

static void an_event_has_a_limit(void **state)
{
    struct hec_events events = {.config = &config, .keys = hec_metadata_keys(&config)};
    struct hf_builder builder;
    struct hf_bytes out = {0};
    (void)state;
    config.event_bytes_max = 20;
    begin_logs(&builder, "");
    put_record(&builder, "a", 1);
    assert_int_equal(write(&events, &builder, &out), HF_TOO_LARGE);
    config.event_bytes_max = 10000;
    hf_bytes_release(&out);
    hec_events_release(&events);
}

static void keys_of_metadata_have_an_order(void **state)
{
    struct hec_config own = {.to_hec = {.source = "new"},
                             .old_to_hec = {.source = "old", .index = "old.index"}};
    const struct hec_metadata_keys keys = hec_metadata_keys(&own);
    (void)state;
    assert_string_equal(keys.source, "new");
    assert_string_equal(keys.index, "old.index");
    assert_string_equal(keys.host, "host.name");
    assert_string_equal(keys.sourcetype, "com.splunk.sourcetype");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_stand_behind_each_other),
        cmocka_unit_test(kinds_of_records_can_be_left_out),
        cmocka_unit_test(raw_bodies_are_lines),
        cmocka_unit_test(an_event_has_a_limit),
        cmocka_unit_test(keys_of_metadata_have_an_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
