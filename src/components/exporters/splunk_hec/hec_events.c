#include "hec_events.h"

#include <string.h>

#include "hec_metrics.h"
#include "pdata/any.h"
#include "pdata/message.h"
#include "pdata/walk.h"

#define PROFILING "otel.profiling"

/* Field numbers of OTLP. */
enum {
    RECORD_TIME = 1,
    RECORD_NUMBER = 2,
    RECORD_TEXT = 3,
    RECORD_BODY = 5,
    RECORD_ATTRIBUTES = 6
};
enum { RECORD_TRACE = 9, RECORD_SPAN = 10 };
enum { SPAN_TRACE = 1, SPAN_ID = 2, SPAN_STATE = 3, SPAN_PARENT = 4, SPAN_NAME = 5, SPAN_KIND = 6 };
enum { SPAN_START = 7, SPAN_END = 8, SPAN_ATTRIBUTES = 9, SPAN_EVENTS = 11, SPAN_LINKS = 13 };
enum { SPAN_STATUS = 15, STATUS_MESSAGE = 2, STATUS_CODE = 3 };

static const struct hf_json_any_style style = {.bytes_as_hex = false};

static struct hf_attributes *attributes_of(struct hf_message *owner)
{
    return owner != NULL
               ? hf_message_attributes(owner, hf_message_attributes_number(hf_message_type(owner)))
               : NULL;
}

static void put_text(struct hf_json_writer *writer, const char *key, struct hf_slice text)
{
    hf_json_write_key(writer, hf_slice_text(key));
    hf_json_write_text(writer, text);
}

static void put_hex(struct hf_json_writer *writer, const char *key, struct hf_slice id)
{
    hf_json_write_key(writer, hf_slice_text(key));
    hf_json_write_hex(writer, id);
}

static void put_attributes(struct hf_json_writer *writer, struct hf_message *owner)
{
    const struct hf_attributes *attributes = attributes_of(owner);
    if (attributes == NULL || attributes->count == 0) {
        return;
    }
    HF_JSON_WRITE_KEY(writer, "attributes");
    hf_json_write_open(writer, '{');
    for (size_t i = 0; i < attributes->count; i++) {
        hf_json_write_key(writer, attributes->items[i].key);
        hf_json_write_any(writer, attributes->items[i].value, &style);
    }
    hf_json_write_close(writer, '}');
}

/* ---- log records ---- */

static void leave_out(struct hec_events *events, const char *why)
{
    events->left_out++;
    events->why = why;
}

/* A field with an id in hex, in the document's memory. */
static void set_id(struct hec_events *events, struct hf_document *document, const char *key,
                   struct hf_slice id)
{
    struct hf_bytes json = {0};
    struct hf_json_writer writer = {.out = &json};
    if (id.size == 0) {
        return;
    }
    hf_json_write_hex(&writer, id);
    struct hf_slice kept = hf_document_keep(document, hf_slice_of(json.data, json.size));
    events->fields.failed = events->fields.failed || kept.size != json.size || writer.failed;
    hec_fields_set(&events->fields, hf_slice_text(key), kept, HEC_MADE);
    hf_bytes_release(&json);
}

static void set_number(struct hec_events *events, struct hf_document *document, const char *key,
                       uint64_t number)
{
    struct hf_bytes json = {0};
    struct hf_json_writer writer = {.out = &json};
    hf_json_write_u64(&writer, number);
    struct hf_slice kept = hf_document_keep(document, hf_slice_of(json.data, json.size));
    events->fields.failed = events->fields.failed || kept.size != json.size || writer.failed;
    hec_fields_set(&events->fields, hf_slice_text(key), kept, HEC_MADE);
    hf_bytes_release(&json);
}

