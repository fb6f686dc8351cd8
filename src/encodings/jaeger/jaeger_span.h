/*
 * jaeger_span: spans as the readers of protobuf and Thrift make them, and their translation.
 * Everything lives in the arena of the reading. Owned by the call.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>

#include "pdata/build.h"
#include "util/arena.h"

enum hf_jaeger_type {
    HF_JAEGER_STRING = 0,
    HF_JAEGER_BOOL,
    HF_JAEGER_INT,
    HF_JAEGER_DOUBLE,
    HF_JAEGER_BINARY,
};

struct hf_jaeger_tag {
    struct hf_slice key;
    enum hf_jaeger_type type;
    struct hf_slice text; /* STRING, BINARY */
    int64_t integer;      /* INT; BOOL: 0 or 1 */
    double number;
    bool is_dropped; /* set by the translation */
};

struct hf_jaeger_tags {
    struct hf_jaeger_tag *items;
    size_t count;
};

struct hf_jaeger_log {
    uint64_t time_ns;
    struct hf_jaeger_tags fields;
};

struct hf_jaeger_reference {
    uint8_t trace_id[16], span_id[8];
    bool follows; /* FOLLOWS_FROM; else CHILD_OF */
};

struct hf_jaeger_process {
    struct hf_slice bytes; /* as it came: equal ones are the same process */
    struct hf_slice service;
    struct hf_jaeger_tags tags;
};

struct hf_jaeger_span {
    uint8_t trace_id[16], span_id[8], parent_id[8]; /* zeros: none */
    struct hf_slice name;
    uint64_t start_ns, end_ns;
    bool is_sampled;
    struct hf_jaeger_tags tags;
    struct hf_jaeger_log *logs;
    size_t log_count;
    struct hf_jaeger_reference *references;
    size_t reference_count;
    const struct hf_jaeger_process *process; /* NULL: none is known */
    /* Tags name the scope and the trace's state; set for protobuf, whose senders use them. */
    bool has_scope_tags;
    struct hf_slice scope_name, scope_version; /* set by the translation */
    size_t position;
};

/* Writes the spans, in an order of its own. `arena`: for texts that are made on the way. */
void hf_jaeger_span_translate(struct hf_jaeger_span **spans, size_t count, struct hf_arena *arena,
                              struct hf_builder *builder);
