#include "edit.h"

#include <assert.h>
#include <string.h>

#include "wire.h"

/* What the values made for one owner may take. */
#define ARENA_LIMIT_BYTES (64u << 20)

struct edit {
    struct hf_editor *editor;
    struct hf_wire_writer writer;
    struct hf_edit_place place;
    struct hf_attributes attributes;
    struct hf_bytes resource, scope; /* messages that came in several pieces */
    bool changed;
};

/*
 * The message in field 1 of `outer`. One that comes in several pieces is all of them joined, by the
 * rules of protobuf: those are gathered in `pieces`.
 */
static enum hf_status gather(struct hf_slice outer, struct hf_bytes *pieces,
                             struct hf_slice *ret_message, size_t *ret_count)
{
    struct hf_wire wire = hf_wire_of(outer);
    struct hf_wire_field field;
    enum hf_status status = HF_OK;
    size_t count = 0;
    *ret_message = HF_EMPTY_SLICE;
    pieces->size = 0;
    while (!hf_wire_at_end(wire) && status == HF_OK) {
        if (!hf_wire_next(&wire, &field)) {
            return HF_INVALID;
        }
        if (field.number != 1) {
            continue;
        }
        count++;
        if (count == 2) {
            status = hf_bytes_append(pieces, *ret_message);
        }
        if (count >= 2 && status == HF_OK) {
            status = hf_bytes_append(pieces, field.bytes);
        }
        *ret_message = count == 1 ? field.bytes : hf_slice_of(pieces->data, pieces->size);
    }
    *ret_count = count;
    return status;
}

/* All fields of the owner but its attributes, which stand where the first of them stood. */
static void write_scattered(struct edit *edit)
{
    struct hf_wire wire = hf_wire_of(edit->place.owner);
    struct hf_wire_field field;
    bool written = false;
    while (!hf_wire_at_end(wire) && hf_wire_next(&wire, &field)) {
        if (field.number != edit->place.number) {
            hf_wire_put_raw(&edit->writer, field.whole);
        } else if (!written) {
            hf_attributes_write(&edit->attributes, edit->place.number, &edit->writer);
            written = true;
        }
    }
}

/* The owner with its attributes exchanged: where they stood, or else at the end. */
static void write_owner(struct edit *edit, uint32_t field_number)
{
    struct hf_wire_writer *writer = &edit->writer;
    struct hf_wire_message owner = hf_wire_open(writer, field_number, edit->place.owner.size);
    if (edit->attributes.is_scattered) {
        write_scattered(edit);
    } else {
        hf_wire_put_raw(writer, edit->attributes.before);
        hf_attributes_write(&edit->attributes, edit->place.number, writer);
        hf_wire_put_raw(writer, edit->attributes.after);
    }
    hf_wire_close(writer, owner);
}

/* Edits one owner; `*ret_written` tells whether it was changed, and so written as `field_number`.
 */
static enum hf_status edit_owner(struct edit *edit, uint32_t field_number, struct hf_slice owner,
                                 uint32_t attributes_number, bool *ret_written)
{
    edit->place.owner = owner;
    edit->place.number = attributes_number;
    *ret_written = false;
    if (edit->editor->wants != NULL && !edit->editor->wants(edit->editor, &edit->place)) {
        return HF_OK;
    }
    if (!hf_attributes_read(&edit->attributes, owner, attributes_number)) {
        return HF_INVALID;
    }
    edit->editor->change(edit->editor, &edit->attributes);
    if (edit->attributes.failed) {
        return HF_NOMEM;
    }
    if (edit->attributes.changed) {
        write_owner(edit, field_number);
        edit->changed = true;
        *ret_written = true;
    }
    return HF_OK;
}

static enum hf_status edit_items(struct edit *edit, struct hf_slice message, uint32_t item_number,
                                 uint32_t attributes_number)
{
    struct hf_wire wire = hf_wire_of(message);
    struct hf_wire_field field;
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_next(&wire, &field)) {
            return HF_INVALID;
        }
        bool written = false;
        if (field.number == item_number) {
            enum hf_status status =
                edit_owner(edit, item_number, field.bytes, attributes_number, &written);
            if (status != HF_OK) {
                return status;
            }
        }
        if (!written) {
            hf_wire_put_raw(&edit->writer, field.whole);
        }
    }
    return HF_OK;
}

/* By the field of Metric that holds the data: the points' field of attributes. */
static const uint8_t point_attributes[] = {[5] = 7, [7] = 7, [9] = 9, [10] = 1, [11] = 7};

static enum hf_status edit_metric(struct edit *edit, struct hf_slice metric)
{
    struct hf_wire wire = hf_wire_of(metric);
    struct hf_wire_field field;
    edit->place.metric = metric;
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_next(&wire, &field)) {
            return HF_INVALID;
        }
        if (field.number >= sizeof(point_attributes) || point_attributes[field.number] == 0) {
            hf_wire_put_raw(&edit->writer, field.whole);
            continue;
        }
        struct hf_wire_message data = hf_wire_open(&edit->writer, field.number, field.bytes.size);
        enum hf_status status = edit_items(edit, field.bytes, 1, point_attributes[field.number]);
        if (status != HF_OK) {
            return status;
        }
        hf_wire_close(&edit->writer, data);
    }
    return HF_OK;
}

static enum hf_status edit_metrics(struct edit *edit, struct hf_slice group)
{
    struct hf_wire wire = hf_wire_of(group);
    struct hf_wire_field field;
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_next(&wire, &field)) {
            return HF_INVALID;
        }
        if (field.number != 2) {
            hf_wire_put_raw(&edit->writer, field.whole);
            continue;
        }
        struct hf_wire_message metric = hf_wire_open(&edit->writer, 2, field.bytes.size);
        enum hf_status status = edit_metric(edit, field.bytes);
        if (status != HF_OK) {
            return status;
        }
        hf_wire_close(&edit->writer, metric);
    }
    return HF_OK;
}

