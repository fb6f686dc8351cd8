/*
 * build: telemetry written item by item into the bytes of Export requests, for receivers and
 * connectors that make telemetry themselves.
 *
 * A builder is used like a pen: open a resource, a scope, in metrics a metric, then items; what is
 * written next belongs to what was opened last. Opening something closes what cannot hold it; items
 * are ended with hf_build_end(). Resources, scopes and metrics without items vanish.
 *
 * A request that would pass the limit is set aside without its last item, and the next begins with
 * the same resource, scope and metric: ask hf_build_take() now and then. A single item may be
 * larger than the limit.
 *
 * Text that is not UTF-8 is repaired with U+FFFD, so that every batch passes hf_scan(). When memory
 * runs out the builder notes it and ignores what follows: hf_build_finish() tells. Nothing is
 * allocated per item. Owned by one thread.
 *
 * Metrics: build_metrics.h. Spans: build_spans.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/batch.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"
#include "wire.h"

enum hf_build_level {
    HF_BUILD_NONE = 0, /* nothing is open */
    HF_BUILD_RESOURCE,
    HF_BUILD_SCOPE,
    HF_BUILD_METRIC,
    HF_BUILD_DATA, /* the gauge, sum, ... of a metric */
    HF_BUILD_LEVEL_COUNT
};

/* An open message that holds items. */
struct hf_build_holder {
    uint32_t number;     /* of its field */
    size_t tag_at;       /* in the bytes */
    size_t head_end;     /* from its content to here is what a following request repeats; 0: open */
    uint32_t item_count; /* of the request, when it was opened */
    struct hf_wire_message message;
};

/* The builder's own; read with the functions. */
struct hf_builder {
    enum hf_signal signal;
    size_t limit_bytes;
    struct hf_bytes bytes; /* the request that is being built */
    struct hf_wire_writer writer;
    uint32_t items;
    size_t last_size; /* of the request before: how much room to begin with */
    enum hf_build_level level;
    struct hf_build_holder holders[HF_BUILD_LEVEL_COUNT];
    bool in_head, in_item, in_part;
    struct hf_wire_message head; /* the Resource or InstrumentationScope that is open */
    struct hf_wire_message item; /* the span, data point or log record that is open */
    struct hf_wire_message part; /* the event, link or exemplar that is open */
    size_t item_at;
    uint32_t attributes_field;      /* of what was opened last; 0: it has none */
    uint32_t item_attributes_field; /* of the open item */
    struct hf_bytes repaired_key, repaired_text;
    struct hf_built *ready, *ready_last;
};

/* Batches of at most `limit_bytes`. */
void hf_builder_init(struct hf_builder *builder, enum hf_signal signal, size_t limit_bytes);
void hf_builder_release(struct hf_builder *builder);

/* `schema_url` may be empty. Attributes that follow are the resource's. */
void hf_build_resource(struct hf_builder *builder, struct hf_slice schema_url);
/* `name` and `version` may be empty. Attributes that follow are the scope's. */
void hf_build_scope(struct hf_builder *builder, struct hf_slice name, struct hf_slice version);

/* Ends the part (event, link, exemplar) that is open, or else the item. */
void hf_build_end(struct hf_builder *builder);

/* ---- attributes of what was opened last ---- */

void hf_build_attribute_string(struct hf_builder *builder, struct hf_slice key,
                               struct hf_slice text);
void hf_build_attribute_bytes(struct hf_builder *builder, struct hf_slice key,
                              struct hf_slice bytes);
void hf_build_attribute_int(struct hf_builder *builder, struct hf_slice key, int64_t integer);
void hf_build_attribute_double(struct hf_builder *builder, struct hf_slice key, double number);
void hf_build_attribute_bool(struct hf_builder *builder, struct hf_slice key, bool boolean);
/* The bytes of an AnyValue, of any_make.h or from a request that passed hf_scan(). */
void hf_build_attribute_value(struct hf_builder *builder, struct hf_slice key,
                              struct hf_slice value);

/* ---- log records ---- */

struct hf_build_log_record {
    uint64_t time_ns, observed_ns; /* 0: not known */
    uint32_t severity_number;
    struct hf_slice severity_text;
    struct hf_slice trace_id, span_id; /* 16 and 8 bytes, or empty */
    uint32_t flags;
    struct hf_slice event_name;
};

/* Opens a log record; its body and attributes follow, in any order, then hf_build_end(). */
void hf_build_log_record(struct hf_builder *builder, const struct hf_build_log_record *record);
/* At most one of them for a record. */
void hf_build_body_string(struct hf_builder *builder, struct hf_slice text);
void hf_build_body_bytes(struct hf_builder *builder, struct hf_slice bytes);
void hf_build_body_value(struct hf_builder *builder, struct hf_slice value);

/* ---- batches ---- */

/* Items of the request that is being built, and its size so far. */
static inline uint32_t hf_build_items(const struct hf_builder *builder)
{
    return builder->items;
}

static inline size_t hf_build_size(const struct hf_builder *builder)
{
    return builder->bytes.size;
}

/*
 * Closes all that is open and sets the request aside, if it has items. The next item needs its
 * resource and scope again. HF_NOMEM: what is not in a batch yet is gone; the builder can go on.
 */
HF_MUST_USE enum hf_status hf_build_finish(struct hf_builder *builder);

/* The next batch that is complete, in their order; NULL: none. The reference is the caller's. */
struct hf_batch *hf_build_take(struct hf_builder *builder);
/* Steps through those that are complete, from NULL to NULL; they stay. */
const struct hf_batch *hf_build_next(const struct hf_builder *builder,
                                     const struct hf_batch *batch);
/* Adds a complete request that was made elsewhere; nothing may be open. Takes over its bytes, also
 * on failure, which hf_build_finish() tells. */
void hf_build_add(struct hf_builder *builder, struct hf_bytes *request, uint32_t items);
