#include "os_documents.h"

#include "bulk/pair.h"
#include "bulk/times.h"
#include "pdata/any.h"

#define NS_PER_MS UINT64_C(1000000)

static const struct hf_json_any_style style = {0};

static void put_time(struct hf_json_writer *writer, uint64_t time_ns)
{
    char room[HF_BULK_TIME_MAX];
    hf_json_write_text(writer, hf_slice_of(room, hf_bulk_time_print(time_ns, true, room)));
}

/* An id in hex, "" for none. */
static void put_id(struct hf_json_writer *writer, struct hf_slice id)
{
    hf_json_write_hex(writer, hf_bulk_has_id(id) ? id : HF_EMPTY_SLICE);
}

/* ---- maps ---- */

static bool put_pairs(struct hf_json_writer *writer, struct hf_slice owner, uint32_t number,
                      bool has_stream)
{
    struct hf_wire wire = hf_wire_of(owner);
    struct hf_slice pair, key, value;
    bool is_any = false;
    while (hf_wire_each(&wire, number, &pair)) {
        if (hf_bulk_pair_read(pair, &key, &value) &&
            !(has_stream && hf_slice_is(key, "data_stream"))) {
            hf_json_write_key(writer, key);
            hf_json_write_any(writer, value, &style);
            is_any = true;
        }
    }
    return is_any;
}

/* Attributes under their key, unless there are none. */
static void put_attributes(struct hf_json_writer *writer, struct hf_slice owner, uint32_t number)
{
    struct hf_slice first;
    struct hf_wire wire = hf_wire_of(owner);
    if (hf_wire_each(&wire, number, &first)) {
        HF_JSON_WRITE_KEY(writer, "attributes");
        hf_json_write_open(writer, '{');
        (void)put_pairs(writer, owner, number, false);
        hf_json_write_close(writer, '}');
    }
}

/* Those of the item, with the data stream among them. */
static void put_item_attributes(const struct os_place *place, struct hf_json_writer *writer,
                                struct hf_slice item, uint32_t number, const char *type)
{
    HF_JSON_WRITE_KEY(writer, "attributes");
    hf_json_write_open(writer, '{');
    (void)put_pairs(writer, item, number, true);
    HF_JSON_WRITE_KEY(writer, "data_stream");
    hf_json_write_open(writer, '{');
    HF_JSON_WRITE_KEY(writer, "dataset");
    hf_json_write_text(writer, hf_slice_text(place->config->dataset));
    HF_JSON_WRITE_KEY(writer, "namespace");
    hf_json_write_text(writer, hf_slice_text(place->config->namespace));
    HF_JSON_WRITE_KEY(writer, "type");
    hf_json_write_text(writer, hf_slice_text(type));
    hf_json_write_close(writer, '}');
    hf_json_write_close(writer, '}');
}

static struct hf_slice text_of(const struct os_place *place, struct hf_slice value,
                               struct hf_json_writer *writer)
{
    struct hf_any any = hf_any_read(value);
    if (any.type == HF_ANY_STRING) {
        return any.bytes;
    }
    place->text->size = 0;
    writer->failed |= hf_any_text(value, place->text) != HF_OK;
    return hf_slice_of(place->text->data, place->text->size);
}

/* The resource's attributes as texts. */
static void put_resource(const struct os_place *place, struct hf_json_writer *writer)
{
    struct hf_wire wire = hf_wire_of(place->walk->resource);
    struct hf_slice pair, key, value;
    bool is_open = false;
    while (hf_wire_each(&wire, HF_BULK_RESOURCE_ATTRIBUTES, &pair)) {
        if (!hf_bulk_pair_read(pair, &key, &value)) {
            continue;
        }
        if (!is_open) {
            HF_JSON_WRITE_KEY(writer, "resource");
            hf_json_write_open(writer, '{');
            is_open = true;
        }
        hf_json_write_key(writer, key);
        hf_json_write_text(writer, text_of(place, value, writer));
    }
    if (is_open) {
        hf_json_write_close(writer, '}');
    }
}

#define PUT_TEXT(writer, name, text)                                                               \
    do {                                                                                           \
        HF_JSON_WRITE_KEY((writer), name);                                                         \
        hf_json_write_text((writer), (text));                                                      \
    } while (0)

#define PUT_TEXT_IF_ANY(writer, name, text)                                                        \
    do {                                                                                           \
        if ((text).size != 0) {                                                                    \
            PUT_TEXT((writer), name, (text));                                                      \
        }                                                                                          \
    } while (0)

#define PUT_NUMBER(writer, name, number)                                                           \
    do {                                                                                           \
        HF_JSON_WRITE_KEY((writer), name);                                                         \
        hf_json_write_u64((writer), (number));                                                     \
    } while (0)

/* ---- logs ---- */