static void gather_record(struct hec_events *events, const struct hf_place *place)
{
    const struct hec_severity_fields *severity = &events->config->severity;
    struct hec_fields *fields = &events->fields;
    struct hf_document *document = place->document;
    struct hf_bytes json = {0};
    struct hf_json_writer writer = {.out = &json};
    struct hf_slice text = hf_message_bytes(place->item, RECORD_TEXT);
    hec_fields_begin(fields, events->config);
    set_id(events, document, "span_id", hf_message_bytes(place->item, RECORD_SPAN));
    set_id(events, document, "trace_id", hf_message_bytes(place->item, RECORD_TRACE));
    if (text.size != 0) {
        hf_json_write_text(&writer, text);
        hec_fields_set(fields, hf_slice_text(severity->text),
                       hf_document_keep(document, hf_slice_of(json.data, json.size)), HEC_MADE);
    }
    if (hf_message_u64(place->item, RECORD_NUMBER) != 0) {
        set_number(events, document, severity->number, hf_message_u64(place->item, RECORD_NUMBER));
    }
    hec_fields_add(fields, document, &events->keys, attributes_of(hf_place_resource(place)), false);
    hec_fields_add(fields, document, &events->keys, attributes_of(place->item), false);
    hf_bytes_release(&json);
}

static bool is_empty(struct hf_slice body)
{
    struct hf_any any = hf_any_read(body);
    return any.type == HF_ANY_EMPTY || (any.type == HF_ANY_STRING && any.bytes.size == 0);
}

static enum hf_status write_record(struct hec_events *events, const struct hf_place *place,
                                   struct hf_bytes *out)
{
    struct hf_slice body = hf_message_any(place->item, RECORD_BODY);
    struct hf_message *scope = hf_place_scope(place);
    bool is_profile = scope != NULL && hf_slice_is(hf_message_bytes(scope, 1), PROFILING);
    struct hf_json_writer writer = {.out = out};
    size_t start = out->size;
    if (is_profile ? !events->config->profiling_data_enabled : !events->config->log_data_enabled) {
        leave_out(events,
                  is_profile ? "profiling_data_enabled is false" : "log_data_enabled is false");
        return HF_OK;
    }
    if (is_empty(body)) {
        leave_out(events, "Splunk takes no event without a body");
        return HF_OK;
    }
    if (events->config->export_raw) {
        enum hf_status status = hf_any_text(body, out);
        return status == HF_OK ? hf_bytes_append(out, hf_slice_text("\n")) : status;
    }
    gather_record(events, place);
    hf_json_write_open(&writer, '{');
    hec_put_time(&writer, hf_message_u64(place->item, RECORD_TIME));
    HF_JSON_WRITE_KEY(&writer, "event");
    hf_json_write_any(&writer, body, &style);
    hec_fields_write(&events->fields, &writer);
    return hec_event_end(events, &writer, start);
}

/* ---- spans ---- */

static void put_span_events(struct hf_json_writer *writer, struct hf_message *span)
{
    struct hf_message *event = hf_message_first(span, SPAN_EVENTS);
    if (event == NULL) {
        return;
    }
    HF_JSON_WRITE_KEY(writer, "events");
    hf_json_write_open(writer, '[');
    for (; event != NULL; event = hf_message_next(event)) {
        hf_json_write_open(writer, '{');
        put_attributes(writer, event);
        put_text(writer, "name", hf_message_bytes(event, 2));
        HF_JSON_WRITE_KEY(writer, "timestamp");
        hf_json_write_u64(writer, hf_message_u64(event, 1));
        hf_json_write_close(writer, '}');
    }
    hf_json_write_close(writer, ']');
}

static void put_links(struct hf_json_writer *writer, struct hf_message *span)
{
    struct hf_message *link = hf_message_first(span, SPAN_LINKS);
    if (link == NULL) {
        return;
    }
    HF_JSON_WRITE_KEY(writer, "links");
    hf_json_write_open(writer, '[');
    for (; link != NULL; link = hf_message_next(link)) {
        hf_json_write_open(writer, '{');
        put_attributes(writer, link);
        put_hex(writer, "trace_id", hf_message_bytes(link, 1));
        put_hex(writer, "span_id", hf_message_bytes(link, 2));
        put_text(writer, "trace_state", hf_message_bytes(link, 3));
        hf_json_write_close(writer, '}');
    }
    hf_json_write_close(writer, ']');
}

