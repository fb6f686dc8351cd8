/*
 * influx_spans: spans, their events and links, and log records as lines.
 */
#include <string.h>

#include "influx_lines.h"
#include "pdata/any.h"
#include "util/hex.h"

#define LITERAL(text) ((struct hf_slice){(const uint8_t *)(text), sizeof(text) - 1})
#define ID_MAX 32u

/* Field numbers of OTLP. */
enum { SPAN_TRACE = 1, SPAN_ID = 2, SPAN_STATE = 3, SPAN_PARENT = 4, SPAN_NAME = 5, SPAN_KIND = 6 };
enum { SPAN_START = 7, SPAN_END = 8, SPAN_DROPPED = 10, SPAN_EVENTS = 11, EVENTS_DROPPED = 12 };
enum { SPAN_LINKS = 13, LINKS_DROPPED = 14, SPAN_STATUS = 15, STATUS_MESSAGE = 2, STATUS_CODE = 3 };
enum { EVENT_TIME = 1, EVENT_NAME = 2, EVENT_DROPPED = 4, LINK_STATE = 3, LINK_DROPPED = 5 };
enum { RECORD_TIME = 1, RECORD_NUMBER = 2, RECORD_TEXT = 3, RECORD_BODY = 5, RECORD_DROPPED = 7 };
enum { RECORD_TRACE = 9, RECORD_SPAN = 10, RECORD_OBSERVED = 11, RECORD_EVENT = 12 };

/* A field gives way to a tag of its key, which is counted. */
struct fields {
    struct influx_lines *lines;
    uint64_t dropped;
};

static bool may_put(struct fields *fields, const char *key)
{
    bool is_tag = influx_has_tag(fields->lines, key);
    fields->dropped += is_tag;
    return !is_tag;
}

static void put_text(struct fields *fields, const char *key, struct hf_slice text)
{
    if (text.size != 0 && may_put(fields, key)) {
        hf_influx_put_text(&fields->lines->writer, hf_slice_text(key), text);
    }
}

static void put_int(struct fields *fields, const char *key, int64_t number)
{
    if (number != 0 && may_put(fields, key)) {
        hf_influx_put_int(&fields->lines->writer, hf_slice_text(key), number);
    }
}

static void put_count(struct fields *fields, const char *key, uint64_t count)
{
    if (count != 0 && may_put(fields, key)) {
        hf_influx_put_uint(&fields->lines->writer, hf_slice_text(key), count);
    }
}

static void put_hex(struct fields *fields, const char *key, struct hf_slice id)
{
    char room[2 * ID_MAX];
    size_t size = hf_hex_write(hf_slice_of(id.data, id.size < ID_MAX ? id.size : ID_MAX), room);
    put_text(fields, key, hf_slice_of(room, size));
}

/* A line needs a field: one that has no other says that no attribute was dropped. */
static void end_line(struct fields *fields, uint64_t dropped, uint64_t time_ns)
{
    struct hf_influx_writer *writer = &fields->lines->writer;
    uint64_t all = dropped + fields->dropped;
    if (all != 0 || writer->field_count == 0) {
        hf_influx_put_uint(writer, LITERAL("dropped_attributes_count"), all);
    }
    (void)hf_influx_end(writer, time_ns);
}

/* ---- events and links ---- */

static void begin(struct influx_lines *lines, struct hf_slice measurement)
{
    hf_influx_begin(&lines->writer, measurement);
    influx_tags_write(lines, NULL, HF_EMPTY_SLICE);
}

static void begin_part(struct influx_lines *lines, struct hf_message *span)
{
    lines->tags.count = lines->others.count = 0;
    influx_tag_hex(lines, "trace_id", hf_message_bytes(span, SPAN_TRACE));
    influx_tag_hex(lines, "span_id", hf_message_bytes(span, SPAN_ID));
}

static void write_event(struct influx_lines *lines, struct hf_message *span,
                        struct hf_message *event)
{
    struct fields fields = {lines, 0};
    begin_part(lines, span);
    influx_attributes_sort(lines, event, NULL);
    begin(lines, LITERAL("logs"));
    put_text(&fields, "event.name", hf_message_bytes(event, EVENT_NAME));
    influx_others_write(lines);
    end_line(&fields, hf_message_u64(event, EVENT_DROPPED), hf_message_u64(event, EVENT_TIME));
}

/* False: it leads nowhere. */
static bool write_link(struct influx_lines *lines, struct hf_message *span, struct hf_message *link,
                       uint64_t time_ns)
{
    struct fields fields = {lines, 0};
    struct hf_slice trace = hf_message_bytes(link, SPAN_TRACE),
                    id = hf_message_bytes(link, SPAN_ID);
    if (trace.size == 0 || id.size == 0) {
        return false;
    }
    begin_part(lines, span);
    influx_tag_hex(lines, "linked_trace_id", trace);
    influx_tag_hex(lines, "linked_span_id", id);
    influx_attributes_sort(lines, link, NULL);
    begin(lines, LITERAL("span-links"));
    put_text(&fields, "trace_state", hf_message_bytes(link, LINK_STATE));
    influx_others_write(lines);
    end_line(&fields, hf_message_u64(link, LINK_DROPPED), time_ns);
    return true;
}

/* ---- spans ---- */

static struct hf_slice name_of(uint64_t number, const char *const *names, size_t count)
{
    return number < count ? hf_slice_text(names[number]) : HF_EMPTY_SLICE;
}

