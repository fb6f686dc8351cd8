#include "build_spans.h"

#include <assert.h>

#include "build_internal.h"

enum {
    SCOPE_SPAN = 2,    /* in ScopeSpans */
    SPAN_TRACE_ID = 1, /* in Span */
    SPAN_SPAN_ID = 2,
    SPAN_TRACE_STATE = 3,
    SPAN_PARENT = 4,
    SPAN_NAME = 5,
    SPAN_KIND = 6,
    SPAN_START = 7,
    SPAN_END = 8,
    SPAN_ATTRIBUTES = 9,
    SPAN_DROPPED_ATTRIBUTES = 10,
    SPAN_EVENT = 11,
    SPAN_DROPPED_EVENTS = 12,
    SPAN_LINK = 13,
    SPAN_DROPPED_LINKS = 14,
    SPAN_STATUS = 15,
    SPAN_FLAGS = 16,
    STATUS_MESSAGE = 2, /* in Status */
    STATUS_CODE = 3,
    EVENT_TIME = 1, /* in Span.Event */
    EVENT_NAME = 2,
    EVENT_ATTRIBUTES = 3,
    EVENT_DROPPED_ATTRIBUTES = 4,
    LINK_TRACE_ID = 1, /* in Span.Link */
    LINK_SPAN_ID = 2,
    LINK_TRACE_STATE = 3,
    LINK_ATTRIBUTES = 4,
    LINK_DROPPED_ATTRIBUTES = 5,
    LINK_FLAGS = 6,
};

#define SPAN_SIZE_EXPECTED 400u

static bool is_id(struct hf_slice id, size_t size)
{
    return id.size == 0 || id.size == size;
}

void hf_build_span(struct hf_builder *builder, const struct hf_build_span *span)
{
    assert(builder->signal == HF_TRACES);
    assert(is_id(span->trace_id, 16) && is_id(span->span_id, 8) && is_id(span->parent_span_id, 8));
    hf_build_open_item(builder, HF_BUILD_SCOPE, SCOPE_SPAN, SPAN_SIZE_EXPECTED, SPAN_ATTRIBUTES);
    hf_build_put_bytes(builder, SPAN_TRACE_ID, span->trace_id);
    hf_build_put_bytes(builder, SPAN_SPAN_ID, span->span_id);
    hf_build_put_text(builder, SPAN_TRACE_STATE, span->trace_state);
    hf_build_put_bytes(builder, SPAN_PARENT, span->parent_span_id);
    hf_build_put_text(builder, SPAN_NAME, span->name);
    hf_build_put_number(builder, SPAN_KIND, span->kind);
    hf_build_put_time(builder, SPAN_START, span->start_ns);
    hf_build_put_time(builder, SPAN_END, span->end_ns);
    hf_build_put_number(builder, SPAN_DROPPED_ATTRIBUTES, span->dropped_attributes);
    hf_build_put_number(builder, SPAN_DROPPED_EVENTS, span->dropped_events);
    hf_build_put_number(builder, SPAN_DROPPED_LINKS, span->dropped_links);
    hf_build_put_flags(builder, SPAN_FLAGS, span->flags);
    if (span->status_code != 0 || span->status_message.size != 0) {
        struct hf_wire_message status =
            hf_wire_open(&builder->writer, SPAN_STATUS, span->status_message.size + 4);
        hf_build_put_text(builder, STATUS_MESSAGE, span->status_message);
        hf_build_put_number(builder, STATUS_CODE, span->status_code);
        hf_wire_close(&builder->writer, status);
    }
}

void hf_build_event(struct hf_builder *builder, uint64_t time_ns, struct hf_slice name)
{
    assert(builder->signal == HF_TRACES);
    hf_build_open_part(builder, SPAN_EVENT, EVENT_ATTRIBUTES);
    hf_build_put_time(builder, EVENT_TIME, time_ns);
    hf_build_put_text(builder, EVENT_NAME, name);
}

void hf_build_event_dropped(struct hf_builder *builder, uint32_t dropped_attributes)
{
    assert(builder->signal == HF_TRACES && builder->in_part);
    hf_build_put_number(builder, EVENT_DROPPED_ATTRIBUTES, dropped_attributes);
}

void hf_build_link(struct hf_builder *builder, const struct hf_build_link *link)
{
    assert(builder->signal == HF_TRACES);
    assert(is_id(link->trace_id, 16) && is_id(link->span_id, 8));
    hf_build_open_part(builder, SPAN_LINK, LINK_ATTRIBUTES);
    hf_build_put_bytes(builder, LINK_TRACE_ID, link->trace_id);
    hf_build_put_bytes(builder, LINK_SPAN_ID, link->span_id);
    hf_build_put_text(builder, LINK_TRACE_STATE, link->trace_state);
    hf_build_put_number(builder, LINK_DROPPED_ATTRIBUTES, link->dropped_attributes);
    hf_build_put_flags(builder, LINK_FLAGS, link->flags);
}
