/* Spans with events and links as protobuf-c unpacks them. */
#include "pdata/build_spans.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include "opentelemetry/proto/collector/trace/v1/trace_service.pb-c.h"
#include "pdata/scan.h"
#include "proto/objects.h"

static struct hf_slice text(const char *content)
{
    return hf_slice_text(content);
}

static void build_span(struct hf_builder *builder)
{
    const struct hf_slice trace_id = hf_slice_of("0123456789abcdef", 16);
    const struct hf_slice span_id = hf_slice_of("01234567", 8);
    hf_builder_init(builder, HF_TRACES, 1 << 20);
    hf_build_resource(builder, text(""));
    hf_build_scope(builder, text(""), text(""));
    hf_build_span(builder, &(struct hf_build_span){.trace_id = trace_id,
                                                   .span_id = span_id,
                                                   .parent_span_id = span_id,
                                                   .trace_state = text("a=b"),
                                                   .name = text("GET /"),
                                                   .kind = 2,
                                                   .start_ns = 3,
                                                   .end_ns = 4,
                                                   .flags = 0x101,
                                                   .dropped_attributes = 5,
                                                   .dropped_events = 6,
                                                   .dropped_links = 7,
                                                   .status_code = 2,
                                                   .status_message = text("failed")});
    hf_build_event(builder, 8, text("event"));
    hf_build_attribute_string(builder, text("of"), text("event"));
    hf_build_event_dropped(builder, 9);
    hf_build_end(builder);
    hf_build_link(builder, &(struct hf_build_link){.trace_id = trace_id,
                                                   .span_id = span_id,
                                                   .trace_state = text("c=d"),
                                                   .flags = 1,
                                                   .dropped_attributes = 10});
    hf_build_attribute_string(builder, text("of"), text("link"));
    hf_build_end(builder);
    hf_build_attribute_string(builder, text("of"), text("span"));
    hf_build_end(builder);
    assert_int_equal(hf_build_finish(builder), HF_OK);
}

static void assert_span(const Opentelemetry__Proto__Trace__V1__Span *span)
{
    assert_int_equal(span->trace_id.len, 16);
    assert_int_equal(span->parent_span_id.len, 8);
    assert_string_equal(span->trace_state, "a=b");
    assert_string_equal(span->name, "GET /");
    assert_int_equal(span->kind, 2);
    assert_int_equal(span->start_time_unix_nano, 3);
    assert_int_equal(span->end_time_unix_nano, 4);
    assert_int_equal(span->flags, 0x101);
    assert_int_equal(span->dropped_attributes_count, 5);
    assert_int_equal(span->dropped_events_count, 6);
    assert_int_equal(span->dropped_links_count, 7);
    assert_int_equal(span->status->code, 2);
    assert_string_equal(span->status->message, "failed");
    assert_string_equal(span->attributes[0]->value->string_value, "span");
    assert_int_equal(span->events[0]->time_unix_nano, 8);
    assert_string_equal(span->events[0]->attributes[0]->value->string_value, "event");
    assert_int_equal(span->events[0]->dropped_attributes_count, 9);
    assert_string_equal(span->links[0]->trace_state, "c=d");
    assert_int_equal(span->links[0]->dropped_attributes_count, 10);
    assert_int_equal(span->links[0]->flags, 1);
    assert_string_equal(span->links[0]->attributes[0]->value->string_value, "link");
}

static void builds_a_span_with_all_its_fields(void **state)
{
    struct hf_builder builder;
    struct hf_arena arena = {.limit = 1 << 20};
    struct hf_scan scan;
    (void)state;
    build_span(&builder);
    struct hf_batch *batch = hf_build_take(&builder);
    assert_non_null(batch);
    assert_int_equal(hf_scan(HF_TRACES, batch->raw, &scan), HF_OK);
    const Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceRequest *request =
        (const void *)hf_objects_unpack(
            &opentelemetry__proto__collector__trace__v1__export_trace_service_request__descriptor,
            &arena, batch->raw);
    assert_non_null(request);
    const Opentelemetry__Proto__Trace__V1__Span *span =
        request->resource_spans[0]->scope_spans[0]->spans[0];
    assert_span(span);
    hf_ref_drop(&batch->ref);
    hf_builder_release(&builder);
    hf_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds_a_span_with_all_its_fields),
    };
    return cmocka_run_group_tests_name("build_spans", tests, NULL, NULL);
}
