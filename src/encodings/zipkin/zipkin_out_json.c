/*
 * zipkin_out_json: a span in Zipkin's JSON.
 */
#include <string.h>

#include "pdata/json_value.h"
#include "util/escape.h"
#include "util/hex.h"
#include "zipkin_out.h"

static const char *const kinds[] = {NULL, NULL, "SERVER", "CLIENT", "PRODUCER", "CONSUMER"};

struct writer {
    struct hf_bytes *out;
    bool *failed;
    bool has_member; /* a comma is due */
};

static void put(struct writer *writer, struct hf_slice text)
{
    *writer->failed |= hf_bytes_append(writer->out, text) != HF_OK;
}

static void put_text(struct writer *writer, const char *text)
{
    put(writer, hf_slice_text(text));
}

/* `lower`: ASCII letters in lower case, as Zipkin has names of services and spans. */
static void put_string(struct writer *writer, struct hf_slice text, bool lower)
{
    put_text(writer, "\"");
    size_t from = writer->out->size;
    *writer->failed |= hf_escape_append(HF_ESCAPE_JSON, text, writer->out) != HF_OK;
    for (size_t i = from; lower && i < writer->out->size; i++) {
        uint8_t *at = &writer->out->data[i];
        *at = *at >= 'A' && *at <= 'Z' ? (uint8_t)(*at - 'A' + 'a') : *at;
    }
    put_text(writer, "\"");
}

static void put_key(struct writer *writer, const char *key)
{
    put_text(writer, writer->has_member ? ",\"" : "\"");
    put_text(writer, key);
    put_text(writer, "\":");
    writer->has_member = true;
}

static void put_number(struct writer *writer, const char *key, uint64_t number)
{
    char digits[HF_JSON_DIGITS_MAX];
    if (number != 0) {
        put_key(writer, key);
        put(writer, hf_slice_of(digits, hf_json_print_u64(number, digits)));
    }
}

static void put_member(struct writer *writer, const char *key, struct hf_slice text, bool lower)
{
    if (text.size != 0) {
        put_key(writer, key);
        put_string(writer, text, lower);
    }
}

static void put_id(struct writer *writer, const char *key, const uint8_t *id, size_t size)
{
    char digits[32];
    if (!hf_slice_is_zero(hf_slice_of(id, size))) {
        put_key(writer, key);
        put_string(writer, hf_slice_of(digits, hf_hex_write(hf_slice_of(id, size), digits)), false);
    }
}

static void put_endpoint(struct writer *writer, const char *key,
                         const struct hf_zipkin_endpoint *endpoint)
{
    struct writer inner = {writer->out, writer->failed, false};
    if (endpoint->service.size == 0 && endpoint->ip4.size == 0 && endpoint->ip6.size == 0) {
        return;
    }
    put_key(writer, key);
    put_text(writer, "{");
    put_member(&inner, "serviceName", endpoint->service, true);
    put_member(&inner, "ipv4", endpoint->ip4, false);
    put_member(&inner, "ipv6", endpoint->ip6, false);
    put_number(&inner, "port", endpoint->port);
    put_text(writer, "}");
}

static uint64_t rounded_us(uint64_t ns)
{
    return ns / 1000 + (ns % 1000 >= 500 ? 1 : 0);
}

static void put_annotations(struct writer *writer, const struct hf_zipkin_span *span)
{
    char digits[HF_JSON_DIGITS_MAX];
    if (span->annotation_count == 0) {
        return;
    }
    put_key(writer, "annotations");
    for (size_t i = 0; i < span->annotation_count; i++) {
        const struct hf_zipkin_annotation *one = &span->annotations[i];
        put_text(writer, i == 0 ? "[{\"timestamp\":" : ",{\"timestamp\":");
        put(writer, hf_slice_of(digits, hf_json_print_u64(rounded_us(one->time_us), digits)));
        put_text(writer, ",\"value\":");
        put_string(writer, one->value, false);
        put_text(writer, "}");
    }
    put_text(writer, "]");
}

static void put_tags(struct writer *writer, const struct hf_zipkin_span *span)
{
    if (span->tag_count == 0) {
        return;
    }
    put_key(writer, "tags");
    for (size_t i = 0; i < span->tag_count; i++) {
        put_text(writer, i == 0 ? "{" : ",");
        put_string(writer, span->tags[i].key, false);
        put_text(writer, ":");
        put_string(writer, span->tags[i].value, false);
    }
    put_text(writer, "}");
}

void hf_zipkin_out_json(const struct hf_zipkin_span *span, struct hf_bytes *out, bool *failed)
{
    struct writer writer = {out, failed, false};
    bool is_short = hf_slice_is_zero(hf_slice_of(span->trace_id, 8));
    uint64_t duration_us = rounded_us(span->duration_us);
    put_text(&writer, "{");
    put_id(&writer, "traceId", span->trace_id + (is_short ? 8 : 0), is_short ? 8 : 16);
    put_id(&writer, "id", span->span_id, 8);
    put_id(&writer, "parentId", span->parent_id, 8);
    put_member(&writer, "name", span->name, true);
    if (span->kind < sizeof(kinds) / sizeof(kinds[0]) && kinds[span->kind] != NULL) {
        put_member(&writer, "kind", hf_slice_text(kinds[span->kind]), false);
    }
    put_number(&writer, "timestamp", span->has_no_time ? 0 : rounded_us(span->time_us));
    put_number(&writer, "duration", duration_us == 0 && span->duration_us != 0 ? 1 : duration_us);
    put_endpoint(&writer, "localEndpoint", &span->local);
    put_endpoint(&writer, "remoteEndpoint", &span->remote);
    put_annotations(&writer, span);
    put_tags(&writer, span);
    put_text(&writer, "}");
}