/* ScopeSpans, ScopeMetrics, ScopeLogs. */
static enum hf_status edit_group(struct edit *edit, struct hf_slice group)
{
    static const uint8_t attributes[HF_SIGNAL_COUNT] = {[HF_TRACES] = 9, [HF_LOGS] = 6};
    size_t count;
    edit->place.group++;
    enum hf_status status = gather(group, &edit->scope, &edit->place.scope, &count);
    if (status != HF_OK) {
        return status;
    }
    return edit->place.signal == HF_METRICS
               ? edit_metrics(edit, group)
               : edit_items(edit, group, 2, attributes[edit->place.signal]);
}

/* ResourceSpans, ResourceMetrics, ResourceLogs, for an editor of items; profiles have none that it
 * could edit. */
static enum hf_status edit_groups(struct edit *edit, struct hf_slice element)
{
    struct hf_wire wire = hf_wire_of(element);
    struct hf_wire_field field;
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_next(&wire, &field)) {
            return HF_INVALID;
        }
        if (field.number != 2) {
            hf_wire_put_raw(&edit->writer, field.whole);
            continue;
        }
        struct hf_wire_message group = hf_wire_open(&edit->writer, 2, field.bytes.size);
        enum hf_status status = edit_group(edit, field.bytes);
        if (status != HF_OK) {
            return status;
        }
        hf_wire_close(&edit->writer, group);
    }
    return HF_OK;
}

/* The same for an editor of resources. One that was not there, or in pieces, is written in front.
 */
static enum hf_status edit_resource(struct edit *edit, struct hf_slice element, size_t pieces)
{
    struct hf_wire wire = hf_wire_of(element);
    struct hf_wire_field field;
    bool written = false;
    enum hf_status status = HF_OK;
    if (pieces != 1) {
        status = edit_owner(edit, 1, edit->place.resource, HF_NUMBER_RESOURCE_ATTRIBUTES, &written);
    }
    while (!hf_wire_at_end(wire) && status == HF_OK) {
        if (!hf_wire_next(&wire, &field)) {
            return HF_INVALID;
        }
        if (field.number == 1 && pieces == 1) {
            status = edit_owner(edit, 1, field.bytes, HF_NUMBER_RESOURCE_ATTRIBUTES, &written);
        }
        if (field.number != 1 || !written) {
            hf_wire_put_raw(&edit->writer, field.whole);
        }
    }
    return status;
}

static enum hf_status edit_request(struct edit *edit, struct hf_slice raw)
{
    struct hf_wire wire = hf_wire_of(raw);
    struct hf_wire_field field;
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_next(&wire, &field)) {
            return HF_INVALID;
        }
        if (field.number != 1) {
            hf_wire_put_raw(&edit->writer, field.whole);
            continue;
        }
        size_t pieces;
        edit->place.element++;
        struct hf_wire_message element = hf_wire_open(&edit->writer, 1, field.bytes.size);
        enum hf_status status =
            gather(field.bytes, &edit->resource, &edit->place.resource, &pieces);
        if (status == HF_OK) {
            status = edit->editor->of_resources ? edit_resource(edit, field.bytes, pieces)
                                                : edit_groups(edit, field.bytes);
        }
        if (status != HF_OK) {
            return status;
        }
        hf_wire_close(&edit->writer, element);
    }
    return hf_wire_status(&edit->writer);
}

enum hf_status hf_edit(struct hf_editor *editor, enum hf_signal signal, struct hf_slice raw,
                       struct hf_bytes *out, bool *ret_changed)
{
    size_t before = out->size;
    struct edit edit = {.editor = editor,
                        .writer = {.out = out},
                        .place = {.signal = signal},
                        .attributes = {.arena = {.limit = ARENA_LIMIT_BYTES}}};
    /* An eighth more is room for what most actions add; beyond that it grows. */
    enum hf_status status = raw.size <= INT32_MAX ? HF_OK : HF_TOO_LARGE;
    if (status == HF_OK) {
        status = hf_bytes_reserve(out, before + raw.size + raw.size / 8);
    }
    if (status == HF_OK) {
        status = edit_request(&edit, raw);
    }
    if (status == HF_OK && out->size - before > INT32_MAX) {
        status = HF_TOO_LARGE;
    }
    hf_attributes_release(&edit.attributes);
    hf_bytes_release(&edit.resource);
    hf_bytes_release(&edit.scope);
    if (status != HF_OK || !edit.changed) {
        out->size = before;
    }
    if (status == HF_OK) {
        *ret_changed = edit.changed;
    }
    return status;
}

enum hf_status hf_edit_batch(struct hf_editor *editor, struct hf_batch *batch,
                             struct hf_batch **ret_batch)
{
    struct hf_bytes bytes = {0};
    bool changed = false;
    enum hf_status status = hf_edit(editor, batch->signal, batch->raw, &bytes, &changed);
    if (status == HF_OK && !changed) {
        hf_ref_take(&batch->ref);
        *ret_batch = batch;
    }
    if (status == HF_OK && changed) {
        struct hf_batch *edited = hf_batch_new(batch->signal, bytes.size, batch->meta);
        if (edited == NULL) {
            status = HF_NOMEM;
        } else {
            memcpy(hf_batch_room(edited), bytes.data, bytes.size);
            hf_batch_seal(edited, bytes.size, batch->items);
            edited->received_ns = batch->received_ns;
            *ret_batch = edited;
        }
    }
    hf_bytes_release(&bytes);
    return status;
}