static void put_span(struct hf_json_writer *writer, struct hf_message *span)
{
    static const char *const kinds[] = {"Unspecified", "Internal", "Server",
                                        "Client",      "Producer", "Consumer"};
    static const char *const codes[] = {"Unset", "Ok", "Error"};
    struct hf_message *status = hf_message_one(span, SPAN_STATUS);
    uint64_t kind = hf_message_u64(span, SPAN_KIND);
    uint64_t code = status != NULL ? hf_message_u64(status, STATUS_CODE) : 0;
    hf_json_write_open(writer, '{');
    put_hex(writer, "trace_id", hf_message_bytes(span, SPAN_TRACE));
    put_hex(writer, "span_id", hf_message_bytes(span, SPAN_ID));
    put_hex(writer, "parent_span_id", hf_message_bytes(span, SPAN_PARENT));
    put_text(writer, "name", hf_message_bytes(span, SPAN_NAME));
    put_attributes(writer, span);
    HF_JSON_WRITE_KEY(writer, "end_time");
    hf_json_write_u64(writer, hf_message_u64(span, SPAN_END));
    put_text(writer, "kind", hf_slice_text(kind < 6 ? kinds[kind] : ""));
    HF_JSON_WRITE_KEY(writer, "status");
    hf_json_write_open(writer, '{');
    put_text(writer, "message",
             status != NULL ? hf_message_bytes(status, STATUS_MESSAGE) : HF_EMPTY_SLICE);
    put_text(writer, "code", hf_slice_text(code < 3 ? codes[code] : ""));
    hf_json_write_close(writer, '}');
    HF_JSON_WRITE_KEY(writer, "start_time");
    hf_json_write_u64(writer, hf_message_u64(span, SPAN_START));
    put_span_events(writer, span);
    put_links(writer, span);
    hf_json_write_close(writer, '}');
}

static enum hf_status write_span(struct hec_events *events, const struct hf_place *place,
                                 struct hf_bytes *out)
{
    struct hf_json_writer writer = {.out = out};
    size_t start = out->size;
    hec_fields_begin(&events->fields, events->config);
    hec_fields_add(&events->fields, place->document, &events->keys,
                   attributes_of(hf_place_resource(place)), true);
    hf_json_write_open(&writer, '{');
    hec_put_time(&writer, hf_message_u64(place->item, SPAN_START));
    HF_JSON_WRITE_KEY(&writer, "event");
    put_span(&writer, place->item);
    hec_fields_write(&events->fields, &writer);
    return hec_event_end(events, &writer, start);
}

static enum hf_status write_point(struct hec_events *events, const struct hf_place *place,
                                  struct hf_bytes *out)
{
    hec_fields_begin(&events->fields, events->config);
    hec_fields_add(&events->fields, place->document, &events->keys,
                   attributes_of(hf_place_resource(place)), true);
    hec_fields_add(&events->fields, place->document, NULL, attributes_of(place->item), true);
    return hec_point_write(events, place, out);
}

enum hf_status hec_events_write(struct hec_events *events, enum hf_signal signal,
                                struct hf_slice raw, struct hf_bytes *out)
{
    struct hf_document *document = hf_document_borrow(signal, raw);
    struct hf_place place = {.document = document};
    enum hf_status status = document != NULL ? HF_OK : HF_NOMEM;
    events->left_out = 0;
    events->why = "";
    events->fields.failed = false;
    while (status == HF_OK && hf_place_next_item(&place)) {
        switch (signal) {
        case HF_LOGS:
            status = write_record(events, &place, out);
            break;
        case HF_TRACES:
            status = write_span(events, &place, out);
            break;
        default:
            status = write_point(events, &place, out);
        }
    }
    if (status == HF_OK) {
        status = hf_document_status(document);
        status = status == HF_INVALID ? HF_CORRUPT : status;
    }
    hf_document_return(document);
    return status;
}

void hec_events_release(struct hec_events *events)
{
    hec_fields_release(&events->fields);
    hf_bytes_release(&events->name);
}
