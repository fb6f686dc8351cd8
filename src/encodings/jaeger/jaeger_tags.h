/*
 * jaeger_tags: the tags of a span, a log or a process on their way to attributes. Owned by the
 * call.
 */
#pragma once

#include "jaeger_span.h"

/* Of a key that is there more often, the last value counts; keys of newer conventions get the name
 * that the Go collector gives them. */
void hf_jaeger_tags_settle(struct hf_jaeger_tags *tags);
/* The tag of that key that is not dropped; NULL: none. */
struct hf_jaeger_tag *hf_jaeger_tags_find(const struct hf_jaeger_tags *tags, const char *key);
/* The text of that tag, which is dropped; empty: none, or it is no string. */
struct hf_slice hf_jaeger_tags_take(const struct hf_jaeger_tags *tags, const char *key);
/* All that are not dropped, as attributes of what was opened last. */
void hf_jaeger_tags_write(struct hf_builder *builder, const struct hf_jaeger_tags *tags);

struct hf_jaeger_status {
    uint32_t code; /* of OTLP */
    struct hf_slice message;
};

/* What the tags tell of the status of a span of that kind; those that tell no more are dropped. */
struct hf_jaeger_status hf_jaeger_tags_status(const struct hf_jaeger_tags *tags, uint32_t kind);
