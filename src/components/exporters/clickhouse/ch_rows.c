#include "ch_rows.h"

#include "ch_points.h"
#include "ch_values.h"
#include "pdata/document.h"

/* Field numbers of OTLP. */
enum { RECORD_TIME = 1, RECORD_NUMBER = 2, RECORD_TEXT = 3, RECORD_BODY = 5, RECORD_FLAGS = 8 };
enum { RECORD_TRACE = 9, RECORD_SPAN = 10, RECORD_OBSERVED = 11, RECORD_EVENT = 12 };
enum { SPAN_TRACE = 1, SPAN_ID = 2, SPAN_STATE = 3, SPAN_PARENT = 4, SPAN_NAME = 5, SPAN_KIND = 6 };
enum { SPAN_START = 7, SPAN_END = 8, SPAN_EVENTS = 11, SPAN_LINKS = 13, SPAN_STATUS = 15 };
enum { STATUS_MESSAGE = 2, STATUS_CODE = 3, SCHEMA_URL = 3, SCOPE_NAME = 1, SCOPE_VERSION = 2 };

#define PUT_TEXT(writer, key, text)                                                                \
    do {                                                                                           \
        HF_JSON_WRITE_KEY((writer), key);                                                          \
        hf_json_write_text((writer), (text));                                                      \
    } while (0)

static struct hf_slice text_of(struct hf_message *message, uint32_t number)
{
    return message != NULL ? hf_message_bytes(message, number) : HF_EMPTY_SLICE;
}

/* ---- log records ---- */

static void put_record(struct hf_json_writer *writer, const struct hf_place *place,
                       const struct ch_rows_options *options)
{
    struct hf_message *record = place->item, *scope = hf_place_scope(place);
    struct hf_message *resource = hf_place_resource(place);
    uint64_t time_ns = hf_message_u64(record, RECORD_TIME);
    HF_JSON_WRITE_KEY(writer, "Timestamp");
    ch_put_time(writer, time_ns != 0 ? time_ns : hf_message_u64(record, RECORD_OBSERVED));
    HF_JSON_WRITE_KEY(writer, "TraceId");
    ch_put_id(writer, hf_message_bytes(record, RECORD_TRACE));
    HF_JSON_WRITE_KEY(writer, "SpanId");
    ch_put_id(writer, hf_message_bytes(record, RECORD_SPAN));
    HF_JSON_WRITE_KEY(writer, "TraceFlags");
    hf_json_write_u64(writer, hf_message_u64(record, RECORD_FLAGS) & 0xff);
    PUT_TEXT(writer, "SeverityText", hf_message_bytes(record, RECORD_TEXT));
    HF_JSON_WRITE_KEY(writer, "SeverityNumber");
    hf_json_write_u64(writer, (uint64_t)hf_message_i64(record, RECORD_NUMBER) & 0xff);
    HF_JSON_WRITE_KEY(writer, "ServiceName");
    ch_put_service(writer, resource);
    HF_JSON_WRITE_KEY(writer, "Body");
    ch_put_any_text(writer, hf_message_any(record, RECORD_BODY));
    PUT_TEXT(writer, "ResourceSchemaUrl", text_of(place->resource_group, SCHEMA_URL));
    HF_JSON_WRITE_KEY(writer, "ResourceAttributes");
    ch_put_attributes(writer, resource, options->as_json);
    PUT_TEXT(writer, "ScopeSchemaUrl", text_of(place->scope_group, SCHEMA_URL));
    PUT_TEXT(writer, "ScopeName", text_of(scope, SCOPE_NAME));
    PUT_TEXT(writer, "ScopeVersion", text_of(scope, SCOPE_VERSION));
    HF_JSON_WRITE_KEY(writer, "ScopeAttributes");
    ch_put_attributes(writer, scope, options->as_json);
    HF_JSON_WRITE_KEY(writer, "LogAttributes");
    ch_put_attributes(writer, record, options->as_json);
    if (options->has_optional) {
        PUT_TEXT(writer, "EventName", hf_message_bytes(record, RECORD_EVENT));
    }
    if (options->has_optional && options->as_json) {
        HF_JSON_WRITE_KEY(writer, "ResourceAttributesKeys");
        ch_put_keys(writer, resource);
        HF_JSON_WRITE_KEY(writer, "ScopeAttributesKeys");
        ch_put_keys(writer, scope);
        HF_JSON_WRITE_KEY(writer, "LogAttributesKeys");
        ch_put_keys(writer, record);
    }
}

