#include "hec_fields.h"

#include <stdlib.h>
#include <string.h>

#include "pdata/any.h"
#include "pdata/any_make.h"

#define TOKEN_KEY "com.splunk.hec.access_token"
#define UNKNOWN_HOST "unknown"

void hec_fields_begin(struct hec_fields *fields, const struct hec_config *config)
{
    fields->count = 0;
    fields->host = hf_slice_text(UNKNOWN_HOST);
    fields->source = hf_slice_text(config->source);
    fields->sourcetype = hf_slice_text(config->sourcetype);
    fields->index = hf_slice_text(config->index);
}

void hec_fields_set(struct hec_fields *fields, struct hf_slice key, struct hf_slice value,
                    enum hec_value kind)
{
    for (size_t i = 0; i < fields->count; i++) {
        if (hf_slice_equal(fields->items[i].key, key)) {
            fields->items[i] = (struct hec_field){key, value, kind};
            return;
        }
    }
    if (fields->count == fields->capacity) {
        size_t capacity = fields->capacity != 0 ? 2 * fields->capacity : 32;
        struct hec_field *items = reallocarray(fields->items, capacity, sizeof(*items));
        if (items == NULL) {
            fields->failed = true;
            return;
        }
        fields->items = items;
        fields->capacity = capacity;
    }
    fields->items[fields->count++] = (struct hec_field){key, value, kind};
}

static bool is_flat(const struct hf_any *list)
{
    struct hf_wire items = hf_any_items(list);
    struct hf_slice value;
    while (hf_any_next_value(&items, &value)) {
        enum hf_any_type type = hf_any_read(value).type;
        if (type == HF_ANY_ARRAY || type == HF_ANY_MAP) {
            return false;
        }
    }
    return true;
}

static struct hf_slice joined(struct hec_fields *fields, struct hf_document *document,
                              struct hf_slice left, struct hf_slice right)
{
    struct hf_bytes text = {0};
    struct hf_slice kept = left;
    if (hf_bytes_append(&text, left) == HF_OK &&
        hf_bytes_append(&text, hf_slice_text(".")) == HF_OK &&
        hf_bytes_append(&text, right) == HF_OK) {
        kept = hf_document_keep(document, hf_slice_of(text.data, text.size));
    } else {
        fields->failed = true;
    }
    hf_bytes_release(&text);
    return kept;
}

/* As deep as values are, which the scan bounds. */
static void add_value(struct hec_fields *fields, struct hf_document *document, struct hf_slice key,
                      struct hf_slice value)
{
    struct hf_any any = hf_any_read(value);
    struct hf_any_pair pair;
    if (any.type == HF_ANY_MAP) {
        struct hf_wire items = hf_any_items(&any);
        while (hf_any_next_pair(&items, &pair)) {
            add_value(fields, document, joined(fields, document, key, pair.key), pair.value);
        }
        return;
    }
    bool is_deep = any.type == HF_ANY_ARRAY && !is_flat(&any);
    hec_fields_set(fields, key, value, is_deep ? HEC_TEXT : HEC_ANY);
}

/* Metadata is taken from texts. */
static bool is_metadata(struct hec_fields *fields, const struct hec_metadata_keys *keys,
                        const struct hf_attribute *attribute)
{
    struct {
        const char *key;
        struct hf_slice *to;
    } known[] = {{keys->host, &fields->host},
                 {keys->source, &fields->source},
                 {keys->sourcetype, &fields->sourcetype},
                 {keys->index, &fields->index}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (hf_slice_is(attribute->key, known[i].key)) {
            struct hf_any any = hf_any_read(attribute->value);
            *known[i].to = any.type == HF_ANY_STRING ? any.bytes : HF_EMPTY_SLICE;
            return true;
        }
    }
    return hf_slice_is(attribute->key, TOKEN_KEY);
}

void hec_fields_add(struct hec_fields *fields, struct hf_document *document,
                    const struct hec_metadata_keys *keys, const struct hf_attributes *attributes,
                    bool as_text)
{
    for (size_t i = 0; attributes != NULL && i < attributes->count; i++) {
        const struct hf_attribute *one = &attributes->items[i];
        if (keys != NULL && is_metadata(fields, keys, one)) {
            continue;
        }
        if (as_text) {
            hec_fields_set(fields, one->key, one->value, HEC_TEXT);
        } else {
            add_value(fields, document, one->key, one->value);
        }
    }
}

static void write_text(struct hf_json_writer *writer, struct hf_slice value)
{
    struct hf_any any = hf_any_read(value);
    struct hf_bytes text = {0};
    if (any.type == HF_ANY_STRING) {
        hf_json_write_text(writer, any.bytes);
        return;
    }
    writer->failed = hf_any_text(value, &text) != HF_OK || writer->failed;
    hf_json_write_text(writer, hf_slice_of(text.data, text.size));
    hf_bytes_release(&text);
}

static void write_metadata(struct hf_json_writer *writer, const char *key, struct hf_slice value)
{
    if (value.size != 0) {
        hf_json_write_key(writer, hf_slice_text(key));
        hf_json_write_text(writer, value);
    }
}

void hec_fields_write(const struct hec_fields *fields, struct hf_json_writer *writer)
{
    static const struct hf_json_any_style style = {.bytes_as_hex = false};
    writer->failed = writer->failed || fields->failed;
    HF_JSON_WRITE_KEY(writer, "host");
    hf_json_write_text(writer, fields->host);
    write_metadata(writer, "source", fields->source);
    write_metadata(writer, "sourcetype", fields->sourcetype);
    write_metadata(writer, "index", fields->index);
    if (fields->count == 0) {
        return;
    }
    HF_JSON_WRITE_KEY(writer, "fields");
    hf_json_write_open(writer, '{');
    for (size_t i = 0; i < fields->count; i++) {
        const struct hec_field *one = &fields->items[i];
        hf_json_write_key(writer, one->key);
        if (one->kind == HEC_MADE) {
            hf_json_write_made(writer, one->value);
        } else if (one->kind == HEC_TEXT) {
            write_text(writer, one->value);
        } else {
            hf_json_write_any(writer, one->value, &style);
        }
    }
    hf_json_write_close(writer, '}');
}

void hec_fields_release(struct hec_fields *fields)
{
    free(fields->items);
    *fields = (struct hec_fields){0};
}
