#include "entry.h"

#include "pdata/any_make.h"
#include "pdata/build.h"

#define KEPT_BYTES ((size_t)1 << 20)

enum hf_status hf_log_entry_init(struct hf_log_entry *entry, struct hf_arena *arena,
                                 size_t attributes)
{
    *entry = (struct hf_log_entry){.arena = arena};
    entry->attributes.type = entry->resource.type = HF_EXPR_MAP;
    entry->attributes.map = hf_expr_map_new(arena, attributes);
    entry->resource.map = hf_expr_map_new(arena, 6);
    return entry->attributes.map != NULL && entry->resource.map != NULL ? HF_OK : HF_NOMEM;
}

enum hf_status hf_log_entry_copy(const struct hf_log_entry *entry, struct hf_arena *arena,
                                 struct hf_log_entry *ret_entry)
{
    struct hf_log_entry copy = *entry;
    copy.arena = arena;
    copy.severity_text = hf_expr_copy_text(arena, entry->severity_text);
    copy.trace_id = hf_expr_copy_text(arena, entry->trace_id);
    copy.span_id = hf_expr_copy_text(arena, entry->span_id);
    copy.scope_name = hf_expr_copy_text(arena, entry->scope_name);
    if (copy.severity_text.data == NULL || copy.trace_id.data == NULL ||
        copy.span_id.data == NULL || copy.scope_name.data == NULL) {
        return HF_NOMEM;
    }
    enum hf_status status = hf_expr_value_copy(arena, &entry->body, &copy.body);
    if (status == HF_OK) {
        status = hf_expr_value_copy(arena, &entry->attributes, &copy.attributes);
    }
    if (status == HF_OK) {
        status = hf_expr_value_copy(arena, &entry->resource, &copy.resource);
    }
    *ret_entry = copy;
    return status;
}

/* ---- writing ---- */

static struct hf_slice make_any(struct hf_any_maker *maker, const struct hf_expr_value *value);

static struct hf_slice make_list(struct hf_any_maker *maker, const struct hf_expr_list *list)
{
    struct hf_slice *values = hf_arena_take(maker->arena, (list->count + 1) * sizeof(*values));
    if (values == NULL) {
        maker->failed = true;
        return HF_EMPTY_SLICE;
    }
    for (size_t i = 0; i < list->count; i++) {
        values[i] = make_any(maker, &list->items[i]);
    }
    return hf_any_make_list(maker, values, list->count);
}

static struct hf_slice make_map(struct hf_any_maker *maker, const struct hf_expr_map *map)
{
    struct hf_any_pair *pairs = hf_arena_take(maker->arena, (map->count + 1) * sizeof(*pairs));
    if (pairs == NULL) {
        maker->failed = true;
        return HF_EMPTY_SLICE;
    }
    for (size_t i = 0; i < map->count; i++) {
        pairs[i] = (struct hf_any_pair){map->pairs[i].key, make_any(maker, &map->pairs[i].value)};
    }
    return hf_any_make_map(maker, pairs, map->count);
}

static struct hf_slice make_any(struct hf_any_maker *maker, const struct hf_expr_value *value)
{
    switch (value->type) {
    case HF_EXPR_STRING:
        return hf_any_make_string(maker, value->text);
    case HF_EXPR_BYTES:
        return hf_any_make_bytes(maker, value->text);
    case HF_EXPR_BOOL:
        return hf_any_make_bool(maker, value->boolean);
    case HF_EXPR_INT:
        return hf_any_make_int(maker, value->integer);
    case HF_EXPR_DOUBLE:
        return hf_any_make_double(maker, value->number);
    case HF_EXPR_LIST:
        return make_list(maker, value->list);
    case HF_EXPR_MAP:
        return make_map(maker, value->map);
    case HF_EXPR_NULL:
        break;
    }
    return HF_EMPTY_SLICE;
}

