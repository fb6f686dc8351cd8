#include "message.h"

#include <assert.h>
#include <string.h>

#include "document_internal.h"

const struct hf_schema_message *hf_message_type(const struct hf_message *message)
{
    return message->type;
}

struct hf_message *hf_message_parent(const struct hf_message *message)
{
    return message->parent;
}

struct hf_document *hf_message_document(const struct hf_message *message)
{
    return message->document;
}

void *hf_document_take(struct hf_document *document, size_t size)
{
    void *piece = hf_arena_take(&document->arena, size);
    document->failed |= piece == NULL;
    return piece;
}

struct hf_slice hf_document_keep(struct hf_document *document, struct hf_slice bytes)
{
    uint8_t *room = hf_document_take(document, bytes.size);
    if (room == NULL) {
        return HF_EMPTY_SLICE;
    }
    if (bytes.size > 0) {
        memcpy(room, bytes.data, bytes.size);
    }
    return hf_slice_of(room, bytes.size);
}

struct hf_message *hf_message_new(struct hf_document *document, struct hf_message *parent,
                                  const struct hf_schema_message *type, uint32_t number)
{
    struct hf_message *message = hf_document_take(document, sizeof(*message));
    if (message != NULL) {
        *message = (struct hf_message){
            .document = document, .parent = parent, .type = type, .number = (uint8_t)number};
    }
    return message;
}

void hf_message_touch(struct hf_message *message)
{
    while (message != NULL && !message->dirty) {
        message->dirty = true;
        message = message->parent;
    }
}

struct hf_slot *hf_message_add_slot(struct hf_message *message, uint32_t number,
                                    enum hf_slot_kind kind)
{
    struct hf_slot *slot = hf_document_take(message->document, sizeof(*slot));
    if (slot != NULL) {
        /* In the order of their numbers, which is that of what is written behind what came. */
        struct hf_slot **at = &message->slots;
        while (*at != NULL && (*at)->number < number) {
            at = &(*at)->next;
        }
        *slot = (struct hf_slot){.next = *at, .kind = kind, .number = number};
        *at = slot;
        message->slotted |= UINT32_C(1) << number;
    }
    return slot;
}

/* ---- the fields that came ---- */

/* Does a field with that number and framing belong to the schema, and not to the unknown ones? */
static bool is_known(const struct hf_schema_message *type, const struct hf_wire_field *field)
{
    if (field->number > HF_SCHEMA_NUMBER_MAX) {
        return false;
    }
    const struct hf_schema_field *known = &type->fields[field->number];
    if (known->type == HF_SCHEMA_NONE) {
        return false;
    }
    return field->wire == hf_schema_wire(known->type) ||
           (known->repeated && field->wire == HF_WIRE_BYTES && hf_schema_is_scalar(known->type));
}

static void note_field(struct hf_message_index *index, const struct hf_schema_message *type,
                       uint32_t number, uint32_t at)
{
    uint8_t oneof = type->fields[number].oneof;
    if (oneof != 0) {
        for (uint32_t i = 1; i <= HF_SCHEMA_NUMBER_MAX; i++) {
            index->last[i] = type->fields[i].oneof == oneof ? 0 : index->last[i];
        }
    }
    index->repeated |= index->last[number] != 0 ? UINT32_C(1) << number : 0;
    index->last[number] = at + 1;
}

static const struct hf_message_index *index_of(struct hf_message *message)
{
    if (message->index != NULL) {
        return message->index;
    }
    struct hf_message_index *index = hf_document_take(message->document, sizeof(*index));
    if (index == NULL) {
        return NULL;
    }
    *index = (struct hf_message_index){.repeated = 0};
    struct hf_wire wire = hf_wire_of(message->raw);
    struct hf_wire_field field;
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_step(&wire, &field)) {
            message->document->malformed = true;
            break;
        }
        if (is_known(message->type, &field)) {
            note_field(index, message->type, field.number,
                       (uint32_t)(field.whole.data - message->raw.data));
        }
    }
    message->index = index;
    return index;
}