/* ---- spans ---- */

/* The columns of a Nested are lists of the same length, one value of each for each part. */
enum part_value { PART_TIME, PART_TEXT, PART_ID, PART_ATTRIBUTES };

struct part_column {
    const char *key;
    uint32_t number;
    enum part_value value;
};

static void put_parts(struct hf_json_writer *writer, struct hf_message *span, uint32_t parts,
                      const struct part_column *column, bool as_json)
{
    hf_json_write_key(writer, hf_slice_text(column->key));
    hf_json_write_open(writer, '[');
    for (struct hf_message *part = hf_message_first(span, parts); part != NULL;
         part = hf_message_next(part)) {
        switch (column->value) {
        case PART_TIME:
            ch_put_time(writer, hf_message_u64(part, column->number));
            break;
        case PART_TEXT:
            hf_json_write_text(writer, hf_message_bytes(part, column->number));
            break;
        case PART_ID:
            ch_put_id(writer, hf_message_bytes(part, column->number));
            break;
        default:
            ch_put_attributes(writer, part, as_json);
        }
    }
    hf_json_write_close(writer, ']');
}

static void put_events_and_links(struct hf_json_writer *writer, struct hf_message *span,
                                 bool as_json)
{
    static const struct part_column events[] = {
        {"Events.Timestamp", 1, PART_TIME},
        {"Events.Name", 2, PART_TEXT},
        {"Events.Attributes", 0, PART_ATTRIBUTES},
    };
    static const struct part_column links[] = {
        {"Links.TraceId", 1, PART_ID},
        {"Links.SpanId", 2, PART_ID},
        {"Links.TraceState", 3, PART_TEXT},
        {"Links.Attributes", 0, PART_ATTRIBUTES},
    };
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        put_parts(writer, span, SPAN_EVENTS, &events[i], as_json);
    }
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        put_parts(writer, span, SPAN_LINKS, &links[i], as_json);
    }
}

static void put_kind_and_status(struct hf_json_writer *writer, struct hf_message *span)
{
    static const char *const kinds[] = {"Unspecified", "Internal", "Server",
                                        "Client",      "Producer", "Consumer"};
    static const char *const codes[] = {"Unset", "Ok", "Error"};
    struct hf_message *status = hf_message_one(span, SPAN_STATUS);
    uint64_t kind = hf_message_u64(span, SPAN_KIND);
    uint64_t code = status != NULL ? hf_message_u64(status, STATUS_CODE) : 0;
    PUT_TEXT(writer, "SpanKind", hf_slice_text(kind < 6 ? kinds[kind] : ""));
    PUT_TEXT(writer, "StatusCode", hf_slice_text(code < 3 ? codes[code] : ""));
    PUT_TEXT(writer, "StatusMessage", text_of(status, STATUS_MESSAGE));
}

