/*
 * exception_logs: a log record for each exception, with the attributes of its span and what tells
 * of the exception.
 */
#include "exceptions.h"
#include "pdata/any_make.h"

/* Field numbers of OTLP. */
enum { SPAN_TRACE_ID = 1, SPAN_SPAN_ID = 2, SPAN_NAME = 5, EVENT_TIME = 1 };
enum { SCOPE_NAME = 1, SCOPE_VERSION = 2, SEVERITY_ERROR = 17 };

#define STACKTRACE "exception.stacktrace"

static struct hf_slice text_of(struct hf_slice value)
{
    struct hf_any any = hf_any_read(value);
    return any.type == HF_ANY_STRING ? any.bytes : HF_EMPTY_SLICE;
}

/* As text, whatever it is. */
static struct hf_slice stacktrace_of(const struct exception *exception, struct hf_any_maker *maker)
{
    uint32_t number = hf_message_attributes_number(hf_message_type(exception->event));
    struct hf_slice value = HF_EMPTY_SLICE;
    struct hf_bytes text = {0};
    if (!hf_attribute_of(hf_message_content(exception->event), number, hf_slice_text(STACKTRACE),
                         &value)) {
        return hf_any_make_string(maker, HF_EMPTY_SLICE);
    }
    maker->failed = maker->failed || hf_any_text(value, &text) != HF_OK;
    struct hf_slice made = hf_any_make_string(maker, hf_slice_of(text.data, text.size));
    hf_bytes_release(&text);
    return made;
}

static void set_text(struct hf_attributes *attributes, struct hf_any_maker *maker, const char *key,
                     struct hf_slice text)
{
    hf_attributes_set(attributes, hf_slice_text(key), hf_any_make_string(maker, text));
}

/* Those of the span, then what is known of the exception; a later one of the same key counts. */
static enum hf_status build_attributes(const struct exceptions *exceptions,
                                       const struct exception *exception, struct hf_arena *arena,
                                       struct hf_builder *builder)
{
    struct hf_attributes attributes = {.lender = arena};
    struct hf_any_maker maker = {.arena = arena};
    uint32_t number = hf_message_attributes_number(hf_message_type(exception->span));
    bool is_read = hf_attributes_read(&attributes, hf_message_content(exception->span), number);
    set_text(&attributes, &maker, "span.name", hf_message_bytes(exception->span, SPAN_NAME));
    set_text(&attributes, &maker, "span.kind", hf_slice_text(exception_kind(exception)));
    set_text(&attributes, &maker, "status.code", hf_slice_text(exception_status(exception)));
    set_text(&attributes, &maker, "service.name", exception->service);
    for (size_t i = 0; i < exceptions->dimension_count; i++) {
        struct hf_slice value;
        if (exception_value(exception, &exceptions->dimensions[i], &value)) {
            set_text(&attributes, &maker, exceptions->dimensions[i].name, text_of(value));
        }
    }
    hf_attributes_set(&attributes, hf_slice_text(STACKTRACE), stacktrace_of(exception, &maker));
    if (!is_read || attributes.failed || maker.failed) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < attributes.count; i++) {
        hf_build_attribute_value(builder, attributes.items[i].key, attributes.items[i].value);
    }
    return HF_OK;
}

static void build_scope(struct hf_message *scope, struct hf_builder *builder)
{
    uint32_t number = scope != NULL ? hf_message_attributes_number(hf_message_type(scope)) : 0;
    hf_build_resource(builder, HF_EMPTY_SLICE);
    hf_build_scope(builder, hf_message_bytes(scope, SCOPE_NAME),
                   hf_message_bytes(scope, SCOPE_VERSION));
    const struct hf_attributes *attributes =
        number != 0 ? hf_message_attributes(scope, number) : NULL;
    for (size_t i = 0; attributes != NULL && i < attributes->count; i++) {
        hf_build_attribute_value(builder, attributes->items[i].key, attributes->items[i].value);
    }
}

static enum hf_status build_record(const struct exceptions *exceptions,
                                   const struct exception *exception, struct hf_arena *arena,
                                   struct hf_builder *builder)
{
    hf_build_log_record(builder, &(struct hf_build_log_record){
                                     .time_ns = hf_message_u64(exception->event, EVENT_TIME),
                                     .severity_number = SEVERITY_ERROR,
                                     .severity_text = hf_slice_text("ERROR"),
                                     .trace_id = hf_message_bytes(exception->span, SPAN_TRACE_ID),
                                     .span_id = hf_message_bytes(exception->span, SPAN_SPAN_ID)});
    enum hf_status status = build_attributes(exceptions, exception, arena, builder);
    hf_build_end(builder);
    return status;
}

enum hf_status exception_logs(const struct exceptions *exceptions, struct hf_document *document,
                              struct hf_builder *builder)
{
    struct hf_place place = {.document = document};
    const struct hf_message *scope_group = NULL;
    struct exception exception;
    enum hf_status status = HF_OK;
    while (status == HF_OK && exception_next(&place, &exception)) {
        if (place.scope_group != scope_group) {
            build_scope(exception.scope, builder);
            scope_group = place.scope_group;
        }
        status = build_record(exceptions, &exception, hf_document_arena(document), builder);
    }
    return status == HF_OK ? hf_document_status(document) : status;
}
