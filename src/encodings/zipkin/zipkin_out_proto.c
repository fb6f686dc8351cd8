/*
 * zipkin_out_proto: a span as an element of zipkin.proto3's ListOfSpans.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "pdata/wire.h"
#include "zipkin_out.h"
#include "zipkin_proto_numbers.h"

static void put_ip(struct hf_wire_writer *writer, uint32_t number, struct hf_slice text)
{
    char room[INET6_ADDRSTRLEN];
    uint8_t bytes[16];
    bool is_ip6 = number == ENDPOINT_IP6;
    if (text.size != 0 && text.size < sizeof(room)) {
        snprintf(room, sizeof(room), "%.*s", (int)text.size, (const char *)text.data);
        if (inet_pton(is_ip6 ? AF_INET6 : AF_INET, room, bytes) == 1) {
            hf_wire_put_bytes(writer, number, hf_slice_of(bytes, is_ip6 ? 16 : 4));
        }
    }
}

static void put_text(struct hf_wire_writer *writer, uint32_t number, struct hf_slice text)
{
    if (text.size != 0) {
        hf_wire_put_bytes(writer, number, text);
    }
}

static void put_endpoint(struct hf_wire_writer *writer, uint32_t number,
                         const struct hf_zipkin_endpoint *endpoint)
{
    if (endpoint->service.size == 0 && endpoint->ip4.size == 0 && endpoint->ip6.size == 0) {
        return;
    }
    struct hf_wire_message message = hf_wire_open(writer, number, endpoint->service.size + 32);
    put_text(writer, ENDPOINT_SERVICE, endpoint->service);
    put_ip(writer, ENDPOINT_IP4, endpoint->ip4);
    put_ip(writer, ENDPOINT_IP6, endpoint->ip6);
    if (endpoint->port != 0) {
        hf_wire_put_varint(writer, ENDPOINT_PORT, endpoint->port);
    }
    hf_wire_close(writer, message);
}

static void put_ids(struct hf_wire_writer *writer, const struct hf_zipkin_span *span)
{
    static const uint8_t none[8];
    hf_wire_put_bytes(writer, SPAN_TRACE_ID, hf_slice_of(span->trace_id, 16));
    if (memcmp(span->parent_id, none, 8) != 0) {
        hf_wire_put_bytes(writer, SPAN_PARENT_ID, hf_slice_of(span->parent_id, 8));
    }
    hf_wire_put_bytes(writer, SPAN_ID, hf_slice_of(span->span_id, 8));
}

void hf_zipkin_out_proto(const struct hf_zipkin_span *span, struct hf_bytes *out, bool *failed)
{
    static const uint8_t kinds[] = {0, 0, 2, 1, 3, 4};
    struct hf_wire_writer writer = {.out = out, .failed = *failed};
    struct hf_wire_message message = hf_wire_open(&writer, LIST_SPANS, 512);
    put_ids(&writer, span);
    if (span->kind < sizeof(kinds) && kinds[span->kind] != 0) {
        hf_wire_put_varint(&writer, SPAN_KIND, kinds[span->kind]);
    }
    put_text(&writer, SPAN_NAME, span->name);
    if (!span->has_no_time) {
        hf_wire_put_fixed64(&writer, SPAN_TIME,
                            span->time_us / 1000 + (span->time_us % 1000 >= 500 ? 1 : 0));
    }
    if (span->duration_us >= 1000) {
        hf_wire_put_varint(&writer, SPAN_DURATION, span->duration_us / 1000);
    }
    put_endpoint(&writer, SPAN_LOCAL, &span->local);
    put_endpoint(&writer, SPAN_REMOTE, &span->remote);
    for (size_t i = 0; i < span->annotation_count; i++) {
        struct hf_wire_message inner =
            hf_wire_open(&writer, SPAN_ANNOTATIONS, span->annotations[i].value.size + 12);
        hf_wire_put_fixed64(&writer, ANNOTATION_TIME, span->annotations[i].time_us / 1000);
        put_text(&writer, ANNOTATION_VALUE, span->annotations[i].value);
        hf_wire_close(&writer, inner);
    }
    for (size_t i = 0; i < span->tag_count; i++) {
        const struct hf_zipkin_tag *tag = &span->tags[i];
        struct hf_wire_message inner =
            hf_wire_open(&writer, SPAN_TAGS, tag->key.size + tag->value.size + 8);
        put_text(&writer, ENTRY_KEY, tag->key);
        put_text(&writer, ENTRY_VALUE, tag->value);
        hf_wire_close(&writer, inner);
    }
    hf_wire_close(&writer, message);
    *failed = writer.failed;
}
