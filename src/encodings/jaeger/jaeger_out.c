#include "jaeger_out.h"

#include <string.h>

#include "jaeger_names.h"
#include "pdata/any.h"

enum {
    RESOURCE_ATTRIBUTES = 1,
    SCOPE_NAME = 1,
    SCOPE_VERSION = 2,
    SPAN_TRACE_ID = 1,
    SPAN_ID = 2,
    SPAN_STATE = 3,
    SPAN_PARENT_ID = 4,
    SPAN_NAME = 5,
    SPAN_KIND = 6,
    SPAN_START = 7,
    SPAN_END = 8,
    SPAN_ATTRIBUTES = 9,
    SPAN_EVENTS = 11,
    SPAN_LINKS = 13,
    SPAN_STATUS = 15,
    SPAN_FLAGS = 16,
    STATUS_MESSAGE = 2,
    STATUS_CODE = 3,
    EVENT_TIME = 1,
    EVENT_NAME = 2,
    EVENT_ATTRIBUTES = 3,
    LINK_TRACE_ID = 1,
    LINK_SPAN_ID = 2,
    LINK_ATTRIBUTES = 4,
};

#define OWN_TAGS_MAX 7u /* of a span beside its attributes */

/* Room for tags; without memory there is none, and the document has failed. */
static void begin_tags(struct hf_document *document, size_t capacity, struct hf_jaeger_tags *tags)
{
    tags->count = 0;
    tags->items = hf_arena_take(hf_document_arena(document), (capacity + 1) * sizeof(*tags->items));
}

static void add_text(struct hf_jaeger_tags *tags, const char *key, struct hf_slice text)
{
    if (tags->items != NULL && text.size != 0) {
        tags->items[tags->count++] = (struct hf_jaeger_tag){
            .key = hf_slice_text(key), .type = HF_JAEGER_STRING, .text = text};
    }
}

/* Lists and maps as JSON. */
static struct hf_slice json_of(struct hf_document *document, struct hf_slice value)
{
    struct hf_bytes bytes = {0};
    struct hf_slice text = HF_EMPTY_SLICE;
    if (hf_any_text(value, &bytes) == HF_OK) {
        text = hf_document_keep(document, hf_slice_of(bytes.data, bytes.size));
    }
    hf_bytes_release(&bytes);
    return text;
}

static struct hf_jaeger_tag tag_of(struct hf_document *document,
                                   const struct hf_attribute *attribute)
{
    const struct hf_any any = hf_any_read(attribute->value);
    struct hf_jaeger_tag tag = {.key = attribute->key, .type = HF_JAEGER_STRING};
    switch (any.type) {
    case HF_ANY_EMPTY:
        break;
    case HF_ANY_STRING:
        tag.text = any.bytes;
        break;
    case HF_ANY_BOOL:
        tag.type = HF_JAEGER_BOOL;
        tag.integer = any.integer;
        break;
    case HF_ANY_INT:
        tag.type = HF_JAEGER_INT;
        tag.integer = any.integer;
        break;
    case HF_ANY_DOUBLE:
        tag.type = HF_JAEGER_DOUBLE;
        tag.number = any.number;
        break;
    case HF_ANY_BYTES:
        tag.type = HF_JAEGER_BINARY;
        tag.text = any.bytes;
        break;
    case HF_ANY_ARRAY:
    case HF_ANY_MAP:
        tag.text = json_of(document, attribute->value);
        break;
    }
    return tag;
}

static size_t count_of(const struct hf_attributes *attributes)
{
    return attributes != NULL ? attributes->count : 0;
}

static void add_attributes(struct hf_document *document, const struct hf_attributes *attributes,
                           struct hf_jaeger_tags *tags)
{
    for (size_t i = 0; i < count_of(attributes) && tags->items != NULL; i++) {
        tags->items[tags->count++] = tag_of(document, &attributes->items[i]);
    }
}

struct hf_jaeger_process hf_jaeger_out_process(const struct hf_place *place)
{
    struct hf_document *document = place->document;
    const struct hf_attributes *attributes =
        hf_message_attributes(hf_place_resource(place), RESOURCE_ATTRIBUTES);
    struct hf_jaeger_process process = {.service = HF_EMPTY_SLICE};
    begin_tags(document, count_of(attributes), &process.tags);
    if (count_of(attributes) == 0) {
        process.service = hf_slice_text(HF_JAEGER_NO_SERVICE);
    }
    for (size_t i = 0; i < count_of(attributes) && process.tags.items != NULL; i++) {
        struct hf_jaeger_tag tag = tag_of(document, &attributes->items[i]);
        if (!hf_slice_is(tag.key, "service.name")) {
            process.tags.items[process.tags.count++] = tag;
        } else if (tag.type == HF_JAEGER_STRING && process.service.size == 0) {
            process.service = tag.text;
        }
    }
    return process;
}

/* ---- the span ---- */

/* An id of another size is none. */
static void copy_id(struct hf_slice id, uint8_t *ret_id, size_t size)
{
    if (id.size == size) {
        memcpy(ret_id, id.data, size);
    }
}

