/*
 * zipkin_span: spans of Zipkin's second version as the readers of JSON and protobuf make them, and
 * their translation. Everything lives in the arena of the reading. Owned by the call.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>

#include "pdata/build.h"
#include "util/arena.h"
#include "zipkin_keys.h"

struct hf_zipkin_endpoint {
    struct hf_slice service;
    struct hf_slice ip4, ip6; /* as text */
    uint32_t port;            /* 0: not known */
};

struct hf_zipkin_annotation {
    uint64_t time_us;
    struct hf_slice value;
};

struct hf_zipkin_tag {
    struct hf_slice key, value;
    enum hf_zipkin_key meaning;
};

struct hf_zipkin_span {
    uint8_t trace_id[16], span_id[8], parent_id[8]; /* zeros: none */
    struct hf_slice name;
    uint32_t kind; /* of OTLP; 0: none */
    uint64_t time_us, duration_us;
    bool has_no_time;
    struct hf_zipkin_endpoint local, remote;
    const struct hf_zipkin_annotation *annotations;
    size_t annotation_count;
    struct hf_zipkin_tag *tags; /* `meaning` is set by the translation */
    size_t tag_count;
    struct hf_slice scope_name, scope_version; /* set by the translation */
    uint64_t resource_hash;
    size_t position;
};

/* Writes the spans, in an order of its own. `arena`: for what is read of events and links. */
void hf_zipkin_span_translate(struct hf_zipkin_span **spans, size_t count, bool parse_string_tags,
                              struct hf_arena *arena, struct hf_builder *builder);

/* The text of an address of 4 or 16 bytes; empty when it has another size or memory has run out. */
struct hf_slice hf_zipkin_ip_text(struct hf_arena *arena, struct hf_slice bytes);

/* A text as the attribute that it looks like, or as it is. */
void hf_zipkin_put_text(struct hf_builder *builder, struct hf_slice key, struct hf_slice text,
                        bool parse);

/* Nanoseconds of microseconds; 0 when they do not fit. */
static inline uint64_t hf_zipkin_ns(uint64_t us)
{
    return us > UINT64_MAX / 1000 ? 0 : us * 1000;
}
