#include "es_otel.h"

#include <string.h>

#include "bulk/pair.h"
#include "bulk/times.h"
#include "pdata/any.h"

static const char geo_lat[] = "geo.location.lat", geo_lon[] = "geo.location.lon";

void es_otel_time(struct hf_json_writer *writer, uint64_t time_ns)
{
    char room[HF_BULK_TIME_MAX];
    hf_json_write_text(writer, hf_slice_of(room, hf_bulk_millis_print(time_ns, room)));
}

/* ---- attributes ---- */

/* "geo.location.lat" and the same behind a dot. */
static bool ends_with(struct hf_slice key, const char *name)
{
    size_t size = strlen(name);
    return key.size >= size && memcmp(key.data + key.size - size, name, size) == 0 &&
           (key.size == size || key.data[key.size - size - 1] == '.');
}

static bool is_geo(struct hf_slice key, struct hf_slice value)
{
    return key.size >= sizeof(geo_lat) - 1 && key.data[key.size - 4] == '.' &&
           (ends_with(key, geo_lat) || ends_with(key, geo_lon)) &&
           hf_any_read(value).type == HF_ANY_DOUBLE;
}

/* The other half of a place, whose key differs in its last three letters. */
static bool find_half(struct hf_slice owner, uint32_t number, struct hf_slice key, const char *half,
                      double *ret_number)
{
    struct hf_wire wire = hf_wire_of(owner);
    struct hf_slice pair, other, value;
    while (hf_wire_each(&wire, number, &pair)) {
        if (hf_bulk_pair_read(pair, &other, &value) && other.size == key.size &&
            memcmp(other.data, key.data, key.size - 3) == 0 &&
            memcmp(other.data + key.size - 3, half, 3) == 0 && is_geo(other, value)) {
            *ret_number = hf_any_read(value).number;
            return true;
        }
    }
    return false;
}

/* Longitude and latitude of one place are a point, [lon, lat]; one alone stays what it is. */
static void put_geo(struct hf_json_writer *writer, struct hf_slice owner, uint32_t number)
{
    struct hf_wire wire = hf_wire_of(owner);
    struct hf_slice pair, key, value;
    while (hf_wire_each(&wire, number, &pair)) {
        double half;
        if (!hf_bulk_pair_read(pair, &key, &value) || !is_geo(key, value)) {
            continue;
        }
        bool is_lon = ends_with(key, geo_lon);
        bool is_whole = find_half(owner, number, key, is_lon ? "lat" : "lon", &half);
        if (is_whole && is_lon) {
            hf_json_write_key(writer, hf_slice_of(key.data, key.size - 4));
            hf_json_write_open(writer, '[');
            hf_json_write_double(writer, hf_any_read(value).number);
            hf_json_write_double(writer, half);
            hf_json_write_close(writer, ']');
        } else if (!is_whole) {
            hf_json_write_key(writer, key);
            hf_json_write_double(writer, hf_any_read(value).number);
        }
    }
}

void es_otel_attributes(struct hf_json_writer *writer, struct hf_slice owner, uint32_t number,
                        bool maps_as_text, struct hf_slice event_name)
{
    const struct hf_json_any_style style = {.bytes_as_hex = true, .maps_as_text = maps_as_text};
    struct hf_wire wire = hf_wire_of(owner);
    struct hf_wire_field field;
    bool is_open = event_name.size != 0, has_geo = false;
    if (is_open) {
        HF_JSON_WRITE_KEY(writer, "attributes");
        hf_json_write_open(writer, '{');
        HF_JSON_WRITE_KEY(writer, "event.name");
        hf_json_write_text(writer, event_name);
    }
    while (!hf_wire_at_end(wire) && hf_wire_step(&wire, &field)) {
        struct hf_slice key, value;
        if (field.number != number || !hf_bulk_pair_read(field.bytes, &key, &value)) {
            continue;
        }
        if (!is_open) {
            HF_JSON_WRITE_KEY(writer, "attributes");
            hf_json_write_open(writer, '{');
            is_open = true;
        }
        if (is_geo(key, value)) {
            has_geo = true;
        } else if (!es_special_is_hidden(key) &&
                   (event_name.size == 0 || !hf_slice_is(key, "event.name"))) {
            hf_json_write_key(writer, key);
            hf_json_write_any(writer, value, &style);
        }
    }
    if (has_geo) {
        put_geo(writer, owner, number);
    }
    if (is_open) {
        hf_json_write_close(writer, '}');
    }
}

