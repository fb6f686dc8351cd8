#include "es_build.h"

#include <holdfast/meta.h>

#include "es_ecs.h"
#include "es_otel.h"
#include "es_plain.h"
#include "pdata/any.h"

static bool is_allowed(const struct es_config *config, enum es_mode mode)
{
    const struct hf_string_list *allowed = &config->mapping.allowed_modes;
    for (size_t i = 0; i < allowed->count; i++) {
        enum es_mode one;
        if (es_mode_of(hf_slice_text(allowed->items[i]), &one) && one == mode) {
            return true;
        }
    }
    return allowed->count == 0;
}

enum es_mode es_mode_of_request(const struct es_builder *builder, struct hf_slice meta)
{
    struct hf_slice value;
    enum es_mode mode;
    if (hf_meta_find(meta, HF_META_HEADER, ES_MODE_HEADER, &value) && value.size != 0 &&
        es_mode_of(value, &mode) && is_allowed(builder->config, mode)) {
        return mode;
    }
    return builder->mode;
}

/* ---- groups ---- */

static void begin_group(struct es_builder *builder)
{
    switch (builder->context.mode) {
    case ES_OTEL:
        if (builder->context.signal != HF_METRICS) {
            es_otel_begin_group(&builder->context);
        }
        break;
    case ES_ECS:
        if (builder->context.signal != HF_METRICS) {
            es_ecs_begin_group(&builder->context);
        }
        break;
    case ES_BODYMAP:
        break;
    default:
        es_plain_begin_group(&builder->context);
        break;
    }
}

static void change_group(struct es_builder *builder)
{
    struct es_context *context = &builder->context;
    enum es_mode mode;
    if (context->walk.is_new_resource) {
        context->resource_special =
            es_special_read(context->walk.resource, HF_BULK_RESOURCE_ATTRIBUTES);
    }
    context->scope_special = es_special_read(context->walk.scope, HF_BULK_SCOPE_ATTRIBUTES);
    context->mode = context->request_mode;
    struct hf_any wanted = hf_any_read(context->scope_special.mode);
    if (wanted.type == HF_ANY_STRING && es_mode_of(wanted.bytes, &mode) &&
        is_allowed(context->config, mode)) {
        context->mode = mode;
    }
    context->has_group_route = false;
    begin_group(builder);
    if (context->signal == HF_METRICS) {
        es_metrics_begin_scope(&builder->metrics, context);
    }
}

/* ---- items ---- */

static void add_log(struct es_context *context, struct hf_slice record)
{
    switch (context->mode) {
    case ES_OTEL:
        es_otel_log(context, record);
        break;
    case ES_ECS:
        es_ecs_log(context, record);
        break;
    case ES_BODYMAP:
        es_bodymap_log(context, record);
        break;
    default:
        es_plain_log(context, record);
        break;
    }
}

static void add_span(struct es_context *context, struct hf_slice span)
{
    switch (context->mode) {
    case ES_OTEL:
        es_otel_span(context, span);
        break;
    case ES_ECS:
        es_ecs_span(context, span);
        break;
    case ES_BODYMAP:
        hf_bulk_leave_out(context->bulk, "the mapping mode bodymap has no form for spans");
        break;
    default:
        es_plain_span(context, span);
        break;
    }
}

static void add_item(struct es_builder *builder, struct hf_slice item)
{
    struct es_context *context = &builder->context;
    if (context->signal == HF_LOGS) {
        add_log(context, item);
    } else if (context->signal == HF_TRACES) {
        add_span(context, item);
    } else if (context->mode == ES_OTEL || context->mode == ES_ECS) {
        es_metrics_add(&builder->metrics, context, item);
    } else {
        hf_bulk_leave_out(context->bulk,
                          "the mapping modes none, raw and bodymap have no form for metrics");
    }
}

void es_build(struct es_builder *builder, struct hf_bulk *bulk, const struct hf_export *export,
              struct hf_slice raw)
{
    struct es_context *context = &builder->context;
    struct hf_slice item;
    es_metrics_begin(&builder->metrics);
    context->config = builder->config;
    context->signal = export->signal;
    context->bulk = bulk;
    context->walk = (struct hf_bulk_walk){.request = hf_wire_of(raw), .signal = export->signal};
    context->request_mode = es_mode_of_request(builder, export->meta);
    es_context_rewind(context);
    while (hf_bulk_walk_next(&context->walk, &item) && hf_bulk_next_item(bulk)) {
        if (context->walk.is_new_scope) {
            change_group(builder);
        }
        add_item(builder, item);
    }
    if (export->signal == HF_METRICS) {
        es_metrics_write(&builder->metrics, context);
    }
}

void es_builder_release(struct es_builder *builder)
{
    es_context_release(&builder->context);
    es_metrics_release(&builder->metrics);
}