bool hf_message_find(struct hf_message *message, uint32_t number, struct hf_wire_field *ret_field)
{
    if (message == NULL) {
        return false;
    }
    assert(number <= HF_SCHEMA_NUMBER_MAX &&
           hf_message_field(message, number)->type != HF_SCHEMA_NONE);
    const struct hf_slot *slot = hf_message_slot(message, number);
    if (slot != NULL) {
        struct hf_wire wire = hf_wire_of(slot->bytes);
        bool found = false;
        while (!hf_wire_at_end(wire) && hf_wire_next(&wire, ret_field)) {
            found = true;
        }
        return found;
    }
    const struct hf_message_index *index = index_of(message);
    if (index == NULL || index->last[number] == 0) {
        return false;
    }
    size_t at = index->last[number] - 1;
    struct hf_wire wire = hf_wire_of(hf_slice_of(message->raw.data + at, message->raw.size - at));
    return hf_wire_step(&wire, ret_field);
}

/* The pieces that count of a message that is not repeated. */
struct pieces {
    const uint8_t *start; /* NULL: none */
    size_t count, size;
    struct hf_wire_field last;
};

static bool takes_part(const struct hf_message *message, uint32_t number,
                       const struct hf_wire_field *field)
{
    uint8_t oneof = hf_message_field(message, number)->oneof;
    return oneof != 0 && field->number <= HF_SCHEMA_NUMBER_MAX && field->number != number &&
           message->type->fields[field->number].oneof == oneof && is_known(message->type, field);
}

static struct pieces find_pieces(struct hf_message *message, uint32_t number)
{
    struct pieces pieces = {.start = NULL};
    struct hf_wire wire = hf_wire_of(message->raw);
    struct hf_wire_field field;
    while (!hf_wire_at_end(wire) && hf_wire_step(&wire, &field)) {
        if (takes_part(message, number, &field)) {
            pieces = (struct pieces){.start = NULL};
        } else if (field.number == number && field.wire == HF_WIRE_BYTES) {
            pieces.start = pieces.count == 0 ? field.whole.data : pieces.start;
            pieces.count++;
            pieces.size += field.bytes.size;
            pieces.last = field;
        }
    }
    return pieces;
}

/* All of them joined: by the rules of protobuf that is the message. */
static bool join_pieces(struct hf_message *message, const struct pieces *pieces,
                        struct hf_slice *ret_content)
{
    if (pieces->count <= 1) {
        *ret_content = pieces->last.bytes;
        return true;
    }
    uint8_t *room = hf_document_take(message->document, pieces->size);
    size_t at = (size_t)(pieces->start - message->raw.data);
    struct hf_wire wire = hf_wire_of(hf_slice_of(pieces->start, message->raw.size - at));
    struct hf_wire_field field;
    size_t size = 0;
    while (room != NULL && !hf_wire_at_end(wire) && hf_wire_next(&wire, &field)) {
        if (field.number == pieces->last.number && field.bytes.size > 0) {
            memcpy(room + size, field.bytes.data, field.bytes.size);
            size += field.bytes.size;
        }
    }
    *ret_content = hf_slice_of(room, size);
    return room != NULL;
}

/* ---- children ---- */

static bool add_child(struct hf_message *message, struct hf_slot *slot, struct hf_slice content,
                      struct hf_slice whole)
{
    const struct hf_schema_message *type = hf_message_field(message, slot->number)->message;
    struct hf_message *child = hf_message_new(message->document, message, type, slot->number);
    if (child == NULL) {
        return false;
    }
    child->raw = content;
    child->whole = whole;
    if (slot->last == NULL) {
        slot->first = child;
    } else {
        slot->last->next = child;
    }
    slot->last = child;
    return true;
}

static void add_repeated(struct hf_message *message, struct hf_slot *slot)
{
    struct hf_wire wire = hf_wire_of(message->raw);
    struct hf_wire_field field;
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_step(&wire, &field)) {
            message->document->malformed = true;
            return;
        }
        if (field.number == slot->number && field.wire == HF_WIRE_BYTES &&
            !add_child(message, slot, field.bytes, field.whole)) {
            return;
        }
    }
}

static void add_single(struct hf_message *message, struct hf_slot *slot)
{
    struct pieces pieces = find_pieces(message, slot->number);
    struct hf_slice content;
    if (pieces.count == 0 || !join_pieces(message, &pieces, &content)) {
        return;
    }
    slot->start = pieces.start;
    add_child(message, slot, content, pieces.count == 1 ? pieces.last.whole : HF_EMPTY_SLICE);
}

struct hf_slot *hf_message_children(struct hf_message *message, uint32_t number)
{
    struct hf_slot *slot = hf_message_slot(message, number);
    if (slot != NULL) {
        return slot;
    }
    const struct hf_schema_field *field = hf_message_field(message, number);
    assert(hf_field_is_child(field));
    slot = hf_message_add_slot(message, number, HF_SLOT_CHILDREN);
    if (slot != NULL && message->raw.size > 0) {
        if (field->repeated) {
            add_repeated(message, slot);
        } else {
            add_single(message, slot);
        }
    }
    return slot;
}

