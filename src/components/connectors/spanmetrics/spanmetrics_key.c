#include "spanmetrics_key.h"

#include <stdlib.h>
#include <string.h>

#include "pdata/any.h"
#include "pdata/attributes.h"
#include "pdata/wire_find.h"

enum { ATTRIBUTE = 1, KEY = 1, VALUE = 2, ANY_STRING = 1, ANY_BOOL = 2 };

static struct hf_slice kind_name(int32_t kind)
{
    static const char *const names[] = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
                                        "SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
                                        "SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER"};
    bool is_known = kind >= 0 && (size_t)kind < sizeof(names) / sizeof(names[0]);
    return is_known ? hf_slice_text(names[kind]) : HF_EMPTY_SLICE;
}

static struct hf_slice status_name(int32_t code)
{
    static const char *const names[] = {"STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"};
    bool is_known = code >= 0 && (size_t)code < sizeof(names) / sizeof(names[0]);
    return is_known ? hf_slice_text(names[code]) : HF_EMPTY_SLICE;
}

/* ---- keys ---- */

static enum hf_status put(struct hf_bytes *key, struct hf_slice text)
{
    static const size_t least = 256;
    size_t size = key->size + text.size + 1;
    if (size > key->capacity) {
        size_t capacity = size > 2 * key->capacity ? size : 2 * key->capacity;
        if (hf_bytes_reserve(key, capacity > least ? capacity : least) != HF_OK) {
            return HF_NOMEM;
        }
    }
    if (text.size != 0) {
        memcpy(key->data + key->size, text.data, text.size);
    }
    key->size += text.size;
    return HF_OK;
}

static enum hf_status put_part(struct hf_bytes *key, struct hf_slice text)
{
    enum hf_status status = put(key, text);
    if (status == HF_OK) {
        key->data[key->size++] = 0; /* put() keeps room for it */
    }
    return status;
}

struct key_show {
    struct spanmetrics_show show;
    struct spanmetrics_fold *fold;
};

/* The text of a value, which nearly always is a short string. */
static enum hf_status text_of(struct spanmetrics_fold *fold, struct hf_slice value,
                              struct hf_slice *ret_text)
{
    const size_t head = 2;
    if (value.size >= head && value.data[0] == 0x0a && value.data[1] < 0x80 &&
        value.data[1] == value.size - head) {
        *ret_text = hf_slice_of(value.data + head, value.size - head);
        return HF_OK;
    }
    fold->text.size = 0;
    enum hf_status status = hf_any_text(value, &fold->text);
    *ret_text = hf_slice_of(fold->text.data, fold->text.size);
    return status;
}

static enum hf_status put_dimension(struct spanmetrics_show *show, struct hf_slice name,
                                    struct hf_slice value)
{
    struct spanmetrics_fold *fold = HF_CONTAINER(show, struct key_show, show)->fold;
    struct hf_slice text = HF_EMPTY_SLICE;
    enum hf_status status = text_of(fold, value, &text);
    if (status == HF_OK) {
        status = put(&fold->key, name);
    }
    if (status == HF_OK) {
        status = put(&fold->key, hf_slice_text(":"));
    }
    return status == HF_OK ? put_part(&fold->key, text) : status;
}

enum hf_status spanmetrics_key(struct spanmetrics_fold *fold, const struct spanmetrics_span *span,
                               enum spanmetrics_metric metric, struct spanmetrics_values *outer)
{
    struct hf_bytes *key = &fold->key;
    struct key_show show = {.show = {.show = put_dimension}, .fold = fold};
    enum hf_status status = HF_OK;
    if (!fold->without_service) {
        status = put_part(key, fold->service);
    }
    if (status == HF_OK && !fold->without_name) {
        status = put_part(key, span->name);
    }
    if (status == HF_OK && !fold->without_kind) {
        status = put_part(key, kind_name(span->kind));
    }
    if (status == HF_OK && !fold->without_status) {
        status = put_part(key, status_name(span->status));
    }
    if (status == HF_OK) {
        status = spanmetrics_dimensions_each(fold->dimensions, metric, &fold->of_span, outer,
                                             &show.show);
    }
    if (status == HF_OK && fold->config->enable_metrics_sampling_method) {
        status = put_part(key, hf_slice_text(span->is_adjusted ? "extrapolated" : "counted"));
    }
    return status;
}

/* ---- attributes ---- */

/* An AnyValue of that text, in a KeyValue of a field 1. */
static void write_text(struct hf_wire_writer *writer, struct hf_slice name, struct hf_slice text)
{
    struct hf_wire_message pair =
        hf_wire_open(writer, ATTRIBUTE, name.size + text.size + 3 * HF_WIRE_VARINT_MAX);
    hf_wire_put_bytes(writer, KEY, name);
    struct hf_wire_message value = hf_wire_open(writer, VALUE, text.size + HF_WIRE_VARINT_MAX);
    hf_wire_put_bytes(writer, ANY_STRING, text);
    hf_wire_close(writer, value);
    hf_wire_close(writer, pair);
}

static void write_value(struct hf_wire_writer *writer, struct hf_slice name, struct hf_slice any)
{
    struct hf_wire_message pair =
        hf_wire_open(writer, ATTRIBUTE, name.size + any.size + 2 * HF_WIRE_VARINT_MAX);
    hf_wire_put_bytes(writer, KEY, name);
    hf_wire_put_bytes(writer, VALUE, any);
    hf_wire_close(writer, pair);
}

