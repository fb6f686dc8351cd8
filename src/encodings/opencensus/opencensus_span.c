/*
 * opencensus_span: a span of OpenCensus as one of OTLP.
 */
#include <string.h>

#include "opencensus_parts.h"
#include "pdata/build_spans.h"

#define LITERAL(text) ((struct hf_slice){(const uint8_t *)(text), sizeof(text) - 1})

enum { SPAN_TRACE = 1, SPAN_ID = 2, SPAN_PARENT = 3, SPAN_NAME = 4, SPAN_START = 5, SPAN_END = 6 };
enum { SPAN_ATTRIBUTES = 7, SPAN_EVENTS = 9, SPAN_LINKS = 10, SPAN_STATUS = 11, SPAN_SAME = 12 };
enum { SPAN_KIND = 14, SPAN_STATE = 15, ATTRIBUTES_MAP = 1, ATTRIBUTES_DROPPED = 2 };
enum { EVENTS_EVENT = 1, EVENTS_DROPPED_1 = 2, EVENTS_DROPPED_2 = 3, LINKS_LINK = 1 };
enum { LINKS_DROPPED = 2, EVENT_TIME = 1, EVENT_ANNOTATION = 2, EVENT_MESSAGE = 3 };
enum { LINK_ATTRIBUTES = 4, LINK_STATE = 5, STATUS_CODE = 1, STATUS_MESSAGE = 2 };
enum { VALUE_STRING = 1, VALUE_INT = 2, VALUE_BOOL = 3, VALUE_DOUBLE = 4 };

/* What a wrong size is cut or filled to: 16 and 8 bytes. */
struct ids {
    uint8_t trace[16], span[8], parent[8];
};

static struct hf_slice id_of(struct hf_slice bytes, uint8_t *room, size_t size)
{
    memset(room, 0, size);
    if (bytes.size == 0) {
        return HF_EMPTY_SLICE;
    }
    memcpy(room, bytes.data, bytes.size < size ? bytes.size : size);
    return hf_slice_of(room, size);
}

/* ---- attributes ---- */

/* The value of an attribute of that key. */
static bool find(struct hf_slice attributes, const char *key, struct hf_slice *ret_value)
{
    struct hf_wire wire = hf_wire_of(attributes);
    struct hf_slice entry;
    while (hf_wire_each(&wire, ATTRIBUTES_MAP, &entry)) {
        if (hf_slice_is(hf_wire_find_bytes(entry, 1), key)) {
            *ret_value = hf_wire_find_bytes(entry, 2);
            return true;
        }
    }
    return false;
}

static void put_value(struct hf_builder *builder, struct hf_slice key, struct hf_slice value)
{
    struct hf_wire_field field;
    if (hf_wire_find(value, VALUE_INT, &field)) {
        hf_build_attribute_int(builder, key, (int64_t)hf_wire_find_bits(value, VALUE_INT));
    } else if (hf_wire_find(value, VALUE_BOOL, &field)) {
        hf_build_attribute_bool(builder, key, hf_wire_find_bits(value, VALUE_BOOL) != 0);
    } else if (hf_wire_find(value, VALUE_DOUBLE, &field)) {
        hf_build_attribute_double(builder, key, census_double(value, VALUE_DOUBLE));
    } else {
        hf_build_attribute_string(builder, key,
                                  hf_wire_find_bytes(hf_wire_find_bytes(value, VALUE_STRING), 1));
    }
}

/* `but`: keys that are told otherwise. */
static void put_attributes(struct hf_builder *builder, struct hf_slice attributes,
                           const char *const *but)
{
    struct hf_wire wire = hf_wire_of(attributes);
    struct hf_slice entry;
    while (hf_wire_each(&wire, ATTRIBUTES_MAP, &entry)) {
        struct hf_slice key = hf_wire_find_bytes(entry, 1);
        bool is_left_out = key.size == 0;
        for (size_t i = 0; but[i] != NULL; i++) {
            is_left_out |= hf_slice_is(key, but[i]);
        }
        if (!is_left_out) {
            put_value(builder, key, hf_wire_find_bytes(entry, 2));
        }
    }
}

