/*
 * tail_spans: the spans of a request on its wire bytes: what the policies read of each, in one pass
 * and without making a document; and the request with only some of them. Pure functions; the
 * request has passed hf_scan().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/slice.h>

#include "pdata/wire.h"
#include "trace_id.h"

/* The fields of OTLP that are walked through. */
enum {
    HF_TAIL_RESOURCE_GROUPS = 1, /* of a request */
    HF_TAIL_RESOURCE = 1,        /* of those */
    HF_TAIL_SCOPE_GROUPS = 2,    /* of those */
    HF_TAIL_SCOPE = 1,           /* of those */
    HF_TAIL_SPANS = 2,           /* of those */
    HF_TAIL_SPAN_ATTRIBUTES = 9,
    HF_TAIL_RESOURCE_ATTRIBUTES = 1
};

struct hf_sampling_tail_span {
    struct hf_slice bytes;
    uint8_t id[HF_TRACE_ID_SIZE]; /* zeros when it is malformed, as in the Go collector */
    struct hf_slice trace_state;
    uint64_t start_ns, end_ns;
    int64_t status_code;
    uint32_t flags;
    bool is_root;
};

/* `bytes` is the content of a span. */
void hf_sampling_tail_span_read(struct hf_slice bytes, struct hf_sampling_tail_span *ret_span);

/* Embed in what the choice needs. */
struct hf_sampling_tail_choice {
    bool (*has)(const struct hf_sampling_tail_choice *choice, const uint8_t *id);
};

/* Appends the request with only the spans of the traces that are chosen, and the resources and
 * scopes of those, as they came; nothing when it has none. Returns how many spans. */
uint32_t hf_sampling_tail_cut(struct hf_slice raw, const struct hf_sampling_tail_choice *choice,
                              struct hf_wire_writer *writer);