static void put_status(struct fields *fields, struct hf_message *span)
{
    static const char *const codes[] = {"", "Ok", "Error"};
    struct hf_message *status = hf_message_one(span, SPAN_STATUS);
    if (status != NULL) {
        put_text(fields, "otel.status_code",
                 name_of(hf_message_u64(status, STATUS_CODE), codes, 3));
        put_text(fields, "otel.status_description", hf_message_bytes(status, STATUS_MESSAGE));
    }
}

static void put_span(struct fields *fields, struct hf_message *span, uint64_t time_ns)
{
    static const char *const kinds[] = {"", "Internal", "Server", "Client", "Producer", "Consumer"};
    uint64_t end_ns = hf_message_u64(span, SPAN_END);
    influx_others_write(fields->lines);
    put_text(fields, "trace_state", hf_message_bytes(span, SPAN_STATE));
    put_hex(fields, "parent_span_id", hf_message_bytes(span, SPAN_PARENT));
    put_text(fields, "span.name", hf_message_bytes(span, SPAN_NAME));
    put_text(fields, "span.kind",
             name_of(hf_message_u64(span, SPAN_KIND), kinds, sizeof(kinds) / sizeof(kinds[0])));
    if (end_ns != 0) {
        put_int(fields, "end_time_unix_nano", (int64_t)end_ns);
        if (may_put(fields, "duration_nano")) {
            hf_influx_put_int(&fields->lines->writer, LITERAL("duration_nano"),
                              (int64_t)(end_ns - time_ns));
        }
    }
    put_status(fields, span);
}

void influx_span_write(struct influx_lines *lines, const struct hf_place *place)
{
    struct hf_message *span = place->item;
    struct fields fields = {lines, 0};
    uint64_t start_ns = hf_message_u64(span, SPAN_START);
    uint64_t time_ns = start_ns != 0 ? start_ns : lines->received_ns;
    uint64_t links_dropped = hf_message_u64(span, LINKS_DROPPED);
    if (hf_message_bytes(span, SPAN_TRACE).size == 0 || hf_message_bytes(span, SPAN_ID).size == 0) {
        influx_leave_out(lines, "a span without trace id or span id has no form in InfluxDB");
        return;
    }
    for (struct hf_message *event = hf_message_first(span, SPAN_EVENTS); event != NULL;
         event = hf_message_next(event)) {
        write_event(lines, span, event);
    }
    for (struct hf_message *link = hf_message_first(span, SPAN_LINKS); link != NULL;
         link = hf_message_next(link)) {
        links_dropped += !write_link(lines, span, link, time_ns);
    }
    lines->tags.count = lines->others.count = 0;
    influx_attributes_sort(lines, hf_place_resource(place), lines->span_dimensions);
    influx_attributes_sort(lines, hf_place_scope(place), lines->span_dimensions);
    influx_attributes_sort(lines, span, lines->span_dimensions);
    influx_tag_hex(lines, "trace_id", hf_message_bytes(span, SPAN_TRACE));
    influx_tag_hex(lines, "span_id", hf_message_bytes(span, SPAN_ID));
    begin(lines, LITERAL("spans"));
    put_span(&fields, span, time_ns);
    put_count(&fields, "dropped_events_count", hf_message_u64(span, EVENTS_DROPPED));
    put_count(&fields, "dropped_links_count", links_dropped);
    end_line(&fields, hf_message_u64(span, SPAN_DROPPED), time_ns);
}

/* ---- log records ---- */

static void put_body(struct fields *fields, struct hf_message *record)
{
    struct influx_lines *lines = fields->lines;
    lines->scratch.size = 0;
    lines->failed |= hf_any_text(hf_message_any(record, RECORD_BODY), &lines->scratch) != HF_OK;
    if (may_put(fields, "body")) {
        hf_influx_put_text(&lines->writer, LITERAL("body"),
                           hf_slice_of(lines->scratch.data, lines->scratch.size));
    }
}

void influx_record_write(struct influx_lines *lines, const struct hf_place *place)
{
    struct hf_message *record = place->item;
    struct fields fields = {lines, 0};
    struct hf_slice trace = hf_message_bytes(record, RECORD_TRACE);
    struct hf_slice span = hf_message_bytes(record, RECORD_SPAN);
    uint64_t time_ns = hf_message_u64(record, RECORD_TIME);
    influx_attributes_sort(lines, hf_place_resource(place), lines->record_dimensions);
    influx_attributes_sort(lines, hf_place_scope(place), lines->record_dimensions);
    influx_attributes_sort(lines, record, lines->record_dimensions);
    if (trace.size != 0 && span.size != 0) {
        influx_tag_hex(lines, "trace_id", trace);
        influx_tag_hex(lines, "span_id", span);
    }
    begin(lines, LITERAL("logs"));
    put_int(&fields, "observed_time_unix_nano", (int64_t)hf_message_u64(record, RECORD_OBSERVED));
    put_int(&fields, "severity_number", hf_message_i64(record, RECORD_NUMBER));
    put_text(&fields, "severity_text", hf_message_bytes(record, RECORD_TEXT));
    put_text(&fields, "event.name", hf_message_bytes(record, RECORD_EVENT));
    put_body(&fields, record);
    influx_others_write(lines);
    end_line(&fields, hf_message_u64(record, RECORD_DROPPED),
             time_ns != 0 ? time_ns : lines->received_ns);
}
