#include "loki_labels.h"

#include <stdlib.h>
#include <string.h>

#include "loki_text.h"
#include "pdata/any.h"
#include "pdata/any_make.h"
#include "prometheus/names.h"

static const char *const hints[] = {"loki.attribute.labels", "loki.resource.labels", "loki.format",
                                    "loki.tenant"};

bool loki_is_hidden(const struct loki_hidden *hidden, struct hf_slice key)
{
    for (size_t i = 0; i < hidden->count; i++) {
        if (hf_slice_equal(hidden->keys[i], key)) {
            return true;
        }
    }
    return false;
}

static void hide(struct loki_hidden *hidden, struct hf_slice key)
{
    if (hidden->count < sizeof(hidden->keys) / sizeof(hidden->keys[0]) &&
        !loki_is_hidden(hidden, key)) {
        hidden->keys[hidden->count++] = key;
    }
}

static struct hf_slice whole_attribute(struct hf_message *owner, struct hf_slice name)
{
    uint32_t number = owner != NULL ? hf_message_attributes_number(hf_message_type(owner)) : 0;
    const struct hf_attributes *list = number != 0 ? hf_message_attributes(owner, number) : NULL;
    const struct hf_attribute *found = list != NULL ? hf_attributes_find(list, name) : NULL;
    return found != NULL ? found->value : HF_EMPTY_SLICE;
}

/* "a.b.c" inside of the attribute "a" or "a.b": the shortest name that leads there. */
static struct hf_slice nested_attribute(struct hf_message *owner, struct hf_slice name)
{
    for (size_t at = 0; at < name.size; at++) {
        if (name.data[at] != '.') {
            continue;
        }
        struct hf_slice value = whole_attribute(owner, hf_slice_of(name.data, at));
        struct hf_slice rest = hf_slice_of(name.data + at + 1, name.size - at - 1);
        while (value.size != 0) {
            struct hf_any map = hf_any_read(value);
            const uint8_t *dot = rest.size != 0 ? memchr(rest.data, '.', rest.size) : NULL;
            size_t size = dot != NULL ? (size_t)(dot - rest.data) : rest.size;
            if (map.type != HF_ANY_MAP ||
                !hf_any_look_up(&map, hf_slice_of(rest.data, size), &value)) {
                break;
            }
            if (dot == NULL) {
                return value;
            }
            rest = hf_slice_of(dot + 1, rest.size - size - 1);
        }
    }
    return HF_EMPTY_SLICE;
}

struct hf_slice loki_attribute(struct hf_message *owner, struct hf_slice name, bool *ret_is_whole)
{
    struct hf_slice value = whole_attribute(owner, name);
    *ret_is_whole = value.size != 0;
    return value.size != 0 ? value : nested_attribute(owner, name);
}

void loki_labels_release(struct loki_labels *labels)
{
    hf_bytes_release(&labels->scratch);
}

/* The empty buffer for a text, and what was written to it, in the document's memory. */
static struct hf_bytes *begin_text(struct loki_labels *labels)
{
    labels->scratch.size = 0;
    return &labels->scratch;
}

static struct hf_slice keep_text(const struct loki_labels *labels, const struct hf_place *place)
{
    const struct hf_bytes *text = &labels->scratch;
    return hf_document_keep(place->document, hf_slice_of(text->data, text->size));
}

static struct hf_slice text_of(struct loki_labels *labels, const struct hf_place *place,
                               struct hf_slice value)
{
    struct hf_any any = hf_any_read(value);
    if (any.type == HF_ANY_STRING) {
        return any.bytes;
    }
    bool is_written = hf_any_text(value, begin_text(labels)) == HF_OK;
    return is_written ? keep_text(labels, place) : HF_EMPTY_SLICE;
}

/* A label with no value is none. Of one name the last one counts. */
static bool set_label(struct loki_labels *labels, struct hf_slice name, struct hf_slice value)
{
    if (name.size == 0 || value.size == 0) {
        return false;
    }
    size_t i = 0;
    while (i < labels->count && !hf_slice_equal(labels->items[i].name, name)) {
        i++;
    }
    if (i == LOKI_LABELS_MAX) {
        return false;
    }
    labels->count += i == labels->count;
    labels->items[i] = (struct loki_label){name, value};
    return true;
}

/* The same with a name that may have other characters than labels have. */
static bool set_named(struct loki_labels *labels, const struct hf_place *place,
                      struct hf_slice name, struct hf_slice value)
{
    return hf_prom_label_name(name, begin_text(labels)) == HF_OK &&
           set_label(labels, keep_text(labels, place), value);
}