static void write_attributes(struct hf_log_writer *writer, const struct hf_expr_map *map)
{
    struct hf_builder *builder = writer->builder;
    for (size_t i = 0; i < map->count; i++) {
        struct hf_slice key = map->pairs[i].key;
        const struct hf_expr_value *value = &map->pairs[i].value;
        struct hf_any_maker maker = {.arena = writer->scratch};
        switch (value->type) {
        case HF_EXPR_STRING:
            hf_build_attribute_string(builder, key, value->text);
            break;
        case HF_EXPR_BYTES:
            hf_build_attribute_bytes(builder, key, value->text);
            break;
        case HF_EXPR_BOOL:
            hf_build_attribute_bool(builder, key, value->boolean);
            break;
        case HF_EXPR_INT:
            hf_build_attribute_int(builder, key, value->integer);
            break;
        case HF_EXPR_DOUBLE:
            hf_build_attribute_double(builder, key, value->number);
            break;
        default:
            hf_build_attribute_value(builder, key, make_any(&maker, value));
            break;
        }
    }
}

static void write_body(struct hf_log_writer *writer, const struct hf_expr_value *body)
{
    struct hf_any_maker maker = {.arena = writer->scratch};
    if (body->type == HF_EXPR_STRING) {
        hf_build_body_string(writer->builder, body->text);
    } else if (body->type == HF_EXPR_BYTES) {
        hf_build_body_bytes(writer->builder, body->text);
    } else if (body->type != HF_EXPR_NULL) {
        hf_build_body_value(writer->builder, make_any(&maker, body));
    }
}

void hf_log_writer_break(struct hf_log_writer *writer)
{
    hf_arena_rewind(&writer->kept, KEPT_BYTES);
    writer->is_open = false;
}

void hf_log_writer_release(struct hf_log_writer *writer)
{
    hf_arena_release(&writer->kept);
}

/* Opens the entry's resource and scope unless they are open. */
static void open_resource(struct hf_log_writer *writer, const struct hf_log_entry *entry)
{
    if (writer->is_open && hf_slice_equal(writer->scope, entry->scope_name) &&
        hf_expr_value_equal(&writer->resource, &entry->resource)) {
        return;
    }
    hf_log_writer_break(writer);
    writer->kept.limit = KEPT_BYTES;
    /* Without memory to keep it, the next entry opens its own. */
    writer->scope = hf_expr_copy_text(&writer->kept, entry->scope_name);
    writer->is_open =
        writer->scope.data != NULL &&
        hf_expr_value_copy(&writer->kept, &entry->resource, &writer->resource) == HF_OK;
    hf_build_resource(writer->builder, HF_EMPTY_SLICE);
    write_attributes(writer, entry->resource.map);
    hf_build_scope(writer->builder, entry->scope_name, HF_EMPTY_SLICE);
}

static const char *const severity_names[] = {
    "",       "TRACE",  "TRACE2", "TRACE3", "TRACE4", "DEBUG",  "DEBUG2", "DEBUG3", "DEBUG4",
    "INFO",   "INFO2",  "INFO3",  "INFO4",  "WARN",   "WARN2",  "WARN3",  "WARN4",  "ERROR",
    "ERROR2", "ERROR3", "ERROR4", "FATAL",  "FATAL2", "FATAL3", "FATAL4"};

void hf_log_write(struct hf_log_writer *writer, const struct hf_log_entry *entry)
{
    open_resource(writer, entry);
    struct hf_slice text = entry->severity_text;
    if (text.size == 0 && entry->severity < sizeof(severity_names) / sizeof(severity_names[0])) {
        text = hf_slice_text(severity_names[entry->severity]);
    }
    hf_build_log_record(writer->builder,
                        &(struct hf_build_log_record){.time_ns = entry->time_ns,
                                                      .observed_ns = entry->observed_ns,
                                                      .severity_number = entry->severity,
                                                      .severity_text = text,
                                                      .trace_id = entry->trace_id,
                                                      .span_id = entry->span_id,
                                                      .flags = entry->trace_flags});
    write_body(writer, &entry->body);
    write_attributes(writer, entry->attributes.map);
    hf_build_end(writer->builder);
}
