#include "walk.h"

#include "pdata/attributes.h"

/* ResourceSpans, ResourceLogs, ... and ScopeSpans, ... have these fields alike. */
enum { HEAD = 1, CONTENT = 2, SCHEMA_URL = 3 };

static bool next_resource(struct hf_bulk_walk *walk)
{
    struct hf_slice group;
    if (!hf_wire_each(&walk->request, 1, &group)) {
        return false;
    }
    walk->resource = hf_wire_find_bytes(group, HEAD);
    walk->resource_url = hf_wire_find_bytes(group, SCHEMA_URL);
    walk->groups = hf_wire_of(group);
    walk->is_new_resource = true;
    return true;
}

static bool next_scope(struct hf_bulk_walk *walk)
{
    struct hf_slice group;
    while (!hf_wire_each(&walk->groups, CONTENT, &group)) {
        if (!next_resource(walk)) {
            return false;
        }
    }
    walk->scope = hf_wire_find_bytes(group, HEAD);
    walk->scope_url = hf_wire_find_bytes(group, SCHEMA_URL);
    walk->items = hf_wire_of(group);
    walk->is_new_scope = true;
    return true;
}

static bool next_of_scope(struct hf_bulk_walk *walk, struct hf_slice *ret_item)
{
    while (!hf_wire_each(&walk->items, CONTENT, ret_item)) {
        if (!next_scope(walk)) {
            return false;
        }
    }
    return true;
}

/* The kind of a metric; 0: none that is known. Of several the last one counts. */
static uint32_t kind_of(struct hf_slice metric, struct hf_slice *ret_data)
{
    static const uint32_t kinds = 1u << HF_BULK_GAUGE | 1u << HF_BULK_SUM |
                                  1u << HF_BULK_HISTOGRAM | 1u << HF_BULK_EXPONENTIAL |
                                  1u << HF_BULK_SUMMARY;
    struct hf_wire wire = hf_wire_of(metric);
    struct hf_wire_field field;
    uint32_t kind = 0;
    while (!hf_wire_at_end(wire) && hf_wire_step(&wire, &field)) {
        if (field.number <= HF_BULK_SUMMARY && (kinds & 1u << field.number) != 0) {
            kind = field.number;
            *ret_data = field.bytes;
        }
    }
    return kind;
}

static bool next_point(struct hf_bulk_walk *walk, struct hf_slice *ret_item)
{
    while (!hf_wire_each(&walk->points, 1, ret_item)) {
        struct hf_slice metric;
        if (!next_of_scope(walk, &metric)) {
            return false;
        }
        walk->metric = metric;
        walk->kind = kind_of(metric, &walk->data);
        walk->points = hf_wire_of(walk->kind != 0 ? walk->data : HF_EMPTY_SLICE);
    }
    return true;
}

bool hf_bulk_walk_next(struct hf_bulk_walk *walk, struct hf_slice *ret_item)
{
    walk->is_new_resource = walk->is_new_scope = false;
    return walk->signal == HF_METRICS ? next_point(walk, ret_item) : next_of_scope(walk, ret_item);
}

uint32_t hf_bulk_point_attributes(uint32_t kind)
{
    switch (kind) {
    case HF_BULK_HISTOGRAM:
        return 9;
    case HF_BULK_EXPONENTIAL:
        return 1;
    default:
        return 7;
    }
}

struct hf_bulk_log hf_bulk_log_read(struct hf_slice record)
{
    struct hf_bulk_log log = {0};
    struct hf_wire wire = hf_wire_of(record);
    struct hf_wire_field field;
    while (!hf_wire_at_end(wire) && hf_wire_step(&wire, &field)) {
        switch (field.number) {
        case 1:
            log.time_ns = field.value;
            break;
        case 2:
            log.severity = (uint32_t)field.value;
            break;
        case 3:
            log.severity_text = field.bytes;
            break;
        case 5:
            log.body = field.bytes;
            break;
        case 7:
            log.dropped = (uint32_t)field.value;
            break;
        case 8:
            log.flags = (uint32_t)field.value;
            break;
        case 9:
            log.trace_id = field.bytes;
            break;
        case 10:
            log.span_id = field.bytes;
            break;
        case 11:
            log.observed_ns = field.value;
            break;
        case 12:
            log.event_name = field.bytes;
            break;
        default:
            break;
        }
    }
    return log;
}

static void read_status(struct hf_slice status, struct hf_bulk_span *span)
{
    span->status_message = hf_wire_find_bytes(status, 2);
    span->status = (uint32_t)hf_wire_find_bits(status, 3);
}

static void read_span_field(const struct hf_wire_field *field, struct hf_bulk_span *span)
{
    switch (field->number) {
    case 1:
        span->trace_id = field->bytes;
        break;
    case 2:
        span->span_id = field->bytes;
        break;
    case 3:
        span->trace_state = field->bytes;
        break;
    case 4:
        span->parent_id = field->bytes;
        break;
    case 5:
        span->name = field->bytes;
        break;
    case 6:
        span->kind = (uint32_t)field->value;
        break;
    case 7:
        span->start_ns = field->value;
        break;
    case 8:
        span->end_ns = field->value;
        break;
    case 10:
        span->dropped_attributes = (uint32_t)field->value;
        break;
    case 12:
        span->dropped_events = (uint32_t)field->value;
        break;
    case 14:
        span->dropped_links = (uint32_t)field->value;
        break;
    case 15:
        read_status(field->bytes, span);
        break;
    default:
        break;
    }
}

struct hf_bulk_span hf_bulk_span_read(struct hf_slice bytes)
{
    struct hf_bulk_span span = {0};
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field field;
    while (!hf_wire_at_end(wire) && hf_wire_step(&wire, &field)) {
        read_span_field(&field, &span);
    }
    return span;
}

struct hf_bulk_event hf_bulk_event_read(struct hf_slice event)
{
    return (struct hf_bulk_event){
        .time_ns = hf_wire_find_bits(event, 1),
        .name = hf_wire_find_bytes(event, 2),
        .dropped = (uint32_t)hf_wire_find_bits(event, 4),
    };
}

struct hf_bulk_link hf_bulk_link_read(struct hf_slice link)
{
    return (struct hf_bulk_link){
        .trace_id = hf_wire_find_bytes(link, 1),
        .span_id = hf_wire_find_bytes(link, 2),
        .trace_state = hf_wire_find_bytes(link, 3),
        .dropped = (uint32_t)hf_wire_find_bits(link, 5),
    };
}

bool hf_bulk_has_id(struct hf_slice id)
{
    for (size_t i = 0; i < id.size; i++) {
        if (id.data[i] != 0) {
            return true;
        }
    }
    return false;
}