static uint32_t dropped_of(struct hf_slice attributes)
{
    return (uint32_t)hf_wire_find_bits(attributes, ATTRIBUTES_DROPPED);
}

/* "key=value,key=value"; valid until the next one. */
static struct hf_slice state_of(struct census_work *work, struct hf_slice state)
{
    struct hf_wire wire = hf_wire_of(state);
    struct hf_slice entry;
    enum hf_status status = HF_OK;
    work->text.size = 0;
    while (hf_wire_each(&wire, 1, &entry)) {
        const struct hf_slice parts[] = {work->text.size != 0 ? LITERAL(",") : HF_EMPTY_SLICE,
                                         hf_wire_find_bytes(entry, 1), LITERAL("="),
                                         hf_wire_find_bytes(entry, 2)};
        for (size_t i = 0; i < 4 && status == HF_OK; i++) {
            status = hf_bytes_append(&work->text, parts[i]);
        }
    }
    return hf_slice_of(work->text.data, status == HF_OK ? work->text.size : 0);
}

/* ---- events and links ---- */

static void put_message(struct hf_builder *builder, struct hf_slice message)
{
    static const char *const types[] = {"TYPE_UNSPECIFIED", "SENT", "RECEIVED"};
    static const char *const keys[] = {"messaging.message_id",
                                       "messaging.message_payload_size_bytes",
                                       "messaging.message_payload_compressed_size_bytes"};
    uint64_t type = hf_wire_find_bits(message, 1);
    hf_build_attribute_string(builder, LITERAL("message.type"),
                              hf_slice_text(types[type < 3 ? type : 0]));
    for (uint32_t i = 0; i < 3; i++) {
        hf_build_attribute_int(builder, hf_slice_text(keys[i]),
                               (int64_t)hf_wire_find_bits(message, i + 2));
    }
}

static void put_event(struct hf_builder *builder, struct hf_slice event)
{
    static const char *const all[] = {NULL};
    struct hf_wire_field message;
    struct hf_slice annotation = hf_wire_find_bytes(event, EVENT_ANNOTATION);
    struct hf_slice attributes = hf_wire_find_bytes(annotation, 2);
    bool is_message = hf_wire_find(event, EVENT_MESSAGE, &message);
    hf_build_event(builder, census_time(event, EVENT_TIME),
                   is_message ? LITERAL("message")
                              : hf_wire_find_bytes(hf_wire_find_bytes(annotation, 1), 1));
    if (is_message) {
        put_message(builder, message.bytes);
    } else {
        put_attributes(builder, attributes, all);
        hf_build_event_dropped(builder, dropped_of(attributes));
    }
    hf_build_end(builder);
}

static void put_link(struct census_work *work, struct hf_slice link)
{
    static const char *const all[] = {NULL};
    struct ids ids;
    struct hf_slice attributes = hf_wire_find_bytes(link, LINK_ATTRIBUTES);
    const struct hf_build_link made = {
        .trace_id = id_of(hf_wire_find_bytes(link, SPAN_TRACE), ids.trace, sizeof(ids.trace)),
        .span_id = id_of(hf_wire_find_bytes(link, SPAN_ID), ids.span, sizeof(ids.span)),
        .trace_state = state_of(work, hf_wire_find_bytes(link, LINK_STATE)),
        .dropped_attributes = dropped_of(attributes),
    };
    hf_build_link(work->builder, &made);
    put_attributes(work->builder, attributes, all);
    hf_build_end(work->builder);
}

/* ---- spans ---- */

/* OpenCensus knows servers and clients; other kinds travel in an attribute. */
static uint32_t kind_of(struct hf_slice span, bool *ret_in_attribute)
{
    static const struct {
        const char *text;
        uint32_t kind;
    } others[] = {{"consumer", 5}, {"producer", 4}, {"internal", 1}};
    uint64_t kind = hf_wire_find_bits(span, SPAN_KIND);
    struct hf_slice value;
    *ret_in_attribute = false;
    if (kind == 1 || kind == 2) {
        return kind == 1 ? 2 : 3;
    }
    if (kind == 0 && find(hf_wire_find_bytes(span, SPAN_ATTRIBUTES), "span.kind", &value)) {
        struct hf_slice text = hf_wire_find_bytes(hf_wire_find_bytes(value, VALUE_STRING), 1);
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
            if (hf_slice_is(text, others[i].text)) {
                *ret_in_attribute = true;
                return others[i].kind;
            }
        }
    }
    return 0;
}

