/*
 * xray_attributes: the members sql, user, annotations and metadata.
 */
#include <string.h>

#include "bulk/pair.h"
#include "pdata/any.h"
#include "pdata/any_make.h"
#include "pdata/json_any.h"
#include "xray_span.h"

static const struct hf_json_any_style style = {0};

/* ---- sql ---- */

static bool is_sql(struct hf_slice system)
{
    static const char *const systems[] = {"db2",    "derby",    "hive",     "mariadb",
                                          "mssql",  "mysql",    "oracle",   "postgresql",
                                          "sqlite", "teradata", "other_sql"};
    for (size_t i = 0; i < sizeof(systems) / sizeof(systems[0]); i++) {
        if (hf_slice_is(system, systems[i])) {
            return true;
        }
    }
    return false;
}

void xray_put_sql(struct xray_span *span, struct hf_json_writer *writer)
{
    static const char *const keys[] = {"db.connection_string", "db.system", "db.name",
                                       "db.statement", "db.user"};
    if (!is_sql(xray_text(span, "db.system"))) {
        return;
    }
    struct hf_slice place = xray_text(span, "db.connection_string");
    struct hf_bytes text = {0};
    place = place.size != 0 ? place : hf_slice_text("localhost");
    writer->failed |= hf_bytes_append(&text, place) != HF_OK ||
                      hf_bytes_append(&text, hf_slice_text("/")) != HF_OK ||
                      hf_bytes_append(&text, xray_text(span, "db.name")) != HF_OK;
    HF_JSON_WRITE_KEY(writer, "sql");
    hf_json_write_open(writer, '{');
    xray_put_text(writer, "connection_string", hf_slice_of(text.data, text.size));
    xray_put_text(writer, "url", span->span.name);
    xray_put_text(writer, "sanitized_query", xray_text(span, "db.statement"));
    xray_put_text(writer, "database_type", xray_text(span, "db.system"));
    xray_put_text(writer, "user", xray_text(span, "db.user"));
    hf_json_write_close(writer, '}');
    hf_bytes_release(&text);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        struct xray_attribute *found = xray_find(span, keys[i]);
        if (found != NULL) {
            found->is_taken = true;
        }
    }
}

/* ---- annotations ---- */

/* By the configuration. */
static bool is_listed(const struct xray_span *span, const char *prefix, struct hf_slice key)
{
    const struct hf_string_list *names = &span->config->indexed;
    size_t size = strlen(prefix);
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->items[i];
        if (strncmp(name, prefix, size) == 0 && hf_slice_is(key, name + size)) {
            return true;
        }
    }
    return false;
}

/* By the configuration, or by the span itself. */
static bool is_indexed(const struct xray_span *span, const char *prefix, struct hf_slice key)
{
    size_t size = strlen(prefix);
    if (is_listed(span, prefix, key)) {
        return true;
    }
    const struct xray_attribute *own = xray_find(span, "aws.xray.annotations");
    struct hf_any any = own != NULL ? hf_any_read(own->value) : (struct hf_any){0};
    struct hf_wire items = hf_any_items(&any);
    struct hf_slice value;
    while (any.type == HF_ANY_ARRAY && hf_any_next_value(&items, &value)) {
        struct hf_slice name = xray_string(value);
        if (name.size == size + key.size && memcmp(name.data, prefix, size) == 0 &&
            (key.size == 0 || memcmp(name.data + size, key.data, key.size) == 0)) {
            return true;
        }
    }
    return false;
}

static bool is_annotation(struct hf_slice value)
{
    switch (hf_any_read(value).type) {
    case HF_ANY_STRING:
    case HF_ANY_BOOL:
    case HF_ANY_INT:
    case HF_ANY_DOUBLE:
        return true;
    default:
        return false;
    }
}

/* Other characters than letters, digits and the dot are underscores. */
static void put_annotation(struct hf_json_writer *writer, const char *prefix, struct hf_slice key,
                           struct hf_slice value)
{
    struct hf_bytes name = {0};
    bool good = hf_bytes_append(&name, hf_slice_text(prefix)) == HF_OK;
    for (size_t i = 0; good && i < key.size; i++) {
        uint8_t byte = key.data[i];
        bool is_plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                        (byte >= 'a' && byte <= 'z') || byte == '.';
        if ((byte & 0xc0) != 0x80) { /* one for a character of several bytes */
            good = hf_bytes_append(&name, is_plain ? hf_slice_of(&byte, 1) : hf_slice_text("_")) ==
                   HF_OK;
        }
    }
    hf_json_write_key(writer, hf_slice_of(name.data, name.size));
    hf_json_write_any(writer, value, &style);
    writer->failed |= !good;
    hf_bytes_release(&name);
}

/* ---- metadata ---- */

#define METADATA "aws.xray.metadata."

struct metadata {
    struct hf_json_writer all;    /* of the namespace default, without its braces */
    struct hf_json_writer others; /* other namespaces with what is in them */
    struct hf_bytes default_text, others_text;
    struct hf_json_writer annotations;
    struct hf_bytes annotation_text;
};

