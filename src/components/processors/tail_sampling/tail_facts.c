/*
 * tail_facts: one walk over a request when it comes.
 */
#include <stdlib.h>
#include <string.h>

#include "pdata/document.h"
#include "pdata/walk.h"
#include "pdata/wire_find.h"
#include "tail_internal.h"
#include "util/grow.h"

/* ---- entries ---- */

/* Room for as many traces as the request has spans. */
static bool make_room(struct hf_tail *tail, size_t items)
{
    tail->entry_count = 0;
    return hf_grow(&tail->entries, &tail->entry_room, items, sizeof(*tail->entries)) &&
           hf_sampling_tail_ids_reset(&tail->entry_ids, items) == HF_OK;
}

static struct hf_sampling_tail_entry *entry_of(struct hf_tail *tail, const uint8_t *id)
{
    uint64_t hash = hf_trace_hash(id);
    uint32_t *slot = hf_sampling_tail_ids_at(&tail->entry_ids, hash);
    for (; *slot != 0; slot = hf_sampling_tail_ids_next(&tail->entry_ids, slot)) {
        struct hf_sampling_tail_entry *entry = &tail->entries[*slot - 1];
        if (memcmp(entry->id, id, HF_TRACE_ID_SIZE) == 0) {
            return entry;
        }
    }
    hf_trace_prefetch(&tail->table, hash);
    struct hf_sampling_tail_entry *entry = &tail->entries[tail->entry_count++];
    *slot = (uint32_t)tail->entry_count;
    *entry = (struct hf_sampling_tail_entry){.hash = hash};
    memcpy(entry->id, id, HF_TRACE_ID_SIZE);
    return entry;
}

/* ---- what is noted ---- */

struct noting {
    struct hf_tail *tail;
    struct hf_place *place; /* in the document; NULL: there is none */
    uint32_t left;          /* of the spans that the request was said to have */
    uint64_t resource_bits;
    const uint8_t *resource_group, *scope_group;
    uint64_t resource_bytes, scope_bytes; /* as fields */
};

/* What a message takes as a field: a tag of one byte, the length and the content. */
static uint64_t framed(size_t size)
{
    return 1 + hf_wire_varint_size(size) + size;
}

/* The bytes of a span, and of its resource and scope when they are those of no span of the trace
 * before. */
static void add_bytes(const struct noting *noting, struct hf_slice span,
                      struct hf_sampling_tail_entry *entry)
{
    entry->facts.bytes += framed(span.size);
    if (entry->resource_group != noting->resource_group) {
        entry->resource_group = noting->resource_group;
        entry->facts.bytes += noting->resource_bytes;
    }
    if (entry->scope_group != noting->scope_group) {
        entry->scope_group = noting->scope_group;
        entry->facts.bytes += noting->scope_bytes;
    }
}

static void note_span(struct noting *noting, struct hf_slice bytes)
{
    struct hf_tail *tail = noting->tail;
    struct hf_sampling_tail_span span;
    hf_sampling_tail_span_read(bytes, &span);
    struct hf_sampling_tail_entry *entry = entry_of(tail, span.id);
    entry->facts.bits |= noting->resource_bits;
    entry->has_root = entry->has_root || span.is_root;
    hf_sampling_tail_match_span(tail->policies, &span, noting->place, &entry->facts);
    if (tail->needs_bytes) {
        add_bytes(noting, bytes, entry);
    }
    noting->left--;
}

/*
 * The message in a field that is not repeated: of one that came in several pieces all of them
 * joined, in the tail's memory. What it takes as a field is 0 when it is not there. HF_NOMEM.
 */
static enum hf_status find_one(struct hf_tail *tail, struct hf_slice group, uint32_t number,
                               struct hf_slice *ret_content, uint64_t *ret_framed)
{
    struct hf_wire wire = hf_wire_of(group);
    struct hf_slice piece;
    size_t pieces = 0;
    *ret_content = HF_EMPTY_SLICE;
    for (; hf_wire_each(&wire, number, &piece); pieces++) {
        if (pieces == 0) {
            *ret_content = piece;
            continue;
        }
        tail->joined.size = pieces == 1 ? 0 : tail->joined.size;
        if ((pieces == 1 && hf_bytes_append(&tail->joined, *ret_content) != HF_OK) ||
            hf_bytes_append(&tail->joined, piece) != HF_OK) {
            return HF_NOMEM;
        }
        *ret_content = hf_slice_of(tail->joined.data, tail->joined.size);
    }
    *ret_framed = pieces != 0 ? framed(ret_content->size) : 0;
    return HF_OK;
}

static enum hf_status note_spans(struct noting *noting, struct hf_slice scope_group)
{
    struct hf_slice content, span;
    struct hf_wire wire = hf_wire_of(scope_group);
    noting->scope_group = scope_group.data;
    if (noting->tail->needs_bytes && find_one(noting->tail, scope_group, HF_TAIL_SCOPE, &content,
                                              &noting->scope_bytes) != HF_OK) {
        return HF_NOMEM;
    }
    while (noting->left > 0 && hf_wire_each(&wire, HF_TAIL_SPANS, &span) &&
           (noting->place == NULL || hf_place_next_item(noting->place))) {
        note_span(noting, span);
    }
    return HF_OK;
}

static enum hf_status note_scopes(struct noting *noting, struct hf_slice resource_group)
{
    struct hf_tail *tail = noting->tail;
    struct hf_slice resource, scope_group;
    struct hf_wire wire = hf_wire_of(resource_group);
    enum hf_status status =
        find_one(tail, resource_group, HF_TAIL_RESOURCE, &resource, &noting->resource_bytes);
    if (status == HF_OK) {
        noting->resource_group = resource_group.data;
        noting->resource_bits = hf_sampling_tail_match_resource(tail->policies, resource);
    }
    while (status == HF_OK && hf_wire_each(&wire, HF_TAIL_SCOPE_GROUPS, &scope_group)) {
        status = note_spans(noting, scope_group);
    }
    return status;
}

/* The document, if there is one, is walked through at the same pace. */
static enum hf_status note_all(struct hf_tail *tail, const struct hf_batch *batch,
                               struct hf_document *document)
{
    struct hf_place place = {.document = document};
    struct noting noting = {
        .tail = tail, .place = document != NULL ? &place : NULL, .left = batch->items};
    struct hf_wire wire = hf_wire_of(batch->raw);
    struct hf_slice resource_group;
    enum hf_status status = HF_OK;
    while (status == HF_OK && hf_wire_each(&wire, HF_TAIL_RESOURCE_GROUPS, &resource_group)) {
        status = note_scopes(&noting, resource_group);
    }
    return status;
}

enum hf_status hf_sampling_tail_note(struct hf_tail *tail, const struct hf_batch *batch)
{
    if (!make_room(tail, batch->items)) {
        return HF_NOMEM;
    }
    if (!hf_sampling_tail_has_conditions(tail->policies)) {
        return note_all(tail, batch, NULL);
    }
    struct hf_document *document = hf_document_borrow(batch->signal, batch->raw);
    if (document == NULL) {
        return HF_NOMEM;
    }
    hf_sampling_tail_match_begin(tail->policies, document);
    enum hf_status status = note_all(tail, batch, document);
    enum hf_status matched = hf_sampling_tail_match_end(tail->policies);
    matched = matched == HF_OK ? hf_document_status(document) : matched;
    hf_document_return(document);
    return status == HF_OK ? matched : status;
}
