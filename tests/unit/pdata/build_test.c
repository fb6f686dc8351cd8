/* Requests that are built are those that protobuf-c packs, whatever the limit cuts them into. */
#include "pdata/build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include "opentelemetry/proto/collector/logs/v1/logs_service.pb-c.h"
#include "pdata/any_make.h"
#include "pdata/scan.h"
#include "proto/objects.h"

#define NO_LIMIT (64u << 20)

typedef Opentelemetry__Proto__Collector__Logs__V1__ExportLogsServiceRequest logs_request;
typedef Opentelemetry__Proto__Logs__V1__LogRecord log_record;
typedef Opentelemetry__Proto__Common__V1__KeyValue key_value;

static struct hf_slice text(const char *content)
{
    return hf_slice_text(content);
}

/* The one batch of a builder, which is well formed and counts its items. */
static struct hf_batch *take_only(struct hf_builder *builder)
{
    struct hf_scan scan;
    assert_int_equal(hf_build_finish(builder), HF_OK);
    struct hf_batch *batch = hf_build_take(builder);
    assert_non_null(batch);
    assert_null(hf_build_take(builder));
    assert_int_equal(hf_scan(builder->signal, batch->raw, &scan), HF_OK);
    assert_int_equal(scan.items, batch->items);
    return batch;
}

static const logs_request *unpack_logs(struct hf_arena *arena, struct hf_slice raw)
{
    const logs_request *request = (const void *)hf_objects_unpack(
        &opentelemetry__proto__collector__logs__v1__export_logs_service_request__descriptor, arena,
        raw);
    assert_non_null(request);
    return request;
}

static void assert_attribute(const key_value *pair, const char *key, int type)
{
    assert_string_equal(pair->key, key);
    assert_int_equal(pair->value->value_case, type);
}

static void build_record(struct hf_builder *builder, struct hf_any_maker *maker)
{
    hf_build_log_record(builder, &(struct hf_build_log_record){
                                     .time_ns = 5,
                                     .observed_ns = 6,
                                     .severity_number = 9,
                                     .severity_text = text("INFO"),
                                     .trace_id = hf_slice_of("0123456789abcdef", 16),
                                     .span_id = hf_slice_of("01234567", 8),
                                     .flags = 1,
                                     .event_name = text("event"),
                                 });
    hf_build_body_string(builder, text("hello"));
    hf_build_attribute_string(builder, text("s"), text("value"));
    hf_build_attribute_bytes(builder, text("b"), hf_slice_of("\0\xff", 2));
    hf_build_attribute_int(builder, text("i"), INT64_MIN);
    hf_build_attribute_double(builder, text("d"), 0.5);
    hf_build_attribute_bool(builder, text("t"), true);
    hf_build_attribute_bool(builder, text("f"), false);
    hf_build_attribute_value(builder, text("v"), hf_any_make_string(maker, text("made")));
    hf_build_attribute_value(builder, text("e"), HF_EMPTY_SLICE);
    hf_build_end(builder);
}

static void assert_record(const log_record *record)
{
    assert_int_equal(record->time_unix_nano, 5);
    assert_int_equal(record->observed_time_unix_nano, 6);
    assert_int_equal(record->severity_number, 9);
    assert_string_equal(record->severity_text, "INFO");
    assert_int_equal(record->trace_id.len, 16);
    assert_int_equal(record->span_id.len, 8);
    assert_int_equal(record->flags, 1);
    assert_string_equal(record->event_name, "event");
    assert_string_equal(record->body->string_value, "hello");
    assert_int_equal(record->n_attributes, 8);
    assert_attribute(record->attributes[0], "s", 1);
    assert_attribute(record->attributes[1], "b", 7);
    assert_int_equal(record->attributes[1]->value->bytes_value.len, 2);
    assert_attribute(record->attributes[2], "i", 3);
    assert_true(record->attributes[2]->value->int_value == INT64_MIN);
    assert_attribute(record->attributes[3], "d", 4);
    assert_true(record->attributes[3]->value->double_value == 0.5);
    assert_true(record->attributes[4]->value->bool_value);
    assert_false(record->attributes[5]->value->bool_value);
    assert_string_equal(record->attributes[6]->value->string_value, "made");
    assert_attribute(record->attributes[7], "e", 0);
}

