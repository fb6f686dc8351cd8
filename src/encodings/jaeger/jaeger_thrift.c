/*
 * jaeger_thrift: spans in the Thrift of Jaeger's clients: a Batch, or a call of the agent with one.
 */
#include <string.h>

#include "jaeger_readers.h"
#include "jaeger_tags.h"

enum {
    CALL_BATCH = 1,    /* in emitBatch's arguments */
    BATCH_PROCESS = 1, /* in Batch */
    BATCH_SPANS = 2,
    SPAN_TRACE_ID_LOW = 1, /* in Span */
    SPAN_TRACE_ID_HIGH = 2,
    SPAN_ID = 3,
    SPAN_PARENT_ID = 4,
    SPAN_NAME = 5,
    SPAN_REFERENCES = 6,
    SPAN_FLAGS = 7,
    SPAN_START = 8,
    SPAN_DURATION = 9,
    SPAN_TAGS = 10,
    SPAN_LOGS = 11,
    REFERENCE_TYPE = 1, /* in SpanRef */
    REFERENCE_TRACE_ID_LOW = 2,
    REFERENCE_TRACE_ID_HIGH = 3,
    REFERENCE_SPAN_ID = 4,
    TAG_KEY = 1, /* in Tag */
    TAG_TYPE = 2,
    TAG_STRING = 3,
    TAG_DOUBLE = 4,
    TAG_BOOL = 5,
    TAG_LONG = 6,
    TAG_BINARY = 7,
    LOG_TIME = 1, /* in Log */
    LOG_FIELDS = 2,
    PROCESS_SERVICE = 1, /* in Process */
    PROCESS_TAGS = 2,
};

#define KEY(type, id) ((unsigned)(type) << 16 | (unsigned)(uint16_t)(id))

static void put_id(uint8_t *room, int64_t id)
{
    for (unsigned i = 0; i < 8; i++) {
        room[i] = (uint8_t)((uint64_t)id >> (56 - 8 * i));
    }
}

/* Of how many structs a list is. */
static uint32_t open_list(struct hf_thrift *thrift)
{
    enum hf_thrift_type type;
    uint32_t count = hf_thrift_list(thrift, &type);
    if (count != 0 && type != HF_THRIFT_STRUCT) {
        thrift->failed = true;
    }
    return thrift->failed ? 0 : count;
}

/* Room for a list; the reading stops when there is none. */
static void *take(struct hf_jaeger_reading *reading, struct hf_arena *arena,
                  struct hf_thrift *thrift, size_t count, size_t size)
{
    void *room = hf_jaeger_take(reading, arena, (count + 1) * size);
    if (room == NULL) {
        thrift->failed = true;
    }
    return room;
}

static void set_type(struct hf_jaeger_tag *tag, int64_t type, struct hf_slice text,
                     struct hf_slice binary)
{
    static const enum hf_jaeger_type types[] = {HF_JAEGER_STRING, HF_JAEGER_DOUBLE, HF_JAEGER_BOOL,
                                                HF_JAEGER_INT, HF_JAEGER_BINARY};
    if (type < 0 || type >= (int64_t)(sizeof(types) / sizeof(types[0]))) {
        tag->type = HF_JAEGER_STRING;
        tag->text = hf_slice_text("<Unknown Jaeger TagType \"<UNSET>\">");
        return;
    }
    tag->type = types[type];
    tag->text = tag->type == HF_JAEGER_BINARY ? binary : text;
}

static void read_tag(struct hf_thrift *thrift, struct hf_jaeger_tag *tag)
{
    struct hf_slice text = HF_EMPTY_SLICE, binary = HF_EMPTY_SLICE;
    int64_t type = 0, number = 0;
    bool flag = false;
    int16_t last_id = 0;
    struct hf_thrift_field field;
    while ((field = hf_thrift_field(thrift, &last_id)).type != HF_THRIFT_STOP) {
        switch (KEY(field.type, field.id)) {
        case KEY(HF_THRIFT_BYTES, TAG_KEY):
            tag->key = hf_thrift_bytes(thrift);
            break;
        case KEY(HF_THRIFT_I32, TAG_TYPE):
            type = hf_thrift_i32(thrift);
            break;
        case KEY(HF_THRIFT_BYTES, TAG_STRING):
            text = hf_thrift_bytes(thrift);
            break;
        case KEY(HF_THRIFT_DOUBLE, TAG_DOUBLE):
            tag->number = hf_thrift_double(thrift);
            break;
        case KEY(HF_THRIFT_BOOL, TAG_BOOL):
            flag = hf_thrift_bool(thrift);
            break;
        case KEY(HF_THRIFT_I64, TAG_LONG):
            number = hf_thrift_i64(thrift);
            break;
        case KEY(HF_THRIFT_BYTES, TAG_BINARY):
            binary = hf_thrift_bytes(thrift);
            break;
        default:
            hf_thrift_skip(thrift, field.type);
        }
    }
    set_type(tag, type, text, binary);
    tag->integer = tag->type == HF_JAEGER_BOOL ? flag : number;
}

