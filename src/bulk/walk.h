/*
 * walk: the items of an Export request one after another as slices of its bytes, with the resource
 * and the scope around them; and the fields of an item that documents are made of, read in one
 * pass. For bytes that passed hf_scan(). Nothing is allocated; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/batch.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "pdata/wire_find.h"

/* Starts as {.request = hf_wire_of(raw), .signal = signal}. */
struct hf_bulk_walk {
    struct hf_wire request;
    enum hf_signal signal;
    struct hf_wire groups, items, points; /* what is left of the current ones */
    struct hf_slice resource, resource_url, scope, scope_url;
    struct hf_slice metric, data;       /* METRICS: the metric of a point and its Gauge, Sum, ... */
    uint32_t kind;                      /* METRICS: the number of that field in the metric */
    bool is_new_resource, is_new_scope; /* since the item before */
};

/* Log record, span or data point. False: no more. Metrics without points and those of unknown kinds
 * have none. */
HF_MUST_USE bool hf_bulk_walk_next(struct hf_bulk_walk *walk, struct hf_slice *ret_item);

/* Field numbers of the attributes. */
enum {
    HF_BULK_RESOURCE_ATTRIBUTES = 1,
    HF_BULK_SCOPE_ATTRIBUTES = 3,
    HF_BULK_LOG_ATTRIBUTES = 6,
    HF_BULK_SPAN_ATTRIBUTES = 9,
    HF_BULK_EVENT_ATTRIBUTES = 3,
    HF_BULK_LINK_ATTRIBUTES = 4,
};

/* Kinds of metrics, as the field numbers of Metric. */
enum {
    HF_BULK_GAUGE = 5,
    HF_BULK_SUM = 7,
    HF_BULK_HISTOGRAM = 9,
    HF_BULK_EXPONENTIAL = 10,
    HF_BULK_SUMMARY = 11,
};
/* The field number of the attributes of a point of that kind. */
uint32_t hf_bulk_point_attributes(uint32_t kind);

struct hf_bulk_log {
    uint64_t time_ns, observed_ns;
    uint32_t severity, flags, dropped;
    struct hf_slice severity_text, body, trace_id, span_id, event_name;
};
struct hf_bulk_log hf_bulk_log_read(struct hf_slice record);

struct hf_bulk_span {
    uint64_t start_ns, end_ns;
    uint32_t kind, dropped_attributes, dropped_events, dropped_links, status;
    struct hf_slice trace_id, span_id, trace_state, parent_id, name, status_message;
};
struct hf_bulk_span hf_bulk_span_read(struct hf_slice span);

struct hf_bulk_event {
    uint64_t time_ns;
    uint32_t dropped;
    struct hf_slice name;
};
struct hf_bulk_event hf_bulk_event_read(struct hf_slice event);

struct hf_bulk_link {
    uint32_t dropped;
    struct hf_slice trace_id, span_id, trace_state;
};
struct hf_bulk_link hf_bulk_link_read(struct hf_slice link);

/* The events and links of a span; starts as hf_wire_of(span). */
#define HF_BULK_SPAN_EVENTS 11u
#define HF_BULK_SPAN_LINKS 13u

/* An id that is there and not all zeros. */
bool hf_bulk_has_id(struct hf_slice id);