static void put_log_scope(const struct os_place *place, struct hf_json_writer *writer)
{
    struct hf_slice scope = place->walk->scope;
    struct hf_slice name = hf_wire_find_bytes(scope, 1), version = hf_wire_find_bytes(scope, 2);
    HF_JSON_WRITE_KEY(writer, "instrumentationScope");
    hf_json_write_open(writer, '{');
    put_attributes(writer, scope, HF_BULK_SCOPE_ATTRIBUTES);
    PUT_TEXT_IF_ANY(writer, "name", name);
    PUT_TEXT_IF_ANY(writer, "schemaUrl", place->walk->scope_url);
    PUT_TEXT_IF_ANY(writer, "version", version);
    hf_json_write_close(writer, '}');
}

static void put_severity(struct hf_json_writer *writer, const struct hf_bulk_log *log)
{
    HF_JSON_WRITE_KEY(writer, "severity");
    hf_json_write_open(writer, '{');
    PUT_TEXT_IF_ANY(writer, "text", log->severity_text);
    if (log->severity != 0) {
        PUT_NUMBER(writer, "number", log->severity);
    }
    hf_json_write_close(writer, '}');
}

static uint64_t time_of(const struct hf_bulk_log *log)
{
    return log->time_ns != 0 ? log->time_ns : log->observed_ns;
}

void os_log_ss4o(const struct os_place *place, struct hf_slice record,
                 struct hf_json_writer *writer)
{
    struct hf_bulk_log log = hf_bulk_log_read(record);
    hf_json_write_open(writer, '{');
    put_item_attributes(place, writer, record, HF_BULK_LOG_ATTRIBUTES, "record");
    PUT_TEXT(writer, "body", text_of(place, log.body, writer));
    put_log_scope(place, writer);
    HF_JSON_WRITE_KEY(writer, "observedTimestamp");
    put_time(writer, log.observed_ns != 0 ? log.observed_ns : place->received_ns);
    put_resource(place, writer);
    PUT_TEXT_IF_ANY(writer, "schemaUrl", place->walk->scope_url);
    put_severity(writer, &log);
    if (hf_bulk_has_id(log.span_id)) {
        HF_JSON_WRITE_KEY(writer, "spanId");
        put_id(writer, log.span_id);
    }
    HF_JSON_WRITE_KEY(writer, "@timestamp");
    put_time(writer, time_of(&log));
    if (hf_bulk_has_id(log.trace_id)) {
        HF_JSON_WRITE_KEY(writer, "traceId");
        put_id(writer, log.trace_id);
    }
    hf_json_write_close(writer, '}');
}

void os_log_fields(const struct os_place *place, struct hf_slice record,
                   struct hf_json_writer *writer)
{
    const struct os_mapping *mapping = &place->config->mapping;
    struct hf_bulk_fields *fields = place->fields;
    struct hf_slice prefix =
        mapping->mode == OS_FLATTEN ? HF_EMPTY_SLICE : hf_slice_text("Attributes");
    struct hf_bulk_log log = hf_bulk_log_read(record);
    fields->count = 0;
    hf_bulk_fields_attributes(fields, prefix, place->walk->resource, HF_BULK_RESOURCE_ATTRIBUTES);
    if (mapping->unix_timestamp) {
        hf_bulk_fields_int(fields, mapping->timestamp_field, (int64_t)(time_of(&log) / NS_PER_MS));
    } else {
        hf_bulk_fields_time(fields, hf_slice_text(mapping->timestamp_field), time_of(&log));
    }
    hf_bulk_fields_id(fields, "TraceId", log.trace_id);
    hf_bulk_fields_id(fields, "SpanId", log.span_id);
    hf_bulk_fields_int(fields, "TraceFlags", (int64_t)log.flags);
    hf_bulk_fields_text(fields, hf_slice_text("SeverityText"), log.severity_text);
    hf_bulk_fields_int(fields, "SeverityNumber", (int64_t)log.severity);
    hf_bulk_fields_any(fields, hf_slice_text("Body"), log.body);
    hf_bulk_fields_attributes(fields, prefix, record, HF_BULK_LOG_ATTRIBUTES);
    hf_bulk_fields_write(fields, mapping->dedot, writer);
}

/* ---- spans ---- */

static void put_events(const struct os_place *place, struct hf_slice span,
                       struct hf_json_writer *writer)
{
    struct hf_wire wire = hf_wire_of(span);
    struct hf_slice bytes;
    bool is_open = false;
    while (hf_wire_each(&wire, HF_BULK_SPAN_EVENTS, &bytes)) {
        struct hf_bulk_event event = hf_bulk_event_read(bytes);
        if (!is_open) {
            HF_JSON_WRITE_KEY(writer, "events");
            hf_json_write_open(writer, '[');
            is_open = true;
        }
        hf_json_write_open(writer, '{');
        HF_JSON_WRITE_KEY(writer, "attributes");
        hf_json_write_open(writer, '{');
        (void)put_pairs(writer, bytes, HF_BULK_EVENT_ATTRIBUTES, false);
        hf_json_write_close(writer, '}');
        PUT_NUMBER(writer, "droppedAttributesCount", event.dropped);
        PUT_TEXT(writer, "name", event.name);
        if (event.time_ns != 0) {
            HF_JSON_WRITE_KEY(writer, "@timestamp");
        } else {
            HF_JSON_WRITE_KEY(writer, "observedTimestamp");
        }
        put_time(writer, event.time_ns != 0 ? event.time_ns : place->received_ns);
        hf_json_write_close(writer, '}');
    }
    if (is_open) {
        hf_json_write_close(writer, ']');
    }
}

