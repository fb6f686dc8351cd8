/*
 * jaeger_proto: spans in the protobuf of Jaeger's api_v2.
 */
#include <stdio.h>
#include <string.h>

#include "jaeger_proto_numbers.h"
#include "jaeger_readers.h"
#include "jaeger_tags.h"
#include "pdata/wire.h"

#define NO_MESSAGE "it is not a protobuf message"
#define NS_PER_S INT64_C(1000000000)
#define SECONDS_MAX (INT64_MAX / NS_PER_S - 1)

/* Reads the next field; false at the end or at a fault, which `broken` tells apart. */
static bool next(struct hf_wire *wire, struct hf_wire_field *field, bool *broken)
{
    if (*broken || hf_wire_at_end(*wire)) {
        return false;
    }
    *broken = !hf_wire_next(wire, field);
    return !*broken;
}

static bool is_bytes(const struct hf_wire_field *field, uint32_t number)
{
    return field->number == number && field->wire == HF_WIRE_BYTES;
}

static bool is_number(const struct hf_wire_field *field, uint32_t number)
{
    return field->number == number && field->wire == HF_WIRE_VARINT;
}

static size_t count_of(struct hf_slice bytes, uint32_t number, bool *broken)
{
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field field;
    size_t count = 0;
    while (next(&wire, &field, broken)) {
        count += is_bytes(&field, number) ? 1 : 0;
    }
    return count;
}

/* Nanoseconds of a Duration; 0 when they do not fit. */
static int64_t duration_of(struct hf_slice bytes, bool *broken)
{
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field field;
    int64_t seconds = 0, nanos = 0;
    while (next(&wire, &field, broken)) {
        seconds = is_number(&field, TIME_SECONDS) ? (int64_t)field.value : seconds;
        nanos = is_number(&field, TIME_NANOS) ? (int64_t)field.value : nanos;
    }
    bool fits = seconds <= SECONDS_MAX && seconds >= -SECONDS_MAX;
    return fits ? seconds * NS_PER_S + nanos % NS_PER_S : 0;
}

/* Likewise of a Timestamp; 0 when it is before 1970, as a time that Go has not set. */
static uint64_t time_of(struct hf_slice bytes, bool *broken)
{
    int64_t ns = duration_of(bytes, broken);
    return ns < 0 ? 0 : (uint64_t)ns;
}

static void set_unknown(struct hf_jaeger_tag *tag, uint64_t type, struct hf_jaeger_reading *reading,
                        struct hf_arena *arena)
{
    char *text = hf_jaeger_take(reading, arena, 64);
    if (text != NULL) {
        int size =
            snprintf(text, 64, "<Unknown Jaeger TagType \"%llu\">", (unsigned long long)type);
        tag->text = hf_slice_of(text, (size_t)size);
    }
}

static void read_tag(struct hf_jaeger_reading *reading, struct hf_arena *arena,
                     struct hf_slice bytes, struct hf_jaeger_tag *tag, bool *broken)
{
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field field;
    struct hf_slice text = HF_EMPTY_SLICE, binary = HF_EMPTY_SLICE;
    uint64_t type = HF_JAEGER_STRING, flag = 0, integer = 0;
    while (next(&wire, &field, broken)) {
        tag->key = is_bytes(&field, TAG_KEY) ? field.bytes : tag->key;
        text = is_bytes(&field, TAG_STRING) ? field.bytes : text;
        binary = is_bytes(&field, TAG_BINARY) ? field.bytes : binary;
        type = is_number(&field, TAG_TYPE) ? field.value : type;
        flag = is_number(&field, TAG_BOOL) ? field.value : flag;
        integer = is_number(&field, TAG_INT) ? field.value : integer;
        if (field.number == TAG_DOUBLE && field.wire == HF_WIRE_64) {
            memcpy(&tag->number, &field.value, sizeof(tag->number));
        }
    }
    if (type > HF_JAEGER_BINARY) {
        set_unknown(tag, type, reading, arena);
        return;
    }
    tag->type = (enum hf_jaeger_type)type;
    tag->text = type == HF_JAEGER_BINARY ? binary : text;
    tag->integer = type == HF_JAEGER_BOOL ? flag != 0 : (int64_t)integer;
}