/* 0 is no error; an attribute says more exactly. */
static uint32_t status_of(struct hf_slice span, bool *ret_in_attribute)
{
    enum { UNSET = 0, ERROR = 2 };
    struct hf_wire_field status;
    struct hf_slice value;
    *ret_in_attribute = false;
    if (!hf_wire_find(span, SPAN_STATUS, &status)) {
        return UNSET;
    }
    if (find(hf_wire_find_bytes(span, SPAN_ATTRIBUTES), "otel.status_code", &value)) {
        *ret_in_attribute = true;
        uint64_t code = hf_wire_find_bits(value, VALUE_INT);
        return code <= ERROR ? (uint32_t)code : UNSET;
    }
    return hf_wire_find_bits(status.bytes, STATUS_CODE) == 0 ? UNSET : ERROR;
}

static void put_parts(struct census_work *work, struct hf_slice span)
{
    struct hf_wire events = hf_wire_of(hf_wire_find_bytes(span, SPAN_EVENTS));
    struct hf_wire links = hf_wire_of(hf_wire_find_bytes(span, SPAN_LINKS));
    struct hf_slice part;
    while (hf_wire_each(&events, EVENTS_EVENT, &part)) {
        put_event(work->builder, part);
    }
    while (hf_wire_each(&links, LINKS_LINK, &part)) {
        put_link(work, part);
    }
}

enum hf_status census_span(struct census_work *work, struct hf_slice span)
{
    struct ids ids;
    const char *but[3] = {NULL};
    size_t count = 0;
    bool has_kind, has_code;
    struct hf_slice attributes = hf_wire_find_bytes(span, SPAN_ATTRIBUTES);
    struct hf_slice events = hf_wire_find_bytes(span, SPAN_EVENTS);
    struct hf_wire_field same;
    const struct hf_build_span made = {
        .kind = kind_of(span, &has_kind),
        .status_code = status_of(span, &has_code),
        .trace_id = id_of(hf_wire_find_bytes(span, SPAN_TRACE), ids.trace, sizeof(ids.trace)),
        .span_id = id_of(hf_wire_find_bytes(span, SPAN_ID), ids.span, sizeof(ids.span)),
        .parent_span_id =
            id_of(hf_wire_find_bytes(span, SPAN_PARENT), ids.parent, sizeof(ids.parent)),
        .trace_state = state_of(work, hf_wire_find_bytes(span, SPAN_STATE)),
        .name = hf_wire_find_bytes(hf_wire_find_bytes(span, SPAN_NAME), 1),
        .start_ns = census_time(span, SPAN_START),
        .end_ns = census_time(span, SPAN_END),
        .status_message = hf_wire_find_bytes(hf_wire_find_bytes(span, SPAN_STATUS), STATUS_MESSAGE),
        .dropped_attributes = dropped_of(attributes),
        .dropped_events = (uint32_t)(hf_wire_find_bits(events, EVENTS_DROPPED_1) +
                                     hf_wire_find_bits(events, EVENTS_DROPPED_2)),
        .dropped_links =
            (uint32_t)hf_wire_find_bits(hf_wire_find_bytes(span, SPAN_LINKS), LINKS_DROPPED),
    };
    if (has_kind) {
        but[count++] = "span.kind";
    }
    if (has_code) {
        but[count++] = "otel.status_code";
    }
    hf_build_span(work->builder, &made);
    put_attributes(work->builder, attributes, but);
    if (hf_wire_find(span, SPAN_SAME, &same)) {
        hf_build_attribute_bool(work->builder, LITERAL("opencensus.same_process_as_parent_span"),
                                hf_wire_find_bits(same.bytes, 1) != 0);
    }
    put_parts(work, span);
    hf_build_end(work->builder);
    return HF_OK;
}
