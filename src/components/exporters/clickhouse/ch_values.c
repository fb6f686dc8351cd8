#include "ch_values.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pdata/any.h"
#include "pdata/any_make.h"

#define NS_PER_S UINT64_C(1000000000)
#define TIME_MAX 48u

struct hf_attributes *ch_attributes(struct hf_message *owner)
{
    return owner != NULL
               ? hf_message_attributes(owner, hf_message_attributes_number(hf_message_type(owner)))
               : NULL;
}

void ch_put_time(struct hf_json_writer *writer, uint64_t time_ns)
{
    char text[TIME_MAX];
    time_t seconds = (time_t)(time_ns / NS_PER_S);
    struct tm parts = {.tm_mday = 1};
    gmtime_r(&seconds, &parts);
    int size = snprintf(text, sizeof(text), "\"%04d-%02d-%02dT%02d:%02d:%02d.%09" PRIu64 "Z\"",
                        parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                        parts.tm_min, parts.tm_sec, time_ns % NS_PER_S);
    hf_json_write_made(writer, hf_slice_of(text, (size_t)size));
}

void ch_put_id(struct hf_json_writer *writer, struct hf_slice id)
{
    bool is_zero = true;
    for (size_t i = 0; i < id.size; i++) {
        is_zero = is_zero && id.data[i] == 0;
    }
    hf_json_write_hex(writer, is_zero ? HF_EMPTY_SLICE : id);
}

void ch_put_double(struct hf_json_writer *writer, double value)
{
    if (isfinite(value)) {
        hf_json_write_double(writer, value);
    } else {
        const char *word = isnan(value) ? "\"nan\"" : value > 0 ? "\"inf\"" : "\"-inf\"";
        hf_json_write_made(writer, hf_slice_text(word));
    }
}

void ch_put_any_text(struct hf_json_writer *writer, struct hf_slice value)
{
    struct hf_any any = hf_any_read(value);
    struct hf_bytes text = {0};
    if (any.type == HF_ANY_STRING || any.type == HF_ANY_EMPTY) {
        hf_json_write_text(writer, any.type == HF_ANY_STRING ? any.bytes : HF_EMPTY_SLICE);
        return;
    }
    writer->failed = hf_any_text(value, &text) != HF_OK || writer->failed;
    hf_json_write_text(writer, hf_slice_of(text.data, text.size));
    hf_bytes_release(&text);
}

void ch_put_attributes(struct hf_json_writer *writer, struct hf_message *owner, bool as_json)
{
    static const struct hf_json_any_style style = {.bytes_as_hex = false};
    const struct hf_attributes *attributes = ch_attributes(owner);
    hf_json_write_open(writer, '{');
    for (size_t i = 0; attributes != NULL && i < attributes->count; i++) {
        hf_json_write_key(writer, attributes->items[i].key);
        if (as_json) {
            hf_json_write_any(writer, attributes->items[i].value, &style);
        } else {
            ch_put_any_text(writer, attributes->items[i].value);
        }
    }
    hf_json_write_close(writer, '}');
}

/* ---- keys ---- */

struct keys {
    struct hf_slice *items;
    size_t count, capacity;
    struct hf_document *document;
    bool failed;
};

static void add_key(struct keys *keys, struct hf_slice key)
{
    if (keys->count == keys->capacity) {
        size_t capacity = keys->capacity != 0 ? 2 * keys->capacity : 32;
        struct hf_slice *items = reallocarray(keys->items, capacity, sizeof(*items));
        if (items == NULL) {
            keys->failed = true;
            return;
        }
        keys->items = items;
        keys->capacity = capacity;
    }
    keys->items[keys->count++] = key;
}

static struct hf_slice joined(struct keys *keys, struct hf_slice left, struct hf_slice right)
{
    struct hf_bytes text = {0};
    struct hf_slice kept = HF_EMPTY_SLICE;
    if (hf_bytes_append(&text, left) == HF_OK &&
        hf_bytes_append(&text, hf_slice_text(".")) == HF_OK &&
        hf_bytes_append(&text, right) == HF_OK) {
        kept = hf_document_keep(keys->document, hf_slice_of(text.data, text.size));
    }
    keys->failed = keys->failed || kept.size == 0;
    hf_bytes_release(&text);
    return kept;
}

/* As deep as values are, which the scan bounds. */
static void gather(struct keys *keys, struct hf_slice key, struct hf_slice value)
{
    struct hf_any any = hf_any_read(value);
    struct hf_any_pair pair;
    if (any.type != HF_ANY_MAP) {
        add_key(keys, key);
        return;
    }
    struct hf_wire items = hf_any_items(&any);
    while (hf_any_next_pair(&items, &pair)) {
        gather(keys, joined(keys, key, pair.key), pair.value);
    }
}

void ch_put_keys(struct hf_json_writer *writer, struct hf_message *owner)
{
    const struct hf_attributes *attributes = ch_attributes(owner);
    struct keys keys = {.count = 0};
    if (owner != NULL) {
        keys.document = hf_message_document(owner);
    }
    for (size_t i = 0; attributes != NULL && i < attributes->count; i++) {
        gather(&keys, attributes->items[i].key, attributes->items[i].value);
    }
    if (keys.count != 0) {
        qsort(keys.items, keys.count, sizeof(*keys.items), hf_slice_order);
    }
    hf_json_write_open(writer, '[');
    for (size_t i = 0; i < keys.count; i++) {
        if (i == 0 || !hf_slice_equal(keys.items[i - 1], keys.items[i])) {
            hf_json_write_text(writer, keys.items[i]);
        }
    }
    hf_json_write_close(writer, ']');
    writer->failed = writer->failed || keys.failed;
    free(keys.items);
}

void ch_put_service(struct hf_json_writer *writer, struct hf_message *resource)
{
    struct hf_slice value = HF_EMPTY_SLICE;
    if (resource == NULL ||
        !hf_message_attribute(resource, 1, hf_slice_text("service.name"), &value)) {
        value = HF_EMPTY_SLICE;
    }
    ch_put_any_text(writer, value);
}
