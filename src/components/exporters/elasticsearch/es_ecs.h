/*
 * es_ecs: documents of the mapping mode ecs: names of the Elastic Common Schema, dots as objects.
 * Owned by the delivery's thread.
 */
#pragma once

#include "es_context.h"

void es_ecs_begin_group(struct es_context *context);
void es_ecs_log(struct es_context *context, struct hf_slice record);
void es_ecs_span(struct es_context *context, struct hf_slice span);

/* The fields of the resource alone, for a document of points. */
void es_ecs_resource(struct hf_bulk_fields *fields, struct hf_slice resource);
/* data_stream.* of a route. */
void es_ecs_stream(struct hf_bulk_fields *fields, struct hf_slice prefix,
                   const struct es_route *route);