/* ---- fields that are left out when they are zero ---- */

#define PUT_TEXT(writer, name, text)                                                               \
    do {                                                                                           \
        if ((text).size != 0) {                                                                    \
            HF_JSON_WRITE_KEY((writer), name);                                                     \
            hf_json_write_text((writer), (text));                                                  \
        }                                                                                          \
    } while (0)

#define PUT_NUMBER(writer, name, number)                                                           \
    do {                                                                                           \
        if ((number) != 0) {                                                                       \
            HF_JSON_WRITE_KEY((writer), name);                                                     \
            hf_json_write_i64((writer), (number));                                                 \
        }                                                                                          \
    } while (0)

#define PUT_ID(writer, name, id)                                                                   \
    do {                                                                                           \
        if (hf_bulk_has_id(id)) {                                                                  \
            HF_JSON_WRITE_KEY((writer), name);                                                     \
            hf_json_write_hex((writer), (id));                                                     \
        }                                                                                          \
    } while (0)

/* ---- resource and scope ---- */

static void make_resource(struct es_context *context)
{
    struct hf_json_writer writer = {.out = &context->resource_json};
    struct hf_slice resource = context->walk.resource;
    context->resource_json.size = 0;
    hf_json_write_open(&writer, '{');
    PUT_TEXT(&writer, "schema_url", context->walk.resource_url);
    es_otel_attributes(&writer, resource, HF_BULK_RESOURCE_ATTRIBUTES,
                       context->signal == HF_METRICS, HF_EMPTY_SLICE);
    PUT_NUMBER(&writer, "dropped_attributes_count", (int64_t)hf_wire_find_bits(resource, 2));
    hf_json_write_close(&writer, '}');
    context->bulk->failed |= writer.failed;
}

static void make_scope(struct es_context *context)
{
    struct hf_json_writer writer = {.out = &context->scope_json};
    struct hf_slice scope = context->walk.scope;
    struct hf_slice name = hf_wire_find_bytes(scope, 1), version = hf_wire_find_bytes(scope, 2);
    context->scope_json.size = 0;
    hf_json_write_open(&writer, '{');
    PUT_TEXT(&writer, "schema_url", context->walk.scope_url);
    PUT_TEXT(&writer, "name", name);
    PUT_TEXT(&writer, "version", version);
    es_otel_attributes(&writer, scope, HF_BULK_SCOPE_ATTRIBUTES, context->signal == HF_METRICS,
                       HF_EMPTY_SLICE);
    PUT_NUMBER(&writer, "dropped_attributes_count", (int64_t)hf_wire_find_bits(scope, 4));
    hf_json_write_close(&writer, '}');
    context->bulk->failed |= writer.failed;
}

void es_otel_begin_group(struct es_context *context)
{
    make_resource(context);
    make_scope(context);
}

static void put_stream(struct es_context *context)
{
    if (context->stream_json.size != 0) {
        HF_JSON_WRITE_KEY(&context->bulk->writer, "data_stream");
        hf_json_write_made(&context->bulk->writer,
                           hf_slice_of(context->stream_json.data, context->stream_json.size));
    }
}

static void put_group(struct es_context *context)
{
    struct hf_json_writer *writer = &context->bulk->writer;
    HF_JSON_WRITE_KEY(writer, "resource");
    hf_json_write_made(writer,
                       hf_slice_of(context->resource_json.data, context->resource_json.size));
    HF_JSON_WRITE_KEY(writer, "scope");
    hf_json_write_made(writer, hf_slice_of(context->scope_json.data, context->scope_json.size));
}

/* ---- logs ---- */

static bool is_list_of_maps(struct hf_slice list)
{
    struct hf_wire wire = hf_wire_of(list);
    struct hf_slice element;
    while (hf_wire_each(&wire, 1, &element)) {
        if (hf_any_read(element).type != HF_ANY_MAP) {
            return false;
        }
    }
    return true;
}

