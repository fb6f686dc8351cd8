#include "es_plain.h"

#include "bulk/pair.h"
#include "es_ecs.h"
#include "pdata/any.h"

#define NS_PER_US 1000

static struct hf_slice prefix_of(const struct es_context *context, const char *name)
{
    return context->mode == ES_NONE ? hf_slice_text(name) : HF_EMPTY_SLICE;
}

void es_plain_begin_group(struct es_context *context)
{
    struct hf_bulk_fields *base = &context->base;
    struct hf_slice scope = context->walk.scope;
    base->count = 0;
    hf_bulk_fields_attributes(base, hf_slice_text("Resource"), context->walk.resource,
                              HF_BULK_RESOURCE_ATTRIBUTES);
    hf_bulk_fields_attributes(base, hf_slice_text("Scope"), scope, HF_BULK_SCOPE_ATTRIBUTES);
    /* Both are there even when they are empty. */
    const struct hf_bulk_field rows[] = {
        {.key = hf_slice_text("Scope.name"), .bytes = hf_wire_find_bytes(scope, 1)},
        {.key = hf_slice_text("Scope.version"), .bytes = hf_wire_find_bytes(scope, 2)}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].bytes.size != 0) {
            hf_bulk_fields_text(base, rows[i].key, rows[i].bytes);
        } else {
            hf_bulk_fields_made(base, rows[i].key, hf_slice_text("\"\""));
        }
    }
}

static bool begin(struct es_context *context, struct hf_slice item, uint32_t number)
{
    struct es_special special = es_special_read(item, number);
    if (!es_context_route(context, context->signal, &special, &context->route)) {
        return false;
    }
    es_context_begin(context, &context->route, &special, 0);
    hf_arena_rewind(&context->work_arena, (size_t)1 << 20);
    hf_bulk_fields_copy(&context->work, &context->base);
    return true;
}

static void end(struct es_context *context, struct hf_slice item, uint32_t number)
{
    struct hf_slice prefix = prefix_of(context, "Attributes");
    hf_bulk_fields_attributes(&context->work, prefix, item, number);
    es_ecs_stream(&context->work, prefix, &context->route);
}

static void finish(struct es_context *context)
{
    hf_bulk_fields_write(&context->work, false, &context->bulk->writer);
    hf_bulk_end_document(context->bulk);
}

void es_plain_log(struct es_context *context, struct hf_slice record)
{
    struct hf_bulk_fields *fields = &context->work;
    if (!begin(context, record, HF_BULK_LOG_ATTRIBUTES)) {
        return;
    }
    struct hf_bulk_log log = hf_bulk_log_read(record);
    hf_bulk_fields_time(fields, hf_slice_text("@timestamp"),
                        log.time_ns != 0 ? log.time_ns : log.observed_ns);
    hf_bulk_fields_id(fields, "TraceId", log.trace_id);
    hf_bulk_fields_id(fields, "SpanId", log.span_id);
    hf_bulk_fields_int(fields, "TraceFlags", (int64_t)log.flags);
    hf_bulk_fields_text(fields, hf_slice_text("SeverityText"), log.severity_text);
    hf_bulk_fields_int(fields, "SeverityNumber", (int64_t)log.severity);
    hf_bulk_fields_any(fields, hf_slice_text("Body"), log.body);
    end(context, record, HF_BULK_LOG_ATTRIBUTES);
    finish(context);
}

/* ---- spans ---- */

