/* How the fields of a message are changed. */
#include <assert.h>
#include <string.h>

#include "document_internal.h"
#include "message.h"

/* ---- changing fields ---- */

static void empty_slot(struct hf_slot *slot)
{
    slot->bytes = HF_EMPTY_SLICE;
    for (struct hf_message *child = slot->first; child != NULL; child = child->next) {
        child->removed = true;
    }
    slot->start = NULL; /* every piece that came is undone */
    if (slot->list != NULL) {
        hf_attributes_clear(&slot->list->attributes);
    }
}

/* A slot of the field with nothing in it. NULL: out of memory. */
static struct hf_slot *emptied_slot(struct hf_message *message, uint32_t number)
{
    struct hf_slot *slot = hf_message_slot(message, number);
    if (slot == NULL) {
        const struct hf_schema_field *field = hf_message_field(message, number);
        enum hf_slot_kind kind = hf_field_is_child(field)   ? HF_SLOT_CHILDREN
                                 : hf_field_is_value(field) ? HF_SLOT_VALUE
                                                            : HF_SLOT_FIELDS;
        if (hf_field_is_attributes(field)) {
            /* The list must know what it had, or else it would not know that it changed. */
            hf_message_attributes(message, number);
            slot = hf_message_slot(message, number);
        } else {
            slot = hf_message_add_slot(message, number, kind);
        }
    }
    if (slot != NULL) {
        empty_slot(slot);
    }
    return slot;
}

/* The members of its oneof exclude each other. */
static void clear_others(struct hf_message *message, uint32_t number)
{
    const struct hf_schema_message *type = message->type;
    uint8_t oneof = type->fields[number].oneof;
    for (uint32_t i = 1; oneof != 0 && i <= HF_SCHEMA_NUMBER_MAX; i++) {
        if (i != number && type->fields[i].oneof == oneof) {
            emptied_slot(message, i);
        }
    }
}

void hf_message_clear(struct hf_message *message, uint32_t number)
{
    if (message == NULL || !hf_message_has(message, number)) {
        return;
    }
    clear_others(message, number); /* one that was undone would come to light */
    emptied_slot(message, number);
    hf_message_touch(message);
}

void hf_message_vacate(struct hf_message *message, uint32_t number)
{
    if (!hf_message_field(message, number)->repeated) {
        emptied_slot(message, number);
        clear_others(message, number);
        hf_message_touch(message);
    }
}

struct hf_message *hf_message_append(struct hf_message *message, uint32_t number)
{
    const struct hf_schema_message *type = hf_message_field(message, number)->message;
    assert(hf_message_field(message, number)->repeated || !hf_message_has(message, number));
    struct hf_slot *slot = hf_message_children(message, number);
    struct hf_message *child =
        slot != NULL ? hf_message_new(message->document, message, type, number) : NULL;
    if (child != NULL) {
        clear_others(message, number);
        hf_message_adopt(message, slot, child);
        child->dirty = true;
    }
    return child;
}

struct hf_message *hf_message_need(struct hf_message *message, uint32_t number)
{
    struct hf_message *child = hf_message_one(message, number);
    return child != NULL || message == NULL ? child : hf_message_append(message, number);
}

void hf_message_remove(struct hf_message *child)
{
    assert(!child->removed && child->parent != NULL);
    if (hf_message_field(child->parent, child->number)->oneof != 0) {
        hf_message_clear(child->parent, child->number);
        return;
    }
    child->removed = true;
    hf_message_touch(child->parent);
}

/* ---- scalars ---- */

/* The largest field of a number: a tag of two bytes and a varint of ten. */
#define NUMBER_FIELD_MAX 12u

/* A writer into `most` bytes of the document's memory. */
static bool begin_field(struct hf_message *message, size_t most, struct hf_bytes *ret_room)
{
    uint8_t *room = message != NULL ? hf_document_take(message->document, most) : NULL;
    *ret_room = (struct hf_bytes){.data = room, .capacity = most};
    return room != NULL;
}

static void put_slot(struct hf_message *message, uint32_t number, enum hf_slot_kind kind,
                     struct hf_slice bytes)
{
    clear_others(message, number);
    struct hf_slot *slot = emptied_slot(message, number);
    if (slot != NULL) {
        assert(slot->kind == kind);
        slot->bytes = bytes;
        hf_message_touch(message);
    }
    (void)kind;
}

