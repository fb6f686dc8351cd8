/*
 * zipkin_parts: events and links of OTLP as the exporters of other collectors write them into
 * Zipkin's texts. Owned by the call.
 */
#pragma once

#include <stdbool.h>

#include "zipkin_span.h"

/* "otlp.link.NUMBER"? */
bool hf_zipkin_is_link_number(struct hf_slice key, unsigned number);

/* "TRACE|SPAN|STATE|JSON|DROPPED" as a link of the open span. False: it is none. */
bool hf_zipkin_put_link(struct hf_builder *builder, struct hf_slice text, struct hf_arena *arena);

/* An annotation as an event of the open span: "NAME|JSON|DROPPED", or any other text as its name.
 */
void hf_zipkin_put_event(struct hf_builder *builder, const struct hf_zipkin_annotation *annotation,
                         struct hf_arena *arena);
