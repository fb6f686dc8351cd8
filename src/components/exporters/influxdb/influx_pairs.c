/*
 * influx_pairs: tags, and the attributes that are told as JSON.
 */
#include <stdlib.h>
#include <string.h>

#include "influx_lines.h"
#include "pdata/any.h"
#include "pdata/json_write.h"
#include "util/hex.h"

#define PAIRS_FIRST 32u
#define ID_MAX 32u

void influx_leave_out(struct influx_lines *lines, const char *why)
{
    lines->why = lines->left_out++ == 0 ? why : lines->why;
}

void influx_pairs_set(struct influx_lines *lines, struct influx_pairs *pairs, struct hf_slice key,
                      struct hf_slice value)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (hf_slice_equal(pairs->items[i].key, key)) {
            pairs->items[i].value = value;
            return;
        }
    }
    if (pairs->count == pairs->capacity) {
        size_t capacity = pairs->capacity != 0 ? 2 * pairs->capacity : PAIRS_FIRST;
        struct influx_pair *items = reallocarray(pairs->items, capacity, sizeof(*items));
        if (items == NULL) {
            lines->failed = true;
            return;
        }
        pairs->items = items;
        pairs->capacity = capacity;
    }
    pairs->items[pairs->count++] = (struct influx_pair){key, value};
}

static const struct hf_attributes *attributes_of(struct hf_message *owner)
{
    return owner != NULL
               ? hf_message_attributes(owner, hf_message_attributes_number(hf_message_type(owner)))
               : NULL;
}

/* In the document's memory, unless it is a text already. */
static struct hf_slice text_of(struct influx_lines *lines, struct hf_slice value)
{
    struct hf_any any = hf_any_read(value);
    if (any.type == HF_ANY_STRING) {
        return any.bytes;
    }
    lines->scratch.size = 0;
    lines->failed |= hf_any_text(value, &lines->scratch) != HF_OK;
    return hf_document_keep(lines->document, hf_slice_of(lines->scratch.data, lines->scratch.size));
}

void influx_tags_add(struct influx_lines *lines, struct hf_message *owner)
{
    const struct hf_attributes *attributes = attributes_of(owner);
    for (size_t i = 0; attributes != NULL && i < attributes->count; i++) {
        const struct hf_attribute *one = &attributes->items[i];
        influx_pairs_set(lines, &lines->tags, one->key, text_of(lines, one->value));
    }
}

void influx_attributes_sort(struct influx_lines *lines, struct hf_message *owner,
                            const struct hf_string_list *dimensions)
{
    const struct hf_attributes *attributes = attributes_of(owner);
    for (size_t i = 0; attributes != NULL && i < attributes->count; i++) {
        const struct hf_attribute *one = &attributes->items[i];
        if (dimensions != NULL && hf_string_list_has(dimensions, one->key)) {
            influx_pairs_set(lines, &lines->tags, one->key, text_of(lines, one->value));
        } else {
            influx_pairs_set(lines, &lines->others, one->key, one->value);
        }
    }
}

void influx_tag_hex(struct influx_lines *lines, const char *key, struct hf_slice id)
{
    char room[2 * ID_MAX];
    size_t size = hf_hex_write(hf_slice_of(id.data, id.size < ID_MAX ? id.size : ID_MAX), room);
    influx_pairs_set(lines, &lines->tags, hf_slice_text(key),
                     hf_document_keep(lines->document, hf_slice_of(room, size)));
}

bool influx_has_tag(const struct influx_lines *lines, const char *key)
{
    for (size_t i = 0; i < lines->tags.count; i++) {
        if (hf_slice_is(lines->tags.items[i].key, key)) {
            return true;
        }
    }
    return false;
}

static void sort(struct influx_pairs *pairs)
{
    if (pairs->count != 0) {
        qsort(pairs->items, pairs->count, sizeof(*pairs->items), hf_slice_order);
    }
}

void influx_tags_write(struct influx_lines *lines, const char *but, struct hf_slice value)
{
    sort(&lines->tags);
    for (size_t i = 0; i < lines->tags.count; i++) {
        const struct influx_pair *tag = &lines->tags.items[i];
        if (but == NULL || !hf_slice_is(tag->key, but)) {
            hf_influx_put_tag(&lines->writer, tag->key, tag->value);
        }
    }
    if (but != NULL) {
        hf_influx_put_tag(&lines->writer, hf_slice_text(but), value);
    }
}

void influx_others_write(struct influx_lines *lines)
{
    static const struct hf_json_any_style style = {.bytes_as_hex = false};
    struct hf_json_writer json = {.out = &lines->scratch};
    if (lines->others.count == 0 || influx_has_tag(lines, "attributes")) {
        return;
    }
    sort(&lines->others);
    lines->scratch.size = 0;
    hf_json_write_open(&json, '{');
    for (size_t i = 0; i < lines->others.count; i++) {
        hf_json_write_key(&json, lines->others.items[i].key);
        hf_json_write_any(&json, lines->others.items[i].value, &style);
    }
    hf_json_write_close(&json, '}');
    lines->failed |= json.failed;
    hf_influx_put_text(&lines->writer, hf_slice_text("attributes"),
                       hf_slice_of(lines->scratch.data, lines->scratch.size));
}
