/*
 * jaeger_out_json: a span as a Span of api_v2 in protobuf's JSON, member by member as the Go
 * collector's library writes it: what is zero is left out, but for ids of traces and times.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "jaeger_out.h"
#include "pdata/json_value.h"
#include "pdata/json_write.h"

#define NS_PER_S INT64_C(1000000000)
#define TIME_TEXT_MAX 64

/* Behind the seconds: nothing, or 3, 6 or 9 digits. */
static size_t print_fraction(uint32_t ns, char *room, size_t size)
{
    unsigned digits = ns == 0 ? 0 : ns % 1000000 == 0 ? 3 : ns % 1000 == 0 ? 6 : 9;
    uint32_t shown = digits == 3 ? ns / 1000000 : digits == 6 ? ns / 1000 : ns;
    return digits == 0 ? 0 : (size_t)snprintf(room, size, ".%0*u", (int)digits, shown);
}

static void put_time(struct hf_json_writer *writer, uint64_t unix_ns)
{
    char text[TIME_TEXT_MAX];
    time_t seconds = (time_t)(unix_ns / (uint64_t)NS_PER_S);
    struct tm parts = {0};
    gmtime_r(&seconds, &parts); /* the years of 64 bits of nanoseconds have four digits */
    size_t size = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
    size +=
        print_fraction((uint32_t)(unix_ns % (uint64_t)NS_PER_S), text + size, sizeof(text) - size);
    text[size++] = 'Z';
    hf_json_write_text(writer, hf_slice_of(text, size));
}

static void put_duration(struct hf_json_writer *writer, int64_t ns)
{
    char text[TIME_TEXT_MAX];
    uint64_t whole = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    size_t size = (size_t)snprintf(text, sizeof(text), "%s%llu", ns < 0 ? "-" : "",
                                   (unsigned long long)(whole / (uint64_t)NS_PER_S));
    size +=
        print_fraction((uint32_t)(whole % (uint64_t)NS_PER_S), text + size, sizeof(text) - size);
    text[size++] = 's';
    hf_json_write_text(writer, hf_slice_of(text, size));
}

/* Numbers of 64 bits are strings in protobuf's JSON. */
static void put_i64(struct hf_json_writer *writer, int64_t value)
{
    char digits[HF_JSON_DIGITS_MAX];
    hf_json_write_text(writer, hf_slice_of(digits, hf_json_print_i64(value, digits)));
}

static void put_double(struct hf_json_writer *writer, double value)
{
    char digits[HF_JSON_DIGITS_MAX];
    hf_json_write_made(writer, hf_slice_of(digits, hf_json_print_double(value, digits)));
}

static void put_value(struct hf_json_writer *writer, const struct hf_jaeger_tag *tag)
{
    switch (tag->type) {
    case HF_JAEGER_STRING:
        if (tag->text.size != 0) {
            HF_JSON_WRITE_KEY(writer, "vStr");
            hf_json_write_text(writer, tag->text);
        }
        break;
    case HF_JAEGER_BOOL:
        if (tag->integer != 0) {
            HF_JSON_WRITE_KEY(writer, "vBool");
            hf_json_write_bool(writer, true);
        }
        break;
    case HF_JAEGER_INT:
        if (tag->integer != 0) {
            HF_JSON_WRITE_KEY(writer, "vInt64");
            put_i64(writer, tag->integer);
        }
        break;
    case HF_JAEGER_DOUBLE:
        if (tag->number != 0) {
            HF_JSON_WRITE_KEY(writer, "vFloat64");
            put_double(writer, tag->number);
        }
        break;
    case HF_JAEGER_BINARY:
        if (tag->text.size != 0) {
            HF_JSON_WRITE_KEY(writer, "vBinary");
            hf_json_write_base64(writer, tag->text);
        }
        break;
    }
}

static void put_tag(struct hf_json_writer *writer, const struct hf_jaeger_tag *tag)
{
    static const char *const types[] = {"", "BOOL", "INT64", "FLOAT64", "BINARY"};
    hf_json_write_open(writer, '{');
    if (tag->key.size != 0) {
        HF_JSON_WRITE_KEY(writer, "key");
        hf_json_write_text(writer, tag->key);
    }
    if (tag->type != HF_JAEGER_STRING) {
        HF_JSON_WRITE_KEY(writer, "vType");
        hf_json_write_text(writer, hf_slice_text(types[tag->type]));
    }
    put_value(writer, tag);
    hf_json_write_close(writer, '}');
}

