#include "es_context.h"

#include "pdata/any.h"

#define ARENA_BYTES_MAX ((size_t)64 << 20)
#define ARENA_BYTES_KEPT ((size_t)1 << 20)

const char *es_stream_type(enum hf_signal signal)
{
    return hf_signal_name(signal);
}

static bool is_plain(const struct es_special *special)
{
    return special->index.size == 0 && special->dataset.size == 0 && special->namespace.size == 0 &&
           special->type.size == 0;
}

/* data_stream of a document of mode otel. */
static void make_stream_json(struct es_context *context, const struct es_route *route)
{
    struct hf_json_writer writer = {.out = &context->stream_json};
    context->stream_json.size = 0;
    if (!route->is_stream) {
        return;
    }
    hf_json_write_open(&writer, '{');
    HF_JSON_WRITE_KEY(&writer, "type");
    hf_json_write_text(&writer, hf_slice_text(route->type));
    HF_JSON_WRITE_KEY(&writer, "dataset");
    hf_json_write_text(&writer, hf_slice_text(route->dataset));
    HF_JSON_WRITE_KEY(&writer, "namespace");
    hf_json_write_text(&writer, hf_slice_text(route->namespace));
    hf_json_write_close(&writer, '}');
    context->bulk->failed |= writer.failed;
}

static bool make_route(struct es_context *context, enum hf_signal signal,
                       const struct es_special *special, struct es_route *route)
{
    const struct es_route_input input = {
        .fixed = context->config->indexes[signal],
        .type = es_stream_type(signal),
        .mode = context->mode,
        .scope_name = hf_wire_find_bytes(context->walk.scope, 1),
        .item = special,
        .scope = &context->scope_special,
        .resource = &context->resource_special,
        .logstash = &context->config->logstash,
        .received_ns = hf_bulk_received_ns(context->bulk),
    };
    enum hf_status status = es_route_make(route, &input);
    if (status == HF_INVALID) {
        hf_bulk_leave_out(context->bulk, "data_stream.type is neither logs nor metrics");
    } else if (status != HF_OK) {
        context->bulk->failed = true;
    }
    make_stream_json(context, route);
    return status == HF_OK;
}

bool es_context_route(struct es_context *context, enum hf_signal signal,
                      const struct es_special *special, struct es_route *route)
{
    bool is_group =
        route == &context->route && is_plain(special) && !context->config->logstash.enabled;
    if (is_group && context->has_group_route) {
        return true;
    }
    bool is_made = make_route(context, signal, special, route);
    context->has_group_route = is_group && is_made;
    return is_made;
}

static struct hf_slice text_value(struct es_context *context, struct hf_slice value)
{
    struct hf_any any = hf_any_read(value);
    context->text.size = 0;
    if (any.type == HF_ANY_STRING) {
        return any.bytes;
    }
    context->bulk->failed |= hf_any_text(value, &context->text) != HF_OK;
    return hf_slice_of(context->text.data, context->text.size);
}

static bool has_dynamic_id(const struct es_context *context)
{
    return (context->signal == HF_LOGS && context->config->dynamic_id.enabled) ||
           (context->signal == HF_TRACES && context->config->dynamic_span_id.enabled);
}

void es_context_begin(struct es_context *context, const struct es_route *route,
                      const struct es_special *special, uint32_t part)
{
    const struct es_config *config = context->config;
    char room[HF_BULK_ID_MAX];
    bool is_log = context->signal == HF_LOGS;
    struct hf_bulk_action action = {
        .verb = "create",
        .index = hf_slice_of(route->index.data, route->index.size),
        .needs_no_stream = context->request_mode == ES_OTEL && context->mode != ES_OTEL,
    };
    if (is_log && config->dynamic_pipeline.enabled && special->pipeline.size != 0) {
        action.pipeline = hf_any_read(special->pipeline).bytes;
    }
    if (special->id.size != 0 && part == 0 && has_dynamic_id(context)) {
        action.id = text_value(context, special->id);
    } else if (config->document_ids) {
        action.id = hf_bulk_id(context->bulk, part, room);
    }
    hf_bulk_begin_document(context->bulk, &action);
}

void es_context_rewind(struct es_context *context)
{
    context->base_arena.limit = context->work_arena.limit = ARENA_BYTES_MAX;
    hf_arena_rewind(&context->base_arena, ARENA_BYTES_KEPT);
    hf_arena_rewind(&context->work_arena, ARENA_BYTES_KEPT);
    context->base.arena = &context->base_arena;
    context->work.arena = &context->work_arena;
    context->base.count = context->work.count = 0;
    context->base.failed = context->work.failed = false;
    context->has_group_route = false;
}

void es_context_release(struct es_context *context)
{
    es_route_release(&context->route);
    es_route_release(&context->event_route);
    hf_bytes_release(&context->resource_json);
    hf_bytes_release(&context->scope_json);
    hf_bytes_release(&context->stream_json);
    hf_bytes_release(&context->text);
    hf_bulk_fields_release(&context->base);
    hf_bulk_fields_release(&context->work);
    hf_arena_release(&context->base_arena);
    hf_arena_release(&context->work_arena);
}
