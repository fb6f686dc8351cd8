/*
 * es_otel: documents of the mapping mode otel: the fields of OTLP as objects, attributes as they
 * are. Owned by the delivery's thread.
 */
#pragma once

#include "es_context.h"

/* Another resource or scope than that of the item before. */
void es_otel_begin_group(struct es_context *context);

void es_otel_log(struct es_context *context, struct hf_slice record);
/* A document of the span and one of each of its events, which are logs. */
void es_otel_span(struct es_context *context, struct hf_slice span);

/* What documents of points have too: a key and a time, the attributes, and what stands behind. */
void es_otel_time(struct hf_json_writer *writer, uint64_t time_ns);
void es_otel_attributes(struct hf_json_writer *writer, struct hf_slice owner, uint32_t number,
                        bool maps_as_text, struct hf_slice event_name);