/* The list behind a key. */
static void put_tags(struct hf_json_writer *writer, const struct hf_jaeger_tags *tags)
{
    hf_json_write_open(writer, '[');
    for (size_t i = 0; i < tags->count; i++) {
        put_tag(writer, &tags->items[i]);
    }
    hf_json_write_close(writer, ']');
}

static void put_span_id(struct hf_json_writer *writer, const uint8_t *id)
{
    static const uint8_t none[8];
    if (memcmp(id, none, sizeof(none)) != 0) {
        HF_JSON_WRITE_KEY(writer, "spanId");
        hf_json_write_base64(writer, hf_slice_of(id, 8));
    }
}

static void put_references(struct hf_json_writer *writer, const struct hf_jaeger_span *span)
{
    HF_JSON_WRITE_KEY(writer, "references");
    hf_json_write_open(writer, '[');
    for (size_t i = 0; i < span->reference_count; i++) {
        const struct hf_jaeger_reference *one = &span->references[i];
        hf_json_write_open(writer, '{');
        HF_JSON_WRITE_KEY(writer, "traceId");
        hf_json_write_base64(writer, hf_slice_of(one->trace_id, 16));
        put_span_id(writer, one->span_id);
        if (one->follows) {
            HF_JSON_WRITE_KEY(writer, "refType");
            hf_json_write_text(writer, hf_slice_text("FOLLOWS_FROM"));
        }
        hf_json_write_close(writer, '}');
    }
    hf_json_write_close(writer, ']');
}

static void put_logs(struct hf_json_writer *writer, const struct hf_jaeger_span *span)
{
    HF_JSON_WRITE_KEY(writer, "logs");
    hf_json_write_open(writer, '[');
    for (size_t i = 0; i < span->log_count; i++) {
        hf_json_write_open(writer, '{');
        HF_JSON_WRITE_KEY(writer, "timestamp");
        put_time(writer, span->logs[i].time_ns);
        if (span->logs[i].fields.count != 0) {
            HF_JSON_WRITE_KEY(writer, "fields");
            put_tags(writer, &span->logs[i].fields);
        }
        hf_json_write_close(writer, '}');
    }
    hf_json_write_close(writer, ']');
}

static void put_process(struct hf_json_writer *writer, const struct hf_jaeger_process *process)
{
    HF_JSON_WRITE_KEY(writer, "process");
    hf_json_write_open(writer, '{');
    if (process->service.size != 0) {
        HF_JSON_WRITE_KEY(writer, "serviceName");
        hf_json_write_text(writer, process->service);
    }
    if (process->tags.count != 0) {
        HF_JSON_WRITE_KEY(writer, "tags");
        put_tags(writer, &process->tags);
    }
    hf_json_write_close(writer, '}');
}

enum hf_status hf_jaeger_out_json(const struct hf_jaeger_span *span, struct hf_bytes *out)
{
    struct hf_json_writer writer = {.out = out};
    hf_json_write_open(&writer, '{');
    HF_JSON_WRITE_KEY(&writer, "traceId");
    hf_json_write_base64(&writer, hf_slice_of(span->trace_id, 16));
    put_span_id(&writer, span->span_id);
    if (span->name.size != 0) {
        HF_JSON_WRITE_KEY(&writer, "operationName");
        hf_json_write_text(&writer, span->name);
    }
    if (span->reference_count != 0) {
        put_references(&writer, span);
    }
    if (span->is_sampled) {
        HF_JSON_WRITE_KEY(&writer, "flags");
        hf_json_write_u64(&writer, 1);
    }
    HF_JSON_WRITE_KEY(&writer, "startTime");
    put_time(&writer, span->start_ns);
    HF_JSON_WRITE_KEY(&writer, "duration");
    put_duration(&writer, (int64_t)(span->end_ns - span->start_ns));
    if (span->tags.count != 0) {
        HF_JSON_WRITE_KEY(&writer, "tags");
        put_tags(&writer, &span->tags);
    }
    if (span->log_count != 0) {
        put_logs(&writer, span);
    }
    put_process(&writer, span->process);
    hf_json_write_close(&writer, '}');
    return hf_json_write_status(&writer);
}