/* The tags that are the field `number` of a message. */
static void read_tags(struct hf_jaeger_reading *reading, struct hf_arena *arena,
                      struct hf_slice bytes, uint32_t number, struct hf_jaeger_tags *tags,
                      bool *broken)
{
    size_t count = count_of(bytes, number, broken);
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field field;
    tags->items = count == 0 ? NULL : hf_jaeger_take(reading, arena, count * sizeof(*tags->items));
    while (tags->items != NULL && next(&wire, &field, broken)) {
        if (is_bytes(&field, number)) {
            read_tag(reading, arena, field.bytes, &tags->items[tags->count++], broken);
        }
    }
}

static void read_log(struct hf_jaeger_reading *reading, struct hf_slice bytes,
                     struct hf_jaeger_log *log, bool *broken)
{
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field field;
    while (next(&wire, &field, broken)) {
        log->time_ns = is_bytes(&field, LOG_TIME) ? time_of(field.bytes, broken) : log->time_ns;
    }
    read_tags(reading, &reading->arena, bytes, LOG_FIELDS, &log->fields, broken);
}

/* Ids of another size are none: the trace then has none. An old id of a trace has 8 bytes. */
static void read_id(struct hf_jaeger_reading *reading, struct hf_slice bytes, uint8_t *ret_id,
                    size_t size)
{
    if (bytes.size == size || (bytes.size == 8 && size == 16)) {
        memset(ret_id, 0, size);
        memcpy(ret_id + size - bytes.size, bytes.data, bytes.size);
    } else {
        reading->has_bad_id = true;
    }
}

static void read_reference(struct hf_jaeger_reading *reading, struct hf_slice bytes,
                           struct hf_jaeger_reference *reference, bool *broken)
{
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field field;
    while (next(&wire, &field, broken)) {
        if (is_bytes(&field, REFERENCE_TRACE_ID)) {
            read_id(reading, field.bytes, reference->trace_id, 16);
        } else if (is_bytes(&field, REFERENCE_SPAN_ID)) {
            read_id(reading, field.bytes, reference->span_id, 8);
        } else if (is_number(&field, REFERENCE_TYPE)) {
            reference->follows = field.value != 0;
        }
    }
}

static const struct hf_jaeger_process *read_process(struct hf_jaeger_reading *reading,
                                                    struct hf_arena *arena, struct hf_slice bytes,
                                                    bool *broken)
{
    struct hf_jaeger_process *process = hf_jaeger_take(reading, arena, sizeof(*process));
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field field;
    if (process == NULL) {
        return NULL;
    }
    process->bytes = bytes;
    while (next(&wire, &field, broken)) {
        process->service = is_bytes(&field, PROCESS_SERVICE) ? field.bytes : process->service;
    }
    read_tags(reading, arena, bytes, PROCESS_TAGS, &process->tags, broken);
    hf_jaeger_tags_settle(&process->tags);
    return process;
}

static void read_field(struct hf_jaeger_reading *reading, const struct hf_wire_field *field,
                       struct hf_jaeger_span *span, int64_t *duration_ns, bool *broken)
{
    if (is_bytes(field, SPAN_TRACE_ID)) {
        read_id(reading, field->bytes, span->trace_id, 16);
    } else if (is_bytes(field, SPAN_ID)) {
        read_id(reading, field->bytes, span->span_id, 8);
    } else if (is_bytes(field, SPAN_NAME)) {
        span->name = field->bytes;
    } else if (is_number(field, SPAN_FLAGS)) {
        span->is_sampled = (field->value & 1) != 0;
    } else if (is_bytes(field, SPAN_START)) {
        span->start_ns = time_of(field->bytes, broken);
    } else if (is_bytes(field, SPAN_DURATION)) {
        *duration_ns = duration_of(field->bytes, broken);
    } else if (is_bytes(field, SPAN_LOGS)) {
        read_log(reading, field->bytes, &span->logs[span->log_count++], broken);
    } else if (is_bytes(field, SPAN_REFERENCES)) {
        read_reference(reading, field->bytes, &span->references[span->reference_count++], broken);
    } else if (is_bytes(field, SPAN_PROCESS)) {
        span->process = read_process(reading, &reading->arena, field->bytes, broken);
    }
}