static void put_span(struct hf_json_writer *writer, const struct hf_place *place,
                     const struct ch_rows_options *options)
{
    struct hf_message *span = place->item, *scope = hf_place_scope(place);
    struct hf_message *resource = hf_place_resource(place);
    HF_JSON_WRITE_KEY(writer, "Timestamp");
    ch_put_time(writer, hf_message_u64(span, SPAN_START));
    HF_JSON_WRITE_KEY(writer, "TraceId");
    ch_put_id(writer, hf_message_bytes(span, SPAN_TRACE));
    HF_JSON_WRITE_KEY(writer, "SpanId");
    ch_put_id(writer, hf_message_bytes(span, SPAN_ID));
    HF_JSON_WRITE_KEY(writer, "ParentSpanId");
    ch_put_id(writer, hf_message_bytes(span, SPAN_PARENT));
    PUT_TEXT(writer, "TraceState", hf_message_bytes(span, SPAN_STATE));
    PUT_TEXT(writer, "SpanName", hf_message_bytes(span, SPAN_NAME));
    HF_JSON_WRITE_KEY(writer, "ServiceName");
    ch_put_service(writer, resource);
    HF_JSON_WRITE_KEY(writer, "ResourceAttributes");
    ch_put_attributes(writer, resource, options->as_json);
    PUT_TEXT(writer, "ScopeName", text_of(scope, SCOPE_NAME));
    PUT_TEXT(writer, "ScopeVersion", text_of(scope, SCOPE_VERSION));
    HF_JSON_WRITE_KEY(writer, "SpanAttributes");
    ch_put_attributes(writer, span, options->as_json);
    HF_JSON_WRITE_KEY(writer, "Duration"); /* as Go's unsigned numbers have it, below zero too */
    hf_json_write_u64(writer, hf_message_u64(span, SPAN_END) - hf_message_u64(span, SPAN_START));
    put_kind_and_status(writer, span);
    put_events_and_links(writer, span, options->as_json);
    if (options->has_optional && options->as_json) {
        HF_JSON_WRITE_KEY(writer, "ResourceAttributesKeys");
        ch_put_keys(writer, resource);
        HF_JSON_WRITE_KEY(writer, "SpanAttributesKeys");
        ch_put_keys(writer, span);
    }
}

/* ---- requests ---- */

static enum hf_status close_document(struct hf_document *document, enum hf_status status)
{
    if (status == HF_OK) {
        status = hf_document_status(document);
        status = status == HF_INVALID ? HF_CORRUPT : status;
    }
    hf_document_return(document);
    return status;
}

enum hf_status ch_rows_tables(enum hf_signal signal, struct hf_slice raw, unsigned *ret_tables)
{
    if (signal != HF_METRICS) {
        *ret_tables = 1u << (signal == HF_LOGS ? CH_LOGS : CH_TRACES);
        return HF_OK;
    }
    struct hf_document *document = hf_document_borrow(signal, raw);
    struct hf_place place = {.document = document};
    unsigned tables = 0;
    if (document == NULL) {
        return HF_NOMEM;
    }
    while (hf_place_next_item(&place)) {
        enum ch_metric kind = ch_point_kind(&place);
        tables |= kind != CH_METRIC_COUNT ? 1u << (CH_METRICS + kind) : 0;
    }
    *ret_tables = tables;
    return close_document(document, HF_OK);
}

static enum hf_signal signal_of(enum ch_rows rows)
{
    return rows == CH_LOGS ? HF_LOGS : rows == CH_TRACES ? HF_TRACES : HF_METRICS;
}

static bool is_of(enum ch_rows rows, const struct hf_place *place)
{
    return rows < CH_METRICS || ch_point_kind(place) == (enum ch_metric)(rows - CH_METRICS);
}

enum hf_status ch_rows_write(enum ch_rows rows, struct hf_slice raw,
                             const struct ch_rows_options *options, struct hf_bytes *out)
{
    struct hf_document *document = hf_document_borrow(signal_of(rows), raw);
    struct hf_place place = {.document = document};
    struct hf_json_writer writer = {.out = out};
    enum hf_status status = document != NULL ? HF_OK : HF_NOMEM;
    while (status == HF_OK && hf_place_next_item(&place)) {
        if (!is_of(rows, &place)) {
            continue;
        }
        hf_json_write_open(&writer, '{');
        if (rows == CH_LOGS) {
            put_record(&writer, &place, options);
        } else if (rows == CH_TRACES) {
            put_span(&writer, &place, options);
        } else {
            ch_point_put(&writer, &place);
        }
        hf_json_write_close(&writer, '}');
        hf_json_write_bytes(&writer, "\n", 1);
        status = hf_json_write_status(&writer);
    }
    return close_document(document, status);
}
