/*
 * build_spans: spans for a builder; see build.h for the rules.
 */
#pragma once

#include "build.h"

struct hf_build_span {
    struct hf_slice trace_id, span_id, parent_span_id; /* 16, 8 and 8 bytes, or empty */
    struct hf_slice trace_state, name;
    uint32_t kind; /* of the protocol: 1 internal ... 5 consumer */
    uint64_t start_ns, end_ns;
    uint32_t flags;
    uint32_t dropped_attributes, dropped_events, dropped_links;
    uint32_t status_code; /* 0 unset, 1 ok, 2 error */
    struct hf_slice status_message;
};

/* Opens a span; its attributes, events and links follow, in any order, then hf_build_end(). */
void hf_build_span(struct hf_builder *builder, const struct hf_build_span *span);

/* Opens an event of the open span; attributes may follow, then hf_build_end(). */
void hf_build_event(struct hf_builder *builder, uint64_t time_ns, struct hf_slice name);
/* Attributes that the open event had and lost before it came here. At most once per event. */
void hf_build_event_dropped(struct hf_builder *builder, uint32_t dropped_attributes);

struct hf_build_link {
    struct hf_slice trace_id, span_id, trace_state;
    uint32_t flags;
    uint32_t dropped_attributes;
};

/* Opens a link of the open span, likewise. */
void hf_build_link(struct hf_builder *builder, const struct hf_build_link *link);
