#include "loki_line.h"

#include <stdio.h>

#include "loki_logfmt.h"
#include "loki_text.h"
#include "pdata/any.h"
#include "pdata/any_make.h"

enum { RECORD_SEVERITY_TEXT = 3, RECORD_BODY = 5, RECORD_FLAGS = 8, RECORD_TRACE = 9, RECORD_SPAN };

const char *const loki_format_names[] = {"json", "logfmt", "raw", "body", NULL};

static enum hf_status put_json_text(struct hf_arena *arena, struct hf_slice text,
                                    struct hf_bytes *out)
{
    struct hf_any_maker maker = {.arena = arena};
    struct hf_slice value = hf_any_make_string(&maker, text);
    return maker.failed ? HF_NOMEM : loki_json_value(arena, value, out);
}

/* ---- one object, whose empty members are left out ---- */

struct object {
    struct hf_document *document;
    struct hf_bytes *out;
    size_t start;
    enum hf_status status;
};

static void put(struct object *object, struct hf_slice text)
{
    if (object->status == HF_OK) {
        object->status = hf_bytes_append(object->out, text);
    }
}

static void put_key(struct object *object, const char *key)
{
    put(object, hf_slice_text(object->out->size == object->start ? "{\"" : ",\""));
    put(object, hf_slice_text(key));
    put(object, hf_slice_text("\":"));
}

static void put_value(struct object *object, const char *key, struct hf_slice value)
{
    put_key(object, key);
    if (object->status == HF_OK) {
        object->status = loki_json_value(hf_document_arena(object->document), value, object->out);
    }
}

static void put_text(struct object *object, const char *key, struct hf_slice text)
{
    if (text.size != 0) {
        put_key(object, key);
        if (object->status == HF_OK) {
            object->status = put_json_text(hf_document_arena(object->document), text, object->out);
        }
    }
}

static void put_hex(struct object *object, const char *key, struct hf_slice id)
{
    char room[2 * 16 + 1];
    put_text(object, key, loki_hex(id, room));
}

/* The attributes that no label tells, as a map. */
static void put_attributes(struct object *object, const char *key, struct hf_message *owner,
                           uint32_t number, const struct loki_hidden *hidden)
{
    const struct hf_attributes *list = owner != NULL ? hf_message_attributes(owner, number) : NULL;
    size_t count = list != NULL ? list->count : 0, kept = 0;
    struct hf_arena *arena = hf_document_arena(object->document);
    struct hf_any_maker maker = {.arena = arena};
    struct hf_any_pair *pairs = count != 0 ? hf_arena_take(arena, count * sizeof(*pairs)) : NULL;
    if (count != 0 && pairs == NULL) {
        object->status = HF_NOMEM;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (!loki_is_hidden(hidden, list->items[i].key)) {
            pairs[kept++] = (struct hf_any_pair){list->items[i].key, list->items[i].value};
        }
    }
    if (kept == 0) {
        return;
    }
    struct hf_slice map = hf_any_make_map(&maker, pairs, kept);
    if (maker.failed) {
        object->status = HF_NOMEM;
        return;
    }
    put_value(object, key, map);
}

static void put_scope(struct object *object, const struct hf_place *place)
{
    struct hf_message *scope = hf_place_scope(place);
    struct hf_slice name = scope != NULL ? hf_message_bytes(scope, 1) : HF_EMPTY_SLICE;
    if (name.size == 0) {
        return;
    }
    put_key(object, "instrumentation_scope");
    struct object inner = {.document = object->document,
                           .out = object->out,
                           .start = object->out->size,
                           .status = object->status};
    put_text(&inner, "name", name);
    put_text(&inner, "version", hf_message_bytes(scope, 2));
    put(&inner, hf_slice_text("}"));
    object->status = inner.status;
}

static enum hf_status write_json(const struct hf_place *place, const struct loki_labels *labels,
                                 struct hf_bytes *out)
{
    struct object object = {.document = place->document, .out = out, .start = out->size};
    struct hf_message *record = place->item;
    struct hf_slice body = hf_message_any(record, RECORD_BODY);
    struct hf_any any = hf_any_read(body);
    bool is_empty = any.type == HF_ANY_EMPTY || (any.type == HF_ANY_STRING && any.bytes.size == 0);
    if (!is_empty) {
        put_value(&object, "body", body);
    }
    put_hex(&object, "traceid", hf_message_bytes(record, RECORD_TRACE));
    put_hex(&object, "spanid", hf_message_bytes(record, RECORD_SPAN));
    put_text(&object, "severity", hf_message_bytes(record, RECORD_SEVERITY_TEXT));
    uint64_t flags = hf_message_u64(record, RECORD_FLAGS);
    if (flags != 0) {
        char digits[24];
        int size = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)flags);
        put_key(&object, "flags");
        put(&object, hf_slice_of(digits, (size_t)size));
    }
    put_attributes(&object, "attributes", record, LOKI_RECORD_ATTRIBUTES, &labels->attributes);
    put_attributes(&object, "resources", hf_place_resource(place), LOKI_RESOURCE_ATTRIBUTES,
                   &labels->resource);
    put_scope(&object, place);
    put(&object, hf_slice_text(out->size == object.start ? "{}" : "}"));
    return object.status;
}

enum hf_status loki_line_write(const struct hf_place *place, const struct loki_labels *labels,
                               enum loki_format format, struct hf_bytes *out)
{
    switch (format) {
    case LOKI_JSON:
        return write_json(place, labels, out);
    case LOKI_LOGFMT:
        return loki_logfmt_write(place, labels, out);
    default:
        return hf_any_text(hf_message_any(place->item, RECORD_BODY), out);
    }
}