static enum hf_status read_span(struct hf_jaeger_reading *reading, struct hf_slice bytes,
                                const struct hf_jaeger_process *process)
{
    bool broken = false;
    size_t logs = count_of(bytes, SPAN_LOGS, &broken);
    size_t references = count_of(bytes, SPAN_REFERENCES, &broken);
    struct hf_jaeger_span *span = hf_jaeger_take(reading, &reading->arena, sizeof(*span));
    struct hf_jaeger_log *log_room =
        hf_jaeger_take(reading, &reading->arena, (logs + 1) * sizeof(*log_room));
    struct hf_jaeger_reference *reference_room =
        hf_jaeger_take(reading, &reading->arena, (references + 1) * sizeof(*reference_room));
    if (span == NULL || log_room == NULL || reference_room == NULL) {
        return HF_TOO_LARGE;
    }
    *span = (struct hf_jaeger_span){
        .logs = log_room, .references = reference_room, .process = process, .has_scope_tags = true};
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field field;
    int64_t duration_ns = 0;
    while (next(&wire, &field, &broken)) {
        read_field(reading, &field, span, &duration_ns, &broken);
    }
    span->end_ns = span->start_ns + (uint64_t)duration_ns;
    read_tags(reading, &reading->arena, bytes, SPAN_TAGS, &span->tags, &broken);
    if (reading->reterr[0] != '\0') {
        return HF_TOO_LARGE; /* of what was read there was no room for some */
    }
    if (broken) {
        return hf_jaeger_fault(reading, NO_MESSAGE);
    }
    if (reading->is_record && reading->has_bad_id) {
        return hf_jaeger_fault(reading, "it is not a span of Jaeger: an id has not 16 or 8 bytes");
    }
    return hf_jaeger_add(reading, span);
}

enum hf_status hf_jaeger_read_span(struct hf_jaeger_reading *reading, struct hf_slice text)
{
    return text.size == 0 ? HF_OK : read_span(reading, text, NULL);
}

static enum hf_status read_batch(struct hf_jaeger_reading *reading, struct hf_slice bytes)
{
    const struct hf_jaeger_process *process = NULL;
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field field;
    bool broken = false;
    while (next(&wire, &field, &broken)) {
        if (is_bytes(&field, BATCH_PROCESS)) {
            process = read_process(reading, &reading->lasting, field.bytes, &broken);
        }
    }
    enum hf_status status = reading->reterr[0] != '\0' ? HF_TOO_LARGE : HF_OK;
    wire = hf_wire_of(bytes);
    while (status == HF_OK && next(&wire, &field, &broken)) {
        if (is_bytes(&field, BATCH_SPANS) && field.bytes.size != 0) {
            status = read_span(reading, field.bytes, process);
        }
    }
    return status == HF_OK && broken
               ? hf_jaeger_fault(reading, "the batch is not a protobuf message")
               : status;
}

enum hf_status hf_jaeger_read_proto(struct hf_jaeger_reading *reading, struct hf_slice text)
{
    struct hf_wire wire = hf_wire_of(text);
    struct hf_wire_field field;
    enum hf_status status = HF_OK;
    bool broken = false;
    while (status == HF_OK && next(&wire, &field, &broken)) {
        if (is_bytes(&field, REQUEST_BATCH)) {
            status = read_batch(reading, field.bytes);
        }
    }
    return status == HF_OK && broken ? hf_jaeger_fault(reading, "the request is not protobuf")
                                     : status;
}
