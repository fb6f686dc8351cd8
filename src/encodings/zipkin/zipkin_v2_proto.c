/*
 * zipkin_v2_proto: Zipkin's second version in protobuf: zipkin.proto3's ListOfSpans.
 */
#include "pdata/wire.h"
#include "zipkin_proto_numbers.h"
#include "zipkin_readers.h"

#define NO_MESSAGE "it is not a protobuf message"

/* Reads the next field; false at the end or at a fault, which `ret_broken` tells apart. */
static bool next(struct hf_wire *wire, struct hf_wire_field *field, bool *ret_broken)
{
    if (hf_wire_at_end(*wire)) {
        return false;
    }
    *ret_broken = !hf_wire_next(wire, field);
    return !*ret_broken;
}

static bool is_bytes(const struct hf_wire_field *field, uint32_t number)
{
    return field->number == number && field->wire == HF_WIRE_BYTES;
}

static bool read_endpoint(struct hf_zipkin_reading *reading, struct hf_slice bytes,
                          struct hf_zipkin_endpoint *endpoint)
{
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field field;
    bool is_broken = false;
    while (next(&wire, &field, &is_broken)) {
        if (is_bytes(&field, ENDPOINT_SERVICE)) {
            endpoint->service = field.bytes;
        } else if (is_bytes(&field, ENDPOINT_IP4)) {
            endpoint->ip4 = hf_zipkin_ip_text(&reading->arena, field.bytes);
        } else if (is_bytes(&field, ENDPOINT_IP6)) {
            endpoint->ip6 = hf_zipkin_ip_text(&reading->arena, field.bytes);
        } else if (field.number == ENDPOINT_PORT && field.wire == HF_WIRE_VARINT) {
            endpoint->port = (uint16_t)field.value;
        }
    }
    return !is_broken;
}

static bool read_annotation(struct hf_slice bytes, struct hf_zipkin_annotation *annotation)
{
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field field;
    bool is_broken = false;
    while (next(&wire, &field, &is_broken)) {
        if (field.number == ANNOTATION_TIME && field.wire == HF_WIRE_64) {
            annotation->time_us = field.value;
        } else if (is_bytes(&field, ANNOTATION_VALUE)) {
            annotation->value = field.bytes;
        }
    }
    return !is_broken;
}

static bool read_tag(struct hf_slice bytes, struct hf_zipkin_tag *tag)
{
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field field;
    bool is_broken = false;
    while (next(&wire, &field, &is_broken)) {
        if (is_bytes(&field, ENTRY_KEY)) {
            tag->key = field.bytes;
        } else if (is_bytes(&field, ENTRY_VALUE)) {
            tag->value = field.bytes;
        }
    }
    return !is_broken;
}

/* An id of `size` bytes; a trace id may have half of them, its lower ones. */
static bool read_id(struct hf_slice bytes, uint8_t *ret_id, size_t size)
{
    bool is_half = size == 16 && bytes.size == 8;
    if (bytes.size != size && !is_half) {
        return false;
    }
    memset(ret_id, 0, size);
    memcpy(ret_id + size - bytes.size, bytes.data, bytes.size);
    return true;
}