static void builds_a_log_record_with_all_its_fields(void **state)
{
    struct hf_builder builder;
    struct hf_arena arena = {.limit = 1 << 20};
    struct hf_any_maker maker = {.arena = &arena};
    (void)state;
    hf_builder_init(&builder, HF_LOGS, NO_LIMIT);
    hf_build_resource(&builder, text("https://schema"));
    hf_build_attribute_string(&builder, text("service.name"), text("shop"));
    hf_build_scope(&builder, text("scope"), text("1.2"));
    hf_build_attribute_int(&builder, text("n"), -3);
    build_record(&builder, &maker);

    struct hf_batch *batch = take_only(&builder);
    const logs_request *request = unpack_logs(&arena, batch->raw);
    assert_int_equal(request->n_resource_logs, 1);
    assert_string_equal(request->resource_logs[0]->schema_url, "https://schema");
    assert_int_equal(request->resource_logs[0]->resource->n_attributes, 1);
    assert_attribute(request->resource_logs[0]->resource->attributes[0], "service.name", 1);
    assert_int_equal(request->resource_logs[0]->n_scope_logs, 1);
    assert_string_equal(request->resource_logs[0]->scope_logs[0]->scope->name, "scope");
    assert_string_equal(request->resource_logs[0]->scope_logs[0]->scope->version, "1.2");
    assert_attribute(request->resource_logs[0]->scope_logs[0]->scope->attributes[0], "n", 3);
    const log_record *record = request->resource_logs[0]->scope_logs[0]->log_records[0];
    assert_record(record);
    hf_ref_drop(&batch->ref);
    hf_builder_release(&builder);
    hf_arena_release(&arena);
}

static void add_record(struct hf_builder *builder, struct hf_slice body)
{
    hf_build_log_record(builder, &(struct hf_build_log_record){.time_ns = 1});
    hf_build_body_string(builder, body);
    hf_build_end(builder);
}

static void leaves_out_what_holds_no_item(void **state)
{
    struct hf_builder builder;
    struct hf_arena arena = {.limit = 1 << 20};
    (void)state;
    hf_builder_init(&builder, HF_LOGS, NO_LIMIT);
    assert_int_equal(hf_build_finish(&builder), HF_OK);
    assert_null(hf_build_take(&builder));
    hf_build_resource(&builder, text("empty"));
    hf_build_scope(&builder, text("empty"), text(""));
    hf_build_resource(&builder, text(""));
    hf_build_scope(&builder, text("empty"), text(""));
    hf_build_scope(&builder, text("full"), text(""));
    add_record(&builder, text("one"));
    hf_build_scope(&builder, text("empty"), text(""));
    hf_build_resource(&builder, text("empty"));
    struct hf_batch *batch = take_only(&builder);
    const logs_request *request = unpack_logs(&arena, batch->raw);
    assert_int_equal(request->n_resource_logs, 1);
    assert_int_equal(request->resource_logs[0]->n_scope_logs, 1);
    assert_non_null(request->resource_logs[0]->resource);
    assert_string_equal(request->resource_logs[0]->scope_logs[0]->scope->name, "full");
    hf_ref_drop(&batch->ref);
    hf_build_resource(&builder, text("empty"));
    assert_int_equal(hf_build_finish(&builder), HF_OK);
    assert_null(hf_build_take(&builder));
    hf_builder_release(&builder);
    hf_arena_release(&arena);
}

static void repairs_text_that_is_not_utf8(void **state)
{
    struct hf_builder builder;
    struct hf_arena arena = {.limit = 1 << 20};
    (void)state;
    hf_builder_init(&builder, HF_LOGS, NO_LIMIT);
    hf_build_resource(&builder, text(""));
    hf_build_scope(&builder, text("\xff"), text(""));
    hf_build_log_record(&builder, &(struct hf_build_log_record){.severity_text = text("a\x80")});
    hf_build_body_string(&builder, text("b\xc3"));
    hf_build_attribute_string(&builder, text("k\xfe"), text("v\xfd"));
    hf_build_end(&builder);
    struct hf_batch *batch = take_only(&builder);
    const logs_request *request = unpack_logs(&arena, batch->raw);
    const log_record *record = request->resource_logs[0]->scope_logs[0]->log_records[0];
    assert_string_equal(request->resource_logs[0]->scope_logs[0]->scope->name, "\xef\xbf\xbd");
    assert_string_equal(record->severity_text, "a\xef\xbf\xbd");
    assert_string_equal(record->body->string_value, "b\xef\xbf\xbd");
    assert_string_equal(record->attributes[0]->key, "k\xef\xbf\xbd");
    assert_string_equal(record->attributes[0]->value->string_value, "v\xef\xbf\xbd");
    hf_ref_drop(&batch->ref);
    hf_builder_release(&builder);
    hf_arena_release(&arena);
}