static bool promote(struct loki_labels *labels, const struct hf_place *place,
                    struct hf_message *owner, struct loki_hidden *hidden, struct hf_slice name,
                    struct hf_slice label)
{
    bool is_whole;
    struct hf_slice value = loki_attribute(owner, name, &is_whole);
    if (value.size == 0) {
        return false;
    }
    if (set_named(labels, place, label.size != 0 ? label : name, text_of(labels, place, value)) &&
        is_whole) {
        hide(hidden, name);
    }
    return true;
}

static struct hf_slice trimmed(struct hf_slice text)
{
    while (text.size != 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text = hf_slice_of(text.data + 1, text.size - 1);
    }
    while (text.size != 0 &&
           (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t')) {
        text.size--;
    }
    return text;
}

/* The attributes that a hint names: a text with commas, or a list. */
static void follow_hint(struct loki_labels *labels, const struct hf_place *place,
                        struct hf_slice hint, struct hf_message *owner, struct loki_hidden *hidden)
{
    struct hf_any any = hf_any_read(hint);
    if (any.type == HF_ANY_ARRAY) {
        struct hf_wire items = hf_any_items(&any);
        struct hf_slice value;
        while (hf_any_next_value(&items, &value)) {
            struct hf_slice name = text_of(labels, place, value);
            (void)promote(labels, place, owner, hidden, name, HF_EMPTY_SLICE);
        }
    } else if (any.type == HF_ANY_STRING) {
        struct hf_slice rest = any.bytes;
        while (rest.size != 0) {
            const uint8_t *comma = memchr(rest.data, ',', rest.size);
            size_t size = comma != NULL ? (size_t)(comma - rest.data) : rest.size;
            struct hf_slice name = trimmed(hf_slice_of(rest.data, size));
            if (name.size != 0) {
                (void)promote(labels, place, owner, hidden, name, HF_EMPTY_SLICE);
            }
            size += comma != NULL;
            rest = hf_slice_of(rest.data + size, rest.size - size);
        }
    }
}

static void add_job(struct loki_labels *labels, const struct hf_place *place,
                    struct hf_message *resource)
{
    struct hf_slice space = whole_attribute(resource, hf_slice_text("service.namespace"));
    struct hf_slice name = whole_attribute(resource, hf_slice_text("service.name"));
    if (name.size == 0) {
        return;
    }
    space = text_of(labels, place, space);
    name = text_of(labels, place, name);
    struct hf_wire_writer job = {.out = begin_text(labels)};
    if (space.size != 0) {
        hf_wire_put_raw(&job, space);
        hf_wire_put_raw(&job, hf_slice_text("/"));
    }
    hf_wire_put_raw(&job, name);
    if (hf_wire_status(&job) == HF_OK) {
        (void)set_label(labels, hf_slice_text("job"), keep_text(labels, place));
    }
}

static const char *level_of(int64_t severity)
{
    static const char *const names[] = {"TRACE",  "TRACE2", "TRACE3", "TRACE4", "DEBUG",  "DEBUG2",
                                        "DEBUG3", "DEBUG4", "INFO",   "INFO2",  "INFO3",  "INFO4",
                                        "WARN",   "WARN2",  "WARN3",  "WARN4",  "ERROR",  "ERROR2",
                                        "ERROR3", "ERROR4", "FATAL",  "FATAL2", "FATAL3", "FATAL4"};
    const int64_t count = sizeof(names) / sizeof(names[0]);
    return severity >= 1 && severity <= count ? names[severity - 1] : "";
}

static void add_defaults(const struct loki_default_labels *defaults, struct loki_labels *labels,
                         const struct hf_place *place)
{
    struct hf_message *resource = hf_place_resource(place);
    if (defaults->exporter) {
        (void)set_label(labels, hf_slice_text("exporter"), hf_slice_text("OTLP"));
    }
    if (defaults->job) {
        add_job(labels, place, resource);
    }
    if (defaults->instance) {
        struct hf_slice id = whole_attribute(resource, hf_slice_text("service.instance.id"));
        (void)set_label(labels, hf_slice_text("instance"), text_of(labels, place, id));
    }
    int64_t severity = hf_message_i64(place->item, 2);
    if (defaults->level && severity != 0 &&
        !promote(labels, place, place->item, &labels->attributes, hf_slice_text("level"),
                 HF_EMPTY_SLICE)) {
        (void)set_label(labels, hf_slice_text("level"), hf_slice_text(level_of(severity)));
    }
}

/* A field of the record by the name that `labels::record` has for it. */
static struct hf_slice record_field(const struct hf_place *place, const char *name)
{
    struct hf_message *record = place->item;
    if (strcmp(name, "severity") == 0) {
        return hf_message_bytes(record, 3);
    }
    if (strcmp(name, "severityN") == 0) {
        return hf_slice_text(level_of(hf_message_i64(record, 2)));
    }
    char room[33];
    struct hf_slice id = hf_message_bytes(record, strcmp(name, "traceID") == 0 ? 9 : 10);
    return hf_document_keep(place->document, loki_hex(id, room));
}

static void add_mapped(const struct loki_label_maps *maps, struct loki_labels *labels,
                       const struct hf_place *place)
{
    struct hf_message *resource = hf_place_resource(place);
    for (size_t i = 0; i < maps->resource.count; i++) {
        const struct hf_string_pair *pair = &maps->resource.items[i];
        (void)promote(labels, place, resource, &labels->resource, hf_slice_text(pair->key),
                      hf_slice_text(pair->value));
    }
    for (size_t i = 0; i < maps->attributes.count; i++) {
        const struct hf_string_pair *pair = &maps->attributes.items[i];
        struct hf_slice key = hf_slice_text(pair->key), label = hf_slice_text(pair->value);
        if (!promote(labels, place, place->item, &labels->attributes, key, label)) {
            (void)promote(labels, place, resource, &labels->resource, key, label);
        }
    }
    for (size_t i = 0; i < maps->record.count; i++) {
        const struct hf_string_pair *pair = &maps->record.items[i];
        const char *label = pair->value[0] != '\0' ? pair->value : pair->key;
        (void)set_named(labels, place, hf_slice_text(label), record_field(place, pair->key));
    }
}

enum hf_status loki_labels_read(const struct loki_label_config *config,
                                const struct hf_place *place, struct hf_slice tenant_key,
                                struct loki_labels *ret)
{
    struct hf_message *resource = hf_place_resource(place);
    struct hf_message *record = place->item;
    ret->count = 0;
    ret->attributes.count = 0;
    ret->resource.count = 0;
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
        hide(&ret->attributes, hf_slice_text(hints[i]));
        hide(&ret->resource, hf_slice_text(hints[i]));
    }
    add_defaults(&config->defaults, ret, place);
    add_mapped(&config->maps, ret, place);
    struct hf_slice of_resource = hf_slice_text("loki.resource.labels");
    follow_hint(ret, place, whole_attribute(resource, of_resource), resource, &ret->resource);
    follow_hint(ret, place, whole_attribute(record, of_resource), resource, &ret->resource);
    follow_hint(ret, place, whole_attribute(record, hf_slice_text("loki.attribute.labels")), record,
                &ret->attributes);
    if (tenant_key.size != 0 &&
        !promote(ret, place, resource, &ret->resource, tenant_key, HF_EMPTY_SLICE)) {
        (void)promote(ret, place, record, &ret->attributes, tenant_key, HF_EMPTY_SLICE);
    }
    return hf_document_status(place->document);
}