static void put_value(struct hf_json_writer *writer, const char *prefix, struct hf_slice key,
                      struct hf_slice value)
{
    struct hf_bytes name = {0};
    if (hf_any_read(value).type == HF_ANY_EMPTY) {
        return;
    }
    writer->failed |= hf_bytes_append(&name, hf_slice_text(prefix)) != HF_OK ||
                      hf_bytes_append(&name, key) != HF_OK;
    hf_json_write_key(writer, hf_slice_of(name.data, name.size));
    hf_json_write_any(writer, value, &style);
    hf_bytes_release(&name);
}

/* "aws.xray.metadata.NAMESPACE" with an object as text. False: it is none. */
static bool put_namespace(struct xray_span *span, struct metadata *metadata, struct hf_slice key,
                          struct hf_slice value)
{
    size_t size = sizeof(METADATA) - 1;
    struct hf_slice parsed;
    struct hf_any_maker maker = {.arena = span->arena};
    if (key.size < size || memcmp(key.data, METADATA, size) != 0 ||
        hf_any_read(value).type != HF_ANY_STRING ||
        hf_json_any(&maker, xray_string(value), &parsed) != HF_OK ||
        hf_any_read(parsed).type != HF_ANY_MAP) {
        return false;
    }
    struct hf_slice name = hf_slice_of(key.data + size, key.size - size);
    if (name.size == 7 && strncasecmp((const char *)name.data, "default", 7) == 0) {
        struct hf_any any = hf_any_read(parsed);
        struct hf_wire items = hf_any_items(&any);
        struct hf_any_pair pair;
        while (hf_any_next_pair(&items, &pair)) {
            hf_json_write_key(&metadata->all, pair.key);
            hf_json_write_any(&metadata->all, pair.value, &style);
        }
        return true;
    }
    hf_json_write_key(&metadata->others, name);
    hf_json_write_any(&metadata->others, parsed, &style);
    return true;
}

static void put_resource(struct xray_span *span, struct metadata *metadata)
{
    struct hf_wire wire = hf_wire_of(span->resource);
    struct hf_slice pair, key, value;
    while (hf_wire_each(&wire, HF_BULK_RESOURCE_ATTRIBUTES, &pair)) {
        if (!hf_bulk_pair_read(pair, &key, &value)) {
            continue;
        }
        bool indexed = span->config->index_all || is_indexed(span, "otel.resource.", key);
        if (indexed && is_annotation(value)) {
            put_annotation(&metadata->annotations, "otel.resource.", key, value);
        } else {
            put_value(&metadata->all, "otel.resource.", key, value);
        }
    }
}

static void put_own(struct xray_span *span, struct metadata *metadata)
{
    bool drops_metadata = span->role == XRAY_SERVICE;
    for (size_t i = 0; i < span->count; i++) {
        const struct xray_attribute *one = &span->attributes[i];
        bool indexed = span->config->index_all || is_indexed(span, "", one->key);
        bool is_named = is_listed(span, "", one->key) && !hf_slice_is(one->key, "enduser.id");
        if (one->is_taken && !is_named) {
            continue;
        }
        if (indexed) {
            if (is_annotation(one->value)) {
                put_annotation(&metadata->annotations, "", one->key, one->value);
            }
        } else if (!drops_metadata && !put_namespace(span, metadata, one->key, one->value)) {
            put_value(&metadata->all, "", one->key, one->value);
        }
    }
}

static void put_member(struct hf_json_writer *writer, const char *key, const struct hf_bytes *text)
{
    if (text->size != 0) {
        hf_json_write_key(writer, hf_slice_text(key));
        hf_json_write_open(writer, '{');
        hf_json_write_bytes(writer, text->data, text->size);
        hf_json_write_close(writer, '}');
    }
}

static void put_metadata(struct hf_json_writer *writer, const struct metadata *metadata)
{
    if (metadata->default_text.size == 0 && metadata->others_text.size == 0) {
        return;
    }
    HF_JSON_WRITE_KEY(writer, "metadata");
    hf_json_write_open(writer, '{');
    if (metadata->others_text.size != 0) {
        hf_json_write_bytes(writer, metadata->others_text.data, metadata->others_text.size);
        writer->behind_value = true;
    }
    put_member(writer, "default", &metadata->default_text);
    hf_json_write_close(writer, '}');
}

void xray_put_attributes(struct xray_span *span, struct hf_json_writer *writer, bool has_resource)
{
    struct metadata metadata = {.all = {.out = NULL}};
    struct xray_attribute *user = xray_find(span, "enduser.id");
    struct xray_attribute *list = xray_find(span, "aws.xray.annotations");
    metadata.all.out = &metadata.default_text;
    metadata.others.out = &metadata.others_text;
    metadata.annotations.out = &metadata.annotation_text;
    if (user != NULL) {
        user->is_taken = true;
        xray_put_text(writer, "user", xray_string(user->value));
    }
    if (list != NULL && hf_any_read(list->value).type == HF_ANY_ARRAY) {
        list->is_taken = true;
    }
    if (has_resource) {
        put_resource(span, &metadata);
    }
    put_own(span, &metadata);
    put_member(writer, "annotations", &metadata.annotation_text);
    put_metadata(writer, &metadata);
    writer->failed |= metadata.all.failed || metadata.others.failed || metadata.annotations.failed;
    hf_bytes_release(&metadata.default_text);
    hf_bytes_release(&metadata.others_text);
    hf_bytes_release(&metadata.annotation_text);
}