/* Record `i` of a run stands in resource i / 7 and scope i / 3; its body says its number. */
static void build_numbered(struct hf_builder *builder, unsigned count, size_t padding)
{
    static uint8_t content[4096];
    assert_true(padding + 16 < sizeof(content));
    for (unsigned i = 0; i < count; i++) {
        char name[16];
        if (i % 7 == 0) {
            hf_build_resource(builder, text("url"));
            snprintf(name, sizeof(name), "r%u", i / 7);
            hf_build_attribute_string(builder, text("name"), text(name));
        }
        if (i % 7 == 0 || i % 3 == 0) {
            snprintf(name, sizeof(name), "s%u", i / 3);
            hf_build_scope(builder, text(name), text("v"));
            hf_build_attribute_bool(builder, text("yes"), true);
        }
        memset(content, '.', padding + 16);
        int size = snprintf((char *)content, 16, "%u", i);
        content[size] = ' ';
        add_record(builder, hf_slice_of(content, (size_t)size + 1 + padding));
    }
}

/* Checks the records of a batch, of which the first has number `first`; returns the next. */
static unsigned check_numbered(const logs_request *request, unsigned first)
{
    char name[16];
    for (size_t r = 0; r < request->n_resource_logs; r++) {
        const Opentelemetry__Proto__Logs__V1__ResourceLogs *resource = request->resource_logs[r];
        assert_true(resource->n_scope_logs > 0);
        assert_string_equal(resource->schema_url, "url");
        for (size_t s = 0; s < resource->n_scope_logs; s++) {
            const Opentelemetry__Proto__Logs__V1__ScopeLogs *scope = resource->scope_logs[s];
            assert_true(scope->n_log_records > 0);
            assert_int_equal(scope->scope->n_attributes, 1);
            for (size_t i = 0; i < scope->n_log_records; i++) {
                const char *body = scope->log_records[i]->body->string_value;
                assert_int_equal(strtoul(body, NULL, 10), first);
                snprintf(name, sizeof(name), "r%u", first / 7);
                assert_string_equal(resource->resource->attributes[0]->value->string_value, name);
                snprintf(name, sizeof(name), "s%u", first / 3);
                assert_string_equal(scope->scope->name, name);
                first++;
            }
        }
    }
    return first;
}

static void cuts_at_the_limit_and_repeats_what_holds_the_items(void **state)
{
    static const size_t limits[] = {1, 100, 127, 128, 129, 200, 300, 1000, 5000, 16400, 70000};
    static const size_t paddings[] = {0, 60, 120, 200, 3000};
    const unsigned count = 100;
    (void)state;
    for (size_t l = 0; l < sizeof(limits) / sizeof(limits[0]); l++) {
        for (size_t p = 0; p < sizeof(paddings) / sizeof(paddings[0]); p++) {
            struct hf_builder builder;
            unsigned next = 0;
            hf_builder_init(&builder, HF_LOGS, limits[l]);
            build_numbered(&builder, count, paddings[p]);
            assert_int_equal(hf_build_finish(&builder), HF_OK);
            struct hf_batch *batch = hf_build_take(&builder);
            while (batch != NULL) {
                struct hf_arena arena = {.limit = 16 << 20};
                struct hf_scan scan;
                assert_int_equal(hf_scan(HF_LOGS, batch->raw, &scan), HF_OK);
                assert_int_equal(scan.items, batch->items);
                assert_true(batch->raw.size <= limits[l] || batch->items == 1);
                next = check_numbered(unpack_logs(&arena, batch->raw), next);
                hf_ref_drop(&batch->ref);
                hf_arena_release(&arena);
                batch = hf_build_take(&builder);
            }
            assert_int_equal(next, count);
            hf_builder_release(&builder);
        }
    }
}

static void goes_on_after_a_batch_was_finished(void **state)
{
    struct hf_builder builder;
    (void)state;
    hf_builder_init(&builder, HF_LOGS, NO_LIMIT);
    for (unsigned i = 0; i < 3; i++) {
        struct hf_arena arena = {.limit = 1 << 20};
        build_numbered(&builder, 20, 10);
        assert_int_equal(hf_build_items(&builder), 20);
        struct hf_batch *batch = take_only(&builder);
        assert_int_equal(check_numbered(unpack_logs(&arena, batch->raw), 0), 20);
        assert_int_equal(hf_build_items(&builder), 0);
        assert_int_equal(hf_build_size(&builder), 0);
        hf_ref_drop(&batch->ref);
        hf_arena_release(&arena);
    }
    hf_builder_release(&builder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds_a_log_record_with_all_its_fields),
        cmocka_unit_test(leaves_out_what_holds_no_item),
        cmocka_unit_test(repairs_text_that_is_not_utf8),
        cmocka_unit_test(cuts_at_the_limit_and_repeats_what_holds_the_items),
        cmocka_unit_test(goes_on_after_a_batch_was_finished),
    };
    return cmocka_run_group_tests_name("build", tests, NULL, NULL);
}