/* `bits` as they stand on the wire. */
static void set_number(struct hf_message *message, uint32_t number, uint64_t bits)
{
    struct hf_wire_field field;
    struct hf_bytes room;
    if ((hf_message_find(message, number, &field) && field.value == bits) ||
        !begin_field(message, NUMBER_FIELD_MAX, &room)) {
        return;
    }
    assert(hf_schema_is_scalar(hf_message_field(message, number)->type));
    struct hf_wire_writer writer = {.out = &room};
    switch (hf_schema_wire(hf_message_field(message, number)->type)) {
    case HF_WIRE_64:
        hf_wire_put_fixed64(&writer, number, bits);
        break;
    case HF_WIRE_32:
        hf_wire_put_fixed32(&writer, number, (uint32_t)bits);
        break;
    default:
        hf_wire_put_varint(&writer, number, bits);
        break;
    }
    hf_arena_trim(&message->document->arena, room.data, room.size);
    put_slot(message, number, HF_SLOT_FIELDS, hf_slice_of(room.data, room.size));
}

void hf_message_set_u64(struct hf_message *message, uint32_t number, uint64_t value)
{
    set_number(message, number, value);
}

void hf_message_set_i64(struct hf_message *message, uint32_t number, int64_t value)
{
    if (message == NULL) {
        return;
    }
    uint64_t bits = (uint64_t)value;
    switch (hf_message_field(message, number)->type) {
    case HF_SCHEMA_SINT32: {
        uint32_t small = (uint32_t)value;
        bits = small << 1 ^ (value < 0 ? UINT32_MAX : 0);
        break;
    }
    case HF_SCHEMA_INT32:
    case HF_SCHEMA_ENUM:
        bits = (uint64_t)(int64_t)(int32_t)value;
        break;
    case HF_SCHEMA_BOOL:
        bits = value != 0;
        break;
    default:
        break;
    }
    set_number(message, number, bits);
}

void hf_message_set_double(struct hf_message *message, uint32_t number, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    set_number(message, number, bits);
}

/* Room for a tag and a length. */
#define HEAD_MAX 15u

void hf_message_set_bytes(struct hf_message *message, uint32_t number, struct hf_slice bytes)
{
    struct hf_wire_field field;
    struct hf_bytes room;
    if ((hf_message_find(message, number, &field) && hf_slice_equal(field.bytes, bytes)) ||
        !begin_field(message, bytes.size + HEAD_MAX, &room)) {
        return;
    }
    struct hf_wire_writer writer = {.out = &room};
    hf_wire_put_bytes(&writer, number, bytes);
    put_slot(message, number, HF_SLOT_FIELDS, hf_slice_of(room.data, room.size));
}

void hf_message_set_numbers(struct hf_message *message, uint32_t number, const uint64_t *bits,
                            size_t count)
{
    struct hf_bytes room;
    if (message == NULL) {
        return;
    }
    enum hf_schema_wire kind = hf_schema_wire(hf_message_field(message, number)->type);
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += kind == HF_WIRE_VARINT ? hf_wire_varint_size(bits[i]) : kind == HF_WIRE_64 ? 8 : 4;
    }
    if (!begin_field(message, size + HEAD_MAX, &room)) {
        return;
    }
    struct hf_wire_writer writer = {.out = &room};
    struct hf_wire_message packed = hf_wire_open(&writer, number, size);
    for (size_t i = 0; i < count; i++) {
        hf_wire_put_packed(&writer, kind, bits[i]);
    }
    hf_wire_close(&writer, packed);
    put_slot(message, number, HF_SLOT_FIELDS,
             count > 0 ? hf_slice_of(room.data, room.size) : HF_EMPTY_SLICE);
}

void hf_message_add_text(struct hf_message *message, uint32_t number, struct hf_slice text)
{
    struct hf_bytes room;
    struct hf_slice before = hf_message_fields(message, number);
    if (!begin_field(message, before.size + text.size + HEAD_MAX, &room)) {
        return;
    }
    struct hf_wire_writer writer = {.out = &room};
    struct hf_wire wire = hf_wire_of(before);
    struct hf_slice one;
    while (hf_wire_each(&wire, number, &one)) {
        hf_wire_put_bytes(&writer, number, one);
    }
    hf_wire_put_bytes(&writer, number, text);
    put_slot(message, number, HF_SLOT_FIELDS, hf_slice_of(room.data, room.size));
}

void hf_message_set_any(struct hf_message *message, uint32_t number, struct hf_slice value)
{
    if (message == NULL || (hf_message_has(message, number) &&
                            hf_slice_equal(hf_message_any(message, number), value))) {
        return;
    }
    /* The slice of a value that is there always has data. */
    static const uint8_t nothing[1];
    put_slot(message, number, HF_SLOT_VALUE, value.data != NULL ? value : hf_slice_of(nothing, 0));
}