/* As Go quotes a text. */
static void put_quoted(struct hf_wire_writer *writer, struct hf_slice text)
{
    static const char plain[] = "\"\\\a\b\f\n\r\t\v";
    static const char letters[] = "\"\\abfnrtv";
    static const char digits[] = "0123456789abcdef";
    hf_wire_put_raw(writer, hf_slice_text("\""));
    size_t from = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte >= ' ' && byte != '"' && byte != '\\' && byte != 0x7f) {
            continue;
        }
        const char *known = byte != 0 ? strchr(plain, byte) : NULL;
        char escaped[4] = {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
        if (known != NULL) {
            escaped[1] = letters[known - plain];
        }
        hf_wire_put_raw(writer, hf_slice_of(text.data + from, i - from));
        hf_wire_put_raw(writer, hf_slice_of(escaped, known != NULL ? 2 : 4));
        from = i + 1;
    }
    hf_wire_put_raw(writer, hf_slice_of(text.data + from, text.size - from));
    hf_wire_put_raw(writer, hf_slice_text("\""));
}

enum hf_status loki_labels_write(struct loki_labels *labels, struct hf_bytes *out)
{
    struct hf_wire_writer writer = {.out = out};
    qsort(labels->items, labels->count, sizeof(labels->items[0]), hf_slice_order);
    for (size_t i = 0; i < labels->count; i++) {
        hf_wire_put_raw(&writer, hf_slice_text(i == 0 ? "{" : ", "));
        hf_wire_put_raw(&writer, labels->items[i].name);
        hf_wire_put_raw(&writer, hf_slice_text("="));
        put_quoted(&writer, labels->items[i].value);
    }
    hf_wire_put_raw(&writer, hf_slice_text("}"));
    return hf_wire_status(&writer);
}