static struct hf_message *skip_removed(struct hf_message *child)
{
    while (child != NULL && child->removed) {
        child = child->next;
    }
    return child;
}

struct hf_message *hf_message_first(struct hf_message *message, uint32_t number)
{
    const struct hf_slot *slot = message != NULL ? hf_message_children(message, number) : NULL;
    return slot != NULL ? skip_removed(slot->first) : NULL;
}

struct hf_message *hf_message_next(const struct hf_message *child)
{
    return skip_removed(child->next);
}

size_t hf_message_count(struct hf_message *message, uint32_t number)
{
    size_t count = 0;
    struct hf_message *child = hf_message_first(message, number);
    for (; child != NULL; child = hf_message_next(child)) {
        count++;
    }
    return count;
}

struct hf_message *hf_message_one(struct hf_message *message, uint32_t number)
{
    assert(message == NULL || !hf_message_field(message, number)->repeated);
    return hf_message_first(message, number);
}

void hf_message_adopt(struct hf_message *parent, struct hf_slot *slot, struct hf_message *child)
{
    child->parent = parent;
    child->next = NULL;
    child->added = true;
    if (slot->last == NULL) {
        slot->first = child;
    } else {
        slot->last->next = child;
    }
    slot->last = child;
    hf_message_touch(parent);
}

/* ---- scalars ---- */

bool hf_message_has(struct hf_message *message, uint32_t number)
{
    struct hf_wire_field field;
    const struct hf_slot *slot = message != NULL ? hf_message_slot(message, number) : NULL;
    if (slot != NULL && slot->kind == HF_SLOT_CHILDREN) {
        return skip_removed(slot->first) != NULL;
    }
    if (slot != NULL && slot->kind == HF_SLOT_LIST) {
        return slot->list->attributes.count > 0;
    }
    if (slot != NULL && slot->kind == HF_SLOT_VALUE) {
        return slot->bytes.data != NULL;
    }
    return hf_message_find(message, number, &field);
}

uint64_t hf_message_u64(struct hf_message *message, uint32_t number)
{
    struct hf_wire_field field;
    if (!hf_message_find(message, number, &field)) {
        return 0;
    }
    /* Decoders cut what does not fit. */
    return hf_message_field(message, number)->type == HF_SCHEMA_UINT32 ? (uint32_t)field.value
                                                                       : field.value;
}

int64_t hf_message_i64(struct hf_message *message, uint32_t number)
{
    struct hf_wire_field field;
    if (!hf_message_find(message, number, &field)) {
        return 0;
    }
    uint32_t small = (uint32_t)field.value;
    switch (hf_message_field(message, number)->type) {
    case HF_SCHEMA_BOOL:
        return field.value != 0;
    case HF_SCHEMA_SINT32: /* zigzag */
        return (int32_t)(small >> 1 ^ (0u - (small & 1)));
    case HF_SCHEMA_INT32:
    case HF_SCHEMA_ENUM:
        return (int32_t)small;
    case HF_SCHEMA_UINT32:
        return small;
    default:
        return (int64_t)field.value;
    }
}

double hf_message_as_double(uint64_t bits)
{
    double number;
    memcpy(&number, &bits, sizeof(number));
    return number;
}

double hf_message_double(struct hf_message *message, uint32_t number)
{
    struct hf_wire_field field;
    return hf_message_find(message, number, &field) ? hf_message_as_double(field.value) : 0;
}

struct hf_slice hf_message_bytes(struct hf_message *message, uint32_t number)
{
    struct hf_wire_field field;
    return hf_message_find(message, number, &field) ? field.bytes : HF_EMPTY_SLICE;
}

/* ---- repeated numbers and texts ---- */

struct hf_slice hf_message_fields(const struct hf_message *message, uint32_t number)
{
    const struct hf_slot *slot = message != NULL ? hf_message_slot(message, number) : NULL;
    return message == NULL ? HF_EMPTY_SLICE : slot != NULL ? slot->bytes : message->raw;
}

struct hf_wire_numbers hf_message_numbers(struct hf_message *message, uint32_t number)
{
    enum hf_schema_wire kind =
        message != NULL ? hf_schema_wire(hf_message_field(message, number)->type) : HF_WIRE_VARINT;
    return hf_wire_numbers(hf_message_fields(message, number), number, kind);
}

