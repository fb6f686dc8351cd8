/*
 * zipkin_v1: spans of Zipkin's first version as the readers of JSON and Thrift make them, and their
 * translation. Everything lives in the arena of the reading. Owned by the call.
 */
#pragma once

#include "zipkin_span.h"

struct hf_zipkin_v1_annotation {
    int64_t time_us;
    struct hf_slice value;
    const struct hf_zipkin_endpoint *endpoint; /* NULL: none */
};

struct hf_zipkin_v1_tag {
    struct hf_slice key;
    enum hf_zipkin_type type;
    struct hf_slice text; /* STRING; else empty */
    int64_t integer;      /* INT; BOOL: 0 or 1 */
    double number;
    struct hf_slice component;                 /* of the key "lc": the value as it came */
    const struct hf_zipkin_endpoint *endpoint; /* NULL: none */
    bool is_dropped;                           /* set by the translation */
};

struct hf_zipkin_v1_span {
    uint8_t trace_id[16], span_id[8], parent_id[8]; /* zeros: none */
    struct hf_slice name;
    int64_t time_us, duration_us;
    bool has_time;
    bool needs_time; /* without any time it gets the present one */
    const struct hf_zipkin_v1_annotation *annotations;
    size_t annotation_count;
    struct hf_zipkin_v1_tag *tags;
    size_t tag_count;
    struct hf_zipkin_endpoint local; /* set by the translation */
    size_t position;
};

void hf_zipkin_v1_translate(struct hf_zipkin_v1_span **spans, size_t count,
                            struct hf_builder *builder);

/* A tag is read: a key that has another name in OTLP gets it. */
void hf_zipkin_v1_settle_key(struct hf_zipkin_v1_tag *tag);
