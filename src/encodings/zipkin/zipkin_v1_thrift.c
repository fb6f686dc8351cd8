/*
 * zipkin_v1_thrift: Zipkin's first version in Thrift's binary protocol: a list of zipkincore's
 * Span.
 */
#include <string.h>

#include "encodings/thrift.h"
#include "pdata/json_value.h"
#include "zipkin_readers.h"

enum {
    SPAN_TRACE_ID = 1, /* in Span */
    SPAN_NAME = 3,
    SPAN_ID = 4,
    SPAN_PARENT_ID = 5,
    SPAN_ANNOTATIONS = 6,
    SPAN_TAGS = 8,
    SPAN_TIME = 10,
    SPAN_DURATION = 11,
    SPAN_TRACE_ID_HIGH = 12,
    ANNOTATION_TIME = 1, /* in Annotation */
    ANNOTATION_VALUE = 2,
    ANNOTATION_HOST = 3,
    TAG_KEY = 1, /* in BinaryAnnotation */
    TAG_VALUE = 2,
    TAG_TYPE = 3,
    TAG_HOST = 4,
    ENDPOINT_IP4 = 1, /* in Endpoint */
    ENDPOINT_PORT = 2,
    ENDPOINT_SERVICE = 3,
    ENDPOINT_IP6 = 4,
    TYPE_BOOL = 0, /* of a BinaryAnnotation */
    TYPE_BYTES = 1,
    TYPE_I16 = 2,
    TYPE_I32 = 3,
    TYPE_I64 = 4,
    TYPE_DOUBLE = 5,
    TYPE_STRING = 6,
};

#define KEY(type, id) ((unsigned)(type) << 16 | (unsigned)(uint16_t)(id))

static void put_be64(uint8_t *room, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++) {
        room[i] = (uint8_t)(value >> (56 - 8 * i));
    }
}

