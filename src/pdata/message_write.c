/* How messages are written, copied and moved. */
#include <assert.h>
#include <string.h>

#include "document_internal.h"
#include "message.h"

/* One message on its way out. */
struct writing {
    struct hf_message *message;
    struct hf_wire_writer *writer;
    uint32_t part, *count;
    struct hf_slice run; /* neighbours that did not change are copied at once */
};

static void flush(struct writing *writing)
{
    hf_wire_put_raw(writing->writer, writing->run);
    writing->run = HF_EMPTY_SLICE;
}

static void copy(struct writing *writing, struct hf_slice whole)
{
    if (writing->run.size != 0 && writing->run.data + writing->run.size == whole.data) {
        writing->run.size += whole.size;
        return;
    }
    flush(writing);
    writing->run = whole;
}

static bool must_look_inside(const struct writing *writing, const struct hf_message *child)
{
    return child->dirty || (writing->part != 0 && child->part == 0 && child->type->holds_items);
}

/* A message that is itself put into a part is there whole, or not at all. */
static bool is_put(const struct writing *writing, const struct hf_message *child)
{
    return writing->part != 0 && (child->type->is_item || child->part != 0);
}

static void write_child(struct writing *writing, struct hf_message *child)
{
    struct hf_wire_writer *writer = writing->writer;
    if (child->removed) {
        return;
    }
    uint32_t part = writing->part;
    if (is_put(writing, child)) {
        if (child->part != part) {
            return;
        }
        (*writing->count)++;
        part = 0; /* all that is inside */
    }
    if (!must_look_inside(writing, child)) {
        if (child->whole.size > 0) {
            copy(writing, child->whole);
        } else {
            flush(writing);
            hf_wire_put_bytes(writer, child->number, child->raw);
        }
        return;
    }
    flush(writing);
    size_t size = writer->out->size;
    uint32_t before = *writing->count;
    struct hf_wire_message inner = hf_wire_open(writer, child->number, child->raw.size);
    hf_message_write(child, part, writer, writing->count);
    hf_wire_close(writer, inner);
    if (part != 0 && child->type->holds_items && *writing->count == before) {
        writer->out->size = size;
    }
}

/* The child that came as that field; NULL: it was moved away. Both go forward together. */
static struct hf_message *came_as(struct hf_slot *slot, struct hf_slice whole)
{
    struct hf_message *child = slot->cursor;
    if (child == NULL || child->added || child->whole.data != whole.data) {
        return NULL;
    }
    slot->cursor = child->next;
    return child;
}

static void write_from_slot(struct writing *writing, struct hf_slot *slot)
{
    struct hf_wire_writer *writer = writing->writer;
    slot->written = true;
    switch (slot->kind) {
    case HF_SLOT_FIELDS:
        flush(writing);
        hf_wire_put_raw(writer, slot->bytes);
        break;
    case HF_SLOT_VALUE:
        if (slot->bytes.data != NULL) {
            flush(writing);
            hf_wire_put_bytes(writer, slot->number, slot->bytes);
        }
        break;
    case HF_SLOT_LIST:
        flush(writing);
        hf_attributes_write(&slot->list->attributes, slot->number, writer);
        break;
    case HF_SLOT_CHILDREN:
        for (; slot->cursor != NULL; slot->cursor = slot->cursor->next) {
            write_child(writing, slot->cursor);
        }
        break;
    }
}

static bool is_repeated(const struct writing *writing, const struct hf_slot *slot)
{
    return hf_message_field(writing->message, slot->number)->repeated;
}

/* A field that came and has a slot. */
static void write_field(struct writing *writing, struct hf_slot *slot,
                        const struct hf_wire_field *field)
{
    if (slot->kind == HF_SLOT_LIST && !slot->list->attributes.changed) {
        copy(writing, field->whole);
        return;
    }
    if (slot->kind != HF_SLOT_CHILDREN) {
        if (!slot->written) {
            write_from_slot(writing, slot);
        }
        return;
    }
    if (is_repeated(writing, slot)) {
        struct hf_message *child = came_as(slot, field->whole);
        if (child != NULL) {
            write_child(writing, child);
        }
        return;
    }
    /* One message, written where its first piece stood that counts. */
    if (slot->start != NULL && field->whole.data < slot->start) {
        copy(writing, field->whole);
    } else if (!slot->written) {
        write_from_slot(writing, slot);
    }
}

/* What came is not stepped through when nothing but one list changed. */
static bool write_around_list(struct writing *writing)
{
    const struct hf_slot *slot = writing->message->slots;
    if (slot == NULL || slot->next != NULL || slot->kind != HF_SLOT_LIST ||
        !slot->list->attributes.changed || slot->list->attributes.is_scattered) {
        return false;
    }
    const struct hf_attributes *attributes = &slot->list->attributes;
    hf_wire_put_raw(writing->writer, attributes->before);
    hf_attributes_write(attributes, slot->number, writing->writer);
    hf_wire_put_raw(writing->writer, attributes->after);
    return true;
}