/* All links as JSON in one text. */
static void add_links(struct es_context *context, struct hf_slice span)
{
    static const struct hf_json_any_style style = {0};
    struct hf_json_writer writer = {.out = &context->text};
    struct hf_wire wire = hf_wire_of(span);
    struct hf_slice bytes, pair, key, value;
    context->text.size = 0;
    hf_json_write_open(&writer, '[');
    while (hf_wire_each(&wire, HF_BULK_SPAN_LINKS, &bytes)) {
        struct hf_bulk_link link = hf_bulk_link_read(bytes);
        struct hf_wire attributes = hf_wire_of(bytes);
        hf_json_write_open(&writer, '{');
        HF_JSON_WRITE_KEY(&writer, "attribute");
        hf_json_write_open(&writer, '{');
        while (hf_wire_each(&attributes, HF_BULK_LINK_ATTRIBUTES, &pair)) {
            if (hf_bulk_pair_read(pair, &key, &value)) {
                hf_json_write_key(&writer, key);
                hf_json_write_any(&writer, value, &style);
            }
        }
        hf_json_write_close(&writer, '}');
        HF_JSON_WRITE_KEY(&writer, "spanID");
        hf_json_write_hex(&writer, hf_bulk_has_id(link.span_id) ? link.span_id : HF_EMPTY_SLICE);
        HF_JSON_WRITE_KEY(&writer, "traceID");
        hf_json_write_hex(&writer, hf_bulk_has_id(link.trace_id) ? link.trace_id : HF_EMPTY_SLICE);
        hf_json_write_close(&writer, '}');
    }
    hf_json_write_close(&writer, ']');
    context->work.failed |= writer.failed;
    hf_bulk_fields_text(&context->work, hf_slice_text("Link"),
                        hf_slice_of(context->text.data, context->text.size));
}

/* NAME.time and the attributes of each event. */
static void add_events(struct es_context *context, struct hf_slice span)
{
    struct hf_bulk_fields *fields = &context->work;
    struct hf_slice prefix = prefix_of(context, "Events");
    struct hf_wire wire = hf_wire_of(span);
    struct hf_slice bytes;
    while (hf_wire_each(&wire, HF_BULK_SPAN_EVENTS, &bytes)) {
        struct hf_bulk_event event = hf_bulk_event_read(bytes);
        struct hf_slice name = hf_bulk_fields_join(fields, prefix, event.name);
        hf_bulk_fields_time(fields, hf_bulk_fields_join(fields, name, hf_slice_text("time")),
                            event.time_ns);
        hf_bulk_fields_attributes(fields, name, bytes, HF_BULK_EVENT_ATTRIBUTES);
    }
}

void es_plain_span(struct es_context *context, struct hf_slice bytes)
{
    static const char *const kinds[] = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
                                        "SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
                                        "SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER"};
    struct hf_bulk_fields *fields = &context->work;
    if (!begin(context, bytes, HF_BULK_SPAN_ATTRIBUTES)) {
        return;
    }
    struct hf_bulk_span span = hf_bulk_span_read(bytes);
    hf_bulk_fields_time(fields, hf_slice_text("@timestamp"), span.start_ns);
    hf_bulk_fields_time(fields, hf_slice_text("EndTimestamp"), span.end_ns);
    hf_bulk_fields_id(fields, "TraceId", span.trace_id);
    hf_bulk_fields_id(fields, "SpanId", span.span_id);
    hf_bulk_fields_id(fields, "ParentSpanId", span.parent_id);
    hf_bulk_fields_text(fields, hf_slice_text("Name"), span.name);
    if (span.kind < sizeof(kinds) / sizeof(kinds[0])) {
        hf_bulk_fields_text(fields, hf_slice_text("Kind"), hf_slice_text(kinds[span.kind]));
    }
    hf_bulk_fields_int(fields, "TraceStatus", (int64_t)span.status);
    hf_bulk_fields_text(fields, hf_slice_text("TraceStatusDescription"), span.status_message);
    add_links(context, bytes);
    hf_bulk_fields_int(fields, "Duration",
                       ((int64_t)span.end_ns - (int64_t)span.start_ns) / NS_PER_US);
    end(context, bytes, HF_BULK_SPAN_ATTRIBUTES);
    add_events(context, bytes);
    finish(context);
}

/* ---- bodymap ---- */

void es_bodymap_log(struct es_context *context, struct hf_slice record)
{
    static const struct hf_json_any_style style = {.bytes_as_hex = true};
    struct hf_slice body = hf_wire_find_bytes(record, 5);
    if (hf_any_read(body).type != HF_ANY_MAP) {
        hf_bulk_leave_out(context->bulk, "the body of the record is no map, as bodymap needs it");
        return;
    }
    struct es_special special = es_special_read(record, HF_BULK_LOG_ATTRIBUTES);
    if (es_context_route(context, HF_LOGS, &special, &context->route)) {
        es_context_begin(context, &context->route, &special, 0);
        hf_json_write_any(&context->bulk->writer, body, &style);
        hf_bulk_end_document(context->bulk);
    }
}