/* A list of anything but objects is within an object: no field may be a list of several types. */
static void put_body(struct hf_json_writer *writer, struct hf_slice body)
{
    static const struct hf_json_any_style style = {.bytes_as_hex = true};
    struct hf_any any = hf_any_read(body);
    if (any.type == HF_ANY_EMPTY) {
        return;
    }
    HF_JSON_WRITE_KEY(writer, "body");
    hf_json_write_open(writer, '{');
    bool is_wrapped = any.type == HF_ANY_ARRAY && !is_list_of_maps(any.bytes);
    if (any.type == HF_ANY_MAP || any.type == HF_ANY_ARRAY) {
        HF_JSON_WRITE_KEY(writer, "structured");
    } else {
        HF_JSON_WRITE_KEY(writer, "text");
    }
    if (is_wrapped) {
        hf_json_write_open(writer, '{');
        HF_JSON_WRITE_KEY(writer, "value");
    }
    hf_json_write_any(writer, body, &style);
    if (is_wrapped) {
        hf_json_write_close(writer, '}');
    }
    hf_json_write_close(writer, '}');
}

static void put_event_name(struct hf_json_writer *writer, const struct hf_bulk_log *log,
                           struct hf_slice record)
{
    struct hf_slice value, name = log->event_name;
    if (name.size == 0 &&
        hf_attribute_of(record, HF_BULK_LOG_ATTRIBUTES, hf_slice_text("event.name"), &value)) {
        struct hf_any any = hf_any_read(value);
        name = any.type == HF_ANY_STRING ? any.bytes : HF_EMPTY_SLICE;
    }
    PUT_TEXT(writer, "event_name", name);
}

void es_otel_log(struct es_context *context, struct hf_slice record)
{
    struct hf_json_writer *writer = &context->bulk->writer;
    struct es_special special = es_special_read(record, HF_BULK_LOG_ATTRIBUTES);
    if (!es_context_route(context, HF_LOGS, &special, &context->route)) {
        return;
    }
    struct hf_bulk_log log = hf_bulk_log_read(record);
    es_context_begin(context, &context->route, &special, 0);
    hf_json_write_open(writer, '{');
    HF_JSON_WRITE_KEY(writer, "@timestamp");
    es_otel_time(writer, log.time_ns != 0 ? log.time_ns : log.observed_ns);
    HF_JSON_WRITE_KEY(writer, "observed_timestamp");
    es_otel_time(writer, log.observed_ns);
    put_stream(context);
    PUT_TEXT(writer, "severity_text", log.severity_text);
    PUT_NUMBER(writer, "severity_number", (int64_t)log.severity);
    PUT_ID(writer, "trace_id", log.trace_id);
    PUT_ID(writer, "span_id", log.span_id);
    es_otel_attributes(writer, record, HF_BULK_LOG_ATTRIBUTES, false, HF_EMPTY_SLICE);
    PUT_NUMBER(writer, "dropped_attributes_count", (int64_t)log.dropped);
    put_event_name(writer, &log, record);
    put_group(context);
    put_body(writer, log.body);
    hf_json_write_close(writer, '}');
    hf_bulk_end_document(context->bulk);
}

/* ---- spans ---- */

static void put_links(struct hf_json_writer *writer, struct hf_slice span)
{
    struct hf_wire wire = hf_wire_of(span);
    struct hf_slice bytes;
    HF_JSON_WRITE_KEY(writer, "links");
    hf_json_write_open(writer, '[');
    while (hf_wire_each(&wire, HF_BULK_SPAN_LINKS, &bytes)) {
        struct hf_bulk_link link = hf_bulk_link_read(bytes);
        hf_json_write_open(writer, '{');
        PUT_ID(writer, "trace_id", link.trace_id);
        PUT_ID(writer, "span_id", link.span_id);
        PUT_TEXT(writer, "trace_state", link.trace_state);
        es_otel_attributes(writer, bytes, HF_BULK_LINK_ATTRIBUTES, false, HF_EMPTY_SLICE);
        PUT_NUMBER(writer, "dropped_attributes_count", (int64_t)link.dropped);
        hf_json_write_close(writer, '}');
    }
    hf_json_write_close(writer, ']');
}