static void begin_slots(struct hf_message *message)
{
    for (struct hf_slot *slot = message->slots; slot != NULL; slot = slot->next) {
        slot->written = false;
        slot->cursor = slot->first;
    }
}

/* What did not come, behind all that did. */
static void end_slots(struct writing *writing)
{
    for (struct hf_slot *slot = writing->message->slots; slot != NULL; slot = slot->next) {
        bool is_children = slot->kind == HF_SLOT_CHILDREN;
        bool is_same = slot->kind == HF_SLOT_LIST && !slot->list->attributes.changed;
        if (!is_same && (!slot->written || is_children)) {
            write_from_slot(writing, slot);
        }
    }
}

/* A message that contains items and was not looked into has no item of the part. */
static bool is_left_out(const struct writing *writing, const struct hf_wire_field *field)
{
    const struct hf_schema_field *known = hf_message_field(writing->message, field->number);
    return writing->part != 0 && known->type == HF_SCHEMA_MESSAGE &&
           (known->message->holds_items || known->message->is_item);
}

void hf_message_write(struct hf_message *message, uint32_t part, struct hf_wire_writer *writer,
                      uint32_t *ret_count)
{
    struct writing writing = {
        .message = message, .writer = writer, .part = part, .count = ret_count};
    if (!must_look_inside(&writing, message)) {
        hf_wire_put_raw(writer, message->raw);
        return;
    }
    if (write_around_list(&writing)) {
        return;
    }
    struct hf_wire wire = hf_wire_of(message->raw);
    struct hf_wire_field field;
    begin_slots(message);
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_step(&wire, &field)) {
            message->document->malformed = true;
            return;
        }
        struct hf_slot *slot =
            field.number <= HF_SCHEMA_NUMBER_MAX ? hf_message_slot(message, field.number) : NULL;
        if (slot != NULL) {
            write_field(&writing, slot, &field);
        } else if (field.number > HF_SCHEMA_NUMBER_MAX || !is_left_out(&writing, &field)) {
            copy(&writing, field.whole);
        }
    }
    end_slots(&writing);
    flush(&writing);
}

void hf_document_settle(struct hf_document *document)
{
    for (struct hf_document_list *list = document->lists; list != NULL; list = list->next) {
        document->failed |= list->attributes.failed;
        if (list->attributes.changed) {
            hf_message_touch(list->owner);
        }
    }
}

struct hf_slice hf_message_content(struct hf_message *message)
{
    struct hf_document *document = message->document;
    if (message->slots == NULL) {
        return message->raw; /* nothing in it was looked at: settling all the others costs */
    }
    hf_document_settle(document);
    if (!message->dirty) {
        return message->raw;
    }
    struct hf_bytes bytes = {0};
    struct hf_wire_writer writer = {.out = &bytes};
    uint32_t items = 0;
    hf_message_write(message, 0, &writer, &items);
    document->failed |= writer.failed;
    struct hf_slice content = hf_document_keep(document, hf_slice_of(bytes.data, bytes.size));
    hf_bytes_release(&bytes);
    return content;
}

/* A message of the bytes of `child`, to be put into another place. */
static struct hf_message *twin(struct hf_message *child, uint32_t number)
{
    struct hf_message *made = hf_message_new(child->document, NULL, child->type, number);
    if (made != NULL && child->number == number) {
        made->whole = child->whole;
    }
    return made;
}

struct hf_message *hf_message_copy(struct hf_message *child, struct hf_message *parent,
                                   uint32_t number)
{
    assert(hf_message_field(parent, number)->message == child->type);
    struct hf_slice content = hf_message_content(child);
    struct hf_slot *slot = hf_message_children(parent, number);
    struct hf_message *made = slot != NULL ? twin(child, number) : NULL;
    if (made != NULL) {
        made->raw = content;
        made->whole = child->dirty ? HF_EMPTY_SLICE : made->whole;
        hf_message_vacate(parent, number);
        hf_message_adopt(parent, slot, made);
    }
    return made;
}

struct hf_message *hf_message_move(struct hf_message *child, struct hf_message *parent,
                                   uint32_t number)
{
    assert(hf_message_field(parent, number)->message == child->type && !child->removed);
    struct hf_slot *slot = hf_message_children(parent, number);
    struct hf_message *made = slot != NULL ? twin(child, number) : NULL;
    if (made == NULL) {
        return NULL;
    }
    made->raw = child->raw;
    made->slots = child->slots;
    made->slotted = child->slotted;
    made->index = child->index;
    made->part = child->part;
    made->dirty = child->dirty;
    for (struct hf_slot *own = made->slots; own != NULL; own = own->next) {
        for (struct hf_message *inner = own->first; inner != NULL; inner = inner->next) {
            inner->parent = made;
        }
        if (own->list != NULL) {
            own->list->owner = made;
        }
    }
    hf_message_remove(child);
    child->slots = NULL;
    child->slotted = 0;
    hf_message_vacate(parent, number);
    hf_message_adopt(parent, slot, made);
    return made;
}