static void read_tags(struct hf_jaeger_reading *reading, struct hf_arena *arena,
                      struct hf_thrift *thrift, struct hf_jaeger_tags *tags)
{
    uint32_t count = open_list(thrift);
    tags->items = take(reading, arena, thrift, count, sizeof(*tags->items));
    tags->count = 0;
    while (tags->count < count && !thrift->failed) {
        read_tag(thrift, &tags->items[tags->count++]);
    }
}

static void read_log(struct hf_jaeger_reading *reading, struct hf_thrift *thrift,
                     struct hf_jaeger_log *log)
{
    int16_t last_id = 0;
    struct hf_thrift_field field;
    while ((field = hf_thrift_field(thrift, &last_id)).type != HF_THRIFT_STOP) {
        switch (KEY(field.type, field.id)) {
        case KEY(HF_THRIFT_I64, LOG_TIME):
            log->time_ns = (uint64_t)hf_thrift_i64(thrift) * 1000;
            break;
        case KEY(HF_THRIFT_LIST, LOG_FIELDS):
            read_tags(reading, &reading->arena, thrift, &log->fields);
            break;
        default:
            hf_thrift_skip(thrift, field.type);
        }
    }
}

static void read_reference(struct hf_thrift *thrift, struct hf_jaeger_reference *reference)
{
    int16_t last_id = 0;
    struct hf_thrift_field field;
    while ((field = hf_thrift_field(thrift, &last_id)).type != HF_THRIFT_STOP) {
        switch (KEY(field.type, field.id)) {
        case KEY(HF_THRIFT_I32, REFERENCE_TYPE):
            reference->follows = hf_thrift_i32(thrift) != 0;
            break;
        case KEY(HF_THRIFT_I64, REFERENCE_TRACE_ID_LOW):
            put_id(reference->trace_id + 8, hf_thrift_i64(thrift));
            break;
        case KEY(HF_THRIFT_I64, REFERENCE_TRACE_ID_HIGH):
            put_id(reference->trace_id, hf_thrift_i64(thrift));
            break;
        case KEY(HF_THRIFT_I64, REFERENCE_SPAN_ID):
            put_id(reference->span_id, hf_thrift_i64(thrift));
            break;
        default:
            hf_thrift_skip(thrift, field.type);
        }
    }
}

static void read_logs(struct hf_jaeger_reading *reading, struct hf_thrift *thrift,
                      struct hf_jaeger_span *span)
{
    uint32_t count = open_list(thrift);
    span->logs = take(reading, &reading->arena, thrift, count, sizeof(*span->logs));
    span->log_count = 0;
    while (span->log_count < count && !thrift->failed) {
        read_log(reading, thrift, &span->logs[span->log_count++]);
    }
}

static void read_references(struct hf_jaeger_reading *reading, struct hf_thrift *thrift,
                            struct hf_jaeger_span *span)
{
    uint32_t count = open_list(thrift);
    span->references = take(reading, &reading->arena, thrift, count, sizeof(*span->references));
    span->reference_count = 0;
    while (span->reference_count < count && !thrift->failed) {
        read_reference(thrift, &span->references[span->reference_count++]);
    }
}

struct times {
    int64_t start_us, duration_us;
};

static void read_field(struct hf_jaeger_reading *reading, struct hf_thrift *thrift,
                       struct hf_thrift_field field, struct hf_jaeger_span *span,
                       struct times *times)
{
    switch (KEY(field.type, field.id)) {
    case KEY(HF_THRIFT_I64, SPAN_TRACE_ID_LOW):
        put_id(span->trace_id + 8, hf_thrift_i64(thrift));
        break;
    case KEY(HF_THRIFT_I64, SPAN_TRACE_ID_HIGH):
        put_id(span->trace_id, hf_thrift_i64(thrift));
        break;
    case KEY(HF_THRIFT_I64, SPAN_ID):
        put_id(span->span_id, hf_thrift_i64(thrift));
        break;
    case KEY(HF_THRIFT_I64, SPAN_PARENT_ID):
        put_id(span->parent_id, hf_thrift_i64(thrift));
        break;
    case KEY(HF_THRIFT_BYTES, SPAN_NAME):
        span->name = hf_thrift_bytes(thrift);
        break;
    case KEY(HF_THRIFT_I32, SPAN_FLAGS):
        span->is_sampled = (hf_thrift_i32(thrift) & 1) != 0;
        break;
    case KEY(HF_THRIFT_I64, SPAN_START):
        times->start_us = hf_thrift_i64(thrift);
        break;
    case KEY(HF_THRIFT_I64, SPAN_DURATION):
        times->duration_us = hf_thrift_i64(thrift);
        break;
    case KEY(HF_THRIFT_LIST, SPAN_REFERENCES):
        read_references(reading, thrift, span);
        break;
    case KEY(HF_THRIFT_LIST, SPAN_TAGS):
        read_tags(reading, &reading->arena, thrift, &span->tags);
        break;
    case KEY(HF_THRIFT_LIST, SPAN_LOGS):
        read_logs(reading, thrift, span);
        break;
    default:
        hf_thrift_skip(thrift, field.type);
    }
}