struct hf_wire hf_message_texts(struct hf_message *message, uint32_t number)
{
    return hf_wire_of(hf_message_fields(message, number));
}

/* ---- attributes and values ---- */

struct hf_attributes *hf_message_attributes(struct hf_message *message, uint32_t number)
{
    if (message == NULL) {
        return NULL;
    }
    assert(hf_field_is_attributes(hf_message_field(message, number)));
    struct hf_slot *slot = hf_message_slot(message, number);
    if (slot != NULL) {
        return &slot->list->attributes;
    }
    struct hf_document *document = message->document;
    struct hf_document_list *list = hf_document_take(document, sizeof(*list));
    if (list == NULL) {
        return NULL;
    }
    *list = (struct hf_document_list){.attributes = {.lender = &document->arena}, .owner = message};
    document->malformed |= !hf_attributes_read(&list->attributes, message->raw, number);
    document->failed |= list->attributes.failed;
    slot = list->attributes.failed ? NULL : hf_message_add_slot(message, number, HF_SLOT_LIST);
    if (slot == NULL) {
        return NULL;
    }
    slot->list = list;
    list->next = document->lists;
    document->lists = list;
    return &list->attributes;
}

/* Looking at so many attributes costs less without a list than reading the list once. */
#define LOOKUPS_MAX 2u

bool hf_message_attribute(struct hf_message *message, uint32_t number, struct hf_slice key,
                          struct hf_slice *ret_value)
{
    if (message == NULL) {
        return false;
    }
    if (message->lookups < LOOKUPS_MAX && hf_message_slot(message, number) == NULL) {
        message->lookups++;
        enum hf_attribute_found found = hf_attribute_peek(message->raw, number, key, ret_value);
        if (found != HF_ATTRIBUTE_UNKNOWN) {
            return found == HF_ATTRIBUTE_THERE;
        }
    }
    const struct hf_attributes *list = hf_message_attributes(message, number);
    const struct hf_attribute *attribute = list != NULL ? hf_attributes_find(list, key) : NULL;
    if (attribute != NULL) {
        *ret_value = attribute->value;
    }
    return attribute != NULL;
}

uint32_t hf_message_attributes_number(const struct hf_schema_message *type)
{
    static const uint8_t numbers[HF_SCHEMA_MESSAGE_COUNT] = {
        [HF_MESSAGE_SCOPE] = 3,
        [HF_MESSAGE_RESOURCE] = 1,
        [HF_MESSAGE_SPAN] = 9,
        [HF_MESSAGE_SPAN_EVENT] = 3,
        [HF_MESSAGE_SPAN_LINK] = 4,
        [HF_MESSAGE_NUMBER_POINT] = 7,
        [HF_MESSAGE_HISTOGRAM_POINT] = 9,
        [HF_MESSAGE_EXPONENTIAL_POINT] = 1,
        [HF_MESSAGE_SUMMARY_POINT] = 7,
        [HF_MESSAGE_EXEMPLAR] = 7,
        [HF_MESSAGE_LOG_RECORD] = 6,
    };
    return numbers[type->index];
}

/* Is the field there once, or not at all? */
static bool is_in_one_piece(struct hf_message *message, uint32_t number)
{
    const struct hf_message_index *index = index_of(message);
    return index != NULL && (index->repeated >> number & 1) == 0;
}

struct hf_slice hf_message_any(struct hf_message *message, uint32_t number)
{
    if (message == NULL) {
        return HF_EMPTY_SLICE;
    }
    assert(hf_field_is_value(hf_message_field(message, number)));
    struct hf_slot *slot = hf_message_slot(message, number);
    if (slot != NULL) {
        return slot->bytes;
    }
    if (hf_message_field(message, number)->oneof == 0 && is_in_one_piece(message, number)) {
        return hf_message_bytes(message, number);
    }
    struct pieces pieces = find_pieces(message, number);
    struct hf_slice content;
    if (pieces.count == 0 || !join_pieces(message, &pieces, &content)) {
        return HF_EMPTY_SLICE;
    }
    /* Joined once. Writing it in place of its pieces changes nothing, so the message stays clean.
     */
    if (pieces.count > 1 && (slot = hf_message_add_slot(message, number, HF_SLOT_VALUE)) != NULL) {
        slot->bytes = content;
    }
    return content;
}