struct attributes_show {
    struct spanmetrics_show show;
    struct hf_attributes list;
};

static enum hf_status set_dimension(struct spanmetrics_show *show, struct hf_slice name,
                                    struct hf_slice value)
{
    struct attributes_show *attributes = HF_CONTAINER(show, struct attributes_show, show);
    hf_attributes_set(&attributes->list, name, value);
    return attributes->list.failed ? HF_NOMEM : HF_OK;
}

static bool is_included(const struct spanmetrics_config *config, struct hf_slice scope)
{
    return scope.size != 0 && hf_string_list_has(&config->include_instrumentation_scope, scope);
}

static void write_defaults(const struct spanmetrics_fold *fold, const struct spanmetrics_span *span,
                           struct hf_wire_writer *writer)
{
    if (!fold->without_service) {
        write_text(writer, hf_slice_text("service.name"), fold->service);
    }
    if (!fold->without_name) {
        write_text(writer, hf_slice_text("span.name"), span->name);
    }
    if (!fold->without_kind) {
        write_text(writer, hf_slice_text("span.kind"), kind_name(span->kind));
    }
    if (!fold->without_status) {
        write_text(writer, hf_slice_text("status.code"), status_name(span->status));
    }
    if (!fold->without_instance) {
        write_text(writer, hf_slice_text("collector.instance.id"),
                   hf_slice_text(fold->instance_id));
    }
    if (is_included(fold->config, fold->scope_name)) {
        write_text(writer, hf_slice_text("span.instrumentation.scope.name"), fold->scope_name);
        if (fold->scope_version.size != 0) {
            write_text(writer, hf_slice_text("span.instrumentation.scope.version"),
                       fold->scope_version);
        }
    }
    if (fold->config->enable_metrics_sampling_method) {
        write_text(writer, hf_slice_text("sampling.method"),
                   hf_slice_text(span->is_adjusted ? "extrapolated" : "counted"));
    }
}

#define LIST_BYTES_MAX ((size_t)4 << 20)

enum hf_status spanmetrics_attributes(struct spanmetrics_fold *fold,
                                      const struct spanmetrics_span *span,
                                      enum spanmetrics_metric metric,
                                      struct spanmetrics_values *outer)
{
    struct attributes_show show = {.show = {.show = set_dimension},
                                   .list = {.arena.limit = LIST_BYTES_MAX}};
    struct hf_wire_writer writer = {.out = &fold->attributes};
    fold->attributes.size = 0;
    write_defaults(fold, span, &writer);
    enum hf_status status =
        spanmetrics_dimensions_each(fold->dimensions, metric, &fold->of_span, outer, &show.show);
    for (size_t i = 0; i < show.list.count && status == HF_OK; i++) {
        write_value(&writer, show.list.items[i].key, show.list.items[i].value);
    }
    hf_attributes_release(&show.list);
    return status == HF_OK ? hf_wire_status(&writer) : status;
}

enum hf_status spanmetrics_overflow_attributes(struct spanmetrics_fold *fold)
{
    struct hf_wire_writer writer = {.out = &fold->attributes};
    static const uint8_t yes[] = {0x10, 0x01}; /* an AnyValue: true */
    fold->attributes.size = 0;
    write_value(&writer, hf_slice_text("otel.metric.overflow"), hf_slice_of(yes, sizeof(yes)));
    return hf_wire_status(&writer);
}

/* ---- resources ---- */

static bool counts(const struct hf_string_list *names, struct hf_slice key)
{
    return names->count == 0 || hf_string_list_has(names, key);
}

static bool add_pair(struct spanmetrics_fold *fold, size_t count, struct hf_slice key,
                     struct hf_slice value)
{
    if (count == fold->pair_room) {
        size_t room = fold->pair_room == 0 ? 32 : 2 * fold->pair_room;
        struct spanmetrics_pair *pairs = realloc(fold->pairs, room * sizeof(*pairs));
        if (pairs == NULL) {
            return false;
        }
        fold->pairs = pairs;
        fold->pair_room = room;
    }
    fold->pairs[count] = (struct spanmetrics_pair){key, value};
    return true;
}

enum hf_status spanmetrics_resource_key(struct spanmetrics_fold *fold, struct hf_slice resource)
{
    struct hf_wire wire = hf_wire_of(resource);
    struct hf_wire_writer writer = {.out = &fold->attributes};
    struct hf_wire_writer key_writer = {.out = &fold->resource_key};
    struct hf_slice pair, key, value;
    size_t count = 0;
    fold->attributes.size = 0;
    fold->resource_key.size = 0;
    while (hf_wire_each(&wire, ATTRIBUTE, &pair)) {
        hf_wire_put_bytes(&writer, ATTRIBUTE, pair);
        if (hf_attribute_read(pair, &key, &value) &&
            counts(&fold->config->resource_metrics_key_attributes, key)) {
            if (!add_pair(fold, count, key, value)) {
                return HF_NOMEM;
            }
            count++;
        }
    }
    if (count > 1) {
        qsort(fold->pairs, count, sizeof(*fold->pairs), hf_slice_order);
    }
    for (size_t i = 0; i < count; i++) {
        write_value(&key_writer, fold->pairs[i].key, fold->pairs[i].value);
    }
    return writer.failed || key_writer.failed ? HF_NOMEM : HF_OK;
}