static void add_tags(const struct hf_place *place, struct hf_jaeger_span *out)
{
    struct hf_message *span = place->item;
    struct hf_message *scope = hf_place_scope(place);
    struct hf_message *status = hf_message_one(span, SPAN_STATUS);
    const struct hf_attributes *attributes = hf_message_attributes(span, SPAN_ATTRIBUTES);
    struct hf_jaeger_tags *tags = &out->tags;
    int64_t code = hf_message_i64(status, STATUS_CODE);
    begin_tags(place->document, count_of(attributes) + OWN_TAGS_MAX, tags);
    add_text(tags, "otel.scope.name", hf_message_bytes(scope, SCOPE_NAME));
    add_text(tags, "otel.scope.version", hf_message_bytes(scope, SCOPE_VERSION));
    add_attributes(place->document, attributes, tags);
    add_text(tags, "span.kind", hf_jaeger_kind_name(hf_message_i64(span, SPAN_KIND)));
    add_text(tags, "otel.status_code", hf_slice_text(code == 1 ? "OK" : code == 2 ? "ERROR" : ""));
    if (code == 2 && tags->items != NULL) {
        tags->items[tags->count++] = (struct hf_jaeger_tag){
            .key = hf_slice_text("error"), .type = HF_JAEGER_BOOL, .integer = 1};
    }
    add_text(tags, "otel.status_description", hf_message_bytes(status, STATUS_MESSAGE));
    add_text(tags, "w3c.tracestate", hf_message_bytes(span, SPAN_STATE));
}

static void add_logs(const struct hf_place *place, struct hf_jaeger_span *out)
{
    size_t count = hf_message_count(place->item, SPAN_EVENTS);
    struct hf_message *event = hf_message_first(place->item, SPAN_EVENTS);
    out->logs = hf_arena_take(hf_document_arena(place->document), (count + 1) * sizeof(*out->logs));
    for (; event != NULL && out->logs != NULL && out->log_count < count;
         event = hf_message_next(event)) {
        const struct hf_attributes *attributes = hf_message_attributes(event, EVENT_ATTRIBUTES);
        struct hf_jaeger_log *log = &out->logs[out->log_count++];
        *log = (struct hf_jaeger_log){.time_ns = hf_message_u64(event, EVENT_TIME)};
        begin_tags(place->document, count_of(attributes) + 1, &log->fields);
        if (attributes == NULL || hf_attributes_find(attributes, hf_slice_text("event")) == NULL) {
            add_text(&log->fields, "event", hf_message_bytes(event, EVENT_NAME));
        }
        add_attributes(place->document, attributes, &log->fields);
    }
}

/* What came from Jaeger tells; else it is no child of what is linked. */
static bool follows(struct hf_message *link)
{
    struct hf_slice value;
    if (!hf_message_attribute(link, LINK_ATTRIBUTES, hf_slice_text(HF_JAEGER_REFERENCE_TYPE),
                              &value)) {
        return true;
    }
    const struct hf_any any = hf_any_read(value);
    return any.type != HF_ANY_STRING || !hf_slice_is(any.bytes, "child_of");
}

/* The parent comes first, where backends look for it; a link to it only tells how it is referred
 * to. */
static void add_references(const struct hf_place *place, struct hf_jaeger_span *out)
{
    static const uint8_t none[8];
    bool has_parent = memcmp(out->parent_id, none, sizeof(none)) != 0;
    size_t count = hf_message_count(place->item, SPAN_LINKS);
    struct hf_message *link = hf_message_first(place->item, SPAN_LINKS);
    struct hf_jaeger_reference *references =
        hf_arena_take(hf_document_arena(place->document), (count + 1) * sizeof(*references));
    out->references = references;
    if (has_parent && references != NULL) {
        references[0] = (struct hf_jaeger_reference){.follows = false};
        memcpy(references[0].trace_id, out->trace_id, 16);
        memcpy(references[0].span_id, out->parent_id, 8);
        out->reference_count = 1;
    }
    for (; link != NULL && references != NULL && out->reference_count < count + has_parent;
         link = hf_message_next(link)) {
        struct hf_jaeger_reference one = {.follows = follows(link)};
        copy_id(hf_message_bytes(link, LINK_TRACE_ID), one.trace_id, 16);
        copy_id(hf_message_bytes(link, LINK_SPAN_ID), one.span_id, 8);
        if (has_parent && memcmp(one.trace_id, out->trace_id, 16) == 0 &&
            memcmp(one.span_id, out->parent_id, 8) == 0) {
            references[0].follows = one.follows;
        } else {
            references[out->reference_count++] = one;
        }
    }
}

struct hf_jaeger_span hf_jaeger_out_span(const struct hf_place *place,
                                         const struct hf_jaeger_process *process)
{
    struct hf_message *span = place->item;
    struct hf_jaeger_span out = {.name = hf_message_bytes(span, SPAN_NAME),
                                 .start_ns = hf_message_u64(span, SPAN_START),
                                 .end_ns = hf_message_u64(span, SPAN_END),
                                 .is_sampled = (hf_message_u64(span, SPAN_FLAGS) & 1) != 0,
                                 .process = process};
    copy_id(hf_message_bytes(span, SPAN_TRACE_ID), out.trace_id, 16);
    copy_id(hf_message_bytes(span, SPAN_ID), out.span_id, 8);
    copy_id(hf_message_bytes(span, SPAN_PARENT_ID), out.parent_id, 8);
    add_tags(place, &out);
    add_logs(place, &out);
    add_references(place, &out);
    return out;
}
