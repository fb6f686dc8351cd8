#include "loki_json.h"

#include <string.h>

#include "loki_text.h"
#include "pdata/any.h"
#include "pdata/json_write.h"

#define ID_MAX 16u

void loki_json_begin(struct loki_json *json)
{
    json->resource_group = NULL;
    json->scope_group = NULL;
}

void loki_json_release(struct loki_json *json)
{
    hf_bytes_release(&json->of_resource);
    hf_bytes_release(&json->of_scope);
}

/* The attributes that no label tells, as a map that is a member of the line. */
static void put_attributes(struct hf_json_writer *writer, struct hf_arena *arena,
                           struct hf_slice member, struct loki_pairs attributes,
                           const struct loki_hidden *hidden)
{
    struct hf_any_pair few[LOKI_RECORD_ATTRIBUTES_FEW], *pairs = few;
    size_t count = 0;
    if (attributes.count > LOKI_RECORD_ATTRIBUTES_FEW) {
        pairs = hf_arena_take(arena, attributes.count * sizeof(*pairs));
        if (pairs == NULL) {
            writer->failed = true;
            return;
        }
    }
    for (size_t i = 0; i < attributes.count; i++) {
        if (!loki_is_hidden(hidden, attributes.items[i].key)) {
            pairs[count++] = attributes.items[i];
        }
    }
    if (count != 0) {
        hf_json_write_key(writer, member);
        loki_put_pairs(writer, arena, pairs, count);
    }
}

/* ---- what records have in common ---- */

static bool are_same_hidden(const struct loki_hidden *a, const struct loki_hidden *b)
{
    bool is_same = a->count == b->count;
    for (size_t i = a->count; i > 0 && is_same; i--) {
        is_same = hf_slice_equal(a->keys[i - 1], b->keys[i - 1]);
    }
    return is_same;
}

static enum hf_status make_resource(struct loki_json *json, const struct hf_place *place,
                                    const struct loki_hidden *hidden)
{
    if (json->resource_group == place->resource_group && are_same_hidden(&json->hidden, hidden)) {
        return HF_OK;
    }
    struct hf_json_writer writer = {.out = &json->of_resource, .behind_value = true, .html = true};
    json->of_resource.size = 0;
    json->resource_group = NULL;
    put_attributes(&writer, hf_document_arena(place->document), hf_slice_text("resources"),
                   loki_attributes_of(hf_place_resource(place), LOKI_RESOURCE_ATTRIBUTES), hidden);
    if (!writer.failed) {
        json->resource_group = place->resource_group;
        json->hidden.count = hidden->count;
        memcpy(json->hidden.keys, hidden->keys, hidden->count * sizeof(hidden->keys[0]));
    }
    return hf_json_write_status(&writer);
}

static enum hf_status make_scope(struct loki_json *json, const struct hf_place *place)
{
    if (json->scope_group == place->scope_group) {
        return HF_OK;
    }
    struct hf_json_writer writer = {.out = &json->of_scope, .behind_value = true, .html = true};
    struct hf_message *scope = hf_place_scope(place);
    struct hf_slice name = hf_message_bytes(scope, 1), version = hf_message_bytes(scope, 2);
    json->of_scope.size = 0;
    json->scope_group = NULL;
    if (name.size != 0) {
        HF_JSON_WRITE_KEY(&writer, "instrumentation_scope");
        hf_json_write_open(&writer, '{');
        HF_JSON_WRITE_KEY(&writer, "name");
        hf_json_write_text(&writer, name);
        if (version.size != 0) {
            HF_JSON_WRITE_KEY(&writer, "version");
            hf_json_write_text(&writer, version);
        }
        hf_json_write_close(&writer, '}');
    }
    if (!writer.failed) {
        json->scope_group = place->scope_group;
    }
    return hf_json_write_status(&writer);
}

/* ---- the line ---- */

/* An empty one is left out, an empty text as well. */
static void put_body(struct hf_json_writer *writer, struct hf_arena *arena, struct hf_slice body)
{
    struct hf_any any = hf_any_read(body);
    bool is_empty = any.type == HF_ANY_EMPTY || (any.type == HF_ANY_STRING && any.bytes.size == 0);
    if (!is_empty) {
        HF_JSON_WRITE_KEY(writer, "body");
        loki_put_value(writer, arena, body);
    }
}

static struct hf_slice id_of(struct hf_slice id)
{
    return hf_slice_of(id.data, id.size < ID_MAX ? id.size : ID_MAX);
}

static void put_fields(struct hf_json_writer *writer, const struct loki_record *record)
{
    if (record->trace_id.size != 0) {
        HF_JSON_WRITE_KEY(writer, "traceid");
        hf_json_write_hex(writer, id_of(record->trace_id));
    }
    if (record->span_id.size != 0) {
        HF_JSON_WRITE_KEY(writer, "spanid");
        hf_json_write_hex(writer, id_of(record->span_id));
    }
    if (record->severity_text.size != 0) {
        HF_JSON_WRITE_KEY(writer, "severity");
        hf_json_write_text(writer, record->severity_text);
    }
    if (record->flags != 0) {
        HF_JSON_WRITE_KEY(writer, "flags");
        hf_json_write_u64(writer, record->flags);
    }
}

/* A common part, whose first byte is a comma. */
static void put_common(struct hf_json_writer *writer, const struct hf_bytes *part)
{
    if (part->size != 0) {
        size_t skip = writer->behind_value ? 0 : 1;
        hf_json_write_bytes(writer, part->data + skip, part->size - skip);
        writer->behind_value = true;
    }
}

enum hf_status loki_json_write(struct loki_json *json, const struct hf_place *place,
                               const struct loki_record *record, const struct loki_labels *labels,
                               struct hf_bytes *out)
{
    enum hf_status status = make_resource(json, place, &labels->resource);
    status = status == HF_OK ? make_scope(json, place) : status;
    if (status != HF_OK) {
        return status;
    }
    struct hf_json_writer writer = {.out = out, .html = true};
    struct hf_arena *arena = hf_document_arena(place->document);
    hf_json_write_open(&writer, '{');
    put_body(&writer, arena, record->body);
    put_fields(&writer, record);
    put_attributes(&writer, arena, hf_slice_text("attributes"), record->attributes,
                   &labels->attributes);
    put_common(&writer, &json->of_resource);
    put_common(&writer, &json->of_scope);
    hf_json_write_close(&writer, '}');
    return hf_json_write_status(&writer);
}