static void put_links(struct hf_slice span, struct hf_json_writer *writer)
{
    struct hf_wire wire = hf_wire_of(span);
    struct hf_slice bytes;
    bool is_open = false;
    while (hf_wire_each(&wire, HF_BULK_SPAN_LINKS, &bytes)) {
        struct hf_bulk_link link = hf_bulk_link_read(bytes);
        if (!is_open) {
            HF_JSON_WRITE_KEY(writer, "links");
            hf_json_write_open(writer, '[');
            is_open = true;
        }
        hf_json_write_open(writer, '{');
        put_attributes(writer, bytes, HF_BULK_LINK_ATTRIBUTES);
        HF_JSON_WRITE_KEY(writer, "spanId");
        put_id(writer, link.span_id);
        HF_JSON_WRITE_KEY(writer, "traceId");
        put_id(writer, link.trace_id);
        PUT_TEXT_IF_ANY(writer, "traceState", link.trace_state);
        if (link.dropped != 0) {
            PUT_NUMBER(writer, "droppedAttributesCount", link.dropped);
        }
        hf_json_write_close(writer, '}');
    }
    if (is_open) {
        hf_json_write_close(writer, ']');
    }
}

static void put_span_scope(const struct os_place *place, struct hf_json_writer *writer)
{
    struct hf_slice scope = place->walk->scope;
    HF_JSON_WRITE_KEY(writer, "instrumentationScope");
    hf_json_write_open(writer, '{');
    put_attributes(writer, scope, HF_BULK_SCOPE_ATTRIBUTES);
    PUT_NUMBER(writer, "droppedAttributesCount", hf_wire_find_bits(scope, 4));
    PUT_TEXT(writer, "name", hf_wire_find_bytes(scope, 1));
    PUT_TEXT(writer, "schemaUrl", place->walk->scope_url);
    PUT_TEXT(writer, "version", hf_wire_find_bytes(scope, 2));
    hf_json_write_close(writer, '}');
}

static void put_span_words(const struct hf_bulk_span *span, struct hf_json_writer *writer)
{
    static const char *const kinds[] = {"Unspecified", "Internal", "Server",
                                        "Client",      "Producer", "Consumer"};
    static const char *const codes[] = {"Unset", "Ok", "Error"};
    const char *kind = span->kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[span->kind] : "";
    const char *code = span->status < sizeof(codes) / sizeof(codes[0]) ? codes[span->status] : "";
    PUT_TEXT(writer, "kind", hf_slice_text(kind));
    PUT_TEXT(writer, "name", span->name);
    HF_JSON_WRITE_KEY(writer, "parentSpanId");
    put_id(writer, span->parent_id);
    HF_JSON_WRITE_KEY(writer, "spanId");
    put_id(writer, span->span_id);
    HF_JSON_WRITE_KEY(writer, "status");
    hf_json_write_open(writer, '{');
    PUT_TEXT(writer, "code", hf_slice_text(code));
    PUT_TEXT(writer, "message", span->status_message);
    hf_json_write_close(writer, '}');
    HF_JSON_WRITE_KEY(writer, "traceId");
    put_id(writer, span->trace_id);
    PUT_TEXT(writer, "traceState", span->trace_state);
}

void os_span(const struct os_place *place, struct hf_slice bytes, struct hf_json_writer *writer)
{
    struct hf_bulk_span span = hf_bulk_span_read(bytes);
    hf_json_write_open(writer, '{');
    put_item_attributes(place, writer, bytes, HF_BULK_SPAN_ATTRIBUTES, "span");
    PUT_NUMBER(writer, "droppedAttributesCount", span.dropped_attributes);
    PUT_NUMBER(writer, "droppedEventsCount", span.dropped_events);
    PUT_NUMBER(writer, "droppedLinksCount", span.dropped_links);
    HF_JSON_WRITE_KEY(writer, "endTime");
    put_time(writer, span.end_ns);
    put_events(place, bytes, writer);
    put_span_scope(place, writer);
    put_links(bytes, writer);
    put_resource(place, writer);
    HF_JSON_WRITE_KEY(writer, "startTime");
    put_time(writer, span.start_ns);
    HF_JSON_WRITE_KEY(writer, "@timestamp");
    put_time(writer, span.start_ns);
    put_span_words(&span, writer);
    hf_json_write_close(writer, '}');
}
