/*
 * tail_facts: one walk over a request when it comes.
 */
#include <stdlib.h>
#include <string.h>

#include "pdata/document.h"
#include "pdata/walk.h"
#include "tail_internal.h"

enum { RESOURCE = 1, SCOPE = 1, SPAN_TRACE_ID = 1, SPAN_PARENT = 4 };

void hf_sampling_tail_id_of(struct hf_message *span, uint8_t *ret_id)
{
    struct hf_slice id = hf_message_bytes(span, SPAN_TRACE_ID);
    memset(ret_id, 0, HF_TRACE_ID_SIZE);
    if (id.size == HF_TRACE_ID_SIZE) {
        memcpy(ret_id, id.data, HF_TRACE_ID_SIZE);
    }
}

/* Room for as many traces as the request has spans. */
static bool make_room(struct hf_tail *tail, size_t items)
{
    if (items > tail->entry_room) {
        struct hf_sampling_tail_entry *entries = realloc(tail->entries, items * sizeof(*entries));
        if (entries == NULL) {
            return false;
        }
        tail->entries = entries;
        tail->entry_room = items;
    }
    size_t size = 16;
    while (size < 2 * items) {
        size *= 2;
    }
    if (size > tail->entry_table_size) {
        uint32_t *table = realloc(tail->entry_table, size * sizeof(*table));
        if (table == NULL) {
            return false;
        }
        tail->entry_table = table;
        tail->entry_table_size = size;
    }
    memset(tail->entry_table, 0, tail->entry_table_size * sizeof(*tail->entry_table));
    tail->entry_count = 0;
    return true;
}

static struct hf_sampling_tail_entry *entry_of(struct hf_tail *tail, const uint8_t *id)
{
    size_t mask = tail->entry_table_size - 1;
    size_t at = (size_t)hf_trace_hash(id) & mask;
    while (tail->entry_table[at] != 0) {
        struct hf_sampling_tail_entry *entry = &tail->entries[tail->entry_table[at] - 1];
        if (memcmp(entry->id, id, HF_TRACE_ID_SIZE) == 0) {
            return entry;
        }
        at = (at + 1) & mask;
    }
    struct hf_sampling_tail_entry *entry = &tail->entries[tail->entry_count++];
    tail->entry_table[at] = (uint32_t)tail->entry_count;
    *entry = (struct hf_sampling_tail_entry){0};
    memcpy(entry->id, id, HF_TRACE_ID_SIZE);
    return entry;
}

/* What a message takes as a field: a tag of one byte, the length and the content. NULL: nothing. */
static uint64_t framed(struct hf_message *message)
{
    uint64_t size = message != NULL ? hf_message_content(message).size : 0;
    uint64_t length = 1;
    for (uint64_t left = size; left >= 0x80; left >>= 7) {
        length++;
    }
    return message != NULL ? 1 + length + size : 0;
}

static bool is_root(struct hf_message *span)
{
    struct hf_slice parent = hf_message_bytes(span, SPAN_PARENT);
    for (size_t i = 0; i < parent.size; i++) {
        if (parent.data[i] != 0) {
            return false;
        }
    }
    return true;
}

/* The bytes of a span, and of its resource and scope when they are those of no span of the trace
 * before. */
static void add_bytes(struct hf_sampling_tail_entry *entry, const struct hf_place *place)
{
    entry->facts.bytes += framed(place->item);
    if (entry->resource_group != place->resource_group) {
        entry->resource_group = place->resource_group;
        entry->facts.bytes += framed(hf_message_one(place->resource_group, RESOURCE));
    }
    if (entry->scope_group != place->scope_group) {
        entry->scope_group = place->scope_group;
        entry->facts.bytes += framed(hf_message_one(place->scope_group, SCOPE));
    }
}

static void note_span(struct hf_tail *tail, const struct hf_place *place, uint64_t resource_bits)
{
    uint8_t id[HF_TRACE_ID_SIZE];
    hf_sampling_tail_id_of(place->item, id);
    struct hf_sampling_tail_entry *entry = entry_of(tail, id);
    entry->facts.bits |= resource_bits;
    entry->has_root = entry->has_root || is_root(place->item);
    hf_sampling_tail_match_span(tail->policies, place, &entry->facts);
    if (tail->needs_bytes) {
        add_bytes(entry, place);
    }
}

enum hf_status hf_sampling_tail_note(struct hf_tail *tail, const struct hf_batch *batch)
{
    struct hf_document *document = hf_document_borrow(batch->signal, batch->raw);
    if (document == NULL || !make_room(tail, batch->items)) {
        hf_document_return(document);
        return HF_NOMEM;
    }
    struct hf_place place = {.document = document};
    const struct hf_message *group = NULL;
    uint64_t resource_bits = 0;
    hf_sampling_tail_match_begin(tail->policies, document);
    for (uint32_t left = batch->items; left > 0 && hf_place_next_item(&place); left--) {
        if (place.resource_group != group) {
            group = place.resource_group;
            resource_bits =
                hf_sampling_tail_match_resource(tail->policies, hf_place_resource(&place));
        }
        note_span(tail, &place, resource_bits);
    }
    enum hf_status matched = hf_sampling_tail_match_end(tail->policies);
    enum hf_status status = hf_document_status(document);
    hf_document_return(document);
    return status == HF_OK ? matched : status;
}