static uint64_t read_be(const uint8_t *bytes, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

static const struct hf_zipkin_endpoint *read_endpoint(struct hf_zipkin_reading *reading,
                                                      struct hf_thrift *thrift)
{
    struct hf_zipkin_endpoint *endpoint = hf_zipkin_take(reading, sizeof(*endpoint));
    struct hf_zipkin_endpoint ignored;
    struct hf_zipkin_endpoint *to = endpoint != NULL ? endpoint : &ignored;
    int16_t last_id = 0;
    struct hf_thrift_field field;
    while ((field = hf_thrift_field(thrift, &last_id)).type != HF_THRIFT_STOP) {
        uint8_t ip[4];
        uint32_t number;
        switch (KEY(field.type, field.id)) {
        case KEY(HF_THRIFT_I32, ENDPOINT_IP4):
            number = (uint32_t)hf_thrift_i32(thrift);
            for (unsigned i = 0; i < 4; i++) {
                ip[i] = (uint8_t)(number >> (24 - 8 * i));
            }
            to->ip4 = number == 0 ? HF_EMPTY_SLICE
                                  : hf_zipkin_ip_text(&reading->arena, hf_slice_of(ip, 4));
            break;
        case KEY(HF_THRIFT_I16, ENDPOINT_PORT):
            to->port = (uint16_t)hf_thrift_i16(thrift);
            break;
        case KEY(HF_THRIFT_BYTES, ENDPOINT_SERVICE):
            to->service = hf_thrift_bytes(thrift);
            break;
        case KEY(HF_THRIFT_BYTES, ENDPOINT_IP6):
            to->ip6 = hf_zipkin_ip_text(&reading->arena, hf_thrift_bytes(thrift));
            break;
        default:
            hf_thrift_skip(thrift, field.type);
        }
    }
    return endpoint;
}

static void read_annotation(struct hf_zipkin_reading *reading, struct hf_thrift *thrift,
                            struct hf_zipkin_v1_annotation *annotation)
{
    int16_t last_id = 0;
    struct hf_thrift_field field;
    while ((field = hf_thrift_field(thrift, &last_id)).type != HF_THRIFT_STOP) {
        switch (KEY(field.type, field.id)) {
        case KEY(HF_THRIFT_I64, ANNOTATION_TIME):
            annotation->time_us = hf_thrift_i64(thrift);
            break;
        case KEY(HF_THRIFT_BYTES, ANNOTATION_VALUE):
            annotation->value = hf_thrift_bytes(thrift);
            break;
        case KEY(HF_THRIFT_STRUCT, ANNOTATION_HOST):
            annotation->endpoint = read_endpoint(reading, thrift);
            break;
        default:
            hf_thrift_skip(thrift, field.type);
        }
    }
}

static void set_base64(struct hf_zipkin_reading *reading, struct hf_slice bytes,
                       struct hf_zipkin_v1_tag *tag)
{
    char *room = hf_zipkin_take(reading, bytes.size / 3 * 4 + 5);
    tag->text =
        room == NULL ? HF_EMPTY_SLICE : hf_slice_of(room, hf_json_print_base64(bytes, room));
}

/* A number of `size` bytes; like the Go collector's, without a sign when it has less than 8. */
static void set_number(struct hf_slice bytes, size_t size, struct hf_zipkin_v1_tag *tag)
{
    if (bytes.size < size) {
        tag->text = hf_slice_text("<not enough bytes representing the number>");
        return;
    }
    uint64_t bits = read_be(bytes.data, size);
    tag->type = HF_ZIPKIN_INT;
    tag->integer = (int64_t)bits;
}

static void set_value(struct hf_zipkin_reading *reading, struct hf_slice bytes, int64_t type,
                      struct hf_zipkin_v1_tag *tag)
{
    tag->component = bytes;
    switch (type) {
    case TYPE_BOOL:
        tag->type = HF_ZIPKIN_BOOL;
        tag->integer = bytes.size == 1 && bytes.data[0] == 1;
        break;
    case TYPE_BYTES:
        set_base64(reading, bytes, tag);
        break;
    case TYPE_I16:
        set_number(bytes, 2, tag);
        break;
    case TYPE_I32:
        set_number(bytes, 4, tag);
        break;
    case TYPE_I64:
        set_number(bytes, 8, tag);
        break;
    case TYPE_DOUBLE:
        set_number(bytes, 8, tag);
        if (tag->type == HF_ZIPKIN_INT) {
            tag->type = HF_ZIPKIN_DOUBLE;
            memcpy(&tag->number, &tag->integer, sizeof(tag->number));
        }
        break;
    case TYPE_STRING:
        tag->text = bytes;
        break;
    default:
        tag->text = hf_slice_text("<unknown zipkin v1 binary annotation type>");
    }
}

static void read_tag(struct hf_zipkin_reading *reading, struct hf_thrift *thrift,
                     struct hf_zipkin_v1_tag *tag)
{
    int16_t last_id = 0;
    int64_t type = TYPE_BOOL;
    struct hf_slice value = HF_EMPTY_SLICE;
    struct hf_thrift_field field;
    while ((field = hf_thrift_field(thrift, &last_id)).type != HF_THRIFT_STOP) {
        switch (KEY(field.type, field.id)) {
        case KEY(HF_THRIFT_BYTES, TAG_KEY):
            tag->key = hf_thrift_bytes(thrift);
            break;
        case KEY(HF_THRIFT_BYTES, TAG_VALUE):
            value = hf_thrift_bytes(thrift);
            break;
        case KEY(HF_THRIFT_I32, TAG_TYPE):
            type = hf_thrift_i32(thrift);
            break;
        case KEY(HF_THRIFT_STRUCT, TAG_HOST):
            tag->endpoint = read_endpoint(reading, thrift);
            break;
        default:
            hf_thrift_skip(thrift, field.type);
        }
    }
    set_value(reading, value, type, tag);
    hf_zipkin_v1_settle_key(tag);
}

static uint32_t open_list(struct hf_thrift *thrift)
{
    enum hf_thrift_type type;
    uint32_t count = hf_thrift_list(thrift, &type);
    if (count != 0 && type != HF_THRIFT_STRUCT) {
        thrift->failed = true;
    }
    return thrift->failed ? 0 : count;
}

static void read_annotations(struct hf_zipkin_reading *reading, struct hf_thrift *thrift,
                             struct hf_zipkin_v1_span *span)
{
    uint32_t count = open_list(thrift);
    struct hf_zipkin_v1_annotation *annotations =
        hf_zipkin_take(reading, (count + 1) * sizeof(*annotations));
    if (annotations == NULL) {
        thrift->failed = true;
        return;
    }
    for (uint32_t i = 0; i < count && !thrift->failed; i++) {
        read_annotation(reading, thrift, &annotations[i]);
    }
    span->annotations = annotations;
    span->annotation_count = count;
}

static void read_tags(struct hf_zipkin_reading *reading, struct hf_thrift *thrift,
                      struct hf_zipkin_v1_span *span)
{
    uint32_t count = open_list(thrift);
    struct hf_zipkin_v1_tag *tags = hf_zipkin_take(reading, (count + 1) * sizeof(*tags));
    if (tags == NULL) {
        thrift->failed = true;
        return;
    }
    for (uint32_t i = 0; i < count && !thrift->failed; i++) {
        read_tag(reading, thrift, &tags[i]);
    }
    span->tags = tags;
    span->tag_count = count;
}

static void read_field(struct hf_zipkin_reading *reading, struct hf_thrift *thrift,
                       struct hf_thrift_field field, struct hf_zipkin_v1_span *span)
{
    switch (KEY(field.type, field.id)) {
    case KEY(HF_THRIFT_I64, SPAN_TRACE_ID):
        put_be64(span->trace_id + 8, (uint64_t)hf_thrift_i64(thrift));
        break;
    case KEY(HF_THRIFT_I64, SPAN_TRACE_ID_HIGH):
        put_be64(span->trace_id, (uint64_t)hf_thrift_i64(thrift));
        break;
    case KEY(HF_THRIFT_I64, SPAN_ID):
        put_be64(span->span_id, (uint64_t)hf_thrift_i64(thrift));
        break;
    case KEY(HF_THRIFT_I64, SPAN_PARENT_ID):
        put_be64(span->parent_id, (uint64_t)hf_thrift_i64(thrift));
        break;
    case KEY(HF_THRIFT_BYTES, SPAN_NAME):
        span->name = hf_thrift_bytes(thrift);
        break;
    case KEY(HF_THRIFT_I64, SPAN_TIME):
        span->time_us = hf_thrift_i64(thrift);
        span->has_time = true;
        break;
    case KEY(HF_THRIFT_I64, SPAN_DURATION):
        span->duration_us = hf_thrift_i64(thrift);
        break;
    case KEY(HF_THRIFT_LIST, SPAN_ANNOTATIONS):
        read_annotations(reading, thrift, span);
        break;
    case KEY(HF_THRIFT_LIST, SPAN_TAGS):
        read_tags(reading, thrift, span);
        break;
    default:
        hf_thrift_skip(thrift, field.type);
    }
}

enum hf_status hf_zipkin_read_v1_thrift(struct hf_zipkin_reading *reading, struct hf_slice text)
{
    struct hf_thrift thrift = hf_thrift_of(text, false);
    uint32_t count = open_list(&thrift);
    enum hf_status status = HF_OK;
    for (uint32_t i = 0; i < count && status == HF_OK && !thrift.failed; i++) {
        struct hf_zipkin_v1_span *span = hf_zipkin_take(reading, sizeof(*span));
        struct hf_thrift_field field;
        int16_t last_id = 0;
        if (span == NULL) {
            return HF_TOO_LARGE;
        }
        while ((field = hf_thrift_field(&thrift, &last_id)).type != HF_THRIFT_STOP) {
            read_field(reading, &thrift, field, span);
        }
        status = thrift.failed ? HF_OK : hf_zipkin_add(reading, span);
    }
    if (status == HF_OK && reading->reterr[0] != '\0') {
        return HF_TOO_LARGE; /* of what was read there was no room for some */
    }
    return thrift.failed ? hf_zipkin_fault(reading, "it is not a Thrift struct, or not a whole one")
                         : status;
}