static enum hf_status read_scalar(struct hf_zipkin_reading *reading,
                                  const struct hf_wire_field *field, struct hf_zipkin_span *span)
{
    /* Zipkin: client, server, producer, consumer. */
    static const uint8_t kinds[] = {0, 3, 2, 4, 5};
    if (is_bytes(field, SPAN_TRACE_ID) && !read_id(field->bytes, span->trace_id, 16)) {
        return hf_zipkin_fault(reading, "the trace id has neither 8 nor 16 bytes");
    }
    if (is_bytes(field, SPAN_ID) && field->bytes.size != 0 &&
        !read_id(field->bytes, span->span_id, 8)) {
        return hf_zipkin_fault(reading, "the id has not 8 bytes");
    }
    if (is_bytes(field, SPAN_PARENT_ID) && field->bytes.size != 0 &&
        !read_id(field->bytes, span->parent_id, 8)) {
        return hf_zipkin_fault(reading, "the parent's id has not 8 bytes");
    }
    if (is_bytes(field, SPAN_NAME)) {
        span->name = field->bytes;
    } else if (field->number == SPAN_KIND && field->wire == HF_WIRE_VARINT) {
        span->kind = field->value < sizeof(kinds) ? kinds[field->value] : 0;
    } else if (field->number == SPAN_TIME && field->wire == HF_WIRE_64) {
        span->time_us = field->value;
    } else if (field->number == SPAN_DURATION && field->wire == HF_WIRE_VARINT) {
        span->duration_us = field->value;
    }
    return HF_OK;
}

static enum hf_status read_fields(struct hf_zipkin_reading *reading, struct hf_slice bytes,
                                  struct hf_zipkin_span *span,
                                  struct hf_zipkin_annotation *annotations)
{
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field field;
    enum hf_status status = HF_OK;
    bool is_broken = false;
    while (status == HF_OK && next(&wire, &field, &is_broken)) {
        bool is_good = true;
        if (is_bytes(&field, SPAN_LOCAL)) {
            is_good = read_endpoint(reading, field.bytes, &span->local);
        } else if (is_bytes(&field, SPAN_REMOTE)) {
            is_good = read_endpoint(reading, field.bytes, &span->remote);
        } else if (is_bytes(&field, SPAN_ANNOTATIONS)) {
            is_good = read_annotation(field.bytes, &annotations[span->annotation_count++]);
        } else if (is_bytes(&field, SPAN_TAGS)) {
            is_good = read_tag(field.bytes, &span->tags[span->tag_count++]);
        } else {
            status = read_scalar(reading, &field, span);
        }
        status = is_good ? status : hf_zipkin_fault(reading, NO_MESSAGE);
    }
    return is_broken ? hf_zipkin_fault(reading, NO_MESSAGE) : status;
}

static enum hf_status read_span(struct hf_zipkin_reading *reading, struct hf_slice bytes)
{
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field field;
    bool is_broken = false, has_id = false;
    size_t tags = 0, annotations = 0;
    while (next(&wire, &field, &is_broken)) {
        tags += is_bytes(&field, SPAN_TAGS) ? 1 : 0;
        annotations += is_bytes(&field, SPAN_ANNOTATIONS) ? 1 : 0;
        has_id |= is_bytes(&field, SPAN_ID) && field.bytes.size != 0;
    }
    struct hf_zipkin_span *span = hf_zipkin_take(reading, sizeof(*span));
    struct hf_zipkin_annotation *room =
        hf_zipkin_take(reading, (annotations + 1) * sizeof(*span->annotations));
    struct hf_zipkin_tag *tag_room = hf_zipkin_take(reading, (tags + 1) * sizeof(*span->tags));
    if (span == NULL || room == NULL || tag_room == NULL) {
        return HF_TOO_LARGE;
    }
    span->annotations = room;
    span->tags = tag_room;
    enum hf_status status = read_fields(reading, bytes, span, room);
    if (status == HF_OK && !has_id) {
        status = hf_zipkin_fault(reading, "it has no id");
    }
    return status == HF_OK ? hf_zipkin_add(reading, span) : status;
}

enum hf_status hf_zipkin_read_proto(struct hf_zipkin_reading *reading, struct hf_slice text)
{
    struct hf_wire wire = hf_wire_of(text);
    struct hf_wire_field field;
    enum hf_status status = HF_OK;
    bool is_broken = false;
    while (status == HF_OK && next(&wire, &field, &is_broken)) {
        if (is_bytes(&field, LIST_SPANS)) {
            status = read_span(reading, field.bytes);
        }
    }
    return is_broken ? hf_zipkin_fault(reading, "the body is not a protobuf list of spans")
                     : status;
}