static void put_status(struct hf_json_writer *writer, const struct hf_bulk_span *span)
{
    static const char *const codes[] = {"Unset", "Ok", "Error"};
    HF_JSON_WRITE_KEY(writer, "status");
    hf_json_write_open(writer, '{');
    PUT_TEXT(writer, "message", span->status_message);
    if (span->status < sizeof(codes) / sizeof(codes[0])) {
        HF_JSON_WRITE_KEY(writer, "code");
        hf_json_write_text(writer, hf_slice_text(codes[span->status]));
    }
    hf_json_write_close(writer, '}');
}

static void put_span(struct es_context *context, struct hf_slice bytes,
                     const struct hf_bulk_span *span)
{
    static const char *const kinds[] = {"Unspecified", "Internal", "Server",
                                        "Client",      "Producer", "Consumer"};
    struct hf_json_writer *writer = &context->bulk->writer;
    hf_json_write_open(writer, '{');
    HF_JSON_WRITE_KEY(writer, "@timestamp");
    es_otel_time(writer, span->start_ns);
    put_stream(context);
    PUT_ID(writer, "trace_id", span->trace_id);
    PUT_ID(writer, "span_id", span->span_id);
    PUT_TEXT(writer, "trace_state", span->trace_state);
    PUT_ID(writer, "parent_span_id", span->parent_id);
    PUT_TEXT(writer, "name", span->name);
    if (span->kind < sizeof(kinds) / sizeof(kinds[0])) {
        HF_JSON_WRITE_KEY(writer, "kind");
        hf_json_write_text(writer, hf_slice_text(kinds[span->kind]));
    }
    HF_JSON_WRITE_KEY(writer, "duration");
    hf_json_write_u64(writer, span->end_ns - span->start_ns);
    es_otel_attributes(writer, bytes, HF_BULK_SPAN_ATTRIBUTES, false, HF_EMPTY_SLICE);
    PUT_NUMBER(writer, "dropped_attributes_count", (int64_t)span->dropped_attributes);
    PUT_NUMBER(writer, "dropped_events_count", (int64_t)span->dropped_events);
    put_links(writer, bytes);
    PUT_NUMBER(writer, "dropped_links_count", (int64_t)span->dropped_links);
    put_status(writer, span);
    put_group(context);
    hf_json_write_close(writer, '}');
}

static void put_event(struct es_context *context, struct hf_slice bytes,
                      const struct hf_bulk_span *span)
{
    struct hf_json_writer *writer = &context->bulk->writer;
    struct hf_bulk_event event = hf_bulk_event_read(bytes);
    hf_json_write_open(writer, '{');
    HF_JSON_WRITE_KEY(writer, "@timestamp");
    es_otel_time(writer, event.time_ns);
    put_stream(context);
    PUT_ID(writer, "trace_id", span->trace_id);
    PUT_ID(writer, "span_id", span->span_id);
    PUT_NUMBER(writer, "dropped_attributes_count", (int64_t)event.dropped);
    PUT_TEXT(writer, "event_name", event.name);
    es_otel_attributes(writer, bytes, HF_BULK_EVENT_ATTRIBUTES, false, event.name);
    put_group(context);
    hf_json_write_close(writer, '}');
}

static void put_events(struct es_context *context, struct hf_slice span_bytes,
                       const struct hf_bulk_span *span)
{
    struct hf_wire wire = hf_wire_of(span_bytes);
    struct hf_slice bytes;
    uint32_t part = 0;
    while (hf_wire_each(&wire, HF_BULK_SPAN_EVENTS, &bytes)) {
        struct es_special special = es_special_read(bytes, HF_BULK_EVENT_ATTRIBUTES);
        part++;
        if (es_context_route(context, HF_LOGS, &special, &context->event_route)) {
            es_context_begin(context, &context->event_route, &special, part);
            put_event(context, bytes, span);
            hf_bulk_end_document(context->bulk);
        }
    }
    if (part != 0) {
        context->has_group_route = false; /* the data stream's text is that of the events now */
    }
}

void es_otel_span(struct es_context *context, struct hf_slice bytes)
{
    struct es_special special = es_special_read(bytes, HF_BULK_SPAN_ATTRIBUTES);
    if (!es_context_route(context, HF_TRACES, &special, &context->route)) {
        return;
    }
    struct hf_bulk_span span = hf_bulk_span_read(bytes);
    es_context_begin(context, &context->route, &special, 0);
    put_span(context, bytes, &span);
    hf_bulk_end_document(context->bulk);
    put_events(context, bytes, &span);
}
