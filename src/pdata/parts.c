#include "parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "document_internal.h"
#include "util/fnv.h"
#include "util/grow.h"

#define TABLE_LEAST 64u

/* Where the key is in the table, or where it would be. */
static size_t slot_of(const struct hf_parts *parts, struct hf_slice key)
{
    /* Keys are few and short, and a sender who makes them collide slows its own request. */
    size_t at = (size_t)hf_fnv_folded(key) & (parts->table_size - 1);
    while (parts->table[at] != 0 && !hf_slice_equal(parts->items[parts->table[at] - 1].key, key)) {
        at = (at + 1) & (parts->table_size - 1);
    }
    return at;
}

/* Half of the table is empty at least. */
static enum hf_status grow_table(struct hf_parts *parts)
{
    if (parts->table_size >= 2 * (parts->count + 1)) {
        return HF_OK;
    }
    size_t size = parts->table_size == 0 ? TABLE_LEAST : parts->table_size * 2;
    uint32_t *table = calloc(size, sizeof(*table));
    if (table == NULL) {
        return HF_NOMEM;
    }
    free(parts->table);
    parts->table = table;
    parts->table_size = size;
    for (size_t i = 0; i < parts->count; i++) {
        parts->table[slot_of(parts, parts->items[i].key)] = (uint32_t)i + 1;
    }
    return HF_OK;
}

static enum hf_status grow_items(struct hf_parts *parts)
{
    return hf_grow(&parts->items, &parts->capacity, parts->count + 1, sizeof(*parts->items))
               ? HF_OK
               : HF_NOMEM;
}

static enum hf_status add_part(struct hf_parts *parts, struct hf_document *document,
                               struct hf_slice key)
{
    if (parts->count >= parts->limit) {
        return HF_FULL;
    }
    enum hf_status status = grow_table(parts);
    if (status == HF_OK) {
        status = grow_items(parts);
    }
    if (status != HF_OK) {
        return status;
    }
    struct hf_slice kept = hf_document_keep(document, key);
    if (kept.data == NULL) {
        return HF_NOMEM;
    }
    parts->items[parts->count] = (struct hf_part){.key = kept};
    parts->table[slot_of(parts, kept)] = (uint32_t)++parts->count;
    return HF_OK;
}

/* All that is around the item has an item. */
static void note_around(struct hf_message *message)
{
    while (message != NULL && !message->has_put) {
        message->has_put = true;
        message = message->parent;
    }
}

enum hf_status hf_parts_put(struct hf_parts *parts, const struct hf_place *place,
                            struct hf_slice key)
{
    assert(place->item != NULL);
    uint32_t number = parts->table_size > 0 ? parts->table[slot_of(parts, key)] : 0;
    if (number == 0) {
        enum hf_status status = add_part(parts, place->document, key);
        if (status != HF_OK) {
            return status;
        }
        number = (uint32_t)parts->count;
    }
    if (place->item->part != 0) {
        parts->items[place->item->part - 1].items--;
    }
    parts->items[number - 1].items++;
    place->item->part = number;
    note_around(place->item->parent);
    return HF_OK;
}

static void put_rest(struct hf_message *message, uint32_t number)
{
    for (struct hf_slot *slot = message->slots; slot != NULL; slot = slot->next) {
        for (struct hf_message *child = slot->first; child != NULL; child = child->next) {
            if (child->type->holds_items && child->has_put) {
                put_rest(child, number);
            } else if (child->type->holds_items) {
                child->part = number;
            }
        }
    }
}

void hf_parts_put_rest(const struct hf_parts *parts, struct hf_document *document, size_t index)
{
    assert(index < parts->count || parts->count == 0);
    if (parts->count != 0) {
        put_rest(document->root, (uint32_t)index + 1);
    }
}

size_t hf_parts_find(const struct hf_parts *parts, struct hf_slice key)
{
    assert(parts->table_size > 0);
    uint32_t number = parts->table[slot_of(parts, key)];
    assert(number != 0);
    return number - 1;
}

enum hf_status hf_parts_write(const struct hf_parts *parts, struct hf_document *document,
                              size_t index, struct hf_bytes *out)
{
    size_t before = out->size;
    struct hf_wire_writer writer = {.out = out};
    uint32_t items = 0;
    assert(index < parts->count);
    hf_document_settle(document);
    enum hf_status status = hf_document_status(document);
    if (status == HF_OK) {
        hf_message_write(document->root, (uint32_t)index + 1, &writer, &items);
        document->failed |= writer.failed;
        status = hf_document_status(document);
    }
    if (status == HF_OK && out->size - before > INT32_MAX) {
        status = HF_TOO_LARGE;
    }
    if (status != HF_OK) {
        out->size = before;
    }
    return status;
}

enum hf_status hf_parts_batch(const struct hf_parts *parts, struct hf_document *document,
                              size_t index, struct hf_batch *batch, struct hf_batch **ret_batch)
{
    assert(index < parts->count);
    uint32_t items = parts->items[index].items;
    if (items == batch->items && document->root->raw.data == batch->raw.data &&
        !hf_document_is_changed(document)) {
        return hf_document_batch(document, batch, ret_batch);
    }
    if (items == 0) {
        *ret_batch = NULL;
        return HF_OK;
    }
    document->out.size = 0;
    enum hf_status status = hf_parts_write(parts, document, index, &document->out);
    if (status != HF_OK) {
        return status;
    }
    return hf_document_make_batch(document, items, batch, ret_batch);
}

void hf_parts_release(struct hf_parts *parts)
{
    free(parts->items);
    free(parts->table);
    *parts = (struct hf_parts){.limit = parts->limit};
}
