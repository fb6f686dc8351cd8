/*
 * es_plain: documents of the mapping modes none and raw, whose fields are those of OTLP under names
 * of their own, and of bodymap, where the body of a record is the document. Owned by the delivery's
 * thread.
 */
#pragma once

#include "es_context.h"

void es_plain_begin_group(struct es_context *context);
void es_plain_log(struct es_context *context, struct hf_slice record);
void es_plain_span(struct es_context *context, struct hf_slice span);

void es_bodymap_log(struct es_context *context, struct hf_slice record);
