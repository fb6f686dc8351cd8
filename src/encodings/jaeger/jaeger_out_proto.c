/*
 * jaeger_out_proto: a span as a Span of api_v2, field by field as the Go collector's library writes
 * it: ids and times are there even when they are zero.
 */
#include <string.h>

#include "jaeger_out.h"
#include "jaeger_proto_numbers.h"
#include "pdata/wire.h"

#define NS_PER_S INT64_C(1000000000)

static void put_text(struct hf_wire_writer *writer, uint32_t number, struct hf_slice text)
{
    if (text.size != 0) {
        hf_wire_put_bytes(writer, number, text);
    }
}

static void put_number(struct hf_wire_writer *writer, uint32_t number, uint64_t value)
{
    if (value != 0) {
        hf_wire_put_varint(writer, number, value);
    }
}

/* Negative numbers take all bits, as protobuf has them. */
static void put_time(struct hf_wire_writer *writer, uint32_t number, uint64_t seconds,
                     uint64_t nanos)
{
    struct hf_wire_message message = hf_wire_open(writer, number, 16);
    put_number(writer, TIME_SECONDS, seconds);
    put_number(writer, TIME_NANOS, nanos);
    hf_wire_close(writer, message);
}

static void put_point(struct hf_wire_writer *writer, uint32_t number, uint64_t unix_ns)
{
    put_time(writer, number, unix_ns / (uint64_t)NS_PER_S, unix_ns % (uint64_t)NS_PER_S);
}

static void put_tag(struct hf_wire_writer *writer, uint32_t number, const struct hf_jaeger_tag *tag)
{
    uint64_t bits;
    struct hf_wire_message message =
        hf_wire_open(writer, number, tag->key.size + tag->text.size + 16);
    put_text(writer, TAG_KEY, tag->key);
    put_number(writer, TAG_TYPE, tag->type);
    switch (tag->type) {
    case HF_JAEGER_STRING:
        put_text(writer, TAG_STRING, tag->text);
        break;
    case HF_JAEGER_BOOL:
        put_number(writer, TAG_BOOL, tag->integer != 0);
        break;
    case HF_JAEGER_INT:
        put_number(writer, TAG_INT, (uint64_t)tag->integer);
        break;
    case HF_JAEGER_DOUBLE:
        memcpy(&bits, &tag->number, sizeof(bits));
        if (tag->number != 0) {
            hf_wire_put_fixed64(writer, TAG_DOUBLE, bits);
        }
        break;
    case HF_JAEGER_BINARY:
        put_text(writer, TAG_BINARY, tag->text);
        break;
    }
    hf_wire_close(writer, message);
}

static void put_tags(struct hf_wire_writer *writer, uint32_t number,
                     const struct hf_jaeger_tags *tags)
{
    for (size_t i = 0; i < tags->count; i++) {
        put_tag(writer, number, &tags->items[i]);
    }
}

static void put_references(struct hf_wire_writer *writer, const struct hf_jaeger_span *span)
{
    for (size_t i = 0; i < span->reference_count; i++) {
        const struct hf_jaeger_reference *one = &span->references[i];
        struct hf_wire_message message = hf_wire_open(writer, SPAN_REFERENCES, 32);
        hf_wire_put_bytes(writer, REFERENCE_TRACE_ID, hf_slice_of(one->trace_id, 16));
        hf_wire_put_bytes(writer, REFERENCE_SPAN_ID, hf_slice_of(one->span_id, 8));
        put_number(writer, REFERENCE_TYPE, one->follows);
        hf_wire_close(writer, message);
    }
}

static void put_logs(struct hf_wire_writer *writer, const struct hf_jaeger_span *span)
{
    for (size_t i = 0; i < span->log_count; i++) {
        const struct hf_jaeger_log *log = &span->logs[i];
        struct hf_wire_message message = hf_wire_open(writer, SPAN_LOGS, 256);
        put_point(writer, LOG_TIME, log->time_ns);
        put_tags(writer, LOG_FIELDS, &log->fields);
        hf_wire_close(writer, message);
    }
}

enum hf_status hf_jaeger_out_proto(const struct hf_jaeger_span *span, struct hf_bytes *out)
{
    struct hf_wire_writer writer = {.out = out};
    int64_t duration_ns = (int64_t)(span->end_ns - span->start_ns);
    hf_wire_put_bytes(&writer, SPAN_TRACE_ID, hf_slice_of(span->trace_id, 16));
    hf_wire_put_bytes(&writer, SPAN_ID, hf_slice_of(span->span_id, 8));
    put_text(&writer, SPAN_NAME, span->name);
    put_references(&writer, span);
    put_number(&writer, SPAN_FLAGS, span->is_sampled);
    put_point(&writer, SPAN_START, span->start_ns);
    put_time(&writer, SPAN_DURATION, (uint64_t)(duration_ns / NS_PER_S),
             (uint64_t)(duration_ns % NS_PER_S));
    put_tags(&writer, SPAN_TAGS, &span->tags);
    put_logs(&writer, span);
    struct hf_wire_message process = hf_wire_open(&writer, SPAN_PROCESS, 512);
    put_text(&writer, PROCESS_SERVICE, span->process->service);
    put_tags(&writer, PROCESS_TAGS, &span->process->tags);
    hf_wire_close(&writer, process);
    return hf_wire_status(&writer);
}