/* The answer to what `thrift` and the memory have come to. */
static enum hf_status status_of(struct hf_jaeger_reading *reading, const struct hf_thrift *thrift)
{
    if (reading->reterr[0] != '\0') {
        return HF_TOO_LARGE;
    }
    return thrift->failed
               ? hf_jaeger_fault(reading, "it is not a Thrift struct, or not a whole one")
               : HF_OK;
}

static enum hf_status read_span(struct hf_jaeger_reading *reading, struct hf_thrift *thrift,
                                const struct hf_jaeger_process *process)
{
    struct hf_jaeger_span *span = hf_jaeger_take(reading, &reading->arena, sizeof(*span));
    struct times times = {0};
    struct hf_thrift_field field;
    int16_t last_id = 0;
    bool is_blank = true;
    if (span == NULL) {
        return HF_TOO_LARGE;
    }
    span->process = process;
    while ((field = hf_thrift_field(thrift, &last_id)).type != HF_THRIFT_STOP) {
        read_field(reading, thrift, field, span, &times);
        is_blank = false;
    }
    span->start_ns = (uint64_t)times.start_us * 1000;
    span->end_ns = ((uint64_t)times.start_us + (uint64_t)times.duration_us) * 1000;
    enum hf_status status = status_of(reading, thrift);
    return status == HF_OK && !is_blank ? hf_jaeger_add(reading, span) : status;
}

static const struct hf_jaeger_process *read_process(struct hf_jaeger_reading *reading,
                                                    struct hf_thrift *thrift)
{
    struct hf_jaeger_process *process =
        take(reading, &reading->lasting, thrift, 0, sizeof(*process));
    struct hf_thrift_field field;
    int16_t last_id = 0;
    while (process != NULL && (field = hf_thrift_field(thrift, &last_id)).type != HF_THRIFT_STOP) {
        switch (KEY(field.type, field.id)) {
        case KEY(HF_THRIFT_BYTES, PROCESS_SERVICE):
            process->service = hf_thrift_bytes(thrift);
            break;
        case KEY(HF_THRIFT_LIST, PROCESS_TAGS):
            read_tags(reading, &reading->lasting, thrift, &process->tags);
            break;
        default:
            hf_thrift_skip(thrift, field.type);
        }
    }
    if (process != NULL) {
        hf_jaeger_tags_settle(&process->tags);
    }
    return process;
}

/* The process first, wherever it stands, and the place of the list of spans. */
static const struct hf_jaeger_process *
look_ahead(struct hf_jaeger_reading *reading, struct hf_thrift *thrift, struct hf_thrift *ret_spans)
{
    const struct hf_jaeger_process *process = NULL;
    struct hf_thrift_field field;
    int16_t last_id = 0;
    while ((field = hf_thrift_field(thrift, &last_id)).type != HF_THRIFT_STOP) {
        if (field.type == HF_THRIFT_STRUCT && field.id == BATCH_PROCESS) {
            process = read_process(reading, thrift);
            continue;
        }
        if (field.type == HF_THRIFT_LIST && field.id == BATCH_SPANS) {
            *ret_spans = *thrift;
        }
        hf_thrift_skip(thrift, field.type);
    }
    return process;
}

enum hf_status hf_jaeger_read_thrift(struct hf_jaeger_reading *reading, struct hf_thrift thrift)
{
    struct hf_thrift spans = {.at = NULL};
    const struct hf_jaeger_process *process = look_ahead(reading, &thrift, &spans);
    enum hf_status status = status_of(reading, &thrift);
    if (status != HF_OK || spans.at == NULL) {
        return status;
    }
    uint32_t count = open_list(&spans);
    for (uint32_t i = 0; i < count && status == HF_OK; i++) {
        status = read_span(reading, &spans, process);
    }
    return status == HF_OK ? status_of(reading, &spans) : status;
}

enum hf_status hf_jaeger_read_call(struct hf_jaeger_reading *reading, struct hf_thrift thrift)
{
    struct hf_thrift_message message = hf_thrift_message(&thrift);
    struct hf_thrift_field field;
    int16_t last_id = 0;
    if (thrift.failed || !hf_slice_is(message.name, "emitBatch")) {
        return hf_jaeger_fault(reading, "the datagram is not a call of emitBatch");
    }
    while ((field = hf_thrift_field(&thrift, &last_id)).type != HF_THRIFT_STOP) {
        if (field.type == HF_THRIFT_STRUCT && field.id == CALL_BATCH) {
            return hf_jaeger_read_thrift(reading, thrift);
        }
        hf_thrift_skip(&thrift, field.type);
    }
    return hf_jaeger_fault(reading, "the call has no batch");
}
